"""Public traces give the figures that were published, or computed independently of llmtel (../shared)."""

import json
from pathlib import Path

import polars as pl
import pytest

from llmtel import pipeline
from llmtel.pricing import book, cost
from llmtel.query.query import Query

TRACES = Path(__file__).parents[1].parent / "shared" / "traces"
pytestmark = pytest.mark.skipif(not TRACES.is_dir(), reason="the shared data is not here")
FORMATS = {
    "aider": "aider",
    "alpaca_eval": "alpaca_eval",
    "exgentic": "exgentic",
    "inspect": "inspect_ai",
    "llmperf": "llmperf",
    "mooncake": "mooncake",
}
SPREAD = ("mean", "p50", "p90", "p95", "p99", "max")


def expected(name):
    return json.loads((TRACES / name / "expected.json").read_text())


def read(*names):
    reading = pipeline.read([str(TRACES / name) for name in names])
    assert reading.account.rejected == reading.account.duplicates == 0
    assert not reading.account.unreadable
    return reading


def numbers(calls, *metrics, **options):
    return Query(metrics, **options).run(cost.priced(calls, book.load())).rows


def near(value):
    return pytest.approx(value, rel=1e-9)


def assert_spread(calls, name, wanted, scale=1.0, **options):
    (found,) = numbers(calls, *(f"{at}_{name}" for at in SPREAD), **options)
    assert found == {f"{at}_{name}": near(wanted[at] * scale) for at in SPREAD}


@pytest.mark.parametrize("name", ["snapshot_2025-01-20.jsonl", "snapshot_2025-06-06.jsonl"])
def test_aider_messages_are_counted_and_their_running_total_is_not(name):
    figures = expected("aider")["snapshots"][name]
    reading = read(f"aider/{name}")
    assert reading.account.records == figures["events"]
    assert reading.account.other == figures["events"] - figures["message_send"]
    (row,) = numbers(reading.calls, "calls", "input_tokens", "output_tokens", "total_tokens", "logged_cost")
    assert row == {
        "calls": figures["message_send"],
        "input_tokens": figures["prompt_tokens"]["sum"],
        "output_tokens": figures["completion_tokens"]["sum"],
        "total_tokens": figures["total_tokens"],
        "logged_cost": near(figures["cost"]["sum"]),
    }
    assert row["logged_cost"] < figures["WRONG_sum_of_total_cost"] / 2
    by_model = {
        str(row["model"]).replace("None", "null"): row
        for row in numbers(
            reading.calls, "calls", "input_tokens", "output_tokens", "logged_cost", by=("model",)
        )
    }
    assert {
        model: (row["calls"], row["input_tokens"], row["output_tokens"], row["logged_cost"])
        for model, row in by_model.items()
    } == {
        model: (row["n"], row["prompt"], row["completion"], near(row["cost"]))
        for model, row in figures["by_model"].items()
    }
    days = numbers(reading.calls, "calls", "total_tokens", "logged_cost", by=("day",))
    assert {
        str(row["day"])[:10]: (row["calls"], row["total_tokens"], row["logged_cost"]) for row in days
    } == {
        day: (row["n"], row["total_tokens"], near(row["cost"])) for day, row in figures["per_day_utc"].items()
    }


def test_exgentic_failures_count_as_errors_and_not_as_fast_calls():
    figures = expected("exgentic")["spans.jsonl"]
    calls = read("exgentic/spans.jsonl").calls
    (row,) = numbers(calls, "calls", "errors", "error_rate", "input_tokens", "output_tokens", "sessions")
    assert row == {
        "calls": figures["rows"],
        "errors": figures["errors"],
        "error_rate": near(figures["error_rate"]),
        "input_tokens": figures["input_tokens"],
        "output_tokens": figures["output_tokens"],
        "sessions": figures["sessions"],
    }
    assert_spread(calls, "latency", figures["duration_ms_ok"])
    (row,) = numbers(calls, "p50_latency")
    assert row["p50_latency"] != near(figures["WRONG_p50_with_errors"])
    sessions = numbers(calls, "calls", "errors", "input_tokens", "output_tokens", by=("session",))
    assert {row.pop("session"): row for row in sessions} == {
        name: {key: value for key, value in session.items() if not key.startswith("PUBLISHED")}
        for name, session in figures["per_session"].items()
    }
    for model, of_model in figures["by_model"].items():
        part = calls.filter(pl.col("model").cast(pl.String) == model)
        assert numbers(part, "calls", "errors") == [
            {"calls": of_model["calls"], "errors": of_model["errors"]}
        ]
        assert_spread(part, "latency", of_model["duration_ms_ok"])


def test_mooncake_requests_have_tokens_and_no_time():
    figures = expected("mooncake")["synthetic"]
    calls = read("mooncake/synthetic_trace.jsonl").calls
    (row,) = numbers(calls, "calls", "input_tokens", "output_tokens", "p50_latency", "cost")
    assert row == {
        "calls": figures["rows"],
        "input_tokens": figures["input"]["sum"],
        "output_tokens": figures["output"]["sum"],
        "p50_latency": None,
        "cost": None,
    }
    assert calls["ts"].null_count() == calls.height


def llmperf_runs():
    return expected("llmperf")["per_run"] if TRACES.is_dir() else {}


@pytest.mark.parametrize("run", llmperf_runs())
def test_llmperf_latencies_leave_failures_out(run):
    figures = llmperf_runs()[run]
    calls = read(f"llmperf/individual/{run}.json").calls
    (row,) = numbers(calls, "calls", "errors", "error_rate", by=("feature",))
    assert row == {
        "feature": run,
        "calls": figures["rows"],
        "errors": figures["errors"],
        "error_rate": near(figures["error_rate"]),
    }
    answered = calls.filter(pl.col("status") == "ok")
    assert numbers(answered, "input_tokens", "output_tokens") == [
        {"input_tokens": figures["input_tokens_ok"], "output_tokens": figures["output_tokens_ok"]}
    ]
    codes = {int(code): n for code, n in figures["error_codes"].items()}
    if 429 not in codes:  # whose tokens are placeholders
        assert numbers(calls, "input_tokens", "output_tokens") == [
            {"input_tokens": figures["input_tokens_all"], "output_tokens": figures["output_tokens_all"]}
        ]
    assert calls.filter(http_status=429).height == codes.get(429, 0)
    assert calls.filter(error="parse").height == codes.get(-100, 0)
    assert_spread(calls, "latency", figures["end_to_end_latency_s"], 1000)
    assert_spread(calls, "ttft", figures["ttft_s"], 1000)


def test_llmperf_runs_pool_and_their_summaries_add_no_call():
    figures = expected("llmperf")["pooled_six_runs"]
    reading = read("llmperf/individual", "llmperf/summary")
    assert reading.account.other == len(llmperf_runs())
    assert numbers(reading.calls, "calls", "errors", "error_rate") == [
        {"calls": figures["rows"], "errors": figures["errors"], "error_rate": near(figures["error_rate"])}
    ]
    assert_spread(reading.calls, "latency", figures["end_to_end_latency_s"], 1000)
    assert_spread(reading.calls, "ttft", figures["ttft_s"], 1000)


def test_alpaca_eval_judges_cost_and_rate_what_was_published():
    figures = expected("alpaca_eval")["claude-2.1"]
    calls = read("alpaca_eval/claude-2.1_annotations_metadata.jsonl").calls
    (row,) = numbers(calls, "calls", "logged_cost", "mean_rating")
    assert row == {
        "calls": figures["rows"],
        "logged_cost": near(figures["price"]["sum"]),
        "mean_rating": near(figures["PUBLISHED"]["win_rate"] / 100),
    }
    assert calls["cost_logged"].len() - calls["cost_logged"].null_count() == figures["price"]["n"]
    assert_spread(calls, "latency", figures["time_s"], 1000)
    datasets = numbers(calls, "calls", by=("feature",))
    assert {row["feature"]: row["calls"] for row in datasets} == figures["by_dataset"]


def test_inspect_usage_is_counted_once_though_it_stands_three_times():
    figures = expected("inspect")["browser.json"]
    calls = read("inspect/browser.json").calls
    (row,) = numbers(calls, "calls", "errors", "input_tokens", "output_tokens", "cache_read_tokens")
    assert row == {
        "calls": figures["model_events"],
        "errors": 0,
        "input_tokens": figures["events_usage"]["input"],
        "output_tokens": figures["events_usage"]["output"],
        "cache_read_tokens": figures["PUBLISHED_stats"]["openai/gpt-4o-mini"]["input_tokens_cache_read"],
    }
    assert_spread(calls, "latency", figures["working_time_s"], 1000)


def test_an_azure_trace_has_its_tokens_by_hour():
    figures = expected("azure")["code"]
    calls = read("azure/AzureLLMInferenceTrace_code.csv").calls
    (row,) = numbers(calls, "calls", "total_tokens", "p50_latency", "cost")
    assert row == {
        "calls": figures["rows"],
        "total_tokens": figures["total_tokens"],
        "p50_latency": None,
        "cost": None,
    }
    hours = numbers(calls, "calls", "input_tokens", "output_tokens", by=("hour",))
    assert [(row["calls"], row["input_tokens"], row["output_tokens"]) for row in hours] == [
        (hour["n"], hour["input"], hour["output"]) for hour in figures["per_hour"].values()
    ]


def test_a_codex_session_costs_what_its_owner_computed():
    figures = expected("tracelab")["codex_session.jsonl"]
    calls = read("tracelab/codex_session.jsonl").calls
    assert numbers(calls, "cost") == [{"cost": near(figures["cost_usd_at_pricing_json"])}]


def test_every_trace_is_claimed_by_one_format_whole():
    reading = pipeline.read([str(TRACES / name) for name in FORMATS])
    found = {Path(one.file).relative_to(TRACES).parts[0]: one for one in reading.inputs}
    assert {folder: one.format for folder, one in found.items()} == FORMATS
    assert all(one.verdict.unanimous for one in found.values())
