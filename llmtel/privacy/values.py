"""Values by what they are: texts, ids, words, each replaced in its way and counted."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Literal

import orjson
import polars as pl
from msgspec import Struct, field

from llmtel.privacy.names import Kind, Names
from llmtel.privacy.pseudonyms import Pseudonyms
from llmtel.privacy.redact import any_of, put, redacted
from llmtel.privacy.rules import Rule

Text = Literal["drop", "redact", "keep"]

GONE = "[REDACTED]"
"""What stands in place of what a key says is personal."""
WORD = r"^[!-~&&[^\\]]{0,128}$"
"""One word of ASCII, with no escape in it."""
NO_WORD = r"^[/~]|://|/(?:home|Users)/"
"""Addresses and paths: words that say whose they are."""
FIXED = (
    r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.,]+ ?(?:Z|UTC|[+-][0-9:]{2,5})?"
    r"|(?i:thumbs? (?:up|down))|new_token)$"
)
"""Times, thumbs and the event of a first token: no texts, wherever they stand."""
NESTED = r'^\s*(?:[\[{"]|\\")'
"""The beginning of JSON, also where its quotes are escaped."""
_LAST_PART = r"([^/\\]+)[/\\]*$"


_LOOKED_AT = (Kind.OTHER, Kind.STRUCTURE, Kind.SAID, Kind.INSIDE)
"""Kinds of which the value says more."""


class Policy(Struct, frozen=True):
    """What becomes of the values of a file.

    `judged` are the words, as a pattern, by which llmtel tells kinds of errors: all that is kept of sentences
    that it reads.
    """

    names: Names
    pseudonyms: Pseudonyms
    rules: tuple[Rule, ...]
    text: Text = "drop"
    judged: str = ""
    whole: tuple[Kind, ...] = (Kind.USER, Kind.ID, Kind.PERSONAL)
    """Kinds of which numbers are replaced, too."""

    @property
    def sure(self) -> tuple[Rule, ...]:
        """The rules for words."""
        return tuple(rule for rule in self.rules if rule.anywhere)


class Tally(Struct):
    """What was replaced: how often, by rule or kind. Never the values."""

    counts: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, count: int) -> None:
        """Count some."""
        if count:
            self.counts[name] += count

    def take(self, other: Counter[str]) -> None:
        """Take the counts of a part."""
        self.counts.update(other)


def settled(kinds: pl.Series, values: pl.Series) -> pl.Series:
    """The kinds, decided by what each value looks like where its key does not tell.

    What is no single word is TEXT. `values` may have JSON's escapes in them; those are never words.
    """
    rows = kinds.is_in(_LOOKED_AT).arg_true()
    looked = values.gather(rows)
    fixed = looked.str.contains(FIXED)
    word = (looked.str.contains(WORD) & ~looked.str.contains(NO_WORD)) | fixed
    frame = pl.select(kind=kinds.gather(rows), word=word, fixed=fixed, nested=looked.str.contains(NESTED))
    other = pl.col("kind") == Kind.OTHER
    said = pl.col("kind").is_in([Kind.SAID, Kind.STRUCTURE])
    inside = pl.col("kind") == Kind.INSIDE
    found = (
        pl.when((said & pl.col("word")) | (inside & pl.col("fixed")))
        .then(pl.lit(Kind.READ, pl.UInt8))
        .when(~pl.col("nested") & (pl.col("kind") == Kind.STRUCTURE))
        .then(pl.lit(Kind.PERSONAL, pl.UInt8))  # a time that is none stays one that cannot be read
        .when(~pl.col("nested") & ((other & ~pl.col("word")) | inside))
        .then(pl.lit(Kind.TEXT, pl.UInt8))
        .otherwise("kind")
    )
    return put(kinds, rows, frame.select(found).to_series())


def replaced(kinds: pl.Series, values: pl.Series, policy: Policy, tally: Tally) -> pl.Series:
    """The values (without escapes) of settled kinds, with what must not leave replaced."""
    ways: dict[Kind, Callable[[pl.Series, Policy, Tally], pl.Series]] = {
        Kind.TEXT: _text,
        Kind.PERSONAL: _personal,
        Kind.USER: _user,
        Kind.ID: _id,
        Kind.SAID: _said,
        Kind.PLACE: _place,
        Kind.READ: _word,
        Kind.OTHER: _word,
        Kind.INSIDE: _text,
        Kind.STRUCTURE: _text,
    }
    for kind, way in ways.items():
        rows = (kinds == kind).arg_true()
        if rows.len():
            values = put(values, rows, way(values.gather(rows), policy, tally))
    return values


def _full(values: pl.Series) -> int:
    """How many values are not empty."""
    return int((values.str.len_bytes() > 0).sum())


def _text(values: pl.Series, policy: Policy, tally: Tally) -> pl.Series:
    if policy.text == "keep":
        return values
    if policy.text == "redact":
        new, found = redacted(values, policy.rules)
        tally.take(found)
        return new
    tally.add("text", _full(values))
    return pl.Series([""], dtype=pl.String).new_from_index(0, values.len())


def _personal(values: pl.Series, _policy: Policy, tally: Tally) -> pl.Series:
    tally.add("personal", _full(values))
    return pl.select(pl.when(values.str.len_bytes() > 0).then(pl.lit(GONE)).otherwise(values)).to_series()


def _user(values: pl.Series, policy: Policy, tally: Tally) -> pl.Series:
    tally.add("user", _full(values))
    return policy.pseudonyms.of(values, "u_")


def _id(values: pl.Series, policy: Policy, tally: Tally) -> pl.Series:
    tally.add("id", _full(values))
    return policy.pseudonyms.of(values)


def _said(values: pl.Series, policy: Policy, tally: Tally) -> pl.Series:
    """Of a sentence the words by which errors are told, else "error", which tells as little."""
    tally.add("sentence", _full(values))
    if not policy.judged:
        return values.str.replace_all("(?s).+", "error")
    kept = values.str.extract_all(policy.judged).list.join(" ")
    return pl.select(
        pl.when(kept != "").then(kept).when(values != "").then(pl.lit("error")).otherwise(values)
    ).to_series()


def _place(values: pl.Series, policy: Policy, tally: Tally) -> pl.Series:
    last = values.str.extract(_LAST_PART).fill_null("")
    tally.add("path", int((last != values).sum()))
    return _word(last, policy, tally)


def _word(values: pl.Series, policy: Policy, tally: Tally) -> pl.Series:
    if not values.unique().str.contains(any_of(policy.sure)).any():
        return values
    new, found = redacted(values, policy.sure)
    tally.take(found)
    return new


def decoded(tokens: pl.Series) -> pl.Series:
    """JSON strings as what they say."""
    odd = tokens.str.contains("\\", literal=True).arg_true()
    plain = tokens.str.strip_prefix('"').str.strip_suffix('"')
    if not odd.len():
        return plain
    return put(plain, odd, pl.Series(map(_loaded, tokens.gather(odd)), dtype=pl.String))


def _loaded(token: str) -> str:
    """What a JSON string says; a lone surrogate in it becomes a question mark."""
    try:
        return str(orjson.loads(token))
    except orjson.JSONDecodeError:
        return str(json.loads(token)).encode("utf-8", "replace").decode()


def encoded(values: pl.Series) -> pl.Series:
    """Texts as JSON strings."""
    return (
        values.alias("v").to_frame().to_struct().struct.json_encode()
        .str.strip_prefix('{"v":').str.strip_suffix("}")
    )  # fmt: skip
