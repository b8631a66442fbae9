"""Parts of one log as two sides: the latest with the one before, or with the same weekday of weeks before."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import polars as pl
from msgspec import Struct

from llmtel.core.errors import UsageError

_PREVIOUS = re.compile(r"prev(?:ious)?\s+([1-9]\d*)\s*([dwh])", re.ASCII)
_WEEKDAYS = re.compile(r"same-weekdays?\s+([1-9]\d*)\s*w", re.ASCII)
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
_DAY, _WEEK = timedelta(days=1), timedelta(weeks=1)


class Part(Struct, frozen=True):
    """Calls of a log, and in words which. `days` is how many they are of, where they do not lie in a row."""

    calls: pl.DataFrame
    label: str
    days: float | None = None


class Window(Struct, frozen=True):
    """What `prev 7d` says: the last `length` and the same before; with `weeks`, the last day and its like.

    Both end at the last call, not today: logs that lie there for a while still compare.
    """

    length: timedelta
    told: str
    weeks: int = 0

    @property
    def reach(self) -> timedelta:
        """How far before the last call the earlier part begins."""
        return self.weeks * _WEEK + _DAY if self.weeks else 2 * self.length

    def parts(self, calls: pl.DataFrame) -> tuple[Part, Part]:
        """The earlier part of the calls, and the latest one."""
        last = calls["ts"].max()
        if not isinstance(last, datetime):
            return Part(calls.clear(), "no time"), Part(calls, "no time")
        if self.weeks:
            return self._weekdays(calls, last)
        ts, middle = pl.col("ts"), last - self.length
        before = calls.filter((ts > middle - self.length) & (ts <= middle))
        now = calls.filter((ts > middle) & (ts <= last))
        return Part(before, f"the {self.told} before"), Part(now, f"the last {self.told}")

    def _weekdays(self, calls: pl.DataFrame, last: datetime) -> tuple[Part, Part]:
        """The day up to the last call, and the same hours of that weekday in the weeks before."""
        weeks = [
            calls.filter((pl.col("ts") > end - _DAY) & (pl.col("ts") <= end))
            for end in (last - n * _WEEK for n in range(self.weeks + 1))
        ]
        now, *before = weeks
        held = [week for week in before if week.height]
        label = f"the same day in the {self.told} before"
        return Part(pl.concat([calls.clear(), *held]), label, len(held)), Part(now, "the last day", 1)


def window(text: str) -> Window | None:
    """The window that a text names; None for another text."""
    if found := _PREVIOUS.fullmatch(text.strip()):
        return Window(timedelta(**{_UNITS[found[2]]: int(found[1])}), f"{found[1]}{found[2]}")
    if found := _WEEKDAYS.fullmatch(text.strip()):
        return Window(_DAY, f"{found[1]}w", int(found[1]))
    return None


def wanted(text: str) -> Window:
    """The window that a text names. Raises `UsageError` for another text."""
    found = window(text)
    if found is None:
        raise UsageError(
            f"{text!r} is no window; write prev and a length ('prev 7d', 'prev 4w', 'prev 12h'), or "
            "'same-weekdays 4w' for the last day beside that weekday in the four weeks before"
        )
    return found
