"""Small words that findings share: days, values in conditions."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from datetime import date

import polars as pl

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
PLAIN = re.compile(r"""[^\s"'=!<>,]+""")


def day_words(day: date) -> str:
    """A day for people, whatever the locale: "Fri 13 Nov"."""
    return f"{WEEKDAYS[day.weekday()]} {short_day(day)}"


def short_day(day: date) -> str:
    """A day without its weekday: "13 Nov"."""
    return f"{day.day} {MONTHS[day.month - 1]}"


def span_words(first: date, last: date) -> str:
    """Days from `first` to `last`: "13 Nov", "17–18 Nov", "26 Oct – 22 Nov"."""
    if first == last:
        return day_words(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{short_day(last)}"
    return f"{short_day(first)} – {short_day(last)}"


def condition(field: str, value: str | None) -> str:
    """`--where` for a value: in quotes unless it is plain; nothing after the `=` asks for the unknown."""
    if value is None or PLAIN.fullmatch(value):
        return f"{field}={value or ''}"
    return f'{field}="{value}"' if '"' not in value else f"{field}={shlex.quote(value)}"


def equals(field: str, value: str | None) -> pl.Expr:
    """Rows whose field is `value`; None stands for unknown."""
    return pl.col(field).cast(pl.String).eq_missing(pl.lit(value, dtype=pl.String))


def listing(words: Sequence[str], most: int = 3) -> str:
    """The first few of `words`, and how many more there are: "a, b, c and 4 more"."""
    rest = len(words) - most
    return ", ".join(words[:most]) + (f" and {rest:,} more" if rest > 0 else "")


def several(n: float, noun: str) -> str:
    """A noun in the number that fits: "call" for one, "calls" for all else."""
    return noun if n == 1 else f"{noun}s"


def percent(share: float) -> str:
    """A share in whole percent: "88 %"."""
    return f"{share * 100:.0f} %"
