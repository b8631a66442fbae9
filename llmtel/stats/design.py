"""What clusters cost: the design effect, and how many calls a proof needs."""

from __future__ import annotations

import math

from llmtel.stats.arrays import Floats
from llmtel.stats.special import t_quantile, z


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


def cautious_effect(hits: Floats, counts: Floats, rows: float | None = None) -> float | None:
    """The same, larger by as much as its own uncertainty asks for."""
    effect = design_effect(hits, counts, rows)
    if effect is None:
        return None
    return effect * widening(hits - float(hits.sum()) / float(counts.sum()) * counts) ** 2


def freedom(deviations: Floats) -> float:
    """Degrees of freedom of the variance V = Σd² of independent deviations: 2·V² ÷ Var(V) (Satterthwaite).

    A few large clusters among many small ones say as little of the variance as few clusters do. At least 2.
    """
    squares = deviations**2
    total = float(squares.sum())
    spread = float((squares**2).sum()) - total**2 / len(deviations)
    return max(2.0, 2 * total**2 / spread) if spread > 0 else math.inf


def widening(*deviations: Floats) -> float:
    """By how much an interval must be wider, as its variance is estimated from these clusters.

    Student's t over z at 95 % one-sided, where the variances of several independent sides add up (Welch),
    with the correction of a variance that is taken about an estimated mean.
    """
    variances = [float((d**2).sum()) * len(d) / (len(d) - 1) for d in deviations]
    total = sum(variances)
    if total <= 0:
        return 1.0
    spread = sum(v**2 / freedom(d) for v, d in zip(variances, deviations, strict=True))
    few = math.sqrt(total / sum(float((d**2).sum()) for d in deviations))
    return few * (t_quantile(0.95, total**2 / spread) / z(0.95) if spread > 0 else 1.0)


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
