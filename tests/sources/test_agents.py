"""Transcripts of coding agents besides Claude Code and Codex: what each repeats, sums up or leaves out."""

import json

import pytest

from llmtel import pipeline
from llmtel.sources.formats import sources

LEAVES = ("input_uncached", "cache_read", "cache_write_5m", "output_text", "reasoning")


@pytest.fixture
def read(tmp_path):
    """The reading of files, each given as a list of records."""

    def reading(*files):
        paths = []
        for number, records in enumerate(files):
            path = tmp_path / f"{number}.jsonl"
            path.write_text("".join(json.dumps(record) + "\n" for record in records))
            paths.append(str(path))
        return pipeline.read(paths)

    return reading


def leaves(reading):
    return reading.calls.sort("ts").select(LEAVES).rows()


def stamp(second):
    return f"2026-09-01T10:00:{second:02}.000Z"


def gemini(name, output, second=4):
    counts = {"input": 100, "cached": 60, "output": output, "thoughts": 5, "tool": 2}
    counts["total"] = 107 + output
    return {
        "id": name, "timestamp": stamp(second), "type": "gemini", "content": "", "model": "gemini-3-pro",
        "tokens": counts,
    }  # fmt: skip


HEAD = {"sessionId": "s1", "projectHash": "f00", "startTime": stamp(0), "lastUpdated": stamp(0)}
SAID = {"id": "u1", "timestamp": stamp(1), "type": "user", "content": "hello"}


def test_gemini_cli_counts_thoughts_and_tools_beside_input_and_output(read):
    reading = read([HEAD, SAID, gemini("m1", 7)])
    assert leaves(reading) == [(42, 60, None, 7, 5)]
    assert reading.account.other == 2


@pytest.mark.parametrize(("first", "last"), [(7, 3), (3, 7), (7, 9), (9, 7), (1, 2), (2, 1)])
def test_a_message_of_gemini_cli_that_is_written_again_holds_as_it_was_written_last(read, first, last):
    assert leaves(read([HEAD, gemini("m1", first), gemini("m1", last)]))[0][3] == last
    rewritten = {"$set": {"messages": [SAID, gemini("m1", last)]}}
    assert leaves(read([HEAD, gemini("m1", first), rewritten]))[0][3] == last


def test_a_message_of_gemini_cli_that_was_rewound_was_paid_for(read):
    reading = read([HEAD, SAID, gemini("m1", 7), {"$rewindTo": "u1"}, gemini("m2", 8, 9)])
    assert [row[3] for row in leaves(reading)] == [7, 8]
    assert set(reading.calls["session"]) == {"s1"}


def test_a_chat_of_gemini_cli_in_one_object_gives_the_same_calls_as_in_lines(read):
    messages = [SAID, gemini("m1", 7), {**gemini("m2", 8, 9), "tokens": None}]
    whole, lines = read([{**HEAD, "messages": messages}]), read([HEAD, *messages])
    assert leaves(whole) == leaves(lines)
    assert whole.calls["session"].to_list() == lines.calls["session"].to_list() == ["s1"]


def copilot(kind, second, **data):
    return {"type": kind, "data": data, "id": f"e{second}", "timestamp": stamp(second), "parentId": None}


START = copilot("session.start", 0, sessionId="s1", context={"cwd": "/home/me/shop"})
USED = {"inputTokens": 90, "outputTokens": 12, "cacheReadTokens": 30, "cacheWriteTokens": 0}
SUM = {"gpt-5-mini": {"requests": {"count": 3}, "usage": USED}}


def test_the_sums_of_a_copilot_session_count_only_where_its_messages_tell_no_tokens(read):
    silent = copilot("assistant.message", 3, model="gpt-5-mini", content="ok")
    told = copilot("assistant.message", 3, model="gpt-5-mini", outputTokens=12, requestId="r1")
    end = copilot("session.shutdown", 9, modelMetrics=SUM)
    sums, calls = read([START, silent, end]).calls, read([START, told, end]).calls
    assert sums.select("grain", "request_count", *LEAVES[:4]).rows() == [("bucket", 3, 60, 30, 0, 12)]
    assert calls.select("grain", "request_count", *LEAVES[:4]).rows() == [("call", 1, None, None, None, 12)]


def test_the_tokens_of_a_copilot_session_with_one_model_are_those_of_the_model(read):
    details = {"input": {"tokenCount": 100}, "output": {"tokenCount": 15}, "cache_read": {"tokenCount": 5}}
    one = {"gpt-5-mini": {"requests": 2}}
    two = one | {"gpt-5": {"requests": 1}}
    end = copilot("session.shutdown", 9, modelMetrics=one, tokenDetails=details)
    assert read([START, end]).calls.select("request_count", *LEAVES[:2]).rows() == [(2, 95, 5)]
    end["data"]["modelMetrics"] = two
    assert read([START, end]).calls.select("request_count", *LEAVES[:2]).rows() == [
        (2, None, None),
        (1, None, None),
    ]


def qwen(second, **more):
    return {
        "uuid": f"u{second}",
        "sessionId": "s1",
        "timestamp": stamp(second),
        "cwd": "/home/me/shop",
    } | more


def answer(second, output=7):
    counts = {"promptTokenCount": 100, "cachedContentTokenCount": 60, "candidatesTokenCount": output}
    return qwen(
        second, type="assistant", model="qwen3", message={"role": "model", "parts": []}, usageMetadata=counts
    )


def telemetry(second, response="chatcmpl-9", **more):
    event = {"event.timestamp": stamp(second), "response_id": response, "model": "qwen3", **more}
    return qwen(second, type="system", subtype="ui_telemetry", systemPayload={"uiEvent": event})


DONE = {
    "event.name": "qwen-code.api_response", "status_code": 200, "duration_ms": 2000,
    "input_token_count": 100, "output_token_count": 8, "cached_content_token_count": 60,
    "thoughts_token_count": 0, "tool_token_count": 0, "total_token_count": 108,
}  # fmt: skip


def test_an_answer_of_qwen_code_and_its_event_are_one_call_and_older_answers_are_kept(read):
    reading = read([answer(2), telemetry(9, **DONE), answer(10, 8)])
    assert [row[3] for row in leaves(reading)] == [7, 8]
    assert reading.calls.sort("ts")["latency_ms"].to_list() == [None, 2000.0]
    assert len(leaves(read([answer(2), answer(10)]))) == 2


def test_tools_of_qwen_code_are_no_calls_and_errors_are_failed_ones(read):
    tool = telemetry(3, function_name="ls", duration_ms=5, success=True, status="success")
    error = telemetry(
        5, **{"event.name": "qwen-code.api_error"}, status_code=429, error_type="rate_limit", duration_ms=300
    )
    calls = read([tool, error]).calls
    assert calls.select("status", "error", "output_text").rows() == [("error", "rate_limit", None)]


def kimi(second, step, attempt=None):
    request = {"type": "llm.request", "provider": "kimi", "model": "kimi-k2", "turnStep": step}
    return {**request, "time": 1_788_256_800_000 + second * 1000, **({"attempt": attempt} if attempt else {})}


def kimi_usage(second, output, scope="turn"):
    used = {"inputOther": 40, "inputCacheRead": 900, "inputCacheCreation": 3, "output": output}
    return {
        "type": "usage.record", "usage": used, "usageScope": scope, "time": 1_788_256_800_000 + second * 1000
    }  # fmt: skip


def test_attempts_of_a_kimi_request_are_one_call_that_started_with_the_first(read):
    calls = read([kimi(0, "0.1"), kimi(3, "0.1", "2/10"), kimi(9, "0.1", "3/10"), kimi(12, "0.2")]).calls
    assert calls.sort("ts")["retries"].to_list() == [2, 0]
    assert calls["ts"].dt.second().sort().to_list() == [0, 12]
    assert calls["status"].null_count() == 2


def test_a_step_of_a_kimi_session_that_was_resumed_is_another_call(read):
    assert read([kimi(0, "0.1"), kimi(5, "0.1")]).calls.height == 2


def test_kimi_usage_belongs_to_the_request_before_it_and_sums_of_sessions_are_left_out(read):
    reading = read(
        [
            kimi(0, "0.1"), kimi_usage(2, 7), kimi_usage(3, 99, "session"), kimi_usage(4, 5), kimi(6, "0.2"),
            kimi_usage(8, 9),
        ]
    )  # fmt: skip
    assert leaves(reading) == [(40, 900, 3, 7, None), (40, 900, 3, 5, None), (40, 900, 3, 9, None)]
    assert reading.calls.sort("ts")["model"].to_list() == ["kimi-k2", None, "kimi-k2"]


def pi(name, stop="stop", cost=0.0, **more):
    used = {"input": 12, "output": 70, "cacheRead": 3000, "cacheWrite": 200, "cost": {"total": cost}}
    message = {"role": "assistant", "model": "m", "usage": used, "stopReason": stop, **more}
    return {"type": "message", "id": name, "parentId": None, "timestamp": stamp(5), "message": message}


def pi_head(name):
    return {"type": "session", "version": 3, "id": name, "timestamp": stamp(0), "cwd": "/home/me/shop"}


def test_input_of_pi_excludes_the_cache_and_no_cost_is_not_known_to_be_nothing(read):
    reading = read([pi_head("s1"), pi("a1")])
    assert leaves(reading) == [(12, 3000, 200, 70, None)]
    assert reading.calls["cost_logged"].to_list() == [None]


def test_a_fork_of_a_pi_session_repeats_its_calls(read):
    reading = read([pi_head("s1"), pi("a1")], [pi_head("s2"), pi("a1"), pi("a2")])
    assert sorted(reading.calls["call_id"]) == ["a1", "a2"]


def test_an_aborted_answer_of_pi_is_a_failed_call(read):
    calls = read([pi_head("s1"), pi("a1", "aborted"), pi("a2", "error", errorMessage="429 slow down")]).calls
    assert calls.sort("call_id")["error"].to_list() == ["cancelled", "rate_limit"]


@pytest.mark.parametrize(("thinking", "text"), [(300, 600), (1000, 900), (None, 900)])
def test_thinking_of_droid_is_taken_out_of_the_output_if_it_can_be_in_it(read, thinking, text):
    used = {"inputTokens": 1, "outputTokens": 900, "thinkingTokens": thinking}
    assert read([{"tokenUsage": used}]).calls["output_text"].to_list() == [text]


def test_the_ledger_of_an_amp_thread_counts_instead_of_its_messages(read):
    thread = json.loads(sources()["amp"].sample.split("\n")[0])
    thread["messages"][1]["usage"] |= {"inputTokens": 8, "outputTokens": 55}
    assert leaves(read([thread])) == [(8, 700, 60, 55, None)]
    del thread["usageLedger"]
    assert leaves(read([thread])) == [(8, 700, 60, 55, None)]


@pytest.mark.parametrize("damage", [[], [None], "x", {}, 7])
@pytest.mark.parametrize(
    ("name", "key"),
    [("gemini_cli_stats", "stats"), ("amp", "messages"), ("amp", "usageLedger"), ("atif", "steps"),
     ("gemini_cli", "$set"), ("copilot_cli", "data")],
)  # fmt: skip
def test_a_nested_record_of_another_shape_costs_itself(tmp_path, name, key, damage):
    first, *_ = sources()[name].sample.split("\n")
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps(json.loads(first) | {key: damage}) + "\n" + sources()[name].sample)
    account = pipeline.read([str(path)], input_format=name).account
    assert account.balance() == 0
    assert account.calls + account.buckets >= len(sources()[name].expect)


def test_a_cost_that_opencode_writes_as_an_object_is_ignored_and_no_fault(tmp_path):
    messages = map(json.loads, sources()["opencode"].sample.splitlines())
    message = next(one for one in messages if one.get("role") == "assistant")
    path = tmp_path / "message.json"
    path.write_text(json.dumps(message | {"cost": {"total": 1}}))
    reading = pipeline.read([str(path)])
    assert reading.calls["cost_logged"].to_list() == [None]
    assert reading.account.unreadable.total() == 0
