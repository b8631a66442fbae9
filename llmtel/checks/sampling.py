"""Rows with the number of their segment and cluster → samples of metrics by segment."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from llmtel.checks import kinds
from llmtel.checks.exact import exact_sum
from llmtel.checks.percentile import Percentile
from llmtel.checks.samples import Cases, Count, Quotient, Sample, Share, Total, fewer
from llmtel.query.lower import ROWS, Facts, Lowered, Lowering, Quantile
from llmtel.query.measures import Measure, Ratio
from llmtel.query.metric import Metric
from llmtel.query.metrics import METRICS
from llmtel.query.percentiles import in_order, percentiles
from llmtel.stats.arrays import Floats
from llmtel.stats.bootstrap import Clusters
from llmtel.stats.design import cautious_effect, design_effect
from llmtel.stats.histogram import Histogram
from llmtel.stats.rates import Rate

SEGMENT, CLUSTER, CASE = "@segment", "@cluster", "case"
MOST_CASES = 5000
_DIGITS = 12
_MOSTLY = 0.8
"""Sums by case are kept where this share of the calls has one."""

Samples = Mapping[int, tuple[float, Mapping[str, Sample]]]
"""By segment: how many calls it has, and its samples by metric."""


class Sampling:
    """The samples of some metrics; work that metrics have in common is done once."""

    def __init__(self, calls: pl.DataFrame, metrics: Sequence[str]) -> None:
        """`calls` have the fields of the metrics, and SEGMENT, CLUSTER and CASE."""
        self._lowering = Lowering(Facts.of(calls))
        self._grouped: dict[str, pl.DataFrame] = {}
        self._metrics = [METRICS[name] for name in metrics]
        self._size = self._lower(METRICS["calls"].expr)
        self._whole = {m.name: self._lower(m.expr) for m in self._metrics}
        ratios = {m.name: kinds.parts(m) for m in self._metrics}
        self._parts = {name: self._two(ratio) for name, ratio in ratios.items() if ratio is not None}
        self._things = {
            m.name: self._lowering.column(m.expr.under.of.cast(pl.String).hash())
            for m in self._metrics
            if isinstance(m.expr, Ratio) and m.expr.under.how == "distinct"
        }
        columns = self._lowering.columns
        self._rows = calls.lazy().with_columns(**columns).select(SEGMENT, CLUSTER, CASE, *columns).collect()
        self._aggregates = {
            name: self._exactly(name, expr).alias(name) for name, expr in self._lowering.aggregates.items()
        }

    def samples(self) -> Samples:
        """All of them."""
        found: dict[str, dict[int, Sample]] = {}
        totals = self._totals()
        for metric in self._metrics:
            make = {
                "ratio": self._quotients,
                "rate": self._shares,
                "quantile": self._percentiles,
                "count": self._counts,
                "total": self._plain,
                "extreme": self._plain,
            }[kinds.kind(metric)]
            found[metric.name] = dict(make(metric, totals))
        return {
            row[SEGMENT]: (
                float(row["@calls"] or 0),
                {name: by[row[SEGMENT]] for name, by in found.items() if row[SEGMENT] in by},
            )
            for row in totals.iter_rows(named=True)
        }

    def _lower(self, expr: Measure | Ratio) -> Lowered:
        return self._lowering.metric(expr, include_failed=False)

    def _two(self, expr: Ratio) -> tuple[Lowered, Lowered]:
        return self._lower(expr.over), self._lower(expr.under)

    def _exactly(self, name: str, expr: pl.Expr) -> pl.Expr:
        """An aggregate, with sums of floats that do not depend on the order of rows."""
        column, _, how = name.rpartition(":")
        if how != "sum" or name == ROWS or not self._rows.schema[column].is_float():
            return expr
        return exact_sum(pl.col(column))

    def _totals(self) -> pl.DataFrame:
        """One row a segment: its calls, and the value and number of rows of each metric."""
        frame = self._rows.lazy().group_by(SEGMENT).agg(self._aggregates.values())
        for q in self._lowering.quantiles.values():
            frame = frame.join(percentiles(self._ordered(q).lazy(), [SEGMENT], [q]), on=SEGMENT, how="left")
        return frame.select(
            SEGMENT,
            self._size.value.alias("@calls"),
            *(m.value.alias(name) for name, m in self._whole.items()),
            *(m.n.cast(pl.Int64).alias(f"n:{name}") for name, m in self._whole.items()),
        ).collect()

    def _ordered(self, q: Quantile) -> pl.DataFrame:
        return in_order(self._rows, q.column, q.weight, [SEGMENT, CLUSTER])

    def _plain(self, metric: Metric, totals: pl.DataFrame) -> Iterator[tuple[int, Sample]]:
        for i, value, n in totals.select(SEGMENT, metric.name, f"n:{metric.name}").iter_rows():
            yield i, Total(None if value is None else float(value), n)

    def _groups(self, by: str) -> pl.DataFrame:
        """The aggregates of every ratio that is grouped by a column, by segment and group; made once."""
        if by not in self._grouped:
            parts = [self._parts[m] for m in self._parts if by == CASE or self._things.get(m, CLUSTER) == by]
            wanted = {root for two in parts for part in two for root in part.value.meta.root_names()} | {ROWS}
            aggs = [self._aggregates[name] for name in sorted(wanted)]
            groups = self._rows.lazy().filter(pl.col(by).is_not_null()).group_by(SEGMENT, by).agg(aggs)
            self._grouped[by] = groups.sort(SEGMENT, by).collect()
        return self._grouped[by]

    def _sums(self, metric: Metric, by: str) -> dict[int, pl.DataFrame]:
        """By segment: numerator and denominator of a ratio (`over`, `under`) of each group that counts."""
        over, under = self._parts[metric.name]
        frame = (
            self._groups(by)
            .lazy()
            .select(
                SEGMENT,
                by,
                over=over.value.cast(pl.Float64).fill_null(0),
                under=under.value.cast(pl.Float64).fill_null(0),
            )
            .filter(pl.col("under") > 0)
            .collect()
        )
        parts = frame.partition_by(SEGMENT, as_dict=True, maintain_order=True)
        return {int(key[0]): part for key, part in parts.items()}

    def _quotients(self, metric: Metric, totals: pl.DataFrame) -> Iterator[tuple[int, Sample]]:
        by_cluster = self._sums(metric, self._things.get(metric.name, CLUSTER))
        cases = {} if metric.name in self._things else self._cases(metric)
        scale = metric.expr.scale if isinstance(metric.expr, Ratio) else 1.0
        for i, value, n in totals.select(SEGMENT, metric.name, f"n:{metric.name}").iter_rows():
            part = by_cluster.get(i)
            known = part is not None and value is not None
            data = _clusters(part) if known and part is not None else Clusters(np.zeros(0), np.zeros(0))
            yield i, Quotient(data.folded(), n if known else 0, len(data), scale, cases.get(i, {}))

    def _shares(self, metric: Metric, totals: pl.DataFrame) -> Iterator[tuple[int, Sample]]:
        by_cluster, cases = self._sums(metric, CLUSTER), self._cases(metric)
        for i, n in totals.select(SEGMENT, f"n:{metric.name}").iter_rows():
            if i not in by_cluster:
                yield i, Share(Rate(0, 0), 0, 0)
                continue
            data = _clusters(by_cluster[i])
            rate = Rate(float(data.sums.sum()), float(data.counts.sum()))
            effect = design_effect(data.sums, data.counts, n)
            yield i, Share(rate, n, len(data), effect, cases.get(i, {}))

    def _counts(self, metric: Metric, totals: pl.DataFrame) -> Iterator[tuple[int, Sample]]:
        for i, share in self._shares(metric, totals):
            if isinstance(share, Share):
                yield i, Count(share)

    def _cases(self, metric: Metric) -> dict[int, Cases]:
        """By segment, the sums of each case, where nearly all calls have one."""
        if self._rows[CASE].null_count() == len(self._rows):
            return {}
        shares = self._rows.group_by(SEGMENT).agg(pl.col(CASE).is_not_null().mean())
        mostly = {i for i, share in shares.iter_rows() if share >= _MOSTLY}
        return {i: _hashed(part) for i, part in self._sums(metric, CASE).items() if i in mostly}

    def _percentiles(self, metric: Metric, totals: pl.DataFrame) -> Iterator[tuple[int, Sample]]:
        q = self._lowering.quantiles[self._whole[metric.name].value.meta.root_names()[0]]
        points = totals.select(SEGMENT, point=metric.name)
        weight = pl.lit(1.0) if q.weight is None else pl.col(q.weight).cast(pl.Float64)
        ordered = self._ordered(q).with_columns(weight=weight).join(points, on=SEGMENT, maintain_order="left")
        parts = ordered.partition_by(SEGMENT, as_dict=True)
        for i, point in points.iter_rows():
            if (i,) not in parts:
                yield i, Percentile(q.at, Histogram(), 0, 0)
                continue
            yield i, _percentile(parts[i,], q, point)


def _percentile(part: pl.DataFrame, q: Quantile, point: float) -> Percentile:
    """The sample of values in order, with the design effect of being above the quantile."""
    values = part[q.column].cast(pl.Float64).to_numpy()
    weights: Floats | None = None if q.weight is None else part["weight"].to_numpy()
    above = (pl.col(q.column) > pl.col("point")).cast(pl.Float64) * pl.col("weight")
    sums = part.group_by(CLUSTER).agg(hits=above.sum(), counts=pl.col("weight").sum()).sort(CLUSTER)
    effect = cautious_effect(sums["hits"].to_numpy(), sums["counts"].to_numpy(), len(part))
    return Percentile(
        q.at,
        Histogram.of(values, weights=weights),
        len(part),
        len(sums),
        effect,
        values,
        None if weights is None else np.cumsum(weights) / weights.sum(),
        point,
    )


def _clusters(part: pl.DataFrame) -> Clusters:
    return Clusters(part["over"].to_numpy(), part["under"].to_numpy())


def _hashed(part: pl.DataFrame) -> Cases:
    """The sums by case, under a hash that does not tell the case's name."""
    rows = part.select(pl.col(CASE).cast(pl.String), "over", "under").iter_rows()
    cases = {hashlib.sha256(c.encode()).hexdigest()[:_DIGITS]: (s, n) for c, s, n in rows}
    return fewer(cases, MOST_CASES)
