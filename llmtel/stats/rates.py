"""Rates: intervals that hold near 0 and 1 and for few calls, and the test that belongs to them.

Wilson (1927) for one rate, Newcombe's hybrid score (1998, method 10, Stat Med 17:873) for a difference,
McNemar's exact test and the interval of Agresti & Min (2005) for pairs. Counts may be fractions: calls that
come in clusters count for fewer (`effective`, after Rao & Scott 1992).
"""

from __future__ import annotations

import math

from msgspec import Struct

from llmtel.stats.special import NORMAL, binomial_cdf, bisect_root, z

_FARTHEST = 40.0
"""Standard deviations beyond which a probability is 0 in floating point."""


class Rate(Struct, frozen=True):
    """`hits` of `n`, both of which may be fractions of calls."""

    hits: float
    n: float

    @property
    def share(self) -> float:
        """Hits ÷ n."""
        return self.hits / self.n

    def effective(self, design_effect: float) -> Rate:
        """As many independent calls as say what these clustered ones do."""
        return Rate(self.hits / design_effect, self.n / design_effect)


class Interval(Struct, frozen=True):
    """From `low` to `high`."""

    low: float
    high: float


def wilson(rate: Rate, confidence: float = 0.95) -> Interval:
    """The two-sided score interval of one rate."""
    return _score(rate, z((1 + confidence) / 2))


def _score(rate: Rate, deviations: float) -> Interval:
    p, n, squared = rate.share, rate.n, deviations**2
    middle = p + squared / (2 * n)
    half = deviations * math.sqrt(p * (1 - p) / n + squared / (4 * n * n))
    scale = 1 + squared / n
    low = 0.0 if rate.hits <= 0 else max(0.0, (middle - half) / scale)
    high = 1.0 if rate.hits >= n else min(1.0, (middle + half) / scale)
    return Interval(low, high)


def newcombe(first: Rate, second: Rate, confidence: float = 0.95) -> Interval:
    """The two-sided interval of `first.share - second.share`, independent samples."""
    return _hybrid(first, second, z((1 + confidence) / 2))


def _hybrid(first: Rate, second: Rate, deviations: float) -> Interval:
    p1, p2 = first.share, second.share
    a, b = _score(first, deviations), _score(second, deviations)
    difference = p1 - p2
    return Interval(
        difference - math.hypot(p1 - a.low, b.high - p2), difference + math.hypot(a.high - p1, p2 - b.low)
    )


def relative(first: Rate, second: Rate, confidence: float = 0.95) -> Interval | None:
    """The two-sided interval of `first.share ÷ second.share − 1`; None where the second has no hits.

    On the logarithmic scale, with half a hit added (Katz 1978; Walter 1975).
    """
    if second.hits <= 0:
        return None
    a, b = first.hits + 0.5, second.hits + 0.5
    ratio = math.log(a / (first.n + 0.5)) - math.log(b / (second.n + 0.5))
    variance = 1 / a - 1 / (first.n + 0.5) + 1 / b - 1 / (second.n + 0.5)
    half = z((1 + confidence) / 2) * math.sqrt(max(0.0, variance))
    return Interval(math.expm1(ratio - half), math.expm1(ratio + half))


def p_rise(current: Rate, base: Rate) -> float:
    """The one-sided p-value of Newcombe's interval: small where `current` is surely above `base`.

    It is the p at which the interval of the difference just begins at zero.
    """
    difference = current.share - base.share
    if difference <= 0:
        return 0.5 if difference == 0 else 1 - p_rise(base, current)
    edge = bisect_root(lambda deviations: -_hybrid(current, base, deviations).low, 0.0, _FARTHEST)
    return NORMAL.cdf(-edge)


class Pairs(Struct, frozen=True):
    """The same cases twice: how many went from false to true (`risen`), back (`fallen`), and stayed so."""

    risen: int
    fallen: int
    both: int
    neither: int

    @property
    def n(self) -> int:
        """All pairs."""
        return self.risen + self.fallen + self.both + self.neither

    @property
    def difference(self) -> float:
        """The change of the rate."""
        return (self.risen - self.fallen) / self.n


def mcnemar(pairs: Pairs) -> tuple[float, float]:
    """One-sided p-values (rise, fall) of McNemar's exact test: the pairs that changed are fair coins."""
    changed = pairs.risen + pairs.fallen
    return 1 - binomial_cdf(pairs.risen - 1, changed, 0.5), 1 - binomial_cdf(pairs.fallen - 1, changed, 0.5)


def paired_interval(pairs: Pairs, confidence: float = 0.95) -> Interval:
    """The interval of a paired difference: half a pair added to each cell (Agresti & Min 2005)."""
    n = pairs.n + 2
    risen, fallen = (pairs.risen + 0.5) / n, (pairs.fallen + 0.5) / n
    difference = risen - fallen
    half = z((1 + confidence) / 2) * math.sqrt((risen + fallen - difference**2) / n)
    return Interval(max(-1.0, difference - half), min(1.0, difference + half))
