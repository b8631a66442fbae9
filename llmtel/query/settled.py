"""Aggregates that the rows of a group tell already: of columns that are never, or always, null or true.

Most columns of most logs are such, and a look at all rows costs a fraction of what it costs to group them.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from llmtel.query.lower import ROWS


def settled(made: pl.LazyFrame, names: Iterable[str]) -> dict[str, pl.Expr]:
    """Those aggregates of columns of `made` that follow from the rows of a group: each as what it is then."""
    schema = made.collect_schema()
    asked = [tuple(name.rpartition(":")[::2]) for name in names]
    columns = sorted({column for column, _ in asked if column in schema})
    told = made.select(
        pl.len().alias(ROWS),
        *(pl.col(column).count().alias(f"{column}:count") for column in columns),
        *(pl.col(column).sum().alias(f"{column}:sum") for column in columns if schema[column] == pl.Boolean),
    )
    counts = told.collect(engine="streaming").row(0, named=True)
    found = {}
    for column, how in asked:
        if column in schema:
            value = _settled(column, how, schema[column], counts)
            found.update({} if value is None else {f"{column}:{how}": value})
    return found


def _settled(column: str, how: str, dtype: pl.DataType, counts: dict[str, int]) -> pl.Expr | None:
    """An aggregate in every group, by the counts over all of them; None where these do not tell."""
    if how == "count":
        kind: pl.DataType = pl.Int64()
    elif how == "sum" and (dtype == pl.Boolean or not counts[f"{column}:count"]):
        kind = pl.UInt32() if dtype == pl.Boolean else dtype
    else:
        return None
    whole = counts.get(f"{column}:{how}", 0)
    if not whole:
        return pl.lit(0, dtype=kind)
    return pl.col(ROWS).cast(kind) if whole == counts[ROWS] else None
