"""Rows of data files as calls."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from llmtel.core.schema import complete
from llmtel.sources.mapping import CATEGORIES
from llmtel.store.columns import KEPT, SCHEMA, thawed
from llmtel.store.table import Table, readable


def calls_of(table: Table, files: pl.DataFrame, without: Collection[str] = ()) -> pl.DataFrame:
    """The calls of some data files: all FIELDS, without costs but for those that were frozen.

    Fields in `without` are not read and null.
    """
    names = [name for name in KEPT if name not in without]
    frozen = [name for name in SCHEMA if name.startswith("llmtel_frozen_")]
    with readable(table.folder):
        rows = table.plain(files).select(*map(_column, names), *frozen)
        # Streaming makes categories of texts as they come, for half the memory.
        calls = rows.collect(engine="streaming")
    thawed_ = thawed(calls).with_columns(pl.col("^price_reason$").cast(pl.Categorical))
    return complete(thawed_)


def _column(name: str) -> pl.Expr:
    """A stored field, as the reader of logs has it; a store holds single calls alone."""
    if name == "grain":
        return pl.lit("call", dtype=pl.Categorical).alias(name)
    # A reason is not settled before thawing; sessions are grouped by.
    is_category = (name in CATEGORIES and name != "price_reason") or name == "session"
    return pl.col(name).cast(pl.Categorical) if is_category else pl.col(name)
