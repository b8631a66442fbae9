"""Values as FIELDS wants them: times from every accepted form, and limits that a real value keeps."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import NamedTuple

import polars as pl
from msgspec import Struct

from llmtel.core.schema import FIELDS, TIME
from llmtel.sources import native

LONGEST_TEXT = 1024
"""Characters of a name or id that are kept."""
CUT = f"{{n}} {{value was|values were}} longer than {LONGEST_TEXT:,} characters and {{was|were}} cut"
EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
_SECONDS, _MILLIS, _MICROS = 1e11, 1e14, 1e17
"""Epoch numbers below these are seconds, milliseconds and microseconds: up to the year 5138, all three."""
TICKS_AT_EPOCH = 621_355_968_000_000_000
"""1970-01-01 in .NET ticks of 100 ns, as Azure writes `requestTime`."""
_TICKS = (6.2e17, 6.6e17)
"""Ticks of the years 1965 to 2092; as nanoseconds these would be 1989 to 1990."""

_KEYS = (
    r"(?i)^(?:bearer )?(?:(?:[spr]k|gsk|xai|pplx|hf|r8|csk|fw|nvapi)[-_][\w-]{16,}|AIza[\w-]{30,}|"
    r"eyJ[\w.-]{30,})$"
)
"""How the API keys of providers look. An id or a masked key (`sk-…1f9c`, `sk-ab***`) does not."""
_MIXED = ("[a-z]", "[A-Z]", "[0-9]", r"^[\w+/=-]{40,}$")
"""What a key of no known kind has in it: many letters of both cases and digits, as no hash has."""

_FRACTIONS = {0: "", 4: ".%3f", 7: ".%6f", 8: ".%9f", 10: ".%9f"}
"""How the fractions of seconds that most programs write are parsed, by their length; those of .NET have 7
digits, and get two zeros behind them."""
_TICK = 8
_OTHER_FORMS = 3
"""Forms besides the first that a log may have: many leave out what is zero."""
_OF_UTC = ("Z", "+00:00")
_COMMA = r"(:\d\d),(\d)"
_DIGIT = re.compile("[0-9]")
_T, _END = 10, len("2026-09-01T10:00:00")
"""Where the `T` is, and where the fraction begins; some write a space for the `T`."""
_FORMS_WITH_OFFSET = (
    "%+",
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f %#z",
    "%Y-%m-%dT%H:%M%#z",
    "%Y-%m-%d %H:%M%#z",
)
_FORMS_OF_UTC = (
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S UTC",
)


def times(column: pl.Series) -> tuple[pl.Series, int]:
    """Text to Datetime in UTC, null where no form fits, and how many had no offset (read as UTC).

    Accepted: ISO 8601 with any number of fraction digits after a point or a comma (as Python's logging
    writes), `T` or a space, with or without an offset, a date alone, and epoch numbers whose size tells the
    unit (seconds below 1e11, ms below 1e14, µs below 1e17, .NET ticks, else ns).
    """
    found, assumed = native.times(column) or _of_first_form(column)
    if found.null_count() == column.null_count():
        return found, assumed
    left = (found.is_null() & column.is_not_null()).arg_true()
    reading = _Reading(column, found, left, assumed)
    for _ in range(_OTHER_FORMS):
        form = None if reading.left.is_empty() else _form_of(column[reading.left[0]])
        if form is None or not reading.read(_Reader(partial(_of_one_form, form=form), not form.suffix)):
            break
    reading.texts = column.str.strip_chars()
    reading.left = reading.left.filter(reading.texts.gather(reading.left) != "")
    if reading.texts.str.contains(",", literal=True).any():
        reading.texts = reading.texts.str.replace(_COMMA, "$1.$2")
    if not reading.left.is_empty():
        for reader in _likeliest_first(_DIGIT.sub("1", reading.texts[reading.left[0]])):
            reading.read(reader)
    return reading.found, reading.assumed


def _of_first_form(column: pl.Series) -> tuple[pl.Series, int]:
    """Times in the form of the first one, null where one is not, and how many have no offset."""
    first = column.first(ignore_nulls=True)
    form = _form_of(first) if isinstance(first, str) else None
    if form is None:
        return _none(column), 0
    found = _of_one_form(column, form)
    return found, 0 if form.suffix else len(found) - found.null_count()


class _Reading(Struct):
    """Times as far as they are read: the places `left` are not, and `assumed` were taken to be in UTC."""

    texts: pl.Series
    found: pl.Series
    left: pl.Series
    assumed: int

    def read(self, reader: _Reader) -> bool:
        """Read what is left in one more form. Returns whether there was any of it."""
        if self.left.is_empty():
            return False
        read = reader.read(self.texts.gather(self.left))
        hits = read.is_not_null()
        self.found = self.found.scatter(self.left.filter(hits), read.filter(hits).dt.epoch("us"))
        self.left = self.left.filter(~hits)
        self.assumed += int(hits.sum()) if reader.assumes_utc else 0
        return bool(hits.any())


def _none(column: pl.Series) -> pl.Series:
    """No time for any value of a column."""
    return pl.Series(column.name, [None], dtype=TIME).new_from_index(0, len(column))


@lru_cache(64)
def _likeliest_first(text: str) -> list[_Reader]:
    """The readers of times, first those that read `text`: a file's times are of one form, or of few.

    A text of which all digits are 1 is read by the same ones.
    """
    one = pl.Series([text])
    return sorted(_READERS, key=lambda reader: reader.read(one).null_count())


class _Form(NamedTuple):
    """A form of fixed length: what parts date and time, the fraction's length, and what says UTC, or ""."""

    between: str
    fraction: int
    suffix: str


def _form_of(text: str) -> _Form | None:
    """The form that most programs write and that a time may have."""
    suffix = next((suffix for suffix in _OF_UTC if text.endswith(suffix)), "")
    fraction = len(text) - len(suffix) - _END
    return _Form(" " if text[_T] == " " else "T", fraction, suffix) if fraction in _FRACTIONS else None


def _of_one_form(column: pl.Series, form: _Form) -> pl.Series:
    """Times that are written in one form, four times as fast; null where one is not.

    All are where one is before `EARLIEST`, which this parser may make of what is no time.
    """
    if form.fraction == _TICK:
        zeros = f"00{form.suffix}"
        column = column.str.replace(form.suffix, zeros, literal=True) if form.suffix else column + zeros
    pattern = f"%Y-%m-%d{form.between}%H:%M:%S{_FRACTIONS[form.fraction]}{form.suffix}"
    parsed = column.str.to_datetime(pattern, strict=False, cache=False, time_unit="us")
    before = (parsed.to_physical() < int(EARLIEST.timestamp()) * 1_000_000).any()
    return _none(column) if before else parsed.dt.replace_time_zone("UTC")


def _epoch(text: pl.Expr) -> pl.Expr:
    """Epoch numbers by their size, at full precision when they are whole."""
    whole = text.cast(pl.Int64, strict=False)
    number = text.cast(pl.Float64, strict=False)
    size = number.abs()
    micros = (
        pl.when(size < _SECONDS).then((number * 1e6).round().cast(pl.Int64, strict=False))
        .when(size < _MILLIS).then((number * 1e3).round().cast(pl.Int64, strict=False))
        .when(size < _MICROS).then(pl.coalesce(whole, number.cast(pl.Int64, strict=False)))
        .when(size.is_between(*_TICKS)).then((whole - TICKS_AT_EPOCH) // 10)
        .otherwise(whole // 1000)
    )  # fmt: skip
    return micros.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _iso(form: str) -> Callable[[pl.Series], pl.Series]:
    """A reader of times with an offset."""
    return lambda texts: texts.str.to_datetime(
        form, strict=False, cache=False, time_unit="us", time_zone="UTC"
    )


def _naive(form: str) -> Callable[[pl.Series], pl.Series]:
    """A reader of times without an offset."""
    return lambda texts: texts.str.to_datetime(
        form, strict=False, cache=False, time_unit="us"
    ).dt.replace_time_zone("UTC")


def _numbers(texts: pl.Series) -> pl.Series:
    return texts.to_frame("text").select(_epoch(pl.col("text"))).to_series()


def _days(texts: pl.Series) -> pl.Series:
    days = texts.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us"))
    return days.dt.replace_time_zone("UTC")


class _Reader(Struct, frozen=True):
    """One form of times: how texts of it are read, and whether they lack an offset."""

    read: Callable[[pl.Series], pl.Series]
    assumes_utc: bool = False


_READERS = (
    *(_Reader(_iso(form)) for form in _FORMS_WITH_OFFSET),
    _Reader(_numbers),
    *(_Reader(_naive(form), assumes_utc=True) for form in _FORMS_OF_UTC),
    _Reader(_days, assumes_utc=True),
)


def is_secret(text: pl.Expr) -> pl.Expr:
    """Whether a text is an API key itself, by its looks, and not the id, the hash or the name of one."""
    bare = text.str.strip_chars()
    return bare.str.contains(_KEYS) | pl.all_horizontal(bare.str.contains(part) for part in _MIXED)


def limits(name: str) -> pl.Expr | None:
    """Whether a field's value cannot be used: out of its range, endless, or none of its words."""
    field, column = FIELDS[name], pl.col(name)
    if name == "sample_rate":
        return ~((column > 0) & (column <= 1))
    if field.words:
        return ~column.is_in(field.words) & (column != "")
    if field.dtype == TIME:
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        return ~column.is_between(EARLIEST, tomorrow)
    if field.dtype == pl.Int64:
        return column < 0
    if field.dtype == pl.Float64:
        return (column < 0) | ~column.is_finite() if name != "rating" else ~column.is_finite()
    return None
