"""The engine: lowered metrics over calls, one group_by a table, and a table's tail pooled from its calls.

Cells of rollups are merged with the calls where there are any (`query.past`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from llmtel.query import past
from llmtel.query.dimensions import Dimension
from llmtel.query.lower import ROWS, Lowering, Quantile, pooled
from llmtel.query.past import Past
from llmtel.query.percentiles import in_order, percentiles

Keys = tuple[str, ...]


@dataclass
class Engine:
    """Gathers what several tables need, makes it once (`run`), and keeps the rows for pooling.

    A table is known by its keys, the names of its key columns over rows; tables with the same keys share a
    group_by.
    """

    lowering: Lowering
    past: Past = field(default_factory=Past)
    _dimensions: dict[str, pl.Expr] = field(default_factory=dict)
    _past_keys: dict[str, pl.Expr] = field(default_factory=dict)
    _wanted: dict[Keys, set[str]] = field(default_factory=dict)
    _rows: pl.DataFrame = field(default_factory=pl.DataFrame)
    _ordered: dict[tuple[str, str | None], pl.DataFrame] = field(default_factory=dict)
    _answers: dict[Keys, pl.DataFrame] = field(default_factory=dict)

    def table(self, by: Iterable[Dimension], tz: str, aggregates: Iterable[str]) -> Keys:
        """Ask for a table of aggregates by dimensions; its keys."""
        keys = []
        for dim in by:
            key = f"key:{dim.name}@{tz}" if dim.time else f"key:{dim.name}"
            # Categories are grouped, sorted and joined as integers: one group_by wins the cast back.
            self._dimensions[key] = (
                dim.key(tz) if dim.time or dim.numeric else dim.key(tz).cast(pl.Categorical)
            )
            self._past_keys[key] = past.key(dim, tz)
            keys.append(key)
        self._wanted.setdefault(tuple(keys), {ROWS}).update(aggregates)
        return tuple(keys)

    def run(self, calls: pl.DataFrame) -> None:
        """Make the columns, sort for the percentiles, and group."""
        columns = {**self._dimensions, **self.lowering.columns}
        self._rows = calls.lazy().with_columns(**columns).select(*columns).collect() if columns else calls
        for source in {(q.column, q.weight) for q in self.lowering.quantiles.values()}:
            used = {
                k for table, wanted in self._wanted.items() if self._quantiles(wanted, source) for k in table
            }
            self._ordered[source] = in_order(self._rows, *source, sorted(used))
        parts = [(keys, part) for keys, wanted in self._wanted.items() for part in self._parts(keys, wanted)]
        for (keys, _), frame in zip(parts, pl.collect_all([part for _, part in parts]), strict=True):
            self._answers[keys] = _joined(self._answers.get(keys), frame, keys)
        if self.past.any:
            self.past.prepare(self._past_keys, self.lowering, self._rows)
            self._answers = {keys: self._with_past(keys, live) for keys, live in self._answers.items()}

    def answer(self, keys: Keys) -> pl.DataFrame:
        """The aggregates of a table, with its key columns: one row a group."""
        return self._answers[keys]

    def _with_past(self, keys: Keys, live: pl.DataFrame) -> pl.DataFrame:
        """The aggregates of a table with the cells in them."""
        names = [name for name in live.columns if name in self.lowering.aggregates]
        groups = self.past.merged(keys, live, names)
        exact = live.drop(names)
        groups = groups.join(exact, on=keys, how="left", nulls_equal=True) if keys else groups.hstack(exact)
        for source, ordered in self._ordered.items():
            if quantiles := self._quantiles(self._wanted[keys], source):
                found = self.past.quantiles(keys, ordered, source, quantiles)
                groups = past.replaced(groups, found, keys, [q.name for q in quantiles])
        return groups

    def pool(self, keys: Keys, tail: pl.DataFrame) -> pl.DataFrame:
        """Some groups of a table as one row of aggregates, without keys.

        What adds up is added; the rest is found again in the calls.
        """
        wanted = self._wanted[keys]
        sums = {name: pooled(name, pl.col(name)) for name in sorted(wanted)}
        row = tail.select(expr.alias(name) for name, expr in sums.items() if expr is not None)
        again = {name for name, expr in sums.items() if expr is None}
        members = tail.select(keys).lazy()
        with_past = self.past.any and float(tail[past.CELLS].sum()) > 0

        def only_tail(rows: pl.DataFrame) -> pl.DataFrame:
            # The order of the left side is kept: for percentiles it is the order of value.
            return (
                rows.lazy()
                .join(members, on=keys, how="semi", nulls_equal=True, maintain_order="left")
                .collect()
            )

        distinct = [
            self.lowering.aggregates[name].alias(name)
            for name in sorted(again & self.lowering.aggregates.keys())
        ]
        if distinct:
            known = only_tail(self._rows).select(distinct)
            row = row.hstack(known.clear(1) if with_past else known)
        for source, ordered in self._ordered.items():
            if quantiles := self._quantiles(again, source):
                row = row.hstack(
                    self.past.quantiles(keys, ordered, source, quantiles, members.collect())
                    if with_past
                    else percentiles(only_tail(ordered), (), quantiles).collect()
                )
        return row.with_columns(tail.select(pl.col(past.CELLS).sum())) if self.past.any else row

    def _quantiles(self, wanted: set[str], source: tuple[str, str | None]) -> list[Quantile]:
        found = (q for name, q in self.lowering.quantiles.items() if name in wanted)
        return [q for q in found if (q.column, q.weight) == source]

    def _parts(self, keys: Keys, wanted: set[str]) -> list[pl.LazyFrame]:
        """The aggregates of the rows, then the percentiles of each ordered column."""
        aggs = [e.alias(name) for name, e in self.lowering.aggregates.items() if name in wanted]
        rows = self._rows.lazy()
        parts = [rows.group_by(keys).agg(aggs) if keys else rows.select(aggs)]
        for source, ordered in self._ordered.items():
            if quantiles := self._quantiles(wanted, source):
                parts.append(percentiles(ordered, keys, quantiles))
        return parts


def _joined(left: pl.DataFrame | None, right: pl.DataFrame, keys: Keys) -> pl.DataFrame:
    if left is None:
        return right
    return left.join(right, on=keys, how="left", nulls_equal=True) if keys else left.hstack(right)
