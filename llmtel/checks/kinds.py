"""Which statistics belong to a metric, read off its expression, so that a new metric needs no word here."""

from __future__ import annotations

from typing import Literal

from llmtel.core.units import SHARE
from llmtel.query.measures import Measure
from llmtel.query.metrics import Metric

MetricKind = Literal["rate", "ratio", "quantile", "extreme", "total"]


def kind(metric: Metric) -> MetricKind:
    """`rate`: calls that have something ÷ calls; `ratio`: other quotients of sums; `total`: what adds up."""
    expr = metric.expr
    if isinstance(expr, Measure):
        if expr.how == "quantile":
            return "quantile"
        return "extreme" if expr.how == "max" else "total"
    counted = expr.over.how == expr.under.how == "count"
    return "rate" if counted and metric.unit is SHARE else "ratio"


def at(metric: Metric) -> float | None:
    """Which quantile it is; None for the rest."""
    return metric.expr.at if isinstance(metric.expr, Measure) and metric.expr.how == "quantile" else None


def fewest_for_limit(metric: Metric) -> int:
    """Calls below which a percentile is no more than the slowest few: ⌈1 ÷ (1 − q)⌉."""
    q = at(metric)
    return 0 if q is None else round(1 / min(q, 1 - q) + 0.5 - 1e-9)
