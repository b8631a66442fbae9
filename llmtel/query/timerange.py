"""Ranges of time: `--since` and `--until` in a time zone, dates inclusive.

A date means the whole day of the zone, however many hours the clocks gave it. `7d` counts back from now to
the instant; `today` and `yesterday` are days.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import polars as pl
from msgspec import Struct

from llmtel.core.errors import UsageError

_BACK = re.compile(r"(\d+(?:\.\d+)?)\s*(w|d|h|m|min|s)", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "min": "minutes", "s": "seconds"}
_FORMS = (
    "a date (2026-09-01), a month (2026-09), a time (2026-09-01T14:30), 7d, 2h, 30m, today, yesterday or now"
)


class TimeRange(Struct, frozen=True):
    """From `start` until just before `end`, both UTC; None is open. `label` says it in words, as asked."""

    start: datetime | None
    end: datetime | None
    label: str

    @property
    def bounded(self) -> bool:
        """Whether it leaves anything out; then it leaves out calls without a time too."""
        return self.start is not None or self.end is not None

    @property
    def filter(self) -> pl.Expr:
        """True for calls inside; false for calls outside and, when bounded, for calls without a time."""
        inside = pl.col("ts").is_not_null() if self.bounded else pl.lit(value=True)
        if self.start is not None:
            inside &= pl.col("ts") >= self.start
        if self.end is not None:
            inside &= pl.col("ts") < self.end
        return inside


def parse_zone(tz: str) -> ZoneInfo:
    """The time zone with this IANA name. Raises `UsageError` with a suggestion."""
    try:
        return ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = get_close_matches(tz, available_timezones(), n=1, cutoff=0.5)
        hint = f"Did you mean {near[0]}?" if near else "Use a name such as UTC or Europe/Berlin."
        raise UsageError(f"--tz {tz}: there is no such time zone. {hint}") from None


def parse_range(
    since: str | None, until: str | None, tz: str = "UTC", now: datetime | None = None
) -> TimeRange:
    """The range between two moments as people write them; `now` (aware) is the clock's time by default.

    A day or month as `until` is included whole. Raises `UsageError` for what is no time, and for a range
    that ends before it starts.
    """
    zone = parse_zone(tz)
    clock = (now or datetime.now(UTC)).astimezone(zone)
    start = _span("--since", since, clock)[0] if since else None
    end = _span("--until", until, clock)[1] if until else None
    if start is not None and end is not None and start >= end:
        raise UsageError(f"--since {since} --until {until}: the range ends before it starts")
    return TimeRange(start, end, _label(since, until, tz))


def parse_time(option: str, text: str, tz: str = "UTC") -> tuple[datetime, datetime]:
    """A moment, or the first and the one after the last moment of a day or month, in UTC."""
    return _span(option, text, datetime.now(UTC).astimezone(parse_zone(tz)))


def _label(since: str | None, until: str | None, tz: str) -> str:
    if not since and not until:
        return "all time"
    words = " ".join(f"{name} {value}" for name, value in (("since", since), ("until", until)) if value)
    return f"{words}, {tz}"


def _span(option: str, text: str, now: datetime) -> tuple[datetime, datetime]:
    """The first moment that `text` names and the first after it; the same one for an instant."""
    word = text.strip()
    try:
        for reads in (_read_word, _read_back, _read_month, _read_day, _read_instant):
            if (span := reads(word, now)) is not None:
                return span
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{option} {text}: {error}") from None
    raise UsageError(f"{option} {text}: not a time. Use {_FORMS}.")


def _read_word(word: str, now: datetime) -> tuple[datetime, datetime] | None:
    if word == "now":
        return _utc(now), _utc(now)
    ago = {"today": 0, "yesterday": 1}.get(word)
    if ago is None:
        return None
    day = now.date() - timedelta(days=ago)
    return _days(day, day, now)


def _read_back(word: str, now: datetime) -> tuple[datetime, datetime] | None:
    match = _BACK.fullmatch(word)
    if match is None:
        return None
    moment = _utc(now) - timedelta(**{_UNITS[match[2]]: float(match[1])})
    return moment, moment


def _read_month(word: str, now: datetime) -> tuple[datetime, datetime] | None:
    match = _MONTH.fullmatch(word)
    if match is None:
        return None
    first = date(int(match[1]), int(match[2]), 1)
    return _days(first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1), now)


def _read_day(word: str, now: datetime) -> tuple[datetime, datetime] | None:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", word, re.ASCII):
        return None
    day = date.fromisoformat(word)
    return _days(day, day, now)


def _read_instant(word: str, now: datetime) -> tuple[datetime, datetime] | None:
    if not re.match(r"\d{4}-\d{2}-\d{2}[T ]", word, re.ASCII):
        return None
    moment = datetime.fromisoformat(word)
    instant = _utc(moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo))
    return instant, instant


def _days(first: date, last: date, now: datetime) -> tuple[datetime, datetime]:
    """From the midnight before the first day to the midnight after the last, by the clocks of the zone."""
    midnights = (datetime.combine(d, time(), now.tzinfo) for d in (first, last + timedelta(days=1)))
    start, end = map(_utc, midnights)
    return start, end


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
