"""Log events of coding agents: which tell of a call, and how each agent counts."""

import json

import pytest

from llmtel import pipeline


def event(name, body="", **attributes):
    stamp = {"event.name": name, "event.timestamp": "2026-09-01T10:00:05.000Z"}
    return {
        "body": body,
        "attributes": stamp | {key.replace("__", "."): attributes[key] for key in attributes},
    }


@pytest.fixture
def read(tmp_path):
    def reading(*lines):
        path = tmp_path / "events.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return pipeline.read([str(path)])

    return reading


def wrapped(*events):
    """The same events in an export over the protocol."""
    records = [
        {
            "body": {"stringValue": one["body"]},
            "attributes": [
                {"key": key, "value": {"stringValue": str(value)}} for key, value in one["attributes"].items()
            ],
        }
        for one in events
    ]
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}


GEMINI = {
    "model": "gemini-3-pro", "duration_ms": 900, "input_token_count": 100, "output_token_count": 7,
    "cached_content_token_count": 60, "thoughts_token_count": 5, "tool_token_count": 2,
    "total_token_count": 114,
}  # fmt: skip
CODEX = {
    "model": "gpt-5.3-codex", "duration_ms": 4, "input_token_count": 100, "output_token_count": 12,
    "cached_token_count": 60, "reasoning_token_count": 5, "tool_token_count": 112,
}  # fmt: skip


@pytest.mark.parametrize("export", [lambda one: one, wrapped], ids=["flat", "exported"])
@pytest.mark.parametrize("agent", ["gemini_cli", "qwen-code"])
def test_geminis_counts_are_beside_each_other_and_the_end_is_stamped(read, agent, export):
    calls = read(export(event(f"{agent}.api_response", "API response from gemini-3-pro.", **GEMINI))).calls
    assert calls.select("input_uncached", "cache_read", "output_text", "reasoning").rows() == [(42, 60, 7, 5)]
    assert calls["latency_ms"].to_list() == [900.0]
    assert calls["ts"].dt.millisecond().to_list() == [100]


def test_of_codex_the_event_that_completes_an_answer_is_the_call_and_its_duration_no_latency(read):
    calls = read(
        event("codex.conversation_starts", model="gpt-5.3-codex"),
        event("codex.api_request", http__response__status_code=200, duration_ms=700, model="gpt-5.3-codex"),
        event("codex.sse_event", event__kind="response.created", duration_ms=3),
        event("codex.sse_event", event__kind="response.completed", **CODEX),
    ).calls
    assert calls.select("input_uncached", "cache_read", "output_text", "reasoning").rows() == [(40, 60, 7, 5)]
    assert calls["latency_ms"].to_list() == [None]


def test_a_request_of_codex_that_failed_is_a_failed_call(read):
    failed = event("codex.api_request", http__response__status_code="429", error__message="slow down")
    calls = read(failed).calls
    assert calls.select("status", "error", "http_status").rows() == [("error", "rate_limit", 429)]


def test_attempts_of_claude_code_before_the_one_that_failed_are_its_retries(read):
    error = event(
        "api_error", "claude_code.api_error", status_code="529", error="Overloaded", attempt="3", model="m"
    )
    calls = read(error).calls
    assert calls.select("status", "error", "retries").rows() == [("error", "http_5xx", 2)]


def test_tools_and_prompts_are_no_calls(read):
    reading = read(
        event("user_prompt", "claude_code.user_prompt", prompt_length="5"),
        event("gemini_cli.tool_call", "Tool call", function_name="ls", duration_ms=5),
        event("codex.tool_result", tool_name="shell", duration_ms="9"),
    )
    assert (reading.account.calls, reading.account.other) == (0, 3)
