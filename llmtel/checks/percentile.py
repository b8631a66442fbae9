"""The sample of a percentile: exact values, or a histogram of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from msgspec import Struct

from llmtel.checks.change import Change
from llmtel.stats import bootstrap, order
from llmtel.stats.arrays import Floats
from llmtel.stats.bootstrap import REPLICATES
from llmtel.stats.buckets import relative_error
from llmtel.stats.histogram import Histogram


class Percentile(Struct, frozen=True):
    """A quantile `at` of values: exact while they are at hand (`values`, in order), else by their histogram.

    `weights` are cumulative and end at 1; None: all count alike. `effect` is the design effect of "above the
    quantile"; None, as after reading a file: that of the other side.
    """

    at: float
    histogram: Histogram
    n: int
    clusters: int
    effect: float | None = None
    values: Floats | None = None
    weights: Floats | None = None
    exact: float | None = None
    tested = True

    @property
    def point(self) -> float | None:
        """The quantile."""
        return self.histogram.quantile(self.at) if self.exact is None else self.exact

    @property
    def size(self) -> tuple[float, ...]:
        """Numbers that tell it from another, whichever side it is on."""
        return self.histogram.sum, self.n, self.point or 0.0

    def compare(self, base: Percentile, seed: int, confidence: float) -> Change:
        """Resampled quantiles of both sides, in effective calls."""
        exact = self.values is not None and base.values is not None
        now, before = (self, base) if exact else (self.kept(), base.kept())
        if not self.n or not base.n:
            return Change(before.point, now.point)
        seeds = bootstrap.two_seeds(seed, before.size, now.size)
        earlier, after = before.resampled(seeds[0], self.effect), now.resampled(seeds[1], base.effect)
        result = bootstrap.changes(earlier, after, confidence)
        return Change(
            before.point,
            now.point,
            result.relative,
            result.absolute,
            result.p_rise,
            result.p_fall,
            notes=()
            if exact
            else (f"both sides by histogram, within {100 * relative_error(self.histogram.scale):.1f} %",),
        )

    def resampled(self, seed: int, effect: float | None) -> Floats:
        """Quantiles of resamples; `effect` stands in where its own is not known."""
        shares = np.array(
            order.resampled(
                lambda share: share, self.n / (self.effect or effect or 1.0), self.at, REPLICATES, seed
            )
        )
        if self.values is None:
            return np.array(self.histogram.quantiles(shares), dtype=np.float64)
        if self.weights is None:
            return self.values[np.minimum((shares * len(self.values)).astype(np.int64), len(self.values) - 1)]
        places = np.searchsorted(self.weights, shares, side="right")
        return self.values[np.minimum(places, len(self.values) - 1)]

    def kept(self) -> Percentile:
        """As a file keeps it: the histogram alone."""
        return Percentile(self.at, self.histogram, self.n, self.clusters, self.effect)

    def as_json(self) -> dict[str, Any]:
        """Plain data; the design effect of the other side will count."""
        return {"at": self.at, "n": self.n, "clusters": self.clusters, "histogram": self.histogram.as_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Percentile:
        """What `as_json` wrote."""
        return cls(data["at"], Histogram.from_json(data["histogram"]), data["n"], data["clusters"])
