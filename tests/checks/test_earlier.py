"""Parts of one log that are compared: what each window takes, and what no window is."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from llmtel.checks.earlier import wanted, window
from llmtel.core.errors import UsageError
from llmtel.core.schema import polars_schema

LAST = datetime(2026, 11, 24, 12, tzinfo=UTC)


def calls(*hours_ago):
    rows = {"ts": [LAST - timedelta(hours=h) for h in hours_ago], "latency_ms": [float(h) for h in hours_ago]}
    return pl.DataFrame(rows, schema=polars_schema([*rows]))


def hours(part):
    return sorted(part.calls["latency_ms"])


def test_the_latest_part_is_compared_with_the_one_before():
    before, now = wanted("prev 2d").parts(calls(0, 47, 48, 95, 96, 200))
    assert (hours(before), hours(now)) == ([48, 95], [0, 47])
    assert (before.label, now.label) == ("the 2d before", "the last 2d")


def test_the_last_day_is_compared_with_the_same_weekday_of_the_weeks_before():
    week = 7 * 24
    log = calls(0, 23, 24, week - 1, week, week + 23, week + 24, 3 * week, 5 * week)
    before, now = wanted("same-weekdays 4w").parts(log)
    assert (hours(before), hours(now)) == ([week, week + 23, 3 * week], [0, 23])
    assert (before.days, now.days) == (2, 1)
    assert before.label == "the same day in the 4w before"


@pytest.mark.parametrize("text", ["7d", "prev", "prev 0d", "prev 7m", "same-weekdays 4d", "next 7d"])
def test_what_is_no_window_is_a_sentence(text):
    assert window(text) is None
    with pytest.raises(UsageError, match="write prev and a length"):
        wanted(text)


def test_calls_without_a_time_are_all_of_now():
    before, now = wanted("same-weekdays 1w").parts(calls(1, 2).with_columns(ts=pl.lit(None, pl.Datetime)))
    assert (before.calls.height, now.calls.height) == (0, 2)
