"""How a number moved from one side to the other."""

from __future__ import annotations

import math

from msgspec import Struct

from llmtel.stats.rates import Interval


class Change(Struct, frozen=True):
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
