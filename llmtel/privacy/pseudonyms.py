"""Pseudonyms for ids: equal ones stay equal, and nobody without the key can tell whose they are."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b

import polars as pl

from llmtel.core.pseudonym import DIGEST, KEY_ID, MADE
from llmtel.privacy.keys import KEY_BYTES

_DIGEST_BYTES, _KEY_ID_BYTES = DIGEST // 2, KEY_ID // 2
_KEY_ID_LABEL = b"llmtel pseudonyms: key id"
_NOTHING = "0-"
"""Characters of ids that stand for none, such as the nil UUID (RFC 9562)."""
_KIND_OF_ID = re.compile(r"(?:chatcmpl|cmpl|resp|msg|req|gen|batch|run|call|toolu|T)[-_]")
"""Beginnings by which vendors say what an id is of; formats are told by them, and no person is."""


@dataclass(frozen=True)
class Pseudonyms:
    """Keyed pseudonyms: BLAKE2b-128 of the value (RFC 7693), after the id of the key.

    An unkeyed hash of an address or a number can be found by trying all of them; a keyed one cannot.
    """

    key: bytes = field(repr=False)

    @classmethod
    def random(cls) -> Pseudonyms:
        """Pseudonyms of a new key, which is forgotten with them."""
        return cls(secrets.token_bytes(KEY_BYTES))

    @cached_property
    def key_id(self) -> str:
        """What tells keys apart, and tells nothing of the key."""
        return blake2b(_KEY_ID_LABEL, key=self.key, digest_size=_KEY_ID_BYTES).hexdigest()

    @cached_property
    def _keyed(self) -> blake2b:
        return blake2b(key=self.key, digest_size=_DIGEST_BYTES)

    def of(self, values: pl.Series, prefix: str = "id_") -> pl.Series:
        """A pseudonym for each value: `prefix`, or the vendor's own, the key's id, and 32 hex digits.

        Null stays null, and what is no id ("", or zeros) stays as it is.
        """
        return _replaced(
            values, lambda some: pl.Series([self.one(value, prefix) for value in some], dtype=pl.String)
        )

    def settled(self, values: pl.Series, prefix: str) -> pl.Series:
        """As `of`, always with `prefix`; and what is a pseudonym already, of any key, stays as it is."""

        def names(some: pl.Series) -> pl.Series:
            stay = some.str.contains(f"^{MADE.pattern}$") | (some.str.strip_chars(_NOTHING) == "")
            made = f"{prefix}{self.key_id}" + pl.Series(self._digests(some.to_list()), dtype=pl.String)
            return some.zip_with(stay, made)

        return _replaced(values, names)

    def one(self, value: str, prefix: str = "id_", *, vendors: bool = True) -> str:
        """The pseudonym of one value; `vendors`: their own beginnings stay."""
        if not value.strip(_NOTHING):
            return value
        own = _KIND_OF_ID.match(value) if vendors else None
        return f"{own[0] if own else prefix}{self.key_id}{self._digests([value])[0]}"

    def _digests(self, values: Sequence[str]) -> list[str]:
        keyed, found = self._keyed.copy, list[str]()
        for value in values:
            digest = keyed()  # to begin with the key each time takes half as long again
            digest.update(value.encode("utf-8", "surrogatepass"))
            found.append(digest.hexdigest())
        return found


def _replaced(values: pl.Series, names: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """The values under other `names`, which are found once for each distinct value."""
    values = values.cast(pl.String)
    distinct = values.unique().drop_nulls()
    by_value = pl.DataFrame([distinct.alias("@value"), names(distinct).alias("@name")])
    # a join takes half the time of `replace_strict` where nearly all values are distinct
    found = values.to_frame("@value").join(by_value, on="@value", how="left", maintain_order="left")
    return found["@name"].alias(values.name)
