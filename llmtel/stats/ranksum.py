"""The shift of a typical value: Hodges–Lehmann with its exact interval, and the rank sum test it inverts.

Hollander & Wolfe, Nonparametric Statistical Methods. For samples of a few hundred values: all differences
are made.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from statistics import median

from msgspec import Struct

from llmtel.stats.special import NORMAL, z

_EXACT = 50
"""Up to this many values a side the distribution of U is counted out; beyond it is normal."""


class Shift(Struct, frozen=True):
    """How much larger x is than y: `shift`, its interval with the confidence `achieved`, and p of a rise.

    `rank` is k: the interval is from the k-th smallest to the k-th largest difference.
    """

    shift: float
    low: float
    high: float
    achieved: float
    rank: int
    u: float
    p_rise: float
    p_fall: float


def hodges_lehmann(x: Sequence[float], y: Sequence[float], confidence: float = 0.95) -> Shift:
    """The median of all differences x − y, with interval and tests; both sides need a value."""
    differences = sorted(a - b for a in x for b in y)
    m, n = len(x), len(y)
    u = sum(1.0 if d > 0 else 0.5 for d in differences if d >= 0)
    exact = max(m, n) < _EXACT and 0 not in differences
    below = _Exact(m, n) if max(m, n) < _EXACT else _Normal(m, n)
    k = _first_rank(below, (1 - confidence) / 2, m, n)
    tail = below if exact else _Normal(m, n)
    return Shift(
        shift=median(differences),
        low=differences[k - 1],
        high=differences[-k],
        achieved=1 - 2 * below(k - 1),
        rank=k,
        u=u,
        p_rise=tail(m * n - u),
        p_fall=tail(u),
    )


class _Exact:
    """P(U ≤ u) where no values tie, by counting (Mann & Whitney 1947)."""

    def __init__(self, m: int, n: int) -> None:
        self._sums = list(accumulate(_ways(min(m, n), max(m, n))))

    def __call__(self, u: float) -> float:
        place = min(math.floor(u), len(self._sums) - 1)
        return self._sums[place] / self._sums[-1] if place >= 0 else 0.0


class _Normal:
    """P(U ≤ u) by the normal approximation, with the correction for continuity."""

    def __init__(self, m: int, n: int) -> None:
        self._middle = m * n / 2
        self._spread = math.sqrt(m * n * (m + n + 1) / 12)

    def __call__(self, u: float) -> float:
        return NORMAL.cdf((u + 0.5 - self._middle) / self._spread)


def _first_rank(below: _Exact | _Normal, alpha: float, m: int, n: int) -> int:
    """The smallest k with P(U ≤ k) ≥ α, at least 1 (R's qwilcox)."""
    if isinstance(below, _Normal):
        spread = math.sqrt(m * n * (m + n + 1) / 12)
        return min(max(1, round(m * n / 2 + z(alpha) * spread)), m * n)
    return max(1, next(k for k in range(m * n + 1) if below(k) >= alpha))


@cache
def _ways(m: int, n: int) -> tuple[int, ...]:
    """In how many orders of m and n values U is 0, 1, …, mn: the coefficients of the Gaussian binomial."""
    ways = [1] + [0] * (m * n)
    for i in range(1, m + 1):
        for top in range(m * n, n + i - 1, -1):
            ways[top] -= ways[top - n - i]
        for top in range(i, m * n + 1):
            ways[top] += ways[top - i]
    return tuple(ways)
