"""What if: other models, other days, no cache, more cache, a batch; and what a user has agreed on."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from llmtel.core.errors import ConfigError, UnknownName
from llmtel.pricing import balance, cost, describe, savings, what_if

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SONNET = {"provider": "anthropic", "model": "claude-sonnet-4-6", "input_uncached": 1000, "output_text": 0}


@pytest.fixture
def imagined(packaged, frame):
    """Rows as they would be at the prices of a model or a day."""

    def ask(*rows, model=None, day=None):
        calls = cost.priced(frame(*rows), packaged)
        meant = describe.model_meant(packaged, model) if model else None
        return what_if.repriced(calls, packaged, meant, day).to_dicts()

    return ask


def test_the_same_tokens_are_priced_as_another_model_and_the_cost_as_it_was_stays(imagined):
    (call,) = imagined({"provider": "openai", "model": "gpt-4o"}, model="gpt-4o-mini")
    assert call["cost_actual"] == pytest.approx((1000 * 2.5 + 100 * 10) / 1e6)
    assert call["cost_usd"] == pytest.approx((1000 * 0.15 + 100 * 0.6) / 1e6)
    assert call["model"] == "gpt-4o"


def test_a_logged_cost_says_nothing_of_other_prices(imagined):
    acme = {"provider": "openai", "model": "acme", "cost_logged": 5.0}
    (call,) = imagined(acme, model="openai/gpt-4o-mini")
    assert (call["cost_actual"], call["cost_usd"]) == (5.0, pytest.approx(0.00021))


def test_a_day_has_its_own_prices_and_may_have_none(imagined):
    o3 = {"provider": "openai", "model": "o3"}
    (before,) = imagined(o3, day=date(2025, 6, 9))
    assert before["cost_usd"] == pytest.approx(5 * before["cost_actual"])


def test_a_day_before_the_first_price_has_none(frame, layered):
    new = "models: {openai: {m: {prices: [{from: 2026-01-01, input: 1, output: 2}]}}}"
    book = layered(new)
    calls = cost.priced(frame({"provider": "openai", "model": "m"}), book)
    (call,) = what_if.repriced(calls, book, None, date(2025, 12, 31)).to_dicts()
    assert (call["cost_usd"], call["price_reason"]) == (None, "no_price_on_day")
    assert call["cost_actual"] == pytest.approx(0.0012)


def test_the_hour_of_a_day_with_off_peak_prices_stays(imagined):
    deepseek = {"provider": "deepseek", "model": "deepseek-chat", "ts": NOON.replace(hour=20)}
    at_night, at_noon = imagined(deepseek, {**deepseek, "ts": NOON}, day=date(2025, 4, 1))
    assert at_night["cost_usd"] < at_noon["cost_usd"]


def test_a_what_if_of_no_model_names_near_ones(packaged):
    with pytest.raises(UnknownName, match=r"no model 'gpt-5-minni'\. Near: openai/gpt-5-mini"):
        describe.model_meant(packaged, "gpt-5-minni")


def saved(packaged, frame, name, *rows, deferrable=None):
    calls = cost.priced(frame(*rows), packaged)
    return savings.with_savings(calls, packaged, {name}, deferrable)[name].to_list()


def test_caching_saved_the_difference_to_plain_input(packaged, frame):
    cached = {**SONNET, "cache_read": 10_000, "cache_write_5m": 2000}
    (usd, nothing, unknown) = saved(
        packaged, frame, "saved_by_cache", cached, {**SONNET, "cache_read": 0}, SONNET
    )
    assert usd == pytest.approx((10_000 * (3 - 0.3) + 2000 * (3 - 3.75)) / 1e6)
    assert (nothing, unknown) == (0, None)


def test_what_caching_would_have_saved_counts_reading_and_writing(packaged, frame):
    turn = {**SONNET, "session": "s", "cache_read": 0}
    turns = [
        {**turn, "input_uncached": 4000},
        {**turn, "input_uncached": 6000, "ts": NOON + timedelta(minutes=2)},
        {**turn, "input_uncached": 9000, "ts": NOON + timedelta(minutes=30)},
    ]
    first, second, late = saved(packaged, frame, "savable_by_cache", *turns)
    assert first == pytest.approx(-4000 * 0.75 / 1e6)
    assert second == pytest.approx(4000 * 2.7 / 1e6)
    assert late == pytest.approx(0)


def test_short_prefixes_other_sessions_and_what_was_cached_leave_nothing_to_save(packaged, frame):
    def turn(minutes, **row):
        return {**SONNET, "session": "s", "ts": NOON + timedelta(minutes=minutes), **row}

    short = [turn(0, input_uncached=900), turn(1, input_uncached=1000)]
    assert saved(packaged, frame, "savable_by_cache", *short) == pytest.approx([0, 0])
    apart = [turn(0, input_uncached=5000), turn(1, input_uncached=5000, session="t")]
    assert saved(packaged, frame, "savable_by_cache", *apart) == pytest.approx([0, 0])
    warm = [turn(0, cache_write_5m=5000), turn(1, cache_read=6000)]
    assert saved(packaged, frame, "savable_by_cache", *warm) == pytest.approx([0, 0])
    assert saved(packaged, frame, "savable_by_cache", {**SONNET, "session": None}) == [None]


def test_a_batch_saves_on_the_calls_that_can_wait(packaged, frame):
    nightly = {**SONNET, "feature": "nightly"}
    rows = [nightly, {**SONNET, "feature": "chat"}, {**nightly, "batch": True}]
    found = saved(packaged, frame, "savable_by_batch", *rows, deferrable=pl.col("feature") == "nightly")
    assert found == [pytest.approx(0.0015), None, 0]


AGREED = """\
discounts:
  - {provider: claude, percent: 10}
  - {provider: anthropic, percent: 50, models: [claude-sonnet-*], from: 2026-06-01, until: 2026-06-30}
credits:
  - {provider: anthropic, usd: 0.004, until: 2026-12-31}
  - {provider: anthropic, usd: 1, from: 2026-06-02, until: 2026-06-30}
"""


@pytest.mark.parametrize(
    ("day", "model", "factor"),
    [
        (date(2026, 5, 31), "claude-sonnet-4-6", 0.9),
        (date(2026, 6, 1), "claude-sonnet-4-6", 0.5),
        (date(2026, 6, 30), "claude-sonnet-4-6", 0.5),
        (date(2026, 7, 1), "claude-sonnet-4-6", 0.9),
        (date(2026, 6, 1), "claude-haiku-4-5", 0.9),
    ],
)
def test_the_last_discount_that_holds_counts_and_only_on_its_days(ask, layered, day, model, factor):
    at = datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC)
    call = {**SONNET, "model": model, "ts": at}
    list_price, paid = ask(**call), ask(layered(AGREED), **call)
    assert paid["cost_usd"] == pytest.approx(list_price["cost_usd"] * factor)
    assert "discount" in paid["price_flags"]


def test_a_discount_is_the_sellers_and_not_the_vendors(ask, layered):
    bedrock = {**SONNET, "provider": "bedrock", "model": "anthropic.claude-sonnet-4-5-20250929-v1:0"}
    vertex = {**SONNET, "provider": "vertex_ai", "model": "claude-sonnet-4-6"}
    for call in (bedrock, vertex):
        assert ask(layered(AGREED), **call)["cost_usd"] == ask(**call)["cost_usd"]


def test_credits_are_used_day_by_day_the_one_that_ends_first_before_the_others(packaged, frame, layered):
    book = layered(AGREED.replace("percent: 10", "percent: 1").replace("percent: 50", "percent: 1"))
    rows = [{**SONNET, "ts": NOON + timedelta(days=n)} for n in range(3)]
    spent = 0.003 * 0.99
    first, second = balance.balances(cost.priced(frame(*rows), book), book)
    assert first.used == pytest.approx(spent)
    assert second.used == pytest.approx(2 * spent)
    assert second.left == pytest.approx(1 - 2 * spent)
    assert balance.balances(cost.priced(frame(*rows), packaged), packaged) == ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("discounts: [{provider: nobody, percent: 5}]", "there is no provider 'nobody'"),
        ("discounts: [{provider: openai}]", "needs percent"),
        ("discounts: [{provider: openai, percent: 101}]", "at most 100"),
        ("discounts: [{percent: 5}]", "needs provider"),
        (
            "discounts: [{provider: openai, percent: 5, from: 2026-02-01, until: 2026-01-01}]",
            "before it begins",
        ),
        ("credits: [{provider: openai, usd: 0}]", "more than 0"),
    ],
)
def test_a_term_that_cannot_be_is_refused_with_its_line(layered, text, sentence):
    with pytest.raises(ConfigError, match=r"prices0.yaml:1: .*" + sentence):
        layered(text)


def test_a_row_of_a_sampled_log_uses_up_the_credit_of_all_calls_it_stands_for(packaged, frame, layered):
    book = layered("credits: [{provider: openai, usd: 100}]")
    calls = cost.priced(frame({"provider": "openai", "model": "gpt-4o", "sample_rate": 0.1}), packaged)
    [credit] = balance.balances(calls, book)
    assert credit.used == pytest.approx(10 * (1000 * 2.5 + 100 * 10) / 1e6)
