"""Samples: what one side knows of one metric in one segment, small enough to keep, and how two compare.

There is a class for each kind of metric (`kinds.kind`). Each says its point, calls and clusters, writes
itself as plain data and reads it back, and compares itself with the baseline's: a `Change`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace

from llmtel.checks.change import Change
from llmtel.checks.percentile import Percentile
from llmtel.stats import bootstrap, rates
from llmtel.stats.bootstrap import Clusters
from llmtel.stats.rates import Interval, Rate

Cases = Mapping[str, tuple[float, float]]
"""By hashed case: the sum of the metric's numerator and of its denominator."""
_PAIRED_SHARE = 0.5


class Total(Struct, frozen=True):
    """A sum, a count or a maximum: there is no sampling test for one number."""

    point: float | None
    n: int
    clusters: int | None = None
    tested = False

    def scaled(self, factor: float) -> Total:
        """As it would be in logs of another length."""
        return replace(self, point=None if self.point is None else self.point * factor)

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


class Quotient(Struct, frozen=True):
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
        if before.ratio is None or after.ratio is None or min(len(before), len(after)) < 2:  # noqa: PLR2004 (an interval)
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


class Share(Struct, frozen=True):
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


class Count(Struct, frozen=True):
    """How many calls have something: a number that noise moves, and so is judged by its share of calls."""

    share: Share
    factor: float = 1.0
    tested = True

    @property
    def point(self) -> float | None:
        """The number; None where it is known of no call."""
        return self.share.rate.hits * self.factor if self.share.n else None

    @property
    def n(self) -> int:
        """Calls where it is known."""
        return self.share.n

    @property
    def clusters(self) -> int:
        """Conversations."""
        return self.share.clusters

    def scaled(self, factor: float) -> Count:
        """As it would be in logs of another length."""
        return replace(self, factor=factor)

    def compare(self, base: Count, seed: int, confidence: float) -> Change:
        """The change of the number, with the p-values of its share."""
        tested = self.share.compare(base.share, seed, confidence)
        return Change(base.point, self.point, p_rise=tested.p_rise, p_fall=tested.p_fall, pairs=tested.pairs)

    def shrunk(self, clusters: int, cases: int) -> Count:
        """With at most so many cases."""
        return replace(self, share=self.share.shrunk(clusters, cases))

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return self.share.as_json()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Count:
        """What `as_json` wrote."""
        return cls(Share.from_json(data))


Sample = Total | Quotient | Share | Count | Percentile
KINDS: Mapping[str, type[Sample]] = {
    "ratio": Quotient, "rate": Share, "quantile": Percentile, "count": Count, "total": Total, "extreme": Total
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
