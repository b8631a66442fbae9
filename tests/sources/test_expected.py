"""Real logs give the figures that were computed independently of llmtel (../shared)."""

import json
from pathlib import Path

import polars as pl
import pytest

from llmtel import pipeline
from llmtel.core.schema import INPUT_LEAVES, LEAVES, OUTPUT_LEAVES

SHARED = Path(__file__).parents[2].parent / "shared"
EXPECTED = json.loads((SHARED / "fixtures/expected.json").read_text()) if SHARED.is_dir() else {}
NAMES = [name for name in EXPECTED if (SHARED / "fixtures" / name).exists()]
UNDECIDED = {"codex/as-schema_drift.jsonl": "codex"}
"""Files whose detection the expectation leaves open, and the format it reads them as."""


def near(value):
    return None if value is None else pytest.approx(value, rel=1e-9)


def counts(column):
    return dict(column.cast(pl.String).drop_nulls().value_counts().iter_rows())


def total(calls, name):
    known = calls[name].drop_nulls()
    return known.sum() if known.len() else None


def summed(calls, leaves):
    known = [value for leaf in leaves if (value := total(calls, leaf)) is not None]
    return sum(known) if known else None


def spread(calls, name):
    known = calls[name].drop_nulls()
    return {"n": known.len(), "sum": known.sum(), "min": known.min(), "max": known.max()}


@pytest.mark.skipif(not EXPECTED, reason="the shared data is not here")
@pytest.mark.parametrize("name", NAMES)
def test_a_real_log_gives_its_known_figures(name):
    expected = EXPECTED[name]
    reading = pipeline.read([str(SHARED / "fixtures" / name)], input_format=UNDECIDED.get(name))
    calls = reading.calls
    bucket = pl.col("grain") == "bucket"
    main = calls.filter(bucket | (pl.col("request_count") > 0))
    found = {
        "calls": main.height,
        "errors": int((main["status"] == "error").sum()),
        "error_kinds": counts(main["error"]),
        "tokens": {leaf: total(calls, leaf) for leaf in LEAVES},
        "models": counts(main["model"]),
        "cost_logged": total(calls, "cost_logged"),
        "rejected": reading.account.rejected,
        "retries": total(calls, "retries"),
        "input_tokens": summed(calls, INPUT_LEAVES),
        "output_tokens": summed(calls, OUTPUT_LEAVES),
        "batch": calls["batch"].all() if calls.height else None,
        "requests": total(calls, "request_count"),
        "ai_rows": calls.height,
        **{field: spread(calls, field) for field in ("latency_ms", "ttft_ms")},
    }
    if expected["grain"] == "bucket":
        assert calls["grain"].to_list() == ["bucket"] * calls.height
        assert expected.get("ai_rows", expected["rows"]) == calls.height
    for key in found.keys() & expected.keys() - set(expected.get("undecided", ())):
        wanted = expected[key]
        numeric = isinstance(wanted, float) or key in ("latency_ms", "ttft_ms")
        exact = (
            {part: near(value) for part, value in wanted.items()}
            if isinstance(wanted, dict)
            else near(wanted)
        )
        assert found[key] == (exact if numeric else wanted), key


def test_two_files_with_one_response_id_are_one_call(shared):
    paths = [
        str(shared / "fixtures/openai" / f"spec-chat-completion-{kind}.json") for kind in ("image", "object")
    ]
    reading = pipeline.read(paths)
    assert (reading.account.calls, reading.account.duplicates) == (1, 1)


def test_an_advisor_pass_is_a_row_of_its_own_that_is_no_call(shared):
    calls = pipeline.read([str(shared / "fixtures/provider-responses/anthropic-messages.jsonl")]).calls
    extra = calls.filter(pl.col("request_count") == 0)
    assert extra.select("model", "operation", "input_uncached", "output_text").rows() == [
        ("claude-opus-4-8", "advisor", 2518, 22)
    ]


def test_a_codex_session_is_not_summed_over_its_cumulative_counters(shared):
    expected = json.loads((shared / "traces/tracelab/expected.json").read_text())["codex_session.jsonl"]
    published = expected["PUBLISHED_derived"]
    reading = pipeline.read([str(shared / "traces/tracelab/codex_session.jsonl")])
    calls = reading.calls
    assert calls.height == published["rounds"]
    assert reading.account.records == expected["records"]
    assert calls["cache_read"].sum() == published["prefix_tokens"]
    assert calls["input_uncached"].sum() == published["newly_append_tokens"]
    assert (
        calls.select(pl.sum_horizontal("input_uncached", "cache_read").sum()).item()
        == published["input_tokens_total"]
    )
    assert calls["reasoning"].sum() == published["reasoning_output_tokens"]
    assert (
        calls.select(pl.sum_horizontal("output_text", "reasoning").sum()).item() == published["output_tokens"]
    )
    assert set(calls["model"]) == {"gpt-5.4"}


def test_an_azure_trace_is_read_to_its_last_row_without_a_line_break(shared):
    expected = json.loads((shared / "traces/azure/expected.json").read_text())
    figures = expected["code"]
    calls = pipeline.read([str(shared / "traces/azure/AzureLLMInferenceTrace_code.csv")]).calls
    assert calls.height == figures["rows"]
    assert calls["model"].null_count() == calls["status"].null_count() == calls.height
    for field, key in (("input_uncached", "input"), ("output_text", "output")):
        found = calls[field]
        assert found.sum() == figures[key]["sum"]
        for name, share in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)):
            assert found.quantile(share, interpolation="linear") == pytest.approx(
                figures[key][name], rel=1e-9
            )


def test_a_bare_usage_gives_the_leaves_of_its_vendor_line_by_line(shared):
    name = "provider-usage-shapes/usages.jsonl"
    lines = EXPECTED[name]["leaves_per_line"]
    calls = pipeline.read([str(shared / "fixtures" / name)]).calls
    sums = calls.group_by("line").agg(
        pl.when(pl.col(leaf).count() > 0).then(pl.col(leaf).sum()) for leaf in LEAVES
    )
    found = {row.pop("line"): row for row in sums.to_dicts()}
    assert found == {number: leaves for number, leaves in enumerate(lines, 1) if leaves is not None}
