"""The columns of a stored call: what logs say, and what tells which copy of a call is preferred.

Costs are not among them: they are found when a question is asked.
"""

from __future__ import annotations

import polars as pl

from llmtel.core.schema import FIELDS, IMAGINED, PRICED
from llmtel.sources.identity import VAGUE

KEPT = tuple(name for name in FIELDS if name not in {*PRICED, *IMAGINED} or name == "price_reason")
"""Fields that are stored."""
SOURCE, COPIES, IDS = "@source", "@copies", "@ids"
PREFER = ("@prefer 0", "@prefer 1", "@prefer 2")
_HIDDEN = {
    "llmtel_source": SOURCE,
    "llmtel_vague": VAGUE,
    **{f"llmtel_prefer_{i}": name for i, name in enumerate(PREFER)},
    "llmtel_copies": COPIES,
    "llmtel_ids": IDS,
}
"""Columns beside the fields, by their names in the files.

`llmtel_source` is the log file a row came from, as the ledger names it; `llmtel_copies` are all copies of a
call that stands in several files, as JSON lines, so that the choice among them can be made again;
`llmtel_ids` are the ids of these copies, each after a `c` (call) or `r` (response) on a line of its own.
"""
SCHEMA = pl.Schema({
    **{name: FIELDS[name].dtype for name in KEPT},
    **{name: pl.Float64() if at in PREFER else pl.String() for name, at in _HIDDEN.items()},
})  # fmt: skip
"""The dtypes of a data file's columns, in order; the day is in its path."""
_PIECE = pl.Struct({
    **{name: pl.Int64() if name == "ts" else FIELDS[name].dtype for name in KEPT},
    SOURCE: pl.String(), VAGUE: pl.String(), **dict.fromkeys(PREFER, pl.Float64()),
})  # fmt: skip
"""A copy in JSON: the time is in microseconds."""


def rows(calls: pl.DataFrame) -> pl.DataFrame:
    """Calls of the reader (with `SOURCE`) as rows of the store, under the names that the reader uses."""
    here = set(calls.columns)
    names = {**dict.fromkeys(KEPT), **dict.fromkeys((*_HIDDEN.values(),))}
    types = {**SCHEMA, **{at: SCHEMA[name] for name, at in _HIDDEN.items()}}
    return calls.select(
        (pl.col(name) if name in here else pl.lit(None)).cast(types[name]).alias(name) for name in names
    )


def to_file(calls: pl.DataFrame) -> pl.DataFrame:
    """Rows under the names that they have in files."""
    return calls.rename({at: name for name, at in _HIDDEN.items()}, strict=False)


def from_file(calls: pl.DataFrame) -> pl.DataFrame:
    """Rows of a file under the names that the reader uses."""
    return calls.rename(_HIDDEN)


def packed(pieces: pl.DataFrame, by: str) -> pl.DataFrame:
    """For each value of `by` its rows as JSON lines and their ids: columns `by`, `COPIES`, `IDS`."""
    columns = [pl.col(f.name).dt.epoch("us") if f.name == "ts" else pl.col(f.name) for f in _PIECE.fields]
    values = pieces.select(
        by, "line", SOURCE, pl.struct(columns).struct.json_encode().alias(COPIES), *_keys()
    )
    ordered = values.sort(by, SOURCE, "line", COPIES)
    ids = pl.concat([pl.col("c"), pl.col("r")]).drop_nulls().unique().sort().str.join("\n")
    return ordered.group_by(by, maintain_order=True).agg(pl.col(COPIES).str.join("\n"), ids.alias(IDS))


def _keys() -> list[pl.Expr]:
    return [
        pl.when(keyed(name)).then(pl.lit(name[0]) + pl.col(name)).alias(name[0])
        for name in ("call_id", "response_id")
    ]


def keyed(name: str, flags: str = VAGUE) -> pl.Expr:
    """Whether an id (`call_id` or `response_id`) is known and a key."""
    return pl.col(name).is_not_null() & ~pl.col(flags).fill_null("").str.contains(name, literal=True)


def unpacked(calls: pl.DataFrame) -> pl.DataFrame:
    """Rows with those of several copies replaced by their copies."""
    several = calls.filter(pl.col(COPIES).is_not_null())
    if several.is_empty():
        return calls
    return pl.concat([calls.filter(pl.col(COPIES).is_null()), rows(pieces(several))])


def pieces(several: pl.DataFrame, *by: str) -> pl.DataFrame:
    """The copies of rows of several copies, each with the columns `by` of its row."""
    copies = pl.col(COPIES).str.split("\n").alias("piece")
    return (
        several.select(*by, copies)
        .explode("piece")
        .with_columns(pl.col("piece").str.json_decode(_PIECE))
        .unnest("piece")
        .with_columns(pl.from_epoch("ts", "us").dt.replace_time_zone("UTC"))
    )
