"""Which statistics belong to a metric, read off its expression, so that a new metric needs no word here."""

from __future__ import annotations

from typing import Literal

from llmtel.core.units import SHARE
from llmtel.query.measures import Measure, Ratio, known
from llmtel.query.metric import Metric
from llmtel.stats import order

MetricKind = Literal["rate", "ratio", "quantile", "extreme", "count", "total"]


def kind(metric: Metric) -> MetricKind:
    """What a metric is.

    `rate`: calls that have something ÷ calls; `ratio`: other quotients of sums; `count`: how many calls have
    something, of those where it is known; `total`: sums, all calls, and distinct things.
    """
    expr = metric.expr
    if isinstance(expr, Measure):
        if expr.how == "quantile":
            return "quantile"
        if expr.how == "count" and expr.about:
            return "count"
        return "extreme" if expr.how == "max" else "total"
    counted = expr.over.how == expr.under.how == "count"
    return "rate" if counted and metric.unit is SHARE else "ratio"


def parts(metric: Metric) -> Ratio | None:
    """The quotient that a test of the metric is about: its own, or, of a count, its share of calls."""
    expr = metric.expr
    if isinstance(expr, Ratio):
        return expr
    return Ratio(expr, known(expr.of, expr.scope)) if kind(metric) == "count" else None


def adds_up(metric: Metric) -> bool:
    """Whether twice the logs make twice the number."""
    return kind(metric) in ("count", "total")


def at(metric: Metric) -> float | None:
    """Which quantile it is; None for the rest."""
    return metric.expr.at if isinstance(metric.expr, Measure) and metric.expr.how == "quantile" else None


def fewest_for_limit(metric: Metric) -> int:
    """Calls below which a percentile is no more than the slowest few: ⌈1 ÷ (1 − q)⌉."""
    q = at(metric)
    return 0 if q is None else round(1 / min(q, 1 - q) + 0.5 - 1e-9)


def fewest_for_test(metric: Metric) -> int:
    """Calls a side below which the interval of a percentile has no end."""
    q = at(metric)
    return 0 if q is None else order.fewest(q)
