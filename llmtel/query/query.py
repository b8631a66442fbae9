"""Query: which metrics, split by what → Table. Several queries share their work.

Columns over rows are made once for all queries, rows are sorted once for the percentiles of all, and there
is one group_by a table. `top` pools the rest into one row, whose numbers are those of its calls together.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import polars as pl
from msgspec import Struct

from llmtel.core.answers import Column, Table, Value
from llmtel.core.errors import UsageError
from llmtel.query.dimensions import DIMENSIONS, TAGS, Dimension, dimension
from llmtel.query.engine import Engine
from llmtel.query.histograms import ERROR
from llmtel.query.lower import BASE, Facts, Lowering, adds_up, completed
from llmtel.query.metric import Metric
from llmtel.query.metrics import METRICS
from llmtel.query.past import Past
from llmtel.query.sums import Adding, Sums
from llmtel.query.timerange import parse_zone

_TABLES_AT_ONCE = 2


class Query(Struct, frozen=True):
    """A question: metrics × dimensions, in a time zone.

    `sort` is the id of a metric (largest first) or of a dimension of `by` (smallest first); `:asc` or
    `:desc` at its end turns it. By default times are in their order and all else by cost, or by the first
    metric. `top` keeps that many groups and pools the rest, if there is more than one; the group whose values
    are all unknown is never pooled. Raises `UnknownName` for a name that does not exist and `UsageError` for
    one that does not fit, when made.
    """

    metrics: tuple[str, ...]
    by: tuple[str, ...] = ()
    tz: str = "UTC"
    sort: str | None = None
    top: int | None = None
    include_failed: bool = False

    def __post_init__(self) -> None:
        for name in self.metrics:
            METRICS[name]
        for name in self.by:
            dimension(name)
        parse_zone(self.tz)
        if not self.metrics:
            raise UsageError("a question needs a metric, and there is no metric in it")
        if len({*self.by}) < len(self.by):
            raise UsageError(f"--by {','.join(self.by)}: a dimension stands there twice")
        if self.top is not None and self.top < 1:
            raise UsageError(f"--top {self.top}: at least 1")
        self.order()

    @property
    def needs(self) -> frozenset[str]:
        """The fields of a call that it reads."""
        metrics = (METRICS[m].needs for m in (*self.metrics, *self.sort_metric()))
        return BASE.union(*metrics, *(dimension(d).needs for d in self.by))

    def order(self) -> tuple[str, bool]:
        """What rows are sorted by, and whether descending."""
        if self.sort is None:
            in_time = bool(self.by) and dimension(self.by[0]).time and self.top is None
            return (
                (self.by[0], False)
                if in_time
                else ("cost" if "cost" in self.metrics else self.metrics[0], True)
            )
        name, descending = sort_key(self.sort)
        if name not in self.by and (name in DIMENSIONS or name.startswith(TAGS)):
            raise UsageError(
                f"--sort {self.sort}: {name} is no column of the table; split by it with --by {name}"
            )
        if name not in self.by:
            METRICS[name]
        return name, name not in self.by if descending is None else descending

    def sort_metric(self) -> tuple[str, ...]:
        """The metric that only the sorting needs, if there is one."""
        name = self.order()[0]
        return () if name in self.metrics or name in self.by else (name,)

    def run(self, calls: pl.DataFrame) -> Table:
        """The answer over a frame of calls."""
        return run_many([self], calls)[0]


def sort_key(text: str) -> tuple[str, bool | None]:
    """The name in `NAME`, `NAME:asc` or `NAME:desc`, and whether it descends; None where that is not said.

    Raises `UsageError` for another word after the colon.
    """
    name, _, way = text.partition(":")
    if way not in ("", "asc", "desc"):
        raise UsageError(f"--sort {text}: after the colon comes asc or desc")
    return name, way == "desc" if way else None


def run_many(queries: Sequence[Query], calls: pl.DataFrame, cells: pl.DataFrame | None = None) -> list[Table]:
    """The answers to several queries over the same calls, in order; what they have in common is done once.

    `cells` are rollups (`query.rollup`) of further calls, which are not among `calls`.

    `calls` has the columns of FIELDS, or those that the queries need (`Query.needs`); missing ones count as
    unknown.
    """
    return run_beside(queries, (), calls, cells)[0]


def run_beside(
    queries: Sequence[Query], sums: Sequence[Sums], calls: pl.DataFrame, cells: pl.DataFrame | None = None
) -> tuple[list[Table], list[pl.DataFrame]]:
    """The answers as `run_many`, and `sums` over the calls alone, which are made in the same passes."""
    calls = completed(calls, BASE.union(*(query.needs for query in queries), *(one.needs for one in sums)))
    past = Past(cells)
    engine = Engine(Lowering(Facts.of(calls) | past.facts()), past)
    plans = [_Plan(query, engine) for query in queries]
    added = [Adding(asked, engine) for asked in sums]
    engine.run(calls)
    # Polars lets Python go on, and not all that a table needs keeps several cores busy.
    with ThreadPoolExecutor(_TABLES_AT_ONCE) as pool:
        return list(pool.map(_Plan.table, plans)), [one.frame() for one in added]


def summed(asked: Sums, calls: pl.DataFrame) -> pl.DataFrame:
    """Sums that nothing else is asked with."""
    return run_beside((), [asked], calls)[1][0]


class _Plan:
    """A query on an engine: asks for its aggregates when made, makes its table when the engine has run."""

    def __init__(self, query: Query, engine: Engine) -> None:
        self.query = query
        self.engine = engine
        self.dimensions = [dimension(name) for name in query.by]
        self.lowered = {
            name: engine.lowering.metric(METRICS[name].expr, include_failed=query.include_failed)
            for name in (*query.metrics, *query.sort_metric())
        }
        aggregates = {
            root
            for m in self.lowered.values()
            for e in (m.value, m.n, m.scope)
            for root in e.meta.root_names()
        }
        self.keys = engine.table(self.dimensions, query.tz, aggregates)

    def table(self) -> Table:
        """The answer: sorted, the tail pooled, each column with its meaning."""
        groups = self.engine.sums(self.keys)
        late = self._is_sorted_by_sums()
        everything = self._sorted(self._finished(groups if late else self.engine.exact(self.keys, groups)))
        shown, tail = self._split(everything)
        if late:
            shown = self._finished(self.engine.exact(self.keys, shown))
        frame = self._selected(shown)
        if tail is not None:
            others = self.engine.pool(self.keys, tail).with_columns(
                pl.lit(None).alias(d) for d in self.query.by
            )
            frame = pl.concat([frame, self._selected(self._values(others))], how="vertical_relaxed")
        rows: list[dict[str, Value]] = frame.select(*self.query.by, *self.query.metrics).to_dicts()
        if tail is not None:
            rows[-1] |= {"pooled": True, "pooled_count": tail.height}
        ns = frame.select(pl.col(f"n:{m}").alias(m) for m in self.query.metrics).to_dicts()
        return Table(
            by=self.query.by,
            metrics=self.query.metrics,
            columns=(*map(_dimension_column, self.dimensions), *self._metric_columns(everything)),
            rows=rows,
            distinct=everything.height if self.query.by else None,
            n=ns,
        )

    def _is_sorted_by_sums(self) -> bool:
        """Whether what adds up tells which groups are shown, so that the rest is found for them alone."""
        by = self.lowered.get(self.query.order()[0])
        return by is None or all(map(adds_up, by.value.meta.root_names()))

    def _finished(self, raw: pl.DataFrame) -> pl.DataFrame:
        """Aggregates with the words of the keys and the values of the metrics beside them."""
        words = {d.name: d.words(pl.col(key)) for d, key in zip(self.dimensions, self.keys, strict=True)}
        texts = {name: expr.cast(pl.String) for name, expr in words.items() if not dimension(name).numeric}
        return self._values(raw.with_columns(**{**words, **texts}))

    def _values(self, raw: pl.DataFrame) -> pl.DataFrame:
        """Aggregates with the values of the metrics that are made of them."""
        here = {*raw.columns}
        return raw.with_columns(
            *(
                m.value.alias(name)
                for name, m in self.lowered.items()
                if here.issuperset(m.value.meta.root_names())
            ),
            *(m.n.cast(pl.Int64).fill_null(0).alias(f"n:{name}") for name, m in self.lowered.items()),
            *(m.scope.cast(pl.Int64).alias(f"scope:{name}") for name, m in self.lowered.items()),
        )

    def _selected(self, frame: pl.DataFrame) -> pl.DataFrame:
        return frame.select(*self.query.by, *self.query.metrics, *(f"n:{m}" for m in self.query.metrics))

    def _sorted(self, frame: pl.DataFrame) -> pl.DataFrame:
        """In the order asked for, unknown last, ties by key (times by the instant, not by its words)."""
        if not self.query.by:
            return frame
        places = {
            d.name: key if d.time else d.name for d, key in zip(self.dimensions, self.keys, strict=True)
        }
        name, descending = self.query.order()
        by = [places.get(name, name), *places.values()]
        return frame.sort(by, descending=[descending, *(False for _ in places)], nulls_last=True)

    def _split(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame | None]:
        """The groups to show and those to pool; one of which nothing is known, or alone, is always shown."""
        top = self.query.top
        if top is None or not self.query.by or frame.height <= top:
            return frame, None
        unknown = pl.all_horizontal(pl.col(name).is_null() for name in self.query.by)
        shown = unknown | (pl.int_range(pl.len()) < top)
        tail = frame.filter(~shown)
        return (frame, None) if tail.height <= 1 else (frame.filter(shown), tail)

    def _metric_columns(self, frame: pl.DataFrame) -> list[Column]:
        sampled = self.engine.lowering.facts.sampled
        rolled = self.engine.past.any
        sums = frame.select(pl.col("^(n|scope):.*$").sum()).row(0, named=True)
        return [
            _metric_column(METRICS[m], sums[f"n:{m}"], sums[f"scope:{m}"], sampled=sampled, rolled=rolled)
            for m in self.query.metrics
        ]


def _dimension_column(dim: Dimension) -> Column:
    return Column(dim.name, dim.label, dim.help, "dimension", null=dim.null)


def _metric_column(metric: Metric, n: int, scope: int, *, sampled: bool, rolled: bool) -> Column:
    """A metric's column; `known` is the share of the rows it is about whose value is known."""
    return Column(
        metric.name,
        metric.head,
        metric.help,
        "metric",
        metric.unit,
        metric.better,
        metric.method(sampled=sampled, rolled=rolled),
        known=n / scope if scope else None,
        rel_error=ERROR if rolled and "histogram" in metric.merge else None,
    )
