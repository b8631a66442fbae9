"""Copies of one call from several formats (a gateway's log and a tracing export), made one row.

The richer copy is kept and takes from the others what it does not know. Fields that only mean something
together are taken together: token leaves come all from one copy, and so does the outcome.
"""

from __future__ import annotations

import polars as pl
from msgspec import Struct

from llmtel.core.account import Note
from llmtel.core.schema import FIELDS, LEAVES
from llmtel.sources.usage import RECONCILED

PLACE = frozenset({"file", "line", "format", "grain", "request_count"})
"""Fields that say where a row is from and what it stands for, and nothing of the call."""
_PART = ["@group", "@part"]


class _Unit(Struct, frozen=True):
    """Fields that come from one copy: the first that knows any of `told`."""

    told: tuple[str, ...]
    beside: tuple[str, ...] = ()


_UNITS = (
    _Unit(LEAVES, ("token_source", "price_reason", RECONCILED)),
    _Unit(("status",), ("error", "http_status")),
    _Unit(("prompt",), ("prompt_version",)),
)
_TOGETHER = {name for unit in _UNITS for name in (*unit.told, *unit.beside)}
_NOT_TAKEN = PLACE | {"ts", "sample_rate"}


def met(kept: pl.DataFrame, calls: pl.DataFrame, ranked: pl.DataFrame) -> tuple[pl.DataFrame, list[Note]]:
    """The kept copies with what they lacked, and a note on how many calls stood in several formats.

    `ranked` are the best copies of each format (`@row`, `@group`, `@part`, `format`), those to keep first in
    their part; `kept` and `calls` have `@row`. Where no part has two formats nothing is done.
    """
    several = ranked.filter(pl.col("format").n_unique().over(_PART) > 1)
    if several.is_empty():
        return kept, []
    copies = several.join(calls.drop("format"), on="@row", how="left", maintain_order="left")
    winner = pl.col("@row") == pl.col("@row").first().over(_PART)
    # of the winner's own format the copy is complete as it is
    copies = copies.filter(winner | (pl.col("format") != pl.col("format").first().over(_PART)))
    whole = copies.group_by(_PART, maintain_order=True).agg(
        pl.col("@row").first(), *_taken(copies.columns), _rate(copies.columns)
    )
    whole = _without_impossible(whole).sort("@row")
    changed = [name for name in whole.columns if name in kept.columns and name != "@row"]
    rows = whole["@row"].implode()
    own = kept.filter(pl.col("@row").is_in(rows)).sort("@row").with_columns(whole.select(changed))
    rest = kept.filter(~pl.col("@row").is_in(rows))
    return pl.concat([rest, own]).sort("@row"), _notes(several, own)


def _taken(columns: list[str]) -> list[pl.Expr]:
    """For each field the value of the first copy, in their order, that knows it."""
    fields = [name for name in FIELDS if name in columns and name not in _NOT_TAKEN | _TOGETHER]
    expressions = [pl.col(name).drop_nulls().first() for name in fields]
    for unit in _UNITS:
        told = [name for name in unit.told if name in columns]
        if not told:
            continue
        knows = pl.any_horizontal(pl.col(name).is_not_null() for name in told)
        # what a provider counted comes before what was counted or estimated here
        if "token_source" in unit.beside and "token_source" in columns:
            logged = knows & (pl.col("token_source").cast(pl.String) == "logged").fill_null(value=False)
            knows = pl.when(logged.any()).then(logged).otherwise(knows)
        asked = pl.when(knows.any()).then(knows).otherwise(statement=True)  # the winner where none knows
        names = (*told, *(name for name in unit.beside if name in columns))
        expressions += [pl.col(name).filter(asked).first() for name in names]
    return expressions


def _rate(columns: list[str]) -> pl.Expr:
    """The share of calls like this that were kept: of a call that stands in a complete log, all of them."""
    if "sample_rate" not in columns:
        return pl.lit(None, dtype=pl.Float64).alias("@rate")
    rate = pl.col("sample_rate")
    return pl.when(~rate.is_null().any()).then(rate.max()).alias("sample_rate")


def _without_impossible(whole: pl.DataFrame) -> pl.DataFrame:
    """A first token of one copy cannot come after the end in another."""
    if not {"latency_ms", "ttft_ms"} <= set(whole.columns):
        return whole
    late = (pl.col("ttft_ms") > pl.col("latency_ms")).fill_null(value=False)
    return whole.with_columns(pl.when(~late).then(pl.col("ttft_ms")).alias("ttft_ms"))


def _notes(several: pl.DataFrame, own: pl.DataFrame) -> list[Note]:
    n = own.filter(pl.col("request_count").fill_null(1) > 0).height
    if not n:
        return []
    formats = ", ".join(sorted(several["format"].cast(pl.String).unique()))
    text = (
        f"calls that stand in logs of several formats ({formats}): {n:,}; each is counted once, and the"
        " richer copy has taken from the others what it did not know"
    )
    return [Note("several_formats", text, n)]
