"""Words for people: names out of hostile logs made harmless and short, days, ratios, sentences of bounded length."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

SENTENCE = 90
"""Most characters of a finding's sentence."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def short(text: str, width: int = 28) -> str:
    """`text` in at most `width` characters, the middle left out, without characters that a terminal acts on."""
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    if len(clean) <= width:
        return clean
    tail = (width - 1) // 3
    return f"{clean[: width - 1 - tail]}…{clean[len(clean) - tail :]}"


def sentence(text: str) -> str:
    """`text` in at most SENTENCE characters."""
    return text if len(text) <= SENTENCE else f"{text[: SENTENCE - 1].rstrip()}…"


def date(day: dt.date, *, year: bool = False) -> str:
    """ "13 Nov" or "13 Nov 2026", whatever the locale."""
    return f"{day.day} {_MONTHS[day.month - 1]}" + (f" {day.year}" if year else "")


def weekday(day: dt.date) -> str:
    """ "Fri 13 Nov"."""
    return f"{_DAYS[day.weekday()]} {date(day)}"


def days(first: dt.date, last: dt.date, *, year: bool = False) -> str:
    """ "17-18 Nov" or "26 Oct - 22 Nov 2026", with en dashes."""
    if first == last:
        return date(first, year=year)
    if year and first.year != last.year:
        return f"{date(first, year=True)} – {date(last, year=True)}"  # noqa: RUF001 (an en dash is the sign for a span)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{date(last, year=year)}"  # noqa: RUF001
    return f"{date(first)} – {date(last, year=year)}"  # noqa: RUF001


def times(ratio: float) -> str:
    """ "8×" or "2.4×"."""
    return f"{ratio:,.0f}×" if ratio >= 5 else f"{ratio:.1f}×"  # noqa: PLR2004, RUF001


def percent(share: float) -> str:
    """ "61 %", and never a rounded 0 % or 100 %."""
    rounded = round(share * 100)
    if 0 < share < 1 and rounded in (0, 100):
        return "<1 %" if rounded == 0 else ">99 %"
    return f"{rounded} %"


def listed(items: Iterable[str], most: int = 3) -> str:
    """ "a, b, c and 4 more"."""
    names = list(items)
    tail = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + tail


def printable(text: str) -> bool:
    """Whether a value may stand in a command: nothing that a terminal acts on, and nothing that breaks a line."""
    return bool(text) and text.isprintable()
