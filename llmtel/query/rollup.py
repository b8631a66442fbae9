"""Rollups: what the metrics need to know of calls, by hour and a few dimensions, once the calls are gone.

A cell is one UTC hour × the dimensions of `BY`. It holds the *partial state* of every metric that merges:
sums, counts, largest values and log-bucket histograms. No user, session, trace, prompt or tag is in it. What
parts give together is what the whole gives, in whatever order they are merged; percentiles are off by at
most `histograms.ERROR`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import polars as pl

from llmtel.core.schema import TIME
from llmtel.query.histograms import STATE, spread
from llmtel.query.lower import BASE, Facts, Lowering, Part, completed
from llmtel.query.measures import Measure
from llmtel.query.metrics import METRICS

BY = ("model", "provider", "feature", "region", "operation", "status")
"""The dimensions of a cell, beside its hour."""
_ABOUT = ("book", "counted", "sampled")
"""What else a cell says: the price book of its costs (SHA-256), and what is true of its calls (`Facts`)."""
_GENERAL = Facts(counted=True, sampled=True)


@dataclass(frozen=True)
class States:
    """The names of the states in a cell, by the part of a metric that they are."""

    lowering: Lowering

    @cached_property
    def names(self) -> Mapping[str, str]:
        """For each aggregate, or column of a histogram, of the lowering, its name in a cell."""
        words = {
            part: f"{name}{end}"
            for name, metric in METRICS.items()
            for part, end in zip(metric.expr.parts, ("", "_under"), strict=False)
        }
        found: dict[str, str] = {}
        for part, aggregate in self.lowering.parts.items():
            word = part.what if part.measure is None else f"{words[part.measure]}_{part.what}"
            if part.what == "quantile":
                column = self.lowering.quantiles[aggregate].column
                found.setdefault(column, words[_measure(part)])
            else:
                found.setdefault(aggregate, word)
        return found

    def of(self, part: Part) -> str | None:
        """The name in a cell of a part; None where no cell has it."""
        at = self.lowering.parts.get(Part(part.measure, part.what))
        if at is None:
            return None
        return self.names[self.lowering.quantiles[at].column if part.what == "quantile" else at]

    @cached_property
    def schema(self) -> pl.Schema:
        """The columns of a cell, in order."""
        columns: dict[str, pl.DataType | type[pl.DataType]] = {"ts": TIME, **dict.fromkeys(BY, pl.String())}
        columns |= {"book": pl.String(), "counted": pl.Boolean(), "sampled": pl.Boolean()}
        columns |= {self.names[name]: pl.Float64() for name in self.lowering.aggregates}
        for q in self.lowering.quantiles.values():
            columns |= {f"{self.names[q.column]}_{end}": dtype for end, dtype in STATE.items()}
        return pl.Schema(columns)


def _measure(part: Part) -> Measure:
    if part.measure is None:
        msg = f"{part.what} is of no measure"
        raise TypeError(msg)
    return part.measure


@lru_cache(maxsize=1)
def states() -> States:
    """The states of all metrics that merge."""
    lowering = Lowering(_GENERAL)
    for metric in METRICS.values():
        if metric.merge:
            # A failed call is told by its status, which is a dimension of the cell.
            lowering.metric(metric.expr, include_failed=True)
    return States(lowering)


def rolled(calls: pl.DataFrame, book: str) -> pl.DataFrame:
    """The cells of priced calls that have a time, in no order; `book` is the SHA-256 of their prices."""
    known = states()
    lowering = known.lowering
    calls = completed(calls, {*BASE, *BY, "ts", *(f for m in METRICS.values() if m.merge for f in m.needs)})
    facts = Facts.of(calls)
    keys = {"ts": pl.col("ts").dt.truncate("1h"), **{name: pl.col(name).cast(pl.String) for name in BY}}
    rows = calls.lazy().filter(pl.col("ts").is_not_null()).select(**keys, **lowering.columns).collect()
    names = known.names
    sums = rows.lazy().group_by(*keys).agg(
        expr.cast(pl.Float64).alias(names[name]) for name, expr in lowering.aggregates.items()
    )  # fmt: skip
    for column, weight in {(q.column, q.weight): None for q in lowering.quantiles.values()}:
        found = spread(rows.lazy(), column, weight, tuple(keys), names[column])
        sums = sums.join(found, on=list(keys), how="left", nulls_equal=True)
    return sums.with_columns(
        pl.lit(book).alias("book"), counted=pl.lit(facts.counted), sampled=pl.lit(facts.sampled)
    ).select(known.schema.names()).cast(known.schema).collect()  # fmt: skip
