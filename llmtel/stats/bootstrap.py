"""Means and ratios of clustered calls: the Poisson cluster bootstrap of a ratio of sums.

The calls of a conversation are alike, so whole clusters (conversations, traces) are drawn again, never
single calls: each gets a weight of Poisson(1), and the ratio Σw·sum ÷ Σw·count is found anew (Hanley &
MacGibbon 2006; Chamandy et al. 2012). Nothing is assumed of the distribution of costs.
"""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from llmtel.stats.arrays import Floats
from llmtel.stats.design import widening
from llmtel.stats.rates import Interval
from llmtel.stats.special import NORMAL

REPLICATES = 2000
MOST_CLUSTERS = 1000
"""More clusters are put together at random into this many: totals stay exact, and so does, on average, the
variance of sums."""

_CHUNK = 250
_FEW = 10
_TOP = 0.01
_MOST_OF_IT = 0.5


def seed_of(*words: str) -> int:
    """A seed from words, the same in every process."""
    return int.from_bytes(hashlib.sha256("\0".join(words).encode()).digest()[:8], "big")


def _poisson() -> NDArray[np.uint8]:
    """Poisson(1) at 65,536 equally likely places; mean and variance are 1 to 2e-5."""
    places = (np.arange(65_536) + 0.5) / 65_536
    chances = np.array([math.exp(-1) / math.factorial(k) for k in range(12)])
    return np.searchsorted(np.cumsum(chances), places).astype(np.uint8)


_POISSON: Final = _poisson()


class Clusters(Struct, frozen=True, eq=False):
    """Sums by cluster: `sums` of a value and `counts` of what it is divided by, of equal length."""

    sums: Floats
    counts: Floats

    def __len__(self) -> int:
        return len(self.sums)

    @property
    def ratio(self) -> float | None:
        """Σ sums ÷ Σ counts; None over nothing."""
        under = float(self.counts.sum())
        return float(self.sums.sum()) / under if under > 0 else None

    @property
    def size(self) -> tuple[float, ...]:
        """Numbers that tell one set of clusters from another, whichever side it is on."""
        return float(self.sums.sum()), float(self.counts.sum()), float((self.sums**2).sum()), len(self)

    @property
    def dominated(self) -> bool:
        """Whether the top 1 % of clusters carry more than half: then intervals are too narrow."""
        top = np.sort(self.sums)[-math.ceil(len(self) * _TOP) :]
        return float(top.sum()) > _MOST_OF_IT * float(self.sums.sum())

    def folded(self, most: int = MOST_CLUSTERS) -> Clusters:
        """At most `most` clusters: beyond that they are added up, at random but always alike."""
        if len(self) <= most:
            return self
        places = np.random.Generator(np.random.PCG64(len(self))).permutation(len(self)) % most
        return Clusters(
            np.bincount(places, self.sums, most).astype(np.float64),
            np.bincount(places, self.counts, most).astype(np.float64),
        )

    def influences(self) -> Floats:
        """What each cluster adds to the relative error of the ratio."""
        deviations = self.sums - (self.ratio or 0.0) * self.counts
        return deviations / (float(np.abs(self.sums).sum()) or 1.0)

    def spread(self) -> float:
        """Standard deviation of ln(ratio) times √Σcounts: that of one count, clusters included."""
        ratio = self.ratio
        if not ratio or len(self) < 2:  # noqa: PLR2004 (one cluster has no spread)
            return math.inf
        deviations = self.sums - ratio * self.counts
        variance = len(self) / (len(self) - 1) * float((deviations**2).sum())
        return math.sqrt(variance / float(self.counts.sum())) / abs(ratio)


class Comparison(Struct, frozen=True):
    """How a ratio moved: the intervals of the relative and the absolute change, and one-sided p-values.

    `relative` is None where the base has no positive ratio. `p_rise` is small where the ratio surely rose,
    `p_fall` where it surely fell.
    """

    relative: Interval | None
    absolute: Interval
    p_rise: float
    p_fall: float


def compare(
    base: Clusters, current: Clusters, seed: int, *, paired: bool = False, confidence: float = 0.95
) -> Comparison:
    """The change from `base` to `current`.

    `paired`: the clusters of both sides are the same cases in the same order and are drawn together, so that
    what makes a case dear on both sides does not blur the change. Swapped sides give the mirrored answer.
    """
    if not paired:
        base, current = base.folded(), current.folded()
    seeds = two_seeds(seed, base.size, current.size)
    before, after = _replicates(base, seeds[0]), _replicates(current, seeds[0 if paired else 1])
    usable = np.isfinite(before) & np.isfinite(after)
    influences = (
        (current.influences() - base.influences(),) if paired else (base.influences(), current.influences())
    )
    return changes(before[usable], after[usable], confidence, widening(*influences))


def two_seeds(seed: int, base: tuple[float, ...], current: tuple[float, ...]) -> tuple[int, int]:
    """Seeds of two sides that stay with the data when the sides are swapped: the smaller has the first."""
    first, second = seed_of(str(seed), "first"), seed_of(str(seed), "second")
    return (first, second) if base <= current else (second, first)


def changes(before: Floats, after: Floats, confidence: float = 0.95, wider: float = 1.0) -> Comparison:
    """The comparison that pairs of replicates of a number give; their spread is made `wider` by a factor."""
    ends = [(1 - confidence) / 2 * 100, (1 + confidence) / 2 * 100]
    difference = _spread(after - before, wider)
    low, high = np.percentile(difference, ends)
    relative = None
    theta = difference
    if before.size and float(before.min()) > 0 and float(after.min()) > 0:
        theta = _spread(np.log(after / before), wider)
        relative = Interval(*np.expm1(np.percentile(theta, ends)).tolist())
    return Comparison(relative, Interval(float(low), float(high)), _p(theta), _p(-theta))


def _spread(values: Floats, factor: float) -> Floats:
    middle = values.mean()
    spread: Floats = middle + (values - middle) * factor
    return spread


def _p(theta: Floats) -> float:
    """The one-sided p of θ > 0.

    Counted among the replicates; where fewer than ten are left to count, by the normal tail, for (0 + 1) ÷
    (B + 1) could never pass the correction for a hundred comparisons.
    """
    beyond = int((theta <= 0).sum())
    counted = (1 + beyond) / (len(theta) + 1)
    spread = float(theta.std())
    if beyond >= _FEW or spread == 0:
        return counted
    return min(counted, NORMAL.cdf(-float(theta.mean()) / spread))


def _replicates(clusters: Clusters, seed: int) -> Floats:
    """The ratio of each replicate; not a number where no cluster of it counts."""
    columns = np.column_stack((clusters.sums, clusters.counts))
    weights = _weights(len(clusters), seed)
    parts = (weights[i : i + _CHUNK] for i in range(0, REPLICATES, _CHUNK))
    totals = np.concatenate([part.astype(np.float64) @ columns for part in parts])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios: Floats = totals[:, 0] / totals[:, 1]
    return ratios


@lru_cache(maxsize=8)
def _weights(clusters: int, seed: int) -> NDArray[np.uint8]:
    """Poisson weights: (replicates, clusters), as bytes.

    From the raw words of PCG64, which NumPy promises to keep. Large segments have the same number of clusters
    after folding, so with the same seed they share weights, which are most of the work.
    """
    words = np.random.PCG64(seed).random_raw(-(-REPLICATES * clusters // 4))
    return _POISSON[words.view(np.uint16)[: REPLICATES * clusters]].reshape(REPLICATES, clusters)
