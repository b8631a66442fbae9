"""The ways in which tools of this kind have billed wrongly, each with the right answer and the wrong ones.

The references are to the issues where it happened; the amounts are worked out by hand from list prices.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from llmtel import pipeline
from llmtel.pricing import book, cost

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SONNET = {"provider": "anthropic", "model": "claude-sonnet-4-5-20250929", "ts": NOW}
GEMINI = {"provider": "google", "model": "gemini-2.5-pro", "ts": NOW}
GPT = {"provider": "openai", "model": "gpt-4o", "ts": NOW}


@pytest.fixture
def usd(ask):
    """What one call costs; without leaves of its own it has none."""

    def cost_of(prices=None, **call):
        return ask(prices, **{"input_uncached": 0, "output_text": 0, **call})["cost_usd"]

    return cost_of


@pytest.fixture
def logged(tmp_path, packaged):
    """The priced calls of some records of a log."""

    def read(*records):
        path = tmp_path / "log.jsonl"
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
        return cost.priced(pipeline.read([str(path)]).calls, packaged).to_dicts()

    return read


def test_a_tier_is_not_applied_marginally_or_to_the_input_alone(usd):
    """openusage#885, tokscale#862, claude-code-hub#869."""
    right = usd(**SONNET, input_uncached=300_000, output_text=1000)
    assert right == pytest.approx((300_000 * 6 + 1000 * 22.5) / 1e6)
    assert right != pytest.approx((200_000 * 3 + 100_000 * 6 + 1000 * 15) / 1e6)


def test_a_tier_is_not_applied_to_the_sum_of_a_bucket(usd):
    """openusage#885: two hundred short requests are not one long one."""
    bucket = {"request_count": 200, "grain": "bucket", "input_uncached": 2_000_000}
    assert usd(**GEMINI, **bucket) == pytest.approx(2_000_000 * 1.25 / 1e6)


def test_a_tier_is_not_ignored(usd):
    """opik#6982."""
    assert usd(**GEMINI, input_uncached=200_000) == pytest.approx(0.25)
    assert usd(**GEMINI, input_uncached=200_001) == pytest.approx(200_001 * 2.5 / 1e6)


def test_a_tier_is_applied_to_cache_rates_and_decided_by_the_whole_input(usd):
    """litellm#16377."""
    cached = {"input_uncached": 50_000, "cache_read": 150_000, "cache_write_5m": 50_000}
    assert usd(**SONNET, **cached) == pytest.approx((50_000 * 6 + 150_000 * 0.6 + 50_000 * 7.5) / 1e6)


def test_a_tier_is_not_kept_after_the_provider_dropped_it(usd):
    """claude-relay-service#1143, claude-code-hub#955."""
    opus = {"provider": "anthropic", "model": "claude-opus-4-6", "ts": NOW}
    assert usd(**opus, input_uncached=300_000) == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("provider", "model", "threshold"),
    [
        ("openai", "gpt-5.4", 272_000),
        ("google", "gemini-1.5-pro", 128_000),
        ("google", "gemini-2.5-pro", 200_000),
    ],
)
def test_no_one_threshold_is_assumed_for_all(usd, provider, model, threshold):
    """models.dev#5277."""
    call = {"provider": provider, "model": model, "ts": NOW}
    below, above = (usd(**call, input_uncached=n) / n for n in (threshold, threshold + 1))
    assert above == pytest.approx(2 * below)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("anthropic", "claude-opus-99"),
        ("anthropic", "my-claude-opus-4-6"),
        ("openai", "gpt-4o-mini-2099"),
        ("openai", "o1-super"),
        ("openai", "gpt-"),
        (None, "8k"),
    ],
)
def test_a_part_of_a_name_is_no_match(usd, provider, model):
    """connectonion#602, clawmetry#2515, ccusage#934, PostHog#32189, genai-prices#173, LibreChat#11978."""
    assert usd(provider=provider, model=model, ts=NOW, input_uncached=1000) is None


def test_a_snapshot_has_its_own_price(usd):
    """genai-prices#173: the first prefix that matches is not the model."""
    tokens = {"provider": "openai", "ts": NOW, "input_uncached": 1000, "output_text": 100}
    assert usd(model="gpt-4o-2024-05-13", **tokens) == pytest.approx(0.0065)
    assert usd(model="gpt-4o-2024-08-06", **tokens) == pytest.approx(0.0035)


def test_an_unknown_model_does_not_cost_zero(ask):
    """codeburn#638, vigil#964, reyn#3701, openclaw#90674, litellm#10155."""
    answer = ask(provider="openai", model="o9-mini", ts=NOW)
    assert (answer["cost_usd"], answer["price_reason"]) == (None, "unknown_model")


def test_cached_tokens_are_not_counted_twice(logged):
    """langfuse#10592, langfuse#12306, litellm#26919, codex-observability#22."""
    usage = {"prompt_tokens": 1000, "completion_tokens": 0, "prompt_tokens_details": {"cached_tokens": 900}}
    (call,) = logged({"timestamp": "2026-11-01T12:00:00Z", "model": "gpt-4o", "usage": usage})
    assert call["cost_usd"] == pytest.approx((100 * 2.5 + 900 * 1.25) / 1e6)


def test_a_missing_cache_rate_is_the_inputs_and_flagged(ask):
    """headroom#3032, codex-observability#22: neither free nor silent."""
    answer = ask(
        provider="openai", model="gpt-4-turbo", ts=NOW, cache_read=1000, input_uncached=0, output_text=0
    )
    assert answer["cost_usd"] == pytest.approx(0.01)
    assert "assumed_cache_rate" in answer["price_flags"]


def test_a_cache_write_of_an_hour_is_not_billed_as_one_of_five_minutes(usd):
    """pi#5737, oh-my-pi#6876, inspect_ai#4703, otari#357, claude-powerline#104."""
    assert usd(**SONNET, cache_write_1h=1000) == pytest.approx(0.006)
    assert usd(**SONNET, cache_write_5m=1000) == pytest.approx(0.00375)


def test_reasoning_is_billed_once(logged):
    """tokscale#1142, llmgateway#3435, vercel/ai#6738."""
    usage = {
        "prompt_tokens": 0,
        "completion_tokens": 1000,
        "completion_tokens_details": {"reasoning_tokens": 900},
    }
    (call,) = logged({"timestamp": "2026-11-01T12:00:00Z", "model": "o3", "usage": usage})
    assert call["cost_usd"] == pytest.approx(0.008)


def test_an_old_call_keeps_its_old_price(usd):
    """ccusage#1636, CodexBar#2671, agentsview#1540, otari#36."""
    o3 = {"provider": "openai", "model": "o3", "input_uncached": 1000}
    assert usd(**o3, ts=datetime(2025, 6, 9, 23, 59, 59, tzinfo=UTC)) == pytest.approx(0.01)
    assert usd(**o3, ts=datetime(2025, 6, 10, tzinfo=UTC)) == pytest.approx(0.002)


def test_the_discount_of_a_batch_is_not_ignored_and_not_made_up(ask, usd):
    """litellm#13810, litellm#10091, litellm#37724, genai-prices#115, dust#23702."""
    assert usd(**GPT, batch=True, input_uncached=1000) == pytest.approx(0.00125)
    assert usd(**{**GPT, "model": "gpt-5"}, service_tier="flex", input_uncached=1000) == pytest.approx(
        0.000625
    )
    assert (
        ask(provider="openai", model="chatgpt-4o-latest", ts=NOW, batch=True)["price_reason"]
        == "no_rate:batch"
    )


def test_the_premium_of_a_region_is_on_new_models_alone(usd):
    """litellm#19308, litellm#42679, langsmith-sdk#3277, claude-code#83690, llmgateway#2729."""
    new, old = "anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic.claude-3-haiku-20240307-v1:0"
    aws = {"provider": "bedrock", "ts": NOW, "input_uncached": 1000}
    assert usd(**aws, model=f"us.{new}") == pytest.approx(0.0033)
    assert usd(**aws, model=f"global.{new}") == pytest.approx(0.003)
    assert usd(**aws, model=f"us.{old}") == usd(**aws, model=old) == pytest.approx(0.00025)


def test_a_deployment_is_not_guessed_from_its_name_but_may_be_told(usd, layered):
    """litellm#1810, litellm#5540, langchain#14912, autogen#1270."""
    call = {"provider": "azure", "model": "prod-gpt-4o", "ts": NOW, "input_uncached": 1000}
    assert usd(**call) is None
    told = layered("aliases: {prod-gpt-4o: azure/gpt-4o}")
    assert usd(told, **call) == pytest.approx(0.0025)


def test_the_price_of_a_route_is_that_of_the_log(usd):
    """litellm#39501: a reseller's table drifts by −89 % to +3025 %."""
    call = {"provider": "openrouter", "model": "openai/gpt-4o", "ts": NOW, "input_uncached": 1000}
    assert usd(**call, cost_logged=0.0123) == 0.0123


@pytest.mark.parametrize("typed", ["1.25", "0.0125"])
def test_a_cache_rate_typed_ten_times_off_is_warned_of(tmp_path, typed):
    """litellm#9833, litellm#18157, litellm#38062."""
    from llmtel.pricing import lint  # noqa: PLC0415 (beside the only test of it here)

    path = tmp_path / "prices.yaml"
    row = f"{{input: 1.25, cache_read: {typed}, output: 10}}"
    path.write_text(f"models: {{openai: {{m: {{prices: [{row}]}}}}}}")
    (remark,) = lint.warnings(book.layer("prices.yaml", path), NOW.date())
    assert (remark.kind, remark.where) == ("cache_ratio", "prices.yaml:1")


@pytest.mark.parametrize("stated", [float("nan"), float("inf"), -1.0])
def test_a_logged_cost_that_is_no_amount_poisons_nothing(usd, stated):
    """deepeval#2723."""
    assert usd(**GPT, input_uncached=1000, cost_logged=stated) == pytest.approx(0.0025)
    assert usd(**{**GPT, "model": "o9"}, input_uncached=1000, cost_logged=stated) is None


def test_a_logged_zero_beside_tokens_is_not_believed(usd):
    """litellm#37923, litellm#40100, ccusage#1348."""
    assert usd(**GPT, input_uncached=1000, cost_logged=0.0) == pytest.approx(0.0025)
    assert usd(**{**GPT, "model": "o9"}, input_uncached=1000, cost_logged=0.0) is None


def test_a_refused_call_is_no_spend(ask):
    """context-lens#29."""
    answer = ask(**GPT, http_status=429, status="error", output_text=None)
    assert (answer["cost_usd"], answer["price_flags"]) == (0.0, "not_billed")


def test_a_missing_rate_spoils_no_call_that_needs_none_and_is_not_skipped_where_one_does(ask):
    """0 × null is not null, and a sum that skips null is not a cost."""
    audio = {"provider": "openai", "model": "gpt-4o", "ts": NOW}
    assert ask(**audio, input_audio=0)["cost_usd"] == pytest.approx(0.0035)
    assert ask(**audio, input_audio=1)["price_reason"] == "no_rate:input_audio"


def test_cents_are_not_read_as_dollars(tmp_path, packaged):
    """Cost reports state cents; read as dollars they are a hundred times too much."""
    row = {"amount": "123.45", "currency": "USD", "cost_type": "tokens", "model": "claude-sonnet-4-5"}
    page = {"starting_at": "2026-11-01T00:00:00Z", "ending_at": "2026-11-02T00:00:00Z", "results": [row]}
    path = tmp_path / "cost_report.json"
    path.write_text(json.dumps({"data": [page], "has_more": False, "next_page": None}))
    calls = cost.priced(pipeline.read([str(path)]).calls, packaged)
    assert calls["cost_usd"].to_list() == [pytest.approx(1.2345)]
