"""Claude Code transcripts: what a plain sum over their lines gets wrong."""

import json

import pytest

from llmtel import pipeline

MODEL = "claude-sonnet-4-6"


def use(output=12, fresh=3, **more):
    return {"input_tokens": fresh, "cache_read_input_tokens": 2000, "output_tokens": output, **more}


def line(second, message="msg_1", request="req_1", usage=None, model=MODEL, **more):
    return {
        "type": "assistant",
        "timestamp": f"2026-09-01T10:00:{second:02}.000Z",
        "sessionId": "s1",
        "cwd": "/home/me/shop",
        "message": {"id": message, "model": model, "usage": use() if usage is None else usage},
        **({"requestId": request} if request else {}),
        **more,
    }


def system(second, subtype, **more):
    stamp = f"2026-09-01T10:00:{second:02}.000Z"
    return {"type": "system", "subtype": subtype, "timestamp": stamp, "sessionId": "s1", **more}


@pytest.fixture
def read(tmp_path):
    """The reading of files by their names, given as lists of lines."""

    def reading(*lines, **files):
        for name, content in {"s1": lines, **files}.items():
            path = tmp_path / "projects" / "-home-me-shop" / f"{name.replace('__', '/')}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(json.dumps(one) + "\n" for one in content))
        return pipeline.read([str(tmp_path)])

    return reading


def test_the_lines_of_one_answer_are_one_call_and_the_one_with_the_most_output_holds(read):
    reading = read(line(4), line(5), line(6, usage=use(240)), line(7, usage=use(30)))
    calls = reading.calls
    assert calls["output_text"].to_list() == [240]
    assert calls["cache_read"].to_list() == [2000]
    assert calls["ts"].dt.second().to_list() == [4]
    assert reading.account.duplicates == 3


def test_the_line_that_holds_is_kept_whole_so_that_models_are_not_mixed(read):
    calls = read(
        line(4, usage=use(50, fresh=900), model="claude-opus-4-8"), line(5, usage=use(240, fresh=3))
    ).calls
    assert calls.select("model", "input_uncached", "output_text").rows() == [(MODEL, 3, 240)]


def test_without_a_request_id_the_message_tells_copies_and_without_both_each_line_is_a_call(read):
    message = line(4, request=None)
    assert read(message, message).calls.height == 1
    bare = line(4, request=None)
    del bare["message"]["id"]
    assert read(bare, bare).calls.height == 2


def test_a_side_chain_that_replays_its_parent_under_a_new_request_is_a_copy(read):
    replay = line(30, request="req_9", usage=use(300), isSidechain=True, cwd="/home/me/other")
    reading = read(line(4), replay)
    assert reading.calls.select("call_id", "project", "output_text").rows() == [("req_1", "shop", 12)]


def test_a_resumed_session_repeats_the_calls_of_the_first_in_another_file(read):
    resumed = [line(4, sessionId="s2"), line(9, "msg_2", "req_2", sessionId="s2")]
    reading = read(line(4), s2=resumed)
    assert sorted(reading.calls["call_id"]) == ["req_1", "req_2"]


def test_the_calls_of_sub_agents_in_folders_of_their_own_count(read):
    agent = line(6, "msg_2", "req_2", isSidechain=True, agentId="a0ad4f")
    calls = read(line(4), s1__subagents__agent_a0ad4f=[agent]).calls.sort("ts")
    assert calls.select("session", "agent").rows() == [("s1", None), ("s1", "a0ad4f")]


def test_a_session_and_its_project_are_those_of_the_files_path_where_the_lines_have_none(read):
    bare = {key: value for key, value in line(4).items() if key not in ("sessionId", "cwd")}
    agent = bare | {"requestId": "req_2", "message": bare["message"] | {"id": "msg_2"}}
    calls = read(bare, s1__subagents__agent_a0ad4f=[agent]).calls
    assert calls.select("session", "project", "feature").rows() == [("s1", "shop", "shop")] * 2


def test_synthetic_lines_are_no_calls_but_for_the_errors_of_the_service(read):
    empty = {"input_tokens": 0, "output_tokens": 0}
    synthetic = line(4, "msg_s", None, empty, "<synthetic>")
    failed = line(
        5, "msg_e", None, empty, "<synthetic>", isApiErrorMessage=True, apiErrorStatus=429, error="rate_limit"
    )
    calls = read(synthetic, failed, line(6)).calls.sort("ts")
    assert calls.select("status", "error", "http_status", "model", "output_text").rows() == [
        ("error", "rate_limit", 429, None, None),
        ("ok", None, None, MODEL, 12),
    ]


def test_a_status_of_the_service_without_its_message_is_no_call(read):
    stray = line(4, apiErrorStatus=529)
    del stray["message"]["usage"]
    assert read(stray, line(5, "msg_2", "req_2")).calls["call_id"].to_list() == ["req_2"]


def test_attempts_that_failed_are_retries_of_the_next_call_of_their_session_and_no_calls(read):
    errors = [system(second, "api_error", retryAttempt=second) for second in (1, 2, 3)]
    other = line(4, "msg_0", "req_0", sessionId="s0")
    calls = read(*errors, other, line(5), line(6, usage=use(50)), line(9, "msg_2", "req_2")).calls
    found = dict(calls.select("call_id", "retries").rows())
    assert {name: found[name] or 0 for name in found} == {"req_0": 0, "req_1": 3, "req_2": 0}


def test_every_pass_of_a_call_is_counted_where_the_top_holds_but_the_last(read):
    passes = [
        {"type": "compaction", **use(82, fresh=100, cache_creation_input_tokens=55_096)},
        {"type": "message", **use(8, fresh=180)},
    ]
    calls = read(line(4, usage=use(8, fresh=180, iterations=passes))).calls
    assert calls.select("input_uncached", "cache_write_5m", "output_text").rows() == [(280, 55_096, 90)]


def test_the_duration_of_a_turn_is_no_latency(read):
    calls = read(line(4), system(9, "turn_duration", durationMs=5000)).calls
    assert calls["latency_ms"].to_list() == [None]


def test_old_lines_with_flat_counts_and_no_type_are_calls(read):
    old = {
        "timestamp": "2026-09-01T10:00:04.000Z",
        "sessionId": "s1",
        "message": {"id": "msg_1", "model": MODEL},
        "inputTokens": 5, "outputTokens": 7, "cacheReadInputTokens": 9, "costUSD": 0.02,
    }  # fmt: skip
    calls = read(old).calls
    assert calls.select("input_uncached", "cache_read", "output_text", "cost_logged").rows() == [
        (5, 9, 7, 0.02)
    ]


def test_an_event_of_telemetry_and_the_transcript_are_one_call_by_their_request(read, tmp_path):
    event = {
        "body": "claude_code.api_request",
        "attributes": {
            "event.name": "api_request",
            "event.timestamp": "2026-09-01T10:00:06.500Z",
            "model": MODEL, "input_tokens": "3", "output_tokens": "240", "cache_read_tokens": "2000",
            "cache_creation_tokens": "0", "cost_usd": "0.0042", "duration_ms": "2500",
            "request_id": "req_1", "session.id": "s1", "user.id": "u1",
        },
    }  # fmt: skip
    (tmp_path / "events.jsonl").write_text(json.dumps(event) + "\n")
    reading = read(line(4, usage=use(240)))
    call = reading.calls.row(0, named=True)
    assert (reading.calls.height, reading.account.duplicates) == (1, 1)
    assert (call["output_text"], call["session"]) == (240, "s1")
