"""Codex rollouts: counters that are repeated, reset and replayed are counted once."""

import json

import polars as pl
import pytest

from llmtel import pipeline

KEYS = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens", "total_tokens")


def stamp(second, day=1):
    return f"2026-09-{day:02}T10:{int(second) // 60:02}:{second % 60:06.3f}Z"


def meta(second=0, session="parent", day=1, **more):
    return {
        "timestamp": stamp(second, day),
        "type": "session_meta",
        "payload": {"id": session, "cwd": "/home/me/shop", "source": "cli", **more},
    }


def usage(fresh, cached, out, thought=0):
    return dict(zip(KEYS, (fresh + cached, cached, out, thought, fresh + cached + out), strict=True))


def count(second, total, last=None, day=1):
    info = {"total_token_usage": usage(*total)}
    if last is not None:
        info["last_token_usage"] = usage(*last)
    return {
        "timestamp": stamp(second, day),
        "type": "event_msg",
        "payload": {"type": "token_count", "info": info},
    }


@pytest.fixture
def read(tmp_path):
    def reading(*files):
        paths = []
        for number, lines in enumerate(files):
            path = tmp_path / f"{number}" / "rollout-1.jsonl"
            path.parent.mkdir(exist_ok=True)
            path.write_text("".join(json.dumps(line) + "\n" for line in lines))
            paths.append(str(path))
        return pipeline.read(paths)

    return reading


def tokens(reading):
    calls = reading.calls
    return [int(calls[name].sum()) for name in ("input_uncached", "cache_read", "output_text", "reasoning")]


FIRST, SECOND, THIRD = (100, 0, 10), (150, 400, 30), (170, 900, 60)
PARENT = [
    meta(),
    count(5, FIRST, FIRST),
    count(20, SECOND, (50, 400, 20)),
    count(40, THIRD, (20, 500, 30)),
]


def fork(second, day, gap, *own, **more):
    """A fork that begins with the parent's events, `gap` seconds apart, and goes on with its `own`."""
    replay = [
        {**line, "timestamp": stamp(second + gap * place, day)} for place, line in enumerate(PARENT[1:], 1)
    ]
    return [meta(second, "child", day, **(more or {"forked_from_id": "parent"})), *replay, *own]


def test_counters_that_are_emitted_again_unchanged_are_one_call(read):
    reading = read([*PARENT[:2], *PARENT[1:2], *PARENT[1:3], *PARENT[2:]])
    assert reading.calls.height == 3
    assert tokens(reading) == [170, 900, 60, 0]


def test_a_call_is_what_the_totals_grew_by_where_the_last_call_is_missing_or_another(read):
    missing = [meta(), count(5, FIRST), count(20, SECOND)]
    stale = [meta(), count(5, FIRST, FIRST), count(20, SECOND, FIRST)]
    assert tokens(read(missing)) == tokens(read(stale)) == [150, 400, 30, 0]


def test_totals_that_fall_after_a_compaction_give_the_last_call(read):
    reading = read([*PARENT, count(50, (30, 0, 5), (30, 0, 5))])
    assert reading.calls.height == 4
    assert tokens(reading) == [200, 900, 65, 0]


@pytest.mark.parametrize(
    "parent",
    [
        {"forked_from_id": "parent"},
        {"parent_thread_id": "parent"},
        {"source": {"subagent": {"thread_spawn": {"parent_thread_id": "parent", "depth": 1}}}},
    ],
    ids=["fork", "thread", "sub-agent"],
)
def test_the_parents_events_at_the_beginning_of_a_fork_are_not_counted_again(read, parent):
    child = fork(100, 1, 0.001, count(120, (180, 900, 75), (10, 0, 15)), **parent)
    alone = read(child)
    assert alone.calls["session"].to_list() == ["child"]
    assert tokens(alone) == [10, 0, 15, 0]
    both = read(PARENT, child)
    assert both.calls.height == 4
    assert tokens(both) == [180, 900, 75, 0]


def test_a_fork_without_a_last_call_is_measured_from_where_its_parent_stood(read):
    child = fork(100, 1, 0.001, count(120, (180, 900, 75)))
    assert tokens(read(child)) == [10, 0, 15, 0]


@pytest.mark.parametrize("name", ["child", "other", "third", "fourth"])
def test_a_replay_that_took_longer_meets_the_calls_of_the_parent(read, name):
    child = fork(100, 1, 0.7, count(120, (180, 900, 75), (10, 0, 15)))
    child[0]["payload"]["id"] = name
    both = read(child, PARENT)
    assert tokens(both) == [180, 900, 75, 0]
    assert both.calls.sort("ts")["session"].to_list() == ["parent", "parent", "parent", name]
    assert both.account.duplicates == 2  # the first event came within a second and is dropped


def test_a_second_fork_does_not_take_away_the_calls_of_the_first(read):
    one = fork(100, 1, 0.001, count(120, (180, 900, 75), (10, 0, 15)))
    other = fork(100, 1, 0.001, count(125, (180, 900, 75), (10, 0, 15)))
    other[0]["payload"]["id"] = "sibling"
    assert read(PARENT, one, other).calls.height == 5


def test_a_session_that_is_archived_too_is_counted_once(read):
    failed = {"timestamp": stamp(60), "type": "event_msg", "payload": {"type": "error", "message": "x"}}
    turn = {
        "timestamp": stamp(70),
        "type": "event_msg",
        "payload": {"type": "turn.completed", "usage": usage(1, 0, 1)},
    }
    session = [*PARENT, failed, turn]
    reading = read(session, session)
    assert (reading.calls.height, reading.account.duplicates) == (5, 5)


def test_records_of_usage_make_the_counters_beside_them_idle(read):
    record = {
        "timestamp": stamp(5),
        "type": "token_usage_record",
        "payload": {"response_id": "resp_1", "usage": usage(*FIRST)},
    }
    compacted = {"timestamp": stamp(6), "type": "compacted", "payload": {"replacement_history": [record]}}
    reading = read([meta(), record, PARENT[1], {**record, "timestamp": stamp(7)}, compacted])
    assert reading.calls["response_id"].to_list() == ["resp_1"]
    assert tokens(reading) == [100, 0, 10, 0]


def test_rate_limits_without_usage_are_no_call_and_an_error_is_a_failed_one(read):
    limits = {"timestamp": stamp(1), "type": "event_msg", "payload": {"type": "token_count", "info": None}}
    error = {
        "timestamp": stamp(2),
        "type": "event_msg",
        "payload": {"type": "error", "codex_error_info": "usage_limit_exceeded"},
    }
    reading = read([meta(), limits, error])
    assert reading.calls.select("status", "input_uncached").rows() == [("error", None)]


def test_turns_of_codex_exec_are_what_each_added_to_its_thread(read):
    def turn(*counts):
        return {"type": "turn.completed", "usage": usage(*counts)}

    started = {"type": "thread.started", "thread_id": "t1"}
    other = {"type": "thread.started", "thread_id": "t2"}
    calls = read([started, turn(*FIRST), turn(*SECOND), other, turn(5, 0, 1), started, turn(*THIRD)]).calls
    assert calls.select("grain", "session", "input_uncached", "cache_read", "output_text").rows() == [
        ("bucket", "t1", 100, 0, 10),
        ("bucket", "t1", 50, 400, 20),
        ("bucket", "t2", 5, 0, 1),
        ("bucket", "t1", 20, 500, 30),
    ]
    began_anew = read([started, turn(*SECOND), turn(*FIRST)]).calls
    assert began_anew["input_uncached"].to_list() == [150, 100]
    assert began_anew["request_count"].dtype == pl.Int64
    assert began_anew["request_count"].null_count() == 2
