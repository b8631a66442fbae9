"""Rollups: what the metrics need to know of calls, by hour and a few dimensions, once the calls are gone.

A cell is one UTC hour × the dimensions of `BY`. It holds the *partial state* of every metric that merges:
sums, counts, largest values and log-bucket histograms. No user, session, trace, prompt or tag is in it. What
parts give together is what the whole gives, in whatever order they are merged; percentiles are off by at
most `histograms.ERROR`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any

import polars as pl
from msgspec import Struct

from llmtel.core.schema import TIME
from llmtel.query.histograms import ENDS, ERROR, LISTS, spread
from llmtel.query.lower import BASE, Facts, Lowering, Part, completed
from llmtel.query.measures import Measure
from llmtel.query.metrics import METRICS

BY = ("model", "provider", "feature", "region", "operation", "status")
"""The dimensions of a cell, beside its hour."""
_KEYS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "ts": TIME, **dict.fromkeys(BY, pl.String()),
    "book": pl.String(), "counted": pl.Boolean(), "sampled": pl.Boolean(),
}  # fmt: skip
"""What a cell is about: its hour, its dimensions, the price book of its costs, what is true of its calls."""
_GENERAL = Facts(counted=True, sampled=True)


class States(Struct, frozen=True, dict=True):
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
    def scalars(self) -> list[str]:
        """The numbers of a cell, in order."""
        sums = [self.names[name] for name in self.lowering.aggregates]
        return sums + [f"{name}_{end}" for name in self._spreads for end in ENDS]

    @cached_property
    def lists(self) -> list[str]:
        """The histograms of a cell: numbers of buckets, and how much is in each."""
        return [f"{name}_{end}" for name in self._spreads for end in LISTS]

    @property
    def _spreads(self) -> list[str]:
        columns = dict.fromkeys(q.column for q in self.lowering.quantiles.values())
        return [self.names[column] for column in columns]

    @cached_property
    def schema(self) -> pl.Schema:
        """The columns of a cell, in order."""
        lists = {f"{name}_{end}": dtype for name in self._spreads for end, dtype in LISTS.items()}
        return pl.Schema({**_KEYS, **dict.fromkeys(self.scalars, pl.Float64()), **lists})

    @cached_property
    def stored(self) -> pl.Schema:
        """The columns of a cell as it is stored (`packed`)."""
        lists = {name: self.schema[name] for name in self.lists}
        return pl.Schema({**_KEYS, "names": pl.String(), "values": pl.List(pl.Float64), **lists})


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


def packed(cells: pl.DataFrame) -> pl.DataFrame:
    """Cells as they are stored: their numbers as one list, since most are alike, and the names of these."""
    names = states().scalars
    return cells.select(
        *_KEYS, pl.lit(",".join(names)).alias("names"), pl.concat_list(names).alias("values"), *states().lists
    )


def unpacked(stored: pl.DataFrame) -> pl.DataFrame:
    """Stored cells as `rolled` made them; what an earlier llmtel did not put there is unknown."""
    parts = [
        part.with_columns(pl.col("values").list.to_struct(fields=str(names).split(","))).unnest("values")
        for (names,), part in stored.partition_by("names", as_dict=True).items()
    ]
    schema = states().schema
    found = pl.concat(parts, how="diagonal") if parts else pl.DataFrame(schema=schema)
    return found.select(
        (pl.col(name) if name in found.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in schema.items()
    )


class Rolled(Struct, frozen=True):
    """What a question has of rollups: the `cells` it is about, and what conditions read that no cell tells.

    `unseen` are the calls that those conditions might have kept; they are not among the cells.
    """

    cells: pl.DataFrame
    unseen: float = 0
    untold: tuple[str, ...] = ()

    @property
    def calls(self) -> float:
        """The calls that the cells are about."""
        return calls_in(self.cells)

    @property
    def days(self) -> list[date]:
        """The UTC days of the cells, in order."""
        return list(self.cells["ts"].dt.date().unique().sort())

    def meta(self) -> dict[str, Any]:
        """What of an answer is from rollups, as JSON: calls, days, the books of costs, what is left out."""
        days = self.days
        return {
            "calls": self.calls,
            "days": len(days),
            "first": str(days[0]) if days else None,
            "last": str(days[-1]) if days else None,
            "books": sorted(set(self.cells["book"].drop_nulls())),
            "rel_error": ERROR,
            "unseen": self.unseen,
            "untold": self.untold,
        }

    def knows(self, field: str) -> bool:
        """Whether any of the calls of the cells knew a field, as far as cells tell."""
        if field in BY:
            return self.cells[field].null_count() < self.cells.height
        known = states()
        names = [
            known.names[name]
            for part, name in known.lowering.parts.items()
            if part.measure is not None and part.what == "n" and part.measure.about == {field}
        ]
        return any(self.cells[name].sum() > 0 for name in names)


def calls_in(cells: pl.DataFrame) -> float:
    """How many calls cells are about; a call of a sampled log stands for several."""
    return float(cells[states().of(Part(METRICS["calls"].expr.parts[0], "sum")) or "rows"].sum())


def until(cells: pl.DataFrame | None) -> datetime | None:
    """The end of the last hour of cells; None of none."""
    last = None if cells is None else cells["ts"].max()
    return last + timedelta(hours=1) if isinstance(last, datetime) else None


def narrowed(cells: pl.DataFrame, condition: pl.Expr) -> Rolled:
    """The cells whose calls meet a condition; one that reads more than cells tell leaves all of them out."""
    untold = sorted(set(condition.meta.root_names()) - {"ts", *BY})
    if untold:
        return Rolled(cells.clear(), calls_in(cells), tuple(untold))
    return Rolled(cells.filter(condition))
