"""Distribution functions that the standard library lacks: beta, binomial, Student's t.

All rest on the regularized incomplete beta function, computed by its continued fraction (Abramowitz & Stegun
26.5.8) with the modified Lentz algorithm; relative error about 1e-13.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

_TINY = 1e-300
_STEPS = 10_000
_PRECISION = 1e-15
NORMAL = NormalDist()


def z(probability: float) -> float:
    """The quantile of the standard normal distribution."""
    return NORMAL.inv_cdf(probability)


def beta_cdf(x: float, a: float, b: float) -> float:
    """P(X ≤ x) for X ~ Beta(a, b): the regularized incomplete beta function, a and b positive."""
    if x <= 0 or x >= 1:
        return float(x > 0)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    front = math.exp(log_front)
    # The fraction converges fast below the mean; above it the mirrored one does.
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function."""
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        change = 1.0
        for term in (even, odd):
            d = 1 / _away_from_zero(1 + term * d)
            c = _away_from_zero(1 + term / c)
            change *= d * c
        value *= change
        if abs(change - 1) < _PRECISION:
            break
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def binomial_cdf(k: int, n: int, p: float) -> float:
    """P(K ≤ k) for K ~ Bin(n, p)."""
    if k < 0 or k >= n:
        return float(k >= n)
    return beta_cdf(1 - p, n - k, k + 1)


def t_cdf(t: float, freedom: float) -> float:
    """P(T ≤ t) for Student's t with `freedom` degrees of freedom."""
    tail = beta_cdf(freedom / (freedom + t * t), freedom / 2, 0.5) / 2
    return 1 - tail if t > 0 else tail


def t_quantile(probability: float, freedom: float) -> float:
    """The quantile of Student's t, by bisection; `probability` strictly between 0 and 1."""
    if probability < 0.5:  # noqa: PLR2004 (the middle of a symmetric distribution)
        return -t_quantile(1 - probability, freedom)
    low, high = 0.0, 1.0
    while t_cdf(high, freedom) < probability:
        low, high = high, high * 2
    return bisect_root(lambda t: t_cdf(t, freedom) - probability, low, high)


def bisect_root(f: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function crosses zero between `low` and `high`, to the last bit."""
    while True:
        middle = (low + high) / 2
        if middle in (low, high):
            return middle
        if f(middle) < 0:
            low = middle
        else:
            high = middle
