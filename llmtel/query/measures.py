"""Measures: what a metric aggregates over calls, declared once and lowered to Polars by `llmtel.query.lower`.

A measure says *what* is counted and over *which* rows. How it is weighted is not its business: a row of a
sampled log stands for 1 ÷ `sample_rate` calls, a bucket for `request_count` requests, and the engine knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import polars as pl
from msgspec import Struct

How = Literal["total", "moment", "count", "distinct", "max", "min", "quantile"]
Scope = Literal["rows", "calls", "timed"]
Merge = Literal["sum", "max", "histogram"]
MERGES: Mapping[How, Merge] = {
    "total": "sum",
    "moment": "sum",
    "count": "sum",
    "max": "max",
    "quantile": "histogram",
}
"""How parts of a measure become the whole; distinct things that were only counted do not."""


class Measure(Struct, frozen=True, eq=False):
    """One aggregate over rows; unknown values are skipped, and over nothing known it is null.

    `how`: `total` sums values that are already sums (weight 1 ÷ sample_rate); `moment` sums values of
    single requests (weight requests); `count` sums the weight of rows where a Boolean is true, and is known
    where that is not null; `distinct`, `max`, `min` and `quantile` (at `at`, linear interpolation) are what
    they say. `scope`: `rows`, all of them; `calls`, no buckets (a count also leaves out extra passes,
    `request_count = 0`); `timed`, no failed calls unless they are asked for.

    `evident` says of a row whether its value counts as knowledge; it is null where a value is unknown that
    there must be. A total with such a row and none that is evident is unknown too.
    """

    how: How
    of: pl.Expr
    scope: Scope = "rows"
    at: float = 0.0
    evident: pl.Expr | None = None

    @property
    def about(self) -> frozenset[str]:
        """The fields whose values it aggregates."""
        return frozenset(self.of.meta.root_names())

    @property
    def needs(self) -> frozenset[str]:
        """The fields it reads."""
        return self.about if self.evident is None else self.about.union(self.evident.meta.root_names())

    @property
    def parts(self) -> tuple[Measure, ...]:
        """The measures it is made of."""
        return (self,)

    @property
    def merge(self) -> Merge | None:
        """How its values over parts of the calls become that over all; None where they do not tell."""
        return MERGES.get(self.how)

    def __truediv__(self, other: Measure) -> Ratio:
        return Ratio(self, other)


class Ratio(Struct, frozen=True, eq=False):
    """One measure over another, times `scale`; null when the denominator is zero or unknown."""

    over: Measure
    under: Measure
    scale: float = 1.0

    @property
    def parts(self) -> tuple[Measure, ...]:
        """The measures it is made of."""
        return (self.over, self.under)

    @property
    def about(self) -> frozenset[str]:
        """The fields whose values it aggregates."""
        return self.over.about | self.under.about

    @property
    def needs(self) -> frozenset[str]:
        """The fields it reads."""
        return self.over.needs | self.under.needs

    def __mul__(self, scale: float) -> Ratio:
        return Ratio(self.over, self.under, self.scale * scale)


def total(of: pl.Expr, scope: Scope = "rows", evident: pl.Expr | None = None) -> Measure:
    """Sum of what is known."""
    return Measure("total", of, scope, evident=evident)


def count(of: pl.Expr, scope: Scope = "rows") -> Measure:
    """How many (weighted) rows have a true value."""
    return Measure("count", of, scope)


def known(of: pl.Expr, scope: Scope = "rows") -> Measure:
    """How many (weighted) rows have a value."""
    return count(of.is_not_null(), scope)


def distinct(of: pl.Expr) -> Measure:
    """How many different known values there are; never weighted, for nobody knows who was not sampled."""
    return Measure("distinct", of)


def maximum(of: pl.Expr, scope: Scope = "rows") -> Measure:
    """The largest known value."""
    return Measure("max", of, scope)


def minimum(of: pl.Expr, scope: Scope = "rows") -> Measure:
    """The smallest known value."""
    return Measure("min", of, scope)


def quantile(of: pl.Expr, at: float, scope: Scope = "rows") -> Measure:
    """The exact quantile of the known values, linear interpolation (type 7 of Hyndman & Fan 1996)."""
    return Measure("quantile", of, scope, at)


def mean(of: pl.Expr, scope: Scope = "rows") -> Ratio:
    """The mean of the known values."""
    return Measure("moment", of, scope) / known(of, scope)


def rate(of: pl.Expr, among: pl.Expr) -> Ratio:
    """The share of rows where `of` is true among those where `among` is."""
    return count(of & among) / count(among)


def share(flag: pl.Expr) -> Ratio:
    """The share of rows where a flag is true among those where it is known."""
    return rate(flag, flag.is_not_null())


def per_call(of: pl.Expr, evident: pl.Expr | None = None) -> Ratio:
    """The total of what is known, over the calls where it is known."""
    return total(of, "calls", evident) / known(of, "calls")
