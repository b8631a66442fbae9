"""What the tables of a store hold."""

from __future__ import annotations

import polars as pl
from msgspec import Struct

from llmtel.store.columns import REPEATED, SCHEMA
from llmtel.store.location import CALLS


class Kind(Struct, frozen=True):
    """What a table holds: its folder in the store, the columns of its data files, and their order.

    A time `ts` is among the columns: its day is the partition. Texts that are `repeated` are texts to every
    reader of Parquet, and their files tell Polars that they may be read as categories.
    """

    name: str
    schema: pl.Schema
    order: tuple[str, ...]
    repeated: tuple[str, ...] = ()

    @property
    def as_categories(self) -> pl.Schema:
        """The columns as they are read fast."""
        return pl.Schema({**self.schema, **dict.fromkeys(self.repeated, pl.Categorical())})


KEPT_CALLS = Kind(CALLS, SCHEMA, ("ts", "line"), REPEATED)
