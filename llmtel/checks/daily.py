"""Spend by the day. One sum has no test, but days do: those of one side against those of the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from statistics import fmean, stdev

import polars as pl
from msgspec import Struct

from llmtel.query.lower import BASE, SAMPLE, completed
from llmtel.stats.prediction import upper_bound
from llmtel.stats.ranksum import hodges_lehmann
from llmtel.stats.rates import Interval

FEWEST = 7
"""Days of a side below which its weekdays are not all there."""
_DAY = 86_400.0
_WHOLE = 0.9
"""Logs of a day seldom last from its first second to its last."""


class Daily(Struct, frozen=True):
    """The dollars of a typical day on both sides, and how many days these are.

    With a week on both sides `change` is the relative shift of a day's dollars (Hodges-Lehmann on logarithms)
    and `interval` is of it; with a single day now `interval` is of the dollars that the days before foretell
    for one more (Student's prediction interval on logarithms).
    """

    days: tuple[int, int]
    before: float
    now: float
    change: float | None
    interval: Interval

    @property
    def unusual(self) -> bool:
        """Whether it is beyond the interval: more than noise."""
        value = 0.0 if self.change is not None else self.now
        return not self.interval.low <= value <= self.interval.high


def daily(before: pl.DataFrame, after: pl.DataFrame, confidence: float = 0.95) -> Daily | None:
    """The days of two sides of priced calls, those without spend aside; None where there are too few."""
    a, b = ([math.log(x) for x in _totals(side) if x > 0] for side in (before, after))
    if len(a) < FEWEST or not (len(b) == 1 or len(b) >= FEWEST):
        return None
    sides = math.exp(fmean(a)), math.exp(fmean(b))
    if len(b) >= FEWEST:
        found = hodges_lehmann(b, a, confidence)
        ends = Interval(math.expm1(found.low), math.expm1(found.high))
        return Daily((len(a), len(b)), *sides, math.expm1(found.shift), ends)
    above = upper_bound(len(a), fmean(a), stdev(a), (1 + confidence) / 2)
    return Daily((len(a), 1), *sides, None, Interval(math.exp(2 * fmean(a) - above), math.exp(above)))


def _totals(calls: pl.DataFrame) -> Sequence[float]:
    """Dollars by the day, counted back from the last call, so that no day is cut off."""
    frame = completed(calls, {*BASE, "cost_usd"}).filter(pl.col("ts").is_not_null())
    first, last = frame["ts"].min(), frame["ts"].max()
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        return []
    span = (last - first).total_seconds()
    days = round(span / _DAY) if span >= _WHOLE * _DAY else 0
    if not days:
        return []
    ago = (pl.lit(last) - pl.col("ts")).dt.total_microseconds() / 1e6
    slot = (ago / span * days).floor().clip(0, days - 1)
    sums = frame.group_by(slot.alias("@slot")).agg((pl.col("cost_usd") * SAMPLE).sum().alias("@sum"))
    return [float(x) for x in sums.sort("@slot")["@sum"].to_list()]
