"""What a call costs, worked out by hand, and why it has no cost where it has none."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from llmtel.core import schema
from llmtel.pricing import cost

GPT = {"provider": "openai", "model": "gpt-4o"}

BOOK = """\
providers:
  acme: {aliases: [acme]}
  inclusive: {tier_inclusive: true}
models:
  acme:
    tiered:
      prices:
        - input: 1
          cache_read: 0.1
          output: 2
          above: [{input_tokens: 1000, input: 10}, {input_tokens: 2000, input: 100, output: 200}]
          batch: 0.5
          flex: {input: 0.3, above: [{input: 3}, {input: 30}]}
          priority: {input: 9}
    night: {prices: [{input: 10, output: 20, off_peak: {utc: ["22:00-02:00", "12:00-13:00"], input: 1}}]}
    audio: {prices: [{input: 1, output: 2, input_audio: 5, cache_write_5m: 3}]}
    thinker: {prices: [{input: 1, output: 2, reasoning: 4}]}
    fees: {prices: [{input: 1, output: 2, web_search_per_1k: 10, request_per_1k: 5, batch: 0.5}]}
    free: {prices: [{input: 0, output: 0}]}
    embed: {prices: [{input: 1, output: 0}]}
    dated: {prices: [{from: 2026-01-01, input: 1, output: 1}, {from: 2026-02-01, input: 2, output: 2}]}
    once: {prices: [{from: 2026-01-01, input: 1, output: 1}]}
    placed: {region_factor: {US: 1.5}, prices: [{input: 1, output: 1, confidence: single}]}
  inclusive:
    tiered: {prices: [{input: 1, output: 1, above: {input_tokens: 1000, input: 2}}]}
"""


@pytest.fixture
def acme(layered, ask):
    prices = layered(BOOK)

    def answer(model, provider="acme", **call):
        return ask(prices, provider=provider, model=model, **call)

    return answer


def usd(answer):
    assert answer["price_reason"] is None
    return pytest.approx(answer["cost_usd"], abs=1e-12)


@pytest.mark.parametrize(
    ("provider", "tokens", "expected"),
    [
        ("acme", 1000, 1000 * 1 + 100 * 2),
        ("acme", 1001, 1001 * 10 + 100 * 2),
        ("acme", 2000, 2000 * 10 + 100 * 2),
        ("acme", 2001, 2001 * 100 + 100 * 200),
        ("inclusive", 999, 999 + 100),
        ("inclusive", 1000, 1000 * 2 + 100),
    ],
)
def test_a_tier_prices_the_whole_request_from_its_threshold(acme, provider, tokens, expected):
    assert usd(acme("tiered", provider, input_uncached=tokens)) == expected / 1e6


def test_the_whole_input_decides_on_the_tier(acme):
    answer = acme("tiered", input_uncached=1, cache_read=600, cache_write_5m=400)
    # A cache write without a rate is billed as input, of the tier; a cache read keeps the row's own rate.
    assert usd(answer) == (401 * 10 + 600 * 0.1 + 100 * 2) / 1e6
    assert answer["price_flags"] == "tier,assumed_cache_rate"


@pytest.mark.parametrize("bucket", [{"request_count": 2}, {"grain": "bucket", "request_count": None}])
def test_a_bucket_is_never_tiered(acme, bucket):
    answer = acme("tiered", input_uncached=5000, **bucket)
    assert usd(answer) == (5000 * 1 + 100 * 2) / 1e6
    assert answer["price_flags"] == "untiered_bucket"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ({"batch": True}, 1000 * 0.5 + 100 * 1),
        ({"batch": True, "service_tier": "priority"}, 1000 * 0.5 + 100 * 1),
        ({"service_tier": "batch"}, 1000 * 0.5 + 100 * 1),
        ({"service_tier": "Flex"}, 1000 * 0.3 + 100 * 2),
        ({"service_tier": "priority"}, 1000 * 9 + 100 * 2),
        ({"service_tier": "auto", "batch": False}, 1000 * 1 + 100 * 2),
        ({"service_tier": "batch", "input_uncached": 1500}, 1500 * 5 + 100 * 1),
        ({"service_tier": "flex", "input_uncached": 1500}, 1500 * 3 + 100 * 2),
        ({"service_tier": "flex", "input_uncached": 2500}, 2500 * 30 + 100 * 200),
    ],
)
def test_a_mode_changes_rates_after_the_tier(acme, call, expected):
    assert usd(acme("tiered", **call)) == expected / 1e6


def test_a_mode_without_a_rate_is_not_the_standard_one(acme):
    assert acme("tiered", service_tier="fast")["price_reason"] == "no_rate:fast"
    assert acme("tiered", service_tier="scale")["price_reason"] == "no_rate:scale"
    # Explicit rates know no long context unless they say so.
    assert acme("tiered", service_tier="priority", input_uncached=1500)["price_reason"] == "no_rate:priority"


@pytest.mark.parametrize(
    ("hour", "minute", "rate"),
    [(21, 59, 10), (22, 0, 1), (0, 0, 1), (1, 59, 1), (2, 0, 10), (11, 59, 10), (12, 0, 1), (13, 0, 10)],
)
def test_off_peak_hours_start_inclusive_end_exclusive_and_cross_midnight(acme, hour, minute, rate):
    answer = acme("night", ts=datetime(2026, 6, 1, hour, minute, 30, tzinfo=UTC))
    assert usd(answer) == (1000 * rate + 100 * 20) / 1e6
    assert answer["price_flags"] == ("off_peak" if rate == 1 else None)


def test_without_a_time_there_is_no_off_peak(acme):
    assert usd(acme("night", ts=None)) == (1000 * 10 + 100 * 20) / 1e6


def test_the_row_of_the_day_holds_from_its_midnight(acme):
    assert (
        acme("dated", ts=datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC))["price_reason"] == "no_price_on_day"
    )
    last = acme("dated", ts=datetime(2026, 1, 31, 23, 59, 59, 999999, tzinfo=UTC))
    assert (usd(last), last["price_id"]) == (0.0011, "acme/dated@2026-01-01")
    first = acme("dated", ts=datetime(2026, 2, 1, tzinfo=UTC))
    assert (usd(first), first["price_id"]) == (0.0022, "acme/dated@2026-02-01")


def test_without_a_time_only_a_single_row_will_do(acme):
    assert acme("dated", ts=None)["price_reason"] == "no_time"
    assert usd(acme("once", ts=None)) == 0.0011


def test_reasoning_has_the_outputs_rate_unless_it_has_its_own(acme):
    assert usd(acme("thinker", reasoning=50)) == (1000 + 100 * 2 + 50 * 4) / 1e6
    assert usd(acme("tiered", reasoning=50)) == (1000 + 150 * 2) / 1e6


def test_audio_is_priced_at_its_own_rate_or_not_at_all(acme):
    assert usd(acme("audio", input_audio=10)) == (1000 + 10 * 5 + 100 * 2) / 1e6
    assert acme("audio", output_audio=1)["price_reason"] == "no_rate:output_audio"
    assert acme("audio", output_audio=1)["cost_usd"] is None
    assert usd(acme("audio", output_audio=0)) == (1000 + 100 * 2) / 1e6


def test_a_long_write_without_a_rate_costs_as_a_short_one_and_says_so(acme):
    answer = acme("audio", cache_write_1h=100)
    assert usd(answer) == (1000 + 100 * 3 + 100 * 2) / 1e6
    assert answer["price_flags"] == "assumed_cache_rate"


def test_fees_are_by_the_piece_and_no_mode_multiplies_them(acme):
    assert usd(acme("fees", web_searches=3)) == (1000 + 200) / 1e6 + 0.03 + 0.005
    assert usd(acme("fees", batch=True, request_count=4)) == (500 + 100) / 1e6 + 0.02
    assert acme("tiered", web_searches=1)["price_reason"] == "no_rate:web_searches"


def test_the_region_of_the_call_is_a_factor(acme):
    answer = acme("placed", region="us")
    assert (usd(answer), answer["price_flags"]) == (0.00165, "geo,single_source")
    assert usd(acme("placed", region="eu")) == 0.0011


def test_free_is_a_price_and_unknown_is_not(acme):
    assert acme("free")["cost_usd"] == 0.0
    assert acme("free")["price_reason"] is None
    assert acme("nothing")["cost_usd"] is None
    assert acme("nothing")["price_reason"] == "unknown_model"


def test_usage_of_zero_tokens_costs_zero(acme):
    assert usd(acme("tiered", input_uncached=0, output_text=0)) == 0.0


def test_half_a_usage_is_no_usage_but_for_embeddings(acme):
    assert usd(acme("embed", output_text=None)) == 0.001
    assert acme("tiered", output_text=None)["price_reason"] == "no_usage"
    assert acme("embed", input_uncached=None)["price_reason"] == "no_usage"


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ({"model": None}, "no_model"),
        ({"provider": "nobody"}, "unknown_provider"),
        ({"model": "o9-mini"}, "unknown_model"),
        ({"input_uncached": None, "output_text": None}, "no_usage"),
        ({"price_reason": "invalid_usage", "input_uncached": None, "output_text": None}, "invalid_usage"),
    ],
)
def test_a_call_without_a_cost_says_why(ask, call, reason):
    answer = ask(**{**GPT, **call})
    assert answer == {**dict.fromkeys(schema.PRICED), "price_reason": reason}


@pytest.mark.parametrize(("http", "output"), [(429, None), (500, 0), (400, None)])
def test_a_refused_call_costs_nothing_whatever_the_model(ask, http, output):
    answer = ask(http_status=http, model="o9-mini", provider="x", input_uncached=None, output_text=output)
    free = {"cost_usd": 0.0, "cost_computed": 0.0, "price_flags": "not_billed"}
    assert answer == {**dict.fromkeys(schema.PRICED), **free}


def test_a_failed_call_that_may_have_been_billed_is_priced_by_its_usage(ask):
    assert usd(ask(**GPT, http_status=504)) == 0.0035
    assert usd(ask(**GPT, http_status=500)) == 0.0035
    none = {"input_uncached": None, "output_text": None}
    assert ask(**GPT, **none, http_status=408)["price_reason"] == "no_usage"
    assert ask(**GPT, **none, status="error", error="cancelled")["price_reason"] == "no_usage"


@pytest.mark.parametrize(
    ("source", "call", "expected"),
    [
        ("auto", {**GPT, "cost_logged": 0.5}, 0.0035),
        ("auto", {"model": "o9-mini", "cost_logged": 0.5}, 0.5),
        ("auto", {"model": "o9-mini", "cost_logged": 0.0}, None),
        ("auto", {"model": "o9-mini", "cost_logged": float("nan")}, None),
        ("auto", {"model": "o9-mini", "cost_logged": float("inf")}, None),
        ("auto", {"model": "o9-mini", "cost_logged": -1.0}, None),
        ("auto", {"provider": "openrouter", "model": "openai/gpt-4o", "cost_logged": 0.5}, 0.5),
        ("auto", {"provider": "openrouter", "model": "openai/gpt-4o", "cost_logged": 0.0}, 0.0035),
        ("auto", {"provider": "openrouter", "model": "openai/gpt-4o"}, 0.0035),
        ("computed", {"model": "o9-mini", "cost_logged": 0.5}, None),
        ("computed", {"provider": "openrouter", "model": "openai/gpt-4o", "cost_logged": 0.5}, 0.0035),
        ("logged", {**GPT, "cost_logged": 0.5}, 0.5),
        ("logged", {**GPT, "cost_logged": float("nan")}, None),
        ("logged", GPT, None),
    ],
)
def test_the_source_of_a_cost(ask, source, call, expected):
    answer = ask(source=source, **call)
    assert answer["cost_usd"] == (None if expected is None else pytest.approx(expected, abs=1e-12))
    assert (answer["price_reason"] is None) == (expected is not None)
    assert (answer["price_flags"] == "logged") == (expected == 0.5)


def test_a_log_without_a_cost_says_so(ask):
    assert ask(source="logged", **GPT)["price_reason"] == "no_logged_cost"


def test_an_empty_frame_has_empty_costs(packaged):
    for source in ("auto", "computed", "logged"):
        answer = cost.priced(schema.empty_calls(), packaged, source)
        assert answer.cast({pl.Categorical: pl.String}).schema == schema.polars_schema()
        assert answer.height == 0


def test_columns_that_a_log_lacks_may_be_absent(packaged):
    calls = pl.DataFrame({"model": ["gpt-4o"], "input_uncached": [1000], "output_text": [100]})
    answer = cost.priced(calls, packaged)
    assert set(answer.columns) == {*calls.columns, *schema.PRICED}
    assert answer["cost_usd"].to_list() == [pytest.approx(0.0035)]
    assert answer["price_reason"].to_list() == [None]


def test_categories_cost_what_their_words_cost(packaged, frame):
    calls = frame(
        GPT, {**GPT, "service_tier": "priority"}, {"model": "o9"}, {"provider": "groq", "region": "us"}
    )
    words = ["provider", "model", "service_tier", "region", "grain", "error", "price_reason"]
    categorical = calls.with_columns(pl.col(words).cast(pl.Categorical))
    expected = cost.priced(calls, packaged).select(schema.PRICED)
    assert cost.priced(categorical, packaged).select(schema.PRICED).equals(expected)


def test_costs_lie_in_memory_in_the_pieces_of_their_calls(packaged):
    piece = pl.DataFrame({"model": "gpt-4o-mini", "input_uncached": range(2**15), "output_text": 1})
    calls = cost.priced(schema.complete(pl.concat([piece] * 3, rechunk=False)), packaged)
    assert {name: calls[name].n_chunks() for name in ("input_uncached", *schema.PRICED)} == dict.fromkeys(
        ("input_uncached", *schema.PRICED), 3
    )


def test_pricing_twice_changes_nothing(packaged, frame):
    once = cost.priced(frame(GPT, {"model": "o9"}, {**GPT, "price_reason": "invalid_usage"}), packaged)
    assert cost.priced(once, packaged).equals(once)
    assert cost.priced(cost.priced(once, packaged, "logged"), packaged, "computed")["cost_usd"][0] is not None


BUCKET = {"grain": "bucket", "request_count": None, "provider": "anthropic", "model": "claude-haiku-4-5"}
BILL = {**BUCKET, "input_uncached": None, "output_text": None}


def test_usage_of_a_day_that_is_billed_in_rows_of_its_own_has_no_cost_beside_the_bill(packaged, frame):
    next_day = {**BUCKET, "ts": datetime(2026, 6, 2, tzinfo=UTC)}
    rows = frame(BUCKET, {**BILL, "cost_logged": 0.7}, next_day, {**BUCKET, "provider": "openai"})
    priced = cost.priced(rows, packaged)
    assert priced["cost_usd"].to_list() == [None, 0.7, pytest.approx(0.0015), None]
    assert priced["price_reason"].to_list() == ["billed_apart", None, None, "unknown_model"]


def test_calls_are_never_taken_for_what_a_bill_states(packaged, frame):
    call = {"provider": "anthropic", "model": "claude-haiku-4-5"}
    priced = cost.priced(frame(call, {**BILL, "cost_logged": 0.7}), packaged)
    assert priced["cost_usd"].to_list() == [pytest.approx(0.0015), 0.7]


def test_a_credit_on_a_bill_lowers_it_and_a_negative_cost_of_a_call_is_none(packaged, frame):
    call = {"model": "nobody-knows", "cost_logged": -1.0}
    priced = cost.priced(frame({**BILL, "cost_logged": -0.25}, call), packaged)
    assert priced["cost_usd"].to_list() == [-0.25, None]


@pytest.mark.parametrize(
    ("source", "model", "flags"),
    [
        ("tokenizer", "o3", "reasoning_unknown"),
        ("estimated", "gpt-5", "reasoning_unknown"),
        ("logged", "o3", None),
        (None, "o3", None),
        ("tokenizer", "gpt-4o", None),
        ("tokenizer", "gpt-5-chat-latest", None),
    ],
)
def test_a_counted_answer_of_a_model_that_reasons_is_flagged_as_a_lower_bound(ask, source, model, flags):
    assert ask(provider="openai", model=model, token_source=source)["price_flags"] == flags


def test_a_flag_of_a_lower_bound_stands_beside_the_others(ask):
    answer = ask(provider="openai", model="gpt-5", token_source="tokenizer", batch=True)  # noqa: S106 (no password)
    assert answer["price_flags"] == "batch,reasoning_unknown"
