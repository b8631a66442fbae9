"""Samples: what one side knows of one metric in one segment, small enough to keep, and how two compare.

There is a class for each kind of metric (`kinds.kind`). Each says its point, calls and clusters, writes
itself as plain data and reads it back, and compares itself with the baseline's: a `Change`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from llmtel.stats import bootstrap, order, rates
from llmtel.stats.arrays import Floats
from llmtel.stats.bootstrap import Clusters
from llmtel.stats.histogram import Histogram
from llmtel.stats.rates import Interval, Rate

Cases = Mapping[str, tuple[float, float]]
"""By hashed case: the sum of the metric's numerator and of its denominator."""
REPLICATES = 2000
_PAIRED_SHARE = 0.5


@dataclass(frozen=True)
class Change:
    """From the baseline's number to the current one, with intervals and p-values where there is a test."""

    base: float | None
    current: float | None
    relative_interval: Interval | None = None
    absolute_interval: Interval | None = None
    p_rise: float | None = None
    p_fall: float | None = None
    pairs: tuple[int, int, int] | None = None
    spread: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def absolute(self) -> float | None:
        """How much more it is."""
        return None if self.base is None or self.current is None else self.current - self.base

    @property
    def relative(self) -> float | None:
        """The same as a share of the base; from nothing to something is infinite, from 0 to 0 nothing."""
        if self.base is None or self.current is None or self.base < 0:
            return None
        if self.base == 0:
            return math.copysign(math.inf, self.current) if self.current else 0.0
        return self.current / self.base - 1


@dataclass(frozen=True)
class Total:
    """A sum, a count or a maximum: there is no sampling test for one number."""

    point: float | None
    n: int
    clusters: int | None = None
    tested = False

    def compare(self, base: Total, seed: int, confidence: float) -> Change:
        """The bare change."""
        del seed, confidence
        return Change(base.point, self.point)

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"value": self.point, "n": self.n}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Total:
        """What `as_json` wrote."""
        return cls(data["value"], data["n"])


def _pairing(base: Cases, current: Cases) -> tuple[list[str], tuple[int, int, int]] | None:
    """The cases of both sides, and how many are paired, new and gone; None where too few are the same."""
    both = sorted(base.keys() & current.keys())
    if not both or len(both) < _PAIRED_SHARE * min(len(base), len(current)):
        return None
    return both, (len(both), len(current) - len(both), len(base) - len(both))


def _aligned(cases: Cases, keys: list[str]) -> Clusters:
    pairs = np.array([cases[key] for key in keys], dtype=np.float64)
    return Clusters(pairs[:, 0], pairs[:, 1])


@dataclass(frozen=True)
class Quotient:
    """A quotient of sums by cluster, times `scale`: cost per call, tokens per call, cache hits.

    `clusters` counts them before they were put together. `cases` are sums by case, where calls have cases.
    """

    data: Clusters
    n: int
    clusters: int
    scale: float = 1.0
    cases: Cases = field(default_factory=dict)
    tested = True

    @property
    def point(self) -> float | None:
        """The quotient."""
        ratio = self.data.ratio
        return None if ratio is None else ratio * self.scale

    def compare(self, base: Quotient, seed: int, confidence: float) -> Change:
        """By case where both sides have the same ones, else by conversation."""
        found = _pairing(base.cases, self.cases)
        before, after = base.data, self.data
        if found:
            before, after = _aligned(base.cases, found[0]), _aligned(self.cases, found[0])
        if before.ratio is None or after.ratio is None or min(len(before), len(after)) < 2:  # noqa: PLR2004
            return Change(base.point, self.point)
        result = bootstrap.compare(before, after, seed, paired=bool(found), confidence=confidence)
        return Change(
            before.ratio * self.scale,
            after.ratio * self.scale,
            result.relative,
            Interval(result.absolute.low * self.scale, result.absolute.high * self.scale),
            result.p_rise,
            result.p_fall,
            found[1] if found else None,
            None if found else max(before.spread(), after.spread()),
            ("a few conversations carry most of it: the interval is too narrow",) if after.dominated else (),
        )

    def shrunk(self, clusters: int, cases: int) -> Quotient:
        """With at most so many clusters, put together at random, and cases, the same on every side."""
        return replace(self, data=self.data.folded(clusters), cases=fewer(self.cases, cases))

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        pairs = zip(self.data.sums.tolist(), self.data.counts.tolist(), strict=True)
        return {
            "n": self.n,
            "clusters": self.clusters,
            "scale": self.scale,
            "sums": [x for pair in pairs for x in pair],
            **_cases_json(self.cases),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Quotient:
        """What `as_json` wrote."""
        pairs = np.array(data["sums"], dtype=np.float64).reshape(-1, 2)
        clusters = Clusters(pairs[:, 0].copy(), pairs[:, 1].copy())
        return cls(clusters, data["n"], data["clusters"], data["scale"], _cases(data))


@dataclass(frozen=True)
class Share:
    """A rate: `rate` in weighted calls, `n` calls behind it, and the design effect of its clusters.

    `effect` is None where it cannot be told: nothing or everything was a hit.
    """

    rate: Rate
    n: int
    clusters: int
    effect: float | None = None
    cases: Cases = field(default_factory=dict)
    tested = True

    @property
    def point(self) -> float | None:
        """The share."""
        return self.rate.share if self.rate.n else None

    def effective(self, effect: float | None = None) -> Rate:
        """In independent calls; `effect` stands in where its own is not known."""
        known = self.effect or effect or 1.0
        size = self.n / known
        return Rate(self.rate.share * size, size) if self.rate.n else self.rate

    def compare(self, base: Share, seed: int, confidence: float) -> Change:
        """McNemar by case where both sides have the same ones, else Newcombe on effective calls."""
        found = _pairing(base.cases, self.cases)
        if found:
            return self._paired(base, *found, confidence)
        if not base.rate.n or not self.rate.n:
            return Change(base.point, self.point)
        del seed
        now, before = self.effective(base.effect), base.effective(self.effect)
        rise = rates.p_rise(now, before)
        return Change(
            base.point,
            self.point,
            rates.relative(now, before, confidence),
            rates.newcombe(now, before, confidence),
            rise,
            1 - rise,
        )

    def _paired(
        self, base: Share, keys: list[str], counts: tuple[int, int, int], confidence: float
    ) -> Change:
        """A case counts as hit if one of its calls is."""
        before = [base.cases[key][0] > 0 for key in keys]
        after = [self.cases[key][0] > 0 for key in keys]
        cells = [sum(b == x and a == y for b, a in zip(before, after, strict=True)) for x, y in _CELLS]
        pairs = rates.Pairs(*cells)
        rise, fall = rates.mcnemar(pairs)
        interval = rates.paired_interval(pairs, confidence)
        return Change(sum(before) / pairs.n, sum(after) / pairs.n, None, interval, rise, fall, counts)

    def shrunk(self, clusters: int, cases: int) -> Share:
        """With at most so many cases."""
        del clusters
        return replace(self, cases=fewer(self.cases, cases))

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "hits": self.rate.hits,
            "of": self.rate.n,
            "n": self.n,
            "clusters": self.clusters,
            "effect": self.effect,
            **_cases_json(self.cases),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Share:
        """What `as_json` wrote."""
        rate = Rate(data["hits"], data["of"])
        return cls(rate, data["n"], data["clusters"], data["effect"], _cases(data))


_CELLS = ((False, True), (True, False), (True, True), (False, False))


@dataclass(frozen=True)
class Percentile:
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

    def compare(self, base: Percentile, seed: int, confidence: float) -> Change:
        """Resampled quantiles of both sides, in effective calls."""
        exact = self.values is not None and base.values is not None
        now, before = (self, base) if exact else (self.kept(), base.kept())
        if not self.n or not base.n:
            return Change(before.point, now.point)
        after = now.resampled(bootstrap.seed_of(str(seed), "current"), base.effect)
        earlier = before.resampled(bootstrap.seed_of(str(seed), "base"), self.effect)
        result = bootstrap.changes(earlier, after, confidence)
        return Change(before.point, now.point, result.relative, result.absolute, result.p_rise, result.p_fall)

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


Sample = Total | Quotient | Share | Percentile
KINDS: Mapping[str, type[Sample]] = {
    "ratio": Quotient, "rate": Share, "quantile": Percentile, "total": Total, "extreme": Total
}  # fmt: skip


def compare(base: Sample, current: Sample, seed: int, confidence: float) -> Change:
    """How two samples of one metric differ; they are of one class."""
    if type(base) is not type(current):
        raise TypeError("samples of different metrics do not compare")
    return current.compare(base, seed, confidence)  # type: ignore[arg-type]  # one class, as just tested


def fewer(cases: Cases, most: int) -> Cases:
    """At most so many cases: those whose hashes come first, so that every side keeps the same."""
    return {key: cases[key] for key in sorted(cases)[:most]}


def _cases_json(cases: Cases) -> dict[str, Any]:
    return {"cases": {key: list(sums) for key, sums in cases.items()}} if cases else {}


def _cases(data: Mapping[str, Any]) -> Cases:
    return {key: (sums[0], sums[1]) for key, sums in data.get("cases", {}).items()}
