"""Percentiles: distribution-free intervals from order statistics, and percentiles of resampled calls.

Pr[X_(l) < x_q < X_(u)] = Pr[l ≤ K ≤ u − 1] with K ~ Bin(n, q), whatever the distribution of X.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections.abc import Callable

from msgspec import Struct

from llmtel.stats.special import binomial_cdf


class Ranks(Struct, frozen=True):
    """Places in the sorted values, from 1; None: unbounded. `coverage` is the chance to hold the quantile."""

    low: int | None
    high: int | None
    coverage: float


def ranks(n: int, q: float, confidence: float = 0.95) -> Ranks:
    """The places between which the quantile `q` of the population lies with at least this confidence.

    l = max{j : F(j−1) ≤ α/2}, u = min{j : F(j−1) ≥ 1 − α/2}, F the distribution function of Bin(n, q).
    """
    alpha = (1 - confidence) / 2
    below = range(n + 1)

    def chance(j: int) -> float:
        return binomial_cdf(j - 1, n, q)

    low = bisect_left(below, x=True, key=lambda j: chance(j) > alpha) - 1
    high = bisect_left(below, x=True, key=lambda j: chance(j) >= 1 - alpha)
    missed = chance(low) if low > 0 else 0.0
    held = chance(high) if high <= n else 1.0
    return Ranks(low if low > 0 else None, high if high <= n else None, held - missed)


def fewest(q: float, confidence: float = 0.95) -> int:
    """Values for which both ends of that interval are finite."""
    return math.ceil(math.log((1 - confidence) / 2) / math.log(max(q, 1 - q)))


def resampled(
    quantile: Callable[[float], float], n: float, q: float, replicates: int, seed: int
) -> list[float]:
    """Quantiles `q` of resamples of size `n`, from the empirical `quantile` function.

    The r-th of n resampled values has the distribution function of Beta(r, n − r + 1) at the share of values
    below, so one draw stands for a whole resample. `n` may be a number of effective calls (n ÷ design
    effect), which is how clusters widen it (Woodruff 1952).
    """
    chance = random.Random(seed)  # noqa: S311 (resampling, repeatable)
    place = q * n
    return [quantile(chance.betavariate(max(place, 0.5), max(n - place, 0.5))) for _ in range(replicates)]
