"""The columns of a stored call: what logs say, and what tells which copy of a call is preferred.

Costs are found when a question is asked. Those that were frozen stand in columns of their own.
"""

from __future__ import annotations

import polars as pl

from llmtel.core import schema
from llmtel.core.schema import CATEGORIES, FIELDS, IMAGINED, PRICED, VAGUE

KEPT = tuple(name for name in FIELDS if name not in {*PRICED, *IMAGINED} or name == "price_reason")
"""Fields that are stored."""
SOURCE, COPIES, IDS = "@source", "@copies", "@ids"
PREFER = ("@prefer 0", "@prefer 1", "@prefer 2")
BOOK = "@frozen book"
_FROZEN = {name: f"@frozen {name}" for name in PRICED}
FROZEN = (*_FROZEN.values(), BOOK)
"""What a call cost by the price book of the day on which it was stored, and that book's sha256."""
_HIDDEN = {
    "llmtel_source": SOURCE,
    "llmtel_vague": VAGUE,
    **{f"llmtel_prefer_{i}": name for i, name in enumerate(PREFER)},
    "llmtel_copies": COPIES,
    "llmtel_ids": IDS,
    **{f"llmtel_frozen_{name}": at for name, at in _FROZEN.items()},
    "llmtel_frozen_book": BOOK,
}
"""Columns beside the fields, by their names in the files.

`llmtel_source` is the log file a row came from, as the ledger names it; `llmtel_copies` are all copies of a
call that stands in several files, as JSON lines, so that the choice among them can be made again;
`llmtel_ids` are the ids of these copies, each after a `c` (call) or `r` (response) on a line of its own;
`llmtel_frozen_…` is what the row cost when it was written, where that is kept.
"""
_NUMBERS = {*PREFER, _FROZEN["cost_usd"], _FROZEN["cost_computed"]}
SCHEMA = pl.Schema({
    **{name: FIELDS[name].dtype for name in KEPT},
    **{name: pl.Float64() if at in _NUMBERS else pl.String() for name, at in _HIDDEN.items()},
})  # fmt: skip
"""The dtypes of a data file's columns, in order; the day is in its path."""
REPEATED = tuple(name for name in (*CATEGORIES, "session") if name in SCHEMA and name != "price_reason")
"""Texts of many calls, which Polars reads as categories ten times as fast as it makes such of texts.

(The reason of a price is not settled before thawing.)
"""
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


def frozen(calls: pl.DataFrame, costs: pl.DataFrame | None, book: str = "") -> pl.DataFrame:
    """Rows with the costs (PRICED) they have by a book of that sha256; None: with no costs of their own."""
    if costs is None:
        return calls.with_columns(pl.lit(None, dtype=calls.schema[at]).alias(at) for at in FROZEN)
    of_book = pl.lit(book).alias(BOOK)
    return calls.with_columns(
        costs.select(pl.col(name).cast(calls.schema[at]).alias(at) for name, at in _FROZEN.items())
    ).with_columns(of_book)


def thawed(calls: pl.DataFrame) -> pl.DataFrame:
    """Rows of files as calls: where a cost was frozen, it stands in PRICED, with the flag."""
    kept = pl.col("llmtel_frozen_book").is_not_null()
    told = {name: pl.col(f"llmtel_frozen_{name}") for name in PRICED}
    told["price_flags"] = pl.concat_str(
        told["price_flags"], pl.lit(schema.FROZEN), separator=",", ignore_nulls=True
    )
    others = {"price_reason": pl.col("price_reason")}  # that of the format
    found = {name: pl.when(kept).then(value).otherwise(others.get(name)) for name, value in told.items()}
    hidden = [name for name, at in _HIDDEN.items() if at in FROZEN]
    if calls["llmtel_frozen_book"].null_count() == calls.height:
        return calls.drop(hidden)
    return calls.with_columns(value.alias(name) for name, value in found.items()).drop(hidden)


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
