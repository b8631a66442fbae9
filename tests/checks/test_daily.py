"""Days of spend against days of spend."""

import math
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from llmtel.checks.daily import daily

START = datetime(2026, 11, 1, tzinfo=UTC)


def spent(*days):
    """Ten calls a day that cost so much together."""
    rows = [
        {"ts": START + timedelta(days=n, hours=2.3 * i), "cost_usd": dollars / 10}
        for n, dollars in enumerate(days)
        for i in range(11)
    ]
    return pl.DataFrame(rows)


def test_two_weeks_are_compared_by_their_typical_day():
    week = [5.0, 5.2, 4.9, 5.1, 5.3, 4.8, 5.05]
    found = daily(spent(*week), spent(*(1.5 * x for x in week)))
    assert found.days == (7, 7)
    assert found.change == pytest.approx(0.5, abs=0.01)
    assert found.interval.low < 0.5 < found.interval.high
    assert found.unusual
    assert not daily(spent(*week), spent(*week)).unusual


def test_a_single_day_is_held_against_what_the_days_before_foretell():
    week = [5.0, 5.2, 4.9, 5.1, 5.3, 4.8, 5.05]
    assert not daily(spent(*week), spent(5.2)).unusual
    found = daily(spent(*week), spent(8.0))
    assert found.unusual
    logs = [math.log(1.1 * x) for x in week]
    mean = sum(logs) / 7
    spread = math.sqrt(sum((x - mean) ** 2 for x in logs) / 6)
    # t(0.975, 6) = 2.4469 (any table)
    assert math.log(found.interval.high) == pytest.approx(mean + 2.4469 * spread * math.sqrt(8 / 7), rel=1e-3)


def test_few_days_say_nothing():
    assert daily(spent(5, 5, 5), spent(9)) is None
    assert daily(spent(*[5.0] * 8), spent(9, 9)) is None
    assert daily(spent(5).clear(), spent(5)) is None
