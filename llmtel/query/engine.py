"""The engine: lowered metrics over calls, one group_by a table, and a table's tail pooled from its calls.

Cells of rollups are merged with the calls where there are any (`query.past`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import polars as pl
from msgspec import Struct, field

from llmtel.query import past
from llmtel.query.dimensions import Dimension
from llmtel.query.lower import ROWS, Lowering, Quantile, adds_up, pooled
from llmtel.query.past import Past
from llmtel.query.percentiles import counted, in_order, known, percentiles
from llmtel.query.settled import settled

Keys = tuple[str, ...]
_ROWS_A_GROUP = 64
"""Groups of several tables are made together where there are so many rows for each, at least."""
_LARGE = 2**16
"""Groups with so many rows on the average are large."""
_SAMPLE = 2**16
"""Of so many rows it is seen about how many groups there are."""


class Engine(Struct):
    """Gathers what several tables need, makes it once (`run`), and keeps the rows for pooling.

    A table is known by its keys, the names of its key columns over rows; tables with the same keys share a
    group_by. `beside` the tables there are sums over the calls alone, which rollups are not merged with.
    """

    lowering: Lowering
    past: Past = field(default_factory=Past)
    _dimensions: dict[str, pl.Expr] = field(default_factory=dict)
    _past_keys: dict[str, pl.Expr] = field(default_factory=dict)
    _wanted: dict[Keys, set[str]] = field(default_factory=dict)
    _beside: dict[Keys, set[str]] = field(default_factory=dict)
    _height: int = 0
    _rows: pl.DataFrame = field(default_factory=pl.DataFrame)
    _values: dict[tuple[str, str | None], pl.LazyFrame] = field(default_factory=dict)
    _bins: dict[tuple[str, str | None], tuple[Keys, pl.DataFrame]] = field(default_factory=dict)
    _live: dict[Keys, pl.DataFrame] = field(default_factory=dict)
    _answers: dict[Keys, pl.DataFrame] = field(default_factory=dict)

    def table(self, by: Iterable[Dimension], tz: str, aggregates: Iterable[str]) -> Keys:
        """Ask for a table of aggregates by dimensions; its keys."""
        keys = self._keys(by, tz)
        self._wanted.setdefault(keys, {ROWS}).update(aggregates)
        return keys

    def beside(self, by: Iterable[Dimension], tz: str, aggregates: Iterable[str]) -> Keys:
        """Ask for aggregates that add up, over the calls alone; the keys of their groups."""
        keys = self._keys(by, tz)
        self._beside.setdefault(keys, {ROWS}).update(aggregates)
        return keys

    def _keys(self, by: Iterable[Dimension], tz: str) -> Keys:
        keys = []
        for dim in by:
            key = f"key:{dim.name}@{tz}" if dim.time else f"key:{dim.name}"
            # Categories are grouped, sorted and joined as integers: one group_by wins the cast back.
            self._dimensions[key] = (
                dim.key(tz) if dim.time or dim.numeric else dim.key(tz).cast(pl.Categorical)
            )
            self._past_keys[key] = past.key(dim, tz)
            keys.append(key)
        return tuple(keys)

    def run(self, calls: pl.DataFrame) -> None:
        """Make the columns, sort for the percentiles, and group."""
        columns = {**self._dimensions, **self.lowering.columns}
        self._height = calls.height
        made = calls.lazy().with_columns(**columns)
        kept = self._kept()
        self._rows = made.select(kept).collect() if kept else pl.DataFrame()
        for source in {(q.column, q.weight) for q in self.lowering.quantiles.values()}:
            used = {
                k for table, wanted in self._wanted.items() if self._quantiles(wanted, source) for k in table
            }
            by = sorted(used)
            self._values[source] = (
                known(self._rows, *source, by)
                if source[1] is None
                else in_order(self._rows, *source, by).lazy()
            )
        self._live = self._sums(calls.lazy(), made.select(*columns))
        for source in self._values:
            if source[1] is None:
                self._count_bins(source)
        self._answers = {
            keys: self._live[keys].select(*keys, *(n for n in self._adding(keys) if n in wanted))
            for keys, wanted in self._wanted.items()
        }
        if self.past.any:
            told = {key: self._past_keys[key] for keys in self._wanted for key in keys}
            self.past.prepare(told, self.lowering, made.collect_schema())
            self._answers = {
                keys: self._with_past(keys, self._exact(keys, live)) for keys, live in self._answers.items()
            }

    def sums(self, keys: Keys) -> pl.DataFrame:
        """The aggregates of a table that add up, with its key columns: one row a group."""
        return self._answers[keys]

    def live(self, keys: Keys) -> pl.DataFrame:
        """The aggregates asked for with `beside`, with their key columns: one row a group."""
        return self._live[keys]

    def exact(self, keys: Keys, groups: pl.DataFrame) -> pl.DataFrame:
        """All or some groups of a table (`sums`), in their order, with the aggregates that do not add up."""
        return groups if self.past.any else self._exact(keys, groups)

    def _exact(self, keys: Keys, groups: pl.DataFrame) -> pl.DataFrame:
        # One after another: together they take no less time, and all their memory at once.
        for part in self._parts(keys, groups):
            groups = _joined(groups, part.collect(), keys)
        return groups

    def _with_past(self, keys: Keys, live: pl.DataFrame) -> pl.DataFrame:
        """The aggregates of a table with the cells in them."""
        names = [name for name in live.columns if name in self.lowering.aggregates]
        groups = self.past.merged(keys, live, names)
        exact = live.drop(names)
        groups = groups.join(exact, on=keys, how="left", nulls_equal=True) if keys else groups.hstack(exact)
        for source, values in self._values.items():
            if quantiles := self._quantiles(self._wanted[keys], source):
                found = self.past.quantiles(keys, values, source, quantiles)
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
        with_past = self.past.any and float(tail[past.CELLS].sum()) > 0

        distinct = [
            self.lowering.aggregates[name].alias(name)
            for name in sorted(again & self.lowering.aggregates.keys())
        ]
        if distinct:
            known = _within(self._rows.lazy(), keys, tail).select(distinct).collect()
            row = row.hstack(known.clear(1) if with_past else known)
        large = float(tail[ROWS].sum()) >= _LARGE
        for source, values in self._values.items():
            if quantiles := self._quantiles(again, source):
                if with_past:
                    found = self.past.quantiles(keys, values, source, quantiles, tail.select(keys))
                else:
                    rows = _within(values, keys, tail)
                    counts = counted(rows, (), source[0]) if large and source[1] is None else None
                    found = percentiles(rows, (), quantiles, counts).collect()
                row = row.hstack(found)
        return row.with_columns(tail.select(pl.col(past.CELLS).sum())) if self.past.any else row

    def _count_bins(self, source: tuple[str, str | None]) -> None:
        """Count the values by bin, once for all tables whose groups are large, also by the keys of all."""
        shared: Keys | None = None
        groups = 1
        for keys in sorted(self._wanted, key=lambda keys: (self._live[keys].height, keys)):
            if not self._quantiles(self._wanted[keys], source):
                continue
            if shared is not None and set(keys) <= set(shared):
                continue
            if groups * self._live[keys].height * _LARGE <= self._height:
                groups *= self._live[keys].height
                shared = tuple(dict.fromkeys((*(shared or ()), *keys)))
        if shared is not None:
            self._bins[source] = shared, counted(self._values[source], shared, source[0])

    def _counts(self, source: tuple[str, str | None], keys: Keys) -> pl.DataFrame | None:
        """The counts of bins that tell of the groups of a table; None where these are small."""
        shared, counts = self._bins.get(source, (None, None))
        return counts if shared is not None and set(keys) <= set(shared) else None

    def _quantiles(self, wanted: set[str], source: tuple[str, str | None]) -> list[Quantile]:
        found = (q for name, q in self.lowering.quantiles.items() if name in wanted)
        return [q for q in found if (q.column, q.weight) == source]

    def _kept(self) -> list[str]:
        """The columns that are needed again: those of percentiles and distinct values, and their keys."""
        quantiles = self.lowering.quantiles.values()
        again = {name.rpartition(":")[0] for name in self.lowering.aggregates if not adds_up(name)}
        again |= {column for q in quantiles for column in (q.column, q.weight) if column}
        keys = {k for table, wanted in self._wanted.items() if not all(map(adds_up, wanted)) for k in table}
        return [name for name in (*self._dimensions, *self.lowering.columns) if name in again | keys]

    def _sums(self, calls: pl.LazyFrame, made: pl.LazyFrame) -> dict[Keys, pl.DataFrame]:
        """What adds up, of each table; tables of few groups are sums over the groups of all their keys.

        Columns are made in passing: to keep them would take many times the memory, and no less time.
        """
        names = {keys: self._adding(keys) for keys in (*self._wanted, *self._beside)}
        shared = self._shared(calls)
        under = [keys for keys in names if set(keys) <= set(shared)]
        every = list(dict.fromkeys(name for keys in under for name in names[keys]))
        alone = [keys for keys in names if keys not in under]
        told = settled(made, {name for keys in names for name in names[keys]})
        lazy = [
            self._summed(made, keys, wanted, told)
            for keys, wanted in [(shared, every), *((keys, names[keys]) for keys in alone)]
        ]
        fine, *others = pl.collect_all(lazy, engine="streaming")
        found = dict(zip(alone, others, strict=True))
        for keys in under:
            sums = [e.alias(n) for n in names[keys] if (e := pooled(n, pl.col(n))) is not None]
            found[keys] = fine.group_by(keys).agg(sums) if keys else fine.select(sums)
        return found

    def _shared(self, calls: pl.LazyFrame) -> Keys:
        """Keys of tables whose groups together are far fewer than the rows."""
        some = calls.gather_every(max(1, self._height // _SAMPLE)).select(**self._dimensions).collect()
        sizes = {key: _distinct(some[key], self._height) for key in self._dimensions}
        shared: Keys = ()
        tables = {*self._wanted, *self._beside}
        for keys in sorted(tables, key=lambda keys: (math.prod(sizes[key] for key in keys), keys)):
            both = tuple(dict.fromkeys((*shared, *keys)))
            if math.prod(sizes[key] for key in both) * _ROWS_A_GROUP <= self._height:
                shared = both
        return shared

    def _named(self, keys: Keys) -> list[str]:
        """The aggregates that a table wants, in their order."""
        wanted = self._wanted.get(keys, set()) | self._beside.get(keys, set())
        return [name for name in self.lowering.aggregates if name in wanted]

    def _adding(self, keys: Keys) -> list[str]:
        """Those of them that add up."""
        return [name for name in self._named(keys) if adds_up(name)]

    def _summed(
        self, made: pl.LazyFrame, keys: Keys, names: list[str], told: dict[str, pl.Expr]
    ) -> pl.LazyFrame:
        """Aggregates by group, in their order, some of which are `told` by the rows of each group."""
        grouped = self._grouped(made, keys, (name for name in names if name not in told))
        return grouped.select(*keys, *(told.get(name, pl.col(name)).alias(name) for name in names))

    def _grouped(self, rows: pl.LazyFrame, keys: Keys, names: Iterable[str]) -> pl.LazyFrame:
        aggs = [self.lowering.aggregates[name].alias(name) for name in names]
        return rows.group_by(keys).agg(aggs) if keys else rows.select(aggs)

    def _parts(self, keys: Keys, groups: pl.DataFrame) -> Iterator[pl.LazyFrame]:
        """What of some groups does not add up: distinct values, and the percentiles of each column."""
        wanted = self._wanted[keys]
        few = bool(keys) and groups.height < self._answers[keys].height
        distinct = [name for name in self._named(keys) if not adds_up(name)]
        if distinct and not keys:
            yield pl.LazyFrame({name: [_different(self._rows[name.rpartition(":")[0]])] for name in distinct})
        elif distinct:
            kept = self._rows.lazy()
            yield self._grouped(_within(kept, keys, groups) if few else kept, keys, distinct)
        for source, values in self._values.items():
            if quantiles := self._quantiles(wanted, source):
                counts = self._counts(source, keys)
                if few and counts is not None:
                    counts = _within(counts.lazy(), keys, groups).collect()
                rows = _within(values, keys, groups) if few else values
                yield percentiles(rows, keys, quantiles, counts)


def _within(rows: pl.LazyFrame, keys: Keys, groups: pl.DataFrame) -> pl.LazyFrame:
    """The rows of some groups, in their order, which for percentiles with weights is that of value."""
    if len(keys) == 1:  # looking for values takes a fraction of a join
        return rows.filter(pl.col(keys[0]).is_in(groups[keys[0]].implode(), nulls_equal=True))
    members = groups.lazy().select(keys)
    return rows.join(members, on=keys, how="semi", nulls_equal=True, maintain_order="left")


def _different(values: pl.Series) -> int:
    """How many known values a column of categories has: each of their numbers is ticked off once."""
    numbers = values.to_physical()
    size = int(numbers.max() or 0) + 1  # type: ignore[arg-type]  # of unsigned integers
    ticked = pl.Series([0], dtype=pl.UInt32).new_from_index(0, size)
    for piece in numbers.get_chunks():
        ticked.scatter(piece.drop_nulls(), 1)
    return int(ticked.sum()) if numbers.null_count() < len(numbers) else 0


def _distinct(sample: pl.Series, rows: int) -> int:
    """About how many values so many rows have: those of a sample, or, where most are new in it, more."""
    seen = sample.n_unique()
    return seen if seen * _ROWS_A_GROUP <= len(sample) else seen * rows // max(1, len(sample))


def _joined(left: pl.DataFrame, right: pl.DataFrame, keys: Keys) -> pl.DataFrame:
    if not keys:
        return left.hstack(right)
    return left.join(right, on=keys, how="left", nulls_equal=True, maintain_order="left")
