"""What clusters cost: the design effect, and how many calls a proof needs."""

from __future__ import annotations

import math

from llmtel.stats.arrays import Floats
from llmtel.stats.special import z


def design_effect(hits: Floats, counts: Floats, rows: float | None = None) -> float | None:
    """Cluster-robust variance of a rate ÷ that of independent calls; at least 1 (Rao & Scott 1992).

    `hits` and `counts` are sums by cluster, weighted if calls are; `rows` the number of calls behind them
    (by default Σ counts). None where it cannot be told: fewer than two clusters, or a rate of 0 or 1.
    """
    clusters, total = len(counts), float(counts.sum())
    if clusters < 2 or total <= 0:  # noqa: PLR2004 (one cluster has no spread)
        return None
    rate = float(hits.sum()) / total
    binomial = rate * (1 - rate) / (total if rows is None else rows)
    if binomial <= 0:
        return None
    deviations = hits - rate * counts
    robust = clusters / (clusters - 1) * float((deviations**2).sum()) / total**2
    return max(1.0, robust / binomial)


def calls_needed_for_rate(
    rate: float, change: float, effect: float = 1.0, confidence: float = 0.95, power: float = 0.8
) -> int | None:
    """Calls a side that prove that a rate moved by `change`, one-sided; `effect` is the design effect."""
    moved = min(1.0, max(0.0, rate + change))
    if moved == rate:
        return None
    variance = rate * (1 - rate) + moved * (1 - moved)
    return math.ceil(((z(confidence) + z(power)) / (moved - rate)) ** 2 * variance * effect)


def calls_needed(deviation: float, change: float, confidence: float = 0.95, power: float = 0.8) -> int | None:
    """Calls a side that prove a relative `change` of a mean with this power, one-sided.

    `deviation` is the standard deviation of ln(mean) at one call a side: the coefficient of variation times
    √(design effect). None where no number would do.
    """
    if change <= 0 or not math.isfinite(deviation):
        return None
    return math.ceil(2 * ((z(confidence) + z(power)) * deviation / math.log1p(change)) ** 2)
