"""Ranges of time: whole days by the clocks of the zone, and moments counted back from now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from llmtel.core.errors import UsageError
from llmtel.query.timerange import parse_range

NOW = datetime(2026, 9, 10, 12, 30, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_dates_are_inclusive() -> None:
    r = parse_range("2026-09-01", "2026-09-01", "UTC", NOW)
    assert (r.start, r.end) == (utc("2026-09-01"), utc("2026-09-02"))


def test_a_day_has_the_hours_that_the_clocks_gave_it() -> None:
    autumn = parse_range("2026-11-01", "2026-11-01", "America/New_York", NOW)
    spring = parse_range("2026-03-08", "2026-03-08", "America/New_York", NOW)
    assert autumn.end - autumn.start == timedelta(hours=25)
    assert spring.end - spring.start == timedelta(hours=23)


@pytest.mark.parametrize(
    ("since", "start"),
    [
        ("7d", "2026-09-03T12:30"),
        ("2h", "2026-09-10T10:30"),
        ("30m", "2026-09-10T12:00"),
        ("1w", "2026-09-03T12:30"),
        ("today", "2026-09-09T18:30"),
        ("yesterday", "2026-09-08T18:30"),
        ("2026-09-01", "2026-08-31T18:30"),
        ("2026-09", "2026-08-31T18:30"),
        ("2026-09-01T10:00", "2026-09-01T04:30"),
        ("2026-09-01T10:00Z", "2026-09-01T10:00"),
        ("2026-09-01 10:00:30+02:00", "2026-09-01T08:00:30"),
    ],
)
def test_since_is_read_in_the_time_zone(since: str, start: str) -> None:
    assert parse_range(since, None, "Asia/Kolkata", NOW).start == utc(start)


def test_yesterday_and_a_month_end_with_their_last_moment() -> None:
    assert parse_range(None, "yesterday", "UTC", NOW).end == utc("2026-09-10")
    assert parse_range(None, "2026-02", "UTC", NOW).end == utc("2026-03-01")


def test_a_range_leaves_out_calls_without_a_time_and_all_time_does_not() -> None:
    times = [
        utc("2026-08-31T23:59:59"),
        utc("2026-09-01"),
        utc("2026-09-01T23:59:59"),
        utc("2026-09-02"),
        None,
    ]
    calls = pl.DataFrame({"ts": times}, schema={"ts": pl.Datetime("us", "UTC")})
    assert calls.filter(parse_range("2026-09-01", "2026-09-01", "UTC", NOW).filter).height == 2
    everything = parse_range(None, None, "UTC", NOW)
    assert calls.filter(everything.filter).height == 5
    assert (everything.label, everything.bounded) == ("all time", False)


def test_a_label_says_what_was_asked_and_where() -> None:
    assert (
        parse_range("7d", "yesterday", "Asia/Kolkata", NOW).label == "since 7d until yesterday, Asia/Kolkata"
    )


@pytest.mark.parametrize(
    "text", ["soon", "2026-13-01", "2026-02-30", "99999999999999d", "-7d", "2026-09-01T25:00", "0000-01-01"]
)
def test_what_is_no_time_is_told_with_the_option(text: str) -> None:
    with pytest.raises(UsageError, match="--since"):
        parse_range(text, None, "UTC", NOW)


def test_a_range_that_ends_before_it_starts_is_an_error() -> None:
    with pytest.raises(UsageError, match="ends before it starts"):
        parse_range("2026-09-02", "2026-09-01", "UTC", NOW)


@pytest.mark.parametrize("zone", ["Europe/Belin", "../etc/passwd", "", "a\x00b"])
def test_a_wrong_time_zone_is_told(zone: str) -> None:
    with pytest.raises(UsageError, match="no such time zone"):
        parse_range(None, None, zone, NOW)


def test_a_wrong_time_zone_suggests_the_right_one() -> None:
    with pytest.raises(UsageError, match="Did you mean Europe/Berlin"):
        parse_range(None, None, "Europe/Belin", NOW)
