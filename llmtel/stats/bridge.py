"""Why a cost changed: volume, mix, tokens per call and price, of every cell, exactly.

A cell (a feature, a model, a kind of token) costs N·s·t·p: all calls, its share of them, its tokens a call,
its price a token. How much of a change each factor made is decided by Shapley's value: the mean over every
order in which the factors could have moved. It needs no logarithm, so zeros (free tiers) and negative prices
(credits) are no exceptions, and the way back is minus the way there. LMDI (Ang 2004, 2005) is the customary
alternative for positive numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import combinations
from typing import Generic, TypeVar

from msgspec import Struct

FACTORS = ("volume", "mix", "tokens_per_call", "price")
NEW, REMOVED = "new", "removed"
LINES = (*FACTORS, NEW, REMOVED)
_CLOSE = 1e-6
Key = TypeVar("Key", bound=Hashable)
Split = Callable[[Sequence[float], Sequence[float]], list[float]]


def shapley(before: Sequence[float], after: Sequence[float]) -> list[float]:
    """What each factor of a product contributed to its change; the contributions add up to it."""
    n = len(before)
    weights = [math.factorial(s) * math.factorial(n - s - 1) / math.factorial(n) for s in range(n)]

    def contribution(k: int) -> float:
        others = [i for i in range(n) if i != k]
        mean = math.fsum(
            weights[size] * math.prod(after[i] if i in moved else before[i] for i in others)
            for size in range(n)
            for moved in combinations(others, size)
        )
        return mean * (after[k] - before[k])

    return [contribution(k) for k in range(n)]


def lmdi(before: Sequence[float], after: Sequence[float]) -> list[float]:
    """The same by the logarithmic mean Divisia index; every factor must be positive (else `ValueError`)."""
    weight = log_mean(math.prod(after), math.prod(before))
    return [weight * math.log(b / a) for a, b in zip(before, after, strict=True)]


def log_mean(a: float, b: float) -> float:
    """The logarithmic mean (a − b)/ln(a/b) of two positive numbers, which of equal ones is that number."""
    off = a / b - 1
    if off == 0:
        return a
    return (a - b) / (math.log1p(off) if abs(off) < _CLOSE else math.log(a / b))


class Cell(Struct, frozen=True):
    """What a cell did: calls, tokens per call, dollars per token."""

    calls: float
    tokens_per_call: float
    price: float

    @property
    def cost(self) -> float:
        """Their product."""
        return self.calls * self.tokens_per_call * self.price


class Bridge(Struct, Generic[Key], frozen=True):
    """From one cost to another: `effects` by line of LINES, and `cells` with the lines of each.

    Σ effects = `after` − `before`, exactly but for rounding in the last bits.
    """

    before: float
    after: float
    effects: Mapping[str, float]
    cells: Mapping[Key, Mapping[str, float]]

    @property
    def change(self) -> float:
        """How much more it costs: the sum of the effects, which have not the rounding of large totals."""
        return math.fsum(self.effects.values())

    def cents(self) -> dict[str, float]:
        """The lines in whole cents that add up to the change in whole cents, as a bill must.

        The cents that rounding leaves over go to the lines that it moved most.
        """
        floors = {line: math.floor(effect * 100) for line, effect in self.effects.items()}
        left = round(self.after * 100) - round(self.before * 100) - sum(floors.values())
        order = sorted(self.effects, key=lambda line: floors[line] - self.effects[line] * 100)
        step = 1 if left > 0 else -1
        for i in range(abs(left)):
            floors[order[i % len(order)] if step > 0 else order[-1 - i % len(order)]] += step
        return {line: cents / 100 for line, cents in floors.items()}


def bridge(
    before: Mapping[Key, Cell],
    after: Mapping[Key, Cell],
    calls: tuple[float, float] | None = None,
    split: Split = shapley,
) -> Bridge[Key]:
    """The bridge between the cells of two sides; cells of one side only are new or removed as a whole.

    `calls` are all calls of each side, which cells share (several kinds of token are of one call); by default
    the sum over cells.
    """
    n0, n1 = calls or (sum(c.calls for c in before.values()), sum(c.calls for c in after.values()))
    cells = {key: _lines(before.get(key), after.get(key), n0, n1, split) for key in {**before, **after}}
    effects = {line: math.fsum(lines.get(line, 0.0) for lines in cells.values()) for line in LINES}
    return Bridge(
        math.fsum(c.cost for c in before.values()), math.fsum(c.cost for c in after.values()), effects, cells
    )


def _lines(a: Cell | None, b: Cell | None, n0: float, n1: float, split: Split) -> Mapping[str, float]:
    if a is None or b is None:
        return {NEW: b.cost} if b is not None else {REMOVED: -a.cost if a is not None else 0.0}
    moved = split(_factors(a, n0), _factors(b, n1))
    return dict(zip(FACTORS, moved, strict=True))


def _factors(cell: Cell, calls: float) -> tuple[float, float, float, float]:
    return calls, cell.calls / calls if calls else 0.0, cell.tokens_per_call, cell.price


def rate_and_mix(
    weights: tuple[Sequence[float], Sequence[float]], values: tuple[Sequence[float], Sequence[float]]
) -> tuple[float, float]:
    """How much of the change of a weighted mean is the values' (rate) and how much the weights' (mix).

    Both pairs are (before, after), in the same order; each side's weights add up to 1. Midpoints of
    Marshall and Edgeworth: Σ w̄·Δp and Σ Δw·(p̄ − P̄), which add up to the change.
    """
    (w0, w1), (p0, p1) = weights, values
    middle = math.fsum((a + b) / 2 * (c + d) / 2 for a, b, c, d in zip(w0, w1, p0, p1, strict=True))
    rate = math.fsum((a + b) / 2 * (d - c) for a, b, c, d in zip(w0, w1, p0, p1, strict=True))
    mix = math.fsum((b - a) * ((c + d) / 2 - middle) for a, b, c, d in zip(w0, w1, p0, p1, strict=True))
    return rate, mix
