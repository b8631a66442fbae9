"""Values as FIELDS wants them: times from every accepted form, and limits that a real value keeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl

from llmtel.core.schema import FIELDS, TIME

LONGEST_TEXT = 1024
"""Characters of a name or id that are kept."""
EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
_TICKS_AT_EPOCH = 621_355_968_000_000_000
"""1970-01-01 in .NET ticks of 100 ns, as Azure writes `requestTime`."""

_FORMS_WITH_OFFSET = (
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f %#z",
    "%Y-%m-%dT%H:%M%#z",
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

    Accepted: ISO 8601 with any number of fraction digits, `T` or a space, with or without an offset, a date alone, and
    epoch numbers whose size tells the unit (seconds below 1e11, ms below 1e14, µs below 1e17, .NET ticks, else ns).
    """
    parsed = column.str.to_datetime("%+", strict=False, cache=False, time_unit="us", time_zone="UTC")
    if parsed.null_count() == column.null_count():
        return parsed, 0
    missing = parsed.is_null() & column.is_not_null() & (column.str.strip_chars() != "")
    if not missing.any():
        return parsed, 0
    rest = column.filter(missing).str.strip_chars().to_frame("text")
    text = pl.col("text")
    with_offset = [
        text.str.to_datetime(form, strict=False, time_unit="us", time_zone="UTC")
        for form in _FORMS_WITH_OFFSET
    ]
    of_utc = [
        text.str.to_datetime(form, strict=False, time_unit="us").dt.replace_time_zone("UTC")
        for form in _FORMS_OF_UTC
    ]
    of_utc.append(
        text.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    )
    numeric = text.str.contains(r"^[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?$")
    if rest.select(numeric.all()).item():
        read = rest.select(
            _epoch(text).alias("known"), pl.lit(None, dtype=pl.Datetime("us", "UTC")).alias("utc")
        )
    else:
        read = rest.select(
            pl.coalesce(*with_offset, _epoch(text)).alias("known"), pl.coalesce(*of_utc).alias("utc")
        )
    filled = read["known"].fill_null(read["utc"])
    assumed = int((read["known"].is_null() & read["utc"].is_not_null()).sum())
    places = missing.arg_true()
    return parsed.scatter(places, filled.dt.epoch("us")) if filled.len() else parsed, assumed


def _epoch(text: pl.Expr) -> pl.Expr:
    """Epoch numbers by their size, at full precision when they are whole."""
    whole = text.cast(pl.Int64, strict=False)
    number = text.cast(pl.Float64, strict=False)
    size = number.abs()
    micros = (
        pl.when(size < 1e11).then((number * 1e6).round().cast(pl.Int64, strict=False))
        .when(size < 1e14).then((number * 1e3).round().cast(pl.Int64, strict=False))
        .when(size < 1e17).then(pl.coalesce(whole, number.cast(pl.Int64, strict=False)))
        .when(size.is_between(6.2e17, 6.6e17)).then((whole - _TICKS_AT_EPOCH) // 10)
        .otherwise(whole // 1000)
    )  # fmt: skip
    return micros.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def limits(name: str) -> pl.Expr | None:
    """Where a field's value is there and cannot be used: a time out of range, a negative or endless number."""
    field, column = FIELDS[name], pl.col(name)
    if field.dtype == TIME:
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        return ~column.is_between(EARLIEST, tomorrow)
    if field.dtype == pl.Int64:
        return column < 0
    if field.dtype == pl.Float64:
        return (column < 0) | ~column.is_finite() if name != "rating" else ~column.is_finite()
    return None
