"""Log-bucket histograms that add up: OpenTelemetry's base-2 exponential histogram, scale 5.

Bucket i holds (base^i, base^(i+1)] with base = 2^(2^−scale), so i = ⌈log2(x)·2^scale⌉ − 1. A quantile is off
by at most (base − 1)/(base + 1) of its value: 1.083 % at scale 5. Merging adds counts, in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from msgspec import Struct, field

from llmtel.stats.arrays import Floats
from llmtel.stats.buckets import SCALE, base


def index(x: float, scale: int = SCALE) -> int:
    """The bucket of a positive value."""
    return int(np.ceil(np.log2(x) * 2**scale)) - 1


def value(i: int, scale: int = SCALE) -> float:
    """The value that stands for a bucket: off by the same share from both ends."""
    return float(2.0 ** ((i + 1) * 2.0**-scale)) * 2 / (1 + base(scale))


class Histogram(Struct, frozen=True):
    """How many values fell into each bucket (`counts`), were zero or negative, and their exact sum and ends.

    `sum`, `low` and `high` are those of the values themselves, so a mean is exact and a quantile stays within
    what was seen.
    """

    counts: Mapping[int, float] = field(default_factory=dict)
    zeros: float = 0
    negatives: float = 0
    sum: float = 0.0
    low: float | None = None
    high: float | None = None
    scale: int = SCALE

    @classmethod
    def of(cls, values: Iterable[float], scale: int = SCALE, weights: Floats | None = None) -> Histogram:
        """The histogram of known, finite values, each of which counts once, or with its weight."""
        x = np.fromiter(values, dtype=np.float64) if not isinstance(values, np.ndarray) else values
        if not x.size:
            return cls(scale=scale)
        w = np.ones(x.size, dtype=np.int64) if weights is None else weights
        buckets = np.ceil(np.log2(x[x > 0]) * 2**scale).astype(np.int64) - 1
        keys, places = np.unique(buckets, return_inverse=True)
        counts = np.zeros(keys.size, dtype=w.dtype)
        np.add.at(counts, places, w[x > 0])
        return cls(
            dict(zip(keys.tolist(), counts.tolist(), strict=True)),
            zeros=w[x == 0].sum().item(),
            negatives=w[x < 0].sum().item(),
            sum=float((x * w).sum()),
            low=float(x.min()),
            high=float(x.max()),
            scale=scale,
        )

    @property
    def n(self) -> float:
        """How many values it holds."""
        return self.zeros + self.negatives + sum(self.counts.values())

    def __add__(self, other: Histogram) -> Histogram:
        """Both together, at the coarser scale of the two."""
        scale = min(self.scale, other.scale)
        left, right = self.shifted(scale), other.shifted(scale)
        both = {**left.counts, **right.counts}
        counts = {i: left.counts.get(i, 0) + right.counts.get(i, 0) for i in both}
        lows = [x for x in (left.low, right.low) if x is not None]
        highs = [x for x in (left.high, right.high) if x is not None]
        return Histogram(
            dict(sorted(counts.items())),
            left.zeros + right.zeros,
            left.negatives + right.negatives,
            left.sum + right.sum,
            min(lows, default=None),
            max(highs, default=None),
            scale,
        )

    def shifted(self, scale: int) -> Histogram:
        """The same values at a coarser scale. Raises `ValueError` for a finer one."""
        if scale > self.scale:
            msg = f"a histogram of scale {self.scale} has no buckets of scale {scale}"
            raise ValueError(msg)
        counts: dict[int, float] = {}
        for i, n in self.counts.items():
            place = i >> (self.scale - scale)
            counts[place] = counts.get(place, 0) + n
        return Histogram(
            dict(sorted(counts.items())), self.zeros, self.negatives, self.sum, self.low, self.high, scale
        )

    def quantile(self, q: float) -> float | None:
        """The value at rank ⌊q(n − 1)⌋, within `relative_error`; None of nothing."""
        return self.quantiles([q])[0]

    def quantiles(self, shares: Sequence[float] | Floats) -> list[float | None]:
        """Several quantiles at once."""
        if self.low is None or self.high is None:
            return [None for _ in shares]
        ordered = sorted(self.counts.items())
        shown = [self.low, 0.0, *(value(i, self.scale) for i, _ in ordered)]
        ends = np.array(list(accumulate([self.negatives, self.zeros, *(n for _, n in ordered)])))
        ranks = np.floor(np.asarray(shares, dtype=np.float64) * max(self.n - 1, 0) + 1e-9)
        places = np.searchsorted(ends, ranks, side="right")
        found: list[float | None] = np.clip(np.array(shown)[places], self.low, self.high).tolist()
        return found

    def as_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back; buckets as `first` and the counts from there on."""
        first, last = (min(self.counts), max(self.counts)) if self.counts else (0, -1)
        return {
            "scale": self.scale,
            "zeros": self.zeros,
            "negatives": self.negatives,
            "sum": self.sum,
            "min": self.low,
            "max": self.high,
            "first": first,
            "counts": [self.counts.get(i, 0) for i in range(first, last + 1)],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Histogram:
        """The histogram of `as_json`."""
        counts = {i: n for i, n in enumerate(data["counts"], data["first"]) if n}
        return cls(
            counts, data["zeros"], data["negatives"], data["sum"], data["min"], data["max"], data["scale"]
        )
