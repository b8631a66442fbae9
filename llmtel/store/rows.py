"""Rows of data files as calls."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from llmtel.core.schema import complete
from llmtel.store.columns import KEPT, REPEATED, SCHEMA, thawed
from llmtel.store.table import Table, readable

_CHUNK = 2**15
"""Calls of many files stay in as many pieces of memory, unless these are smaller on the average."""


def calls_of(table: Table, files: pl.DataFrame, without: Collection[str] = ()) -> pl.DataFrame:
    """The calls of some data files: all FIELDS, without costs but for those that were frozen.

    Fields in `without` are not read and null.
    """
    names = [name for name in KEPT if name not in without]
    frozen = [name for name in SCHEMA if name.startswith("llmtel_frozen_")]
    columns = [*map(_column, names), *frozen]
    with readable(table.folder):
        try:
            calls = table.plain(files, table.kind.as_categories).select(columns).collect(engine="streaming")
        except pl.exceptions.SchemaError:
            # Files of before: streaming makes categories of texts as they come, for half the memory.
            calls = table.plain(files).select(columns).collect(engine="streaming")
    if calls.height < _CHUNK * calls.n_chunks():
        calls = calls.rechunk()
    thawed_ = thawed(calls.with_columns(_of_one_value(calls))).with_columns(
        pl.col("^price_reason$").cast(pl.Categorical)
    )
    return complete(thawed_)


def _column(name: str) -> pl.Expr:
    """A stored field, as the reader of logs has it; a store holds single calls alone."""
    if name == "grain":
        return pl.lit("call", dtype=pl.Categorical).alias(name)
    return pl.col(name).cast(pl.Categorical) if name in REPEATED else pl.col(name)


def _of_one_value(calls: pl.DataFrame) -> list[pl.Expr]:
    """The columns of which all calls have the same value, as that value: it takes no memory."""
    found = []
    for column in calls:
        value = column.first()
        if value is not None and column.last() == value and (column == value).all(ignore_nulls=False):
            found.append(pl.lit(value, dtype=column.dtype).alias(column.name))
    return found
