"""Typed attributes of OpenTelemetry as columns, all at once: what `attributes` says of each, as most are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from llmtel.sources.attributes import LONGEST
from llmtel.sources.raw import RawColumn

_PLAIN = dict.fromkeys(("stringValue", "intValue", "doubleValue", "boolValue"), pl.String())
_LIST = pl.Struct({"values": pl.List(pl.Struct(_PLAIN))})
ATTRIBUTES = pl.List(pl.Struct({"key": pl.String, "value": pl.Struct({**_PLAIN, "arrayValue": _LIST})}))
"""What a list of attributes is decoded as. Objects in them are never read."""

WITHIN = "attributes"
"""The key of a record that its attributes are at."""
_NUMBERS = ("count", "code", "number")
_TEXTS = ("str", "time")
_DIGITS = 18
_LARGE = 1e15
"""Whole numbers of so many digits, and fractions below this, are the same in every way of reading."""


class Unusual(Exception):
    """Something that is not read at once."""


def refuse(unusual: Iterable[object]) -> None:
    """Raise `Unusual` when one is true."""
    if any(unusual):
        raise Unusual


def attributes_of(owners: pl.DataFrame, key: str) -> pl.DataFrame:
    """The `attributes` of `owners`, one a row: the owner's `key`, `name`, and its value as `text`, `whole` or
    `fraction` (as they are written) or `truth`; of a list, its first.
    """  # noqa: D205 (one sentence)
    found = owners.lazy().select(key, WITHIN).explode(WITHIN, empty_as_null=False, keep_nulls=False)
    value = pl.col(WITHIN).struct.field("value").struct
    first = value.field("arrayValue").struct.field("values").list.first().struct
    attributes = found.select(
        key,
        pl.col(WITHIN).struct.field("key").str.replace_all(".", "_", literal=True).alias("name"),
        *(
            pl.coalesce(value.field(of), first.field(of)).alias(name)
            for name, of in zip(("text", "whole", "fraction", "truth"), _PLAIN, strict=True)
        ),
    )
    return attributes.filter(pl.col("name").is_not_null()).collect()


def wide(attributes: pl.DataFrame, columns: Sequence[RawColumn], key: str) -> pl.DataFrame:
    """The raw columns that some attributes have, a row for each `key` that has one.

    Raises `Unusual` where a value is not written as a column wants it, and `PolarsError` for a name that one
    owner has twice.
    """
    wanted = [column for column in columns if column.steps[0] == WITHIN]
    refuse(len(column.steps) != len((WITHIN, "name")) or column.items for column in wanted)
    refuse(column.kind not in (*_NUMBERS, *_TEXTS) for column in wanted)
    found = attributes.filter(pl.col("name").is_in([f"{column.steps[1]}" for column in wanted]))
    names = set(found["name"].unique())
    present = [column for column in wanted if column.steps[1] in names]
    plain = pl.coalesce("text", "whole", "fraction", "truth")
    odd, long = found.select(
        _odd(present).any().alias("odd"), (plain.str.len_bytes() > LONGEST).any().alias("long")
    ).row(0)
    refuse([odd])
    if long:
        plain = plain.str.head(LONGEST)
    table = found.select(key, "name", plain.alias("value")).pivot(
        on="name", on_columns=sorted(names), index=key, values="value", aggregate_function=None
    )
    return table.select(
        key, *(pl.col(f"{column.steps[1]}").cast(column.dtype).alias(column.name) for column in present)
    )


def _odd(columns: Sequence[RawColumn]) -> pl.Expr:
    """Whether reading one by one would make another value of what is written, or say something of it."""
    of = {
        kind: pl.col("name").is_in({f"{column.steps[1]}" for column in columns if column.kind == kind})
        for kind in _NUMBERS
    }
    whole = pl.col("whole")
    plain = (whole.cast(pl.Int64, strict=False).cast(pl.String) == whole) & (whole.str.len_bytes() <= _DIGITS)
    small = pl.col("fraction").cast(pl.Float64, strict=False).abs() < _LARGE
    text, fraction, truth = (pl.col(name).is_not_null() for name in ("text", "fraction", "truth"))
    return pl.any_horizontal(
        whole.is_not_null() & ~plain.fill_null(value=False),
        pl.any_horizontal(of.values()) & (text | truth),
        fraction & ~(of["number"] & small.fill_null(value=False)),
    )
