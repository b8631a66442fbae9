"""Which dimension explains a change: explanatory power and surprise (Bhagwan et al., NSDI 2014).

An element explains the share of the change that it made itself; a dimension whose elements no longer have the
shares they had is surprising. The dimension in which few elements explain most, most surprisingly, is the one
to look at.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

from msgspec import Struct

LEAST = 0.1
ENOUGH = 0.67
"""An element counts from 10 % of the change on; a set of them is enough at 67 %. (The paper's values.)"""

Key = TypeVar("Key", bound=Hashable)


class Element(Struct, Generic[Key], frozen=True):
    """A value of a dimension: what was expected and what was, the share of the change, and the surprise.

    `share` is what it was expected to have of the total.
    """

    key: Key
    expected: float
    actual: float
    power: float
    surprise: float
    share: float

    @property
    def change(self) -> float:
        """How much more there was than expected."""
        return self.actual - self.expected


class Explanation(Struct, Generic[Key], frozen=True):
    """A dimension whose `elements` together explain enough of the change."""

    dimension: str
    elements: tuple[Element[Key], ...]

    @property
    def power(self) -> float:
        """The share of the change that they explain."""
        return math.fsum(e.power for e in self.elements)

    @property
    def lift(self) -> float:
        """How many times more of the change is theirs than of what was expected; 1: all moved alike."""
        share = math.fsum(e.share for e in self.elements)
        return self.power / share if share > 0 else math.inf

    @property
    def surprise(self) -> float:
        """How surprising they are together."""
        return math.fsum(e.surprise for e in self.elements)


def elements(expected: Mapping[Key, float], actual: Mapping[Key, float]) -> list[Element[Key]]:
    """Every element of one dimension; totals that are zero or did not change explain nothing: no elements."""
    f, a = math.fsum(expected.values()), math.fsum(actual.values())
    if a in (f, 0) or f == 0:
        return []
    pairs = {key: (expected.get(key, 0.0), actual.get(key, 0.0)) for key in {**expected, **actual}}
    return [
        Element(k, x, y, (y - x) / (a - f), _surprise(x / f, y / a), x / f) for k, (x, y) in pairs.items()
    ]


def _surprise(p: float, q: float) -> float:
    """Half of the Jensen–Shannon divergence's terms; 0·ln 0 = 0, and so for the shares of credits."""
    both = p + q
    return 0.5 * math.fsum(x * math.log(2 * x / both) for x in (p, q) if x > 0 and both > 0)


def explain(
    dimensions: Mapping[str, tuple[Mapping[Key, float], Mapping[Key, float]]],
    *,
    least: float = LEAST,
    enough: float = ENOUGH,
) -> list[Explanation[Key]]:
    """The dimensions that explain a change, the most surprising first.

    `dimensions` has, for each, what was expected and what was by element; each splits the same totals.
    Elements are taken by surprise until they explain `enough`; ties go to the larger change.
    """
    found = []
    for name, (expected, actual) in dimensions.items():
        chosen: list[Element[Key]] = []
        for element in sorted(elements(expected, actual), key=lambda e: (-e.surprise, -abs(e.change))):
            if element.power > least:
                chosen.append(element)
            if math.fsum(e.power for e in chosen) > enough:
                found.append(Explanation(name, tuple(chosen)))
                break
    return sorted(found, key=lambda e: -e.surprise)
