"""Encryption at rest: AES-256-GCM for all columns and the footer of a data file (Parquet modular encryption).

A table says the id of the key that new files are written with, and the name of each file that of its own, so
that it is known before reading which key is wanted, and a wrong key is told from damage. The table's id is
the prefix of the additional authenticated data (AAD): a file of another store is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b

import polars as pl

from llmtel.core.errors import UsageError
from llmtel.privacy.keys import KeySource

KEY_ID = "llmtel.key_id"
"""The table property with the id of the key that new files are written with; "" in a plain store."""
DEFAULT = "LLMTEL_STORE_KEY"
"""The environment variable whose key is used where nothing says another."""
_UNSAID = "no key is named (store: {encryption: …} in llmtel.yaml)"
_LABEL = b"llmtel store key id"


def key_id(key: bytes) -> str:
    """What a key is called: `k` and a hash of it with a fixed label, which does not tell the key."""
    return "k" + blake2b(_LABEL, key=key, digest_size=8).hexdigest()


@dataclass(frozen=True)
class Secret:
    """The key of some files of one table (`aad`: its id)."""

    key: bytes = field(repr=False)
    aad: bytes

    @property
    def writing(self) -> pl.ParquetEncryptionProperties:
        """What Polars needs to write them."""
        return pl.ParquetEncryptionProperties(footer_key=self.key, aad_prefix=self.aad)

    @property
    def reading(self) -> pl.ParquetDecryptionProperties:
        """What Polars needs to read them."""
        return pl.ParquetDecryptionProperties(footer_key=self.key, aad_prefix=self.aad)


class Ring:
    """The keys at hand, each fetched once and not before it is needed."""

    def __init__(self, sources: tuple[KeySource, ...] = ()) -> None:
        self.sources = sources or (KeySource("key_env", DEFAULT, _UNSAID),)
        self._keys: dict[str, bytes] = {}

    def first(self) -> str:
        """The id of the key that a new store is written with. Raises `UsageError`."""
        return self._fetched(self.sources[0])

    def key(self, wanted: str, store: str) -> bytes:
        """The key with an id. Raises `UsageError` where it is missing or another, saying which is wanted."""
        why = []
        for source in self.sources:
            if wanted in self._keys:
                break
            try:
                there = self._fetched(source)
            except UsageError as error:
                why.append(str(error))
            else:
                why.append(f"{source.said}: {source.called} has another, {there}")
        if wanted not in self._keys:
            raise UsageError(
                f"{store}: it is encrypted with the key {wanted}, which is not at hand: {'; '.join(why)}"
            )
        return self._keys[wanted]

    def _fetched(self, source: KeySource) -> str:
        key = source.key()
        self._keys[key_id(key)] = key
        return key_id(key)
