"""What a next value may be, given earlier ones."""

from __future__ import annotations

import math

from llmtel.stats.special import t_quantile


def upper_bound(n: int, mean: float, deviation: float, probability: float) -> float:
    """The value that one more normal observation stays below with this probability.

    Student's prediction interval, mean + t·s·√(1 + 1/n), from the mean and sample standard deviation of `n`
    observations (at least 2).
    """
    return mean + t_quantile(probability, n - 1) * deviation * math.sqrt(1 + 1 / n)
