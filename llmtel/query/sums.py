"""Sums of measures over calls, as frames: made in the passes in which tables are made."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
from msgspec import Struct

from llmtel.query.dimensions import Dimension
from llmtel.query.engine import Engine
from llmtel.query.lower import BASE
from llmtel.query.measures import Measure, count

SEEN = "seen"
"""The column that says how many rows of a group are calls, whatever they stand for in a sampled log."""
_CALLS = count(pl.lit(value=True), "calls")


class Sums(Struct, frozen=True):
    """What is added up, by which dimensions: `of` are measures that add up, by the names of their columns."""

    by: tuple[Dimension, ...]
    of: Mapping[str, Measure]
    tz: str = "UTC"

    @property
    def needs(self) -> frozenset[str]:
        """The fields of a call that it reads."""
        return BASE.union(*(dim.needs for dim in self.by), *(one.needs for one in self.of.values()))


class Adding:
    """Sums on an engine: asks for the aggregates when made, and has the frame when the engine has run."""

    def __init__(self, asked: Sums, engine: Engine) -> None:
        self._asked = asked
        self._engine = engine
        lower = engine.lowering.metric
        self._values = {name: lower(one, include_failed=True).value for name, one in asked.of.items()}
        self._seen = lower(_CALLS, include_failed=True).scope
        wanted = {root for one in (*self._values.values(), self._seen) for root in one.meta.root_names()}
        self._keys = engine.beside(asked.by, asked.tz, wanted)

    def frame(self) -> pl.DataFrame:
        """One row a group: its dimensions (texts, but for those of time), the sums and `SEEN`.

        Sums are Float64, and 0 where nothing is known; extremes are null there.
        """
        keys = {dim.name: pl.col(key) for dim, key in zip(self._asked.by, self._keys, strict=True)}
        words = {
            dim.name: keys[dim.name] if dim.time or dim.numeric else keys[dim.name].cast(pl.String)
            for dim in self._asked.by
        }
        sums = {
            name: value if self._asked.of[name].how in ("max", "min") else value.cast(pl.Float64).fill_null(0)
            for name, value in self._values.items()
        }
        return self._engine.live(self._keys).select(**words, **sums, **{SEEN: self._seen.cast(pl.Int64)})
