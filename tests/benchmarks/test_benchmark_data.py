"""The generators of the benchmarks: the same bytes every time, and answers that a plain count confirms."""

from __future__ import annotations

import json
from collections import Counter
from statistics import quantiles

import agent_logs
import codex_logs
import flat_logs
import pytest
import text_logs
from measure import Program
from run import Target, check, with_a_bad_line

from llmtel import pipeline
from llmtel.tokens.encodings import encoding


def records(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_answers_of_a_flat_log_are_those_of_a_plain_count(tmp_path):
    truth = flat_logs.write(tmp_path / "calls.jsonl", 2000)
    rows = records(tmp_path / "calls.jsonl")
    latencies = [row["latency_ms"] for row in rows if row["status"] == "ok"]
    assert truth["calls"] == len(rows) == 2000
    assert truth["errors"] == sum(row["status"] == "error" for row in rows) > 0
    assert truth["input_tokens"] == sum(row["input_tokens"] for row in rows)
    assert truth["by"]["model"] == Counter(row["model"] for row in rows)
    assert truth["by"]["day"] == Counter(row["timestamp"][:10] for row in rows)
    assert truth["p95_latency"] == pytest.approx(quantiles(latencies, n=100, method="inclusive")[94])


def test_the_answers_of_transcripts_count_the_last_line_of_each_answer(tmp_path):
    truth = agent_logs.write(tmp_path, 1500)
    rows = [row for path in sorted(tmp_path.rglob("*.jsonl")) for row in records(path)]
    last = {row["requestId"]: row["message"] for row in rows if "requestId" in row}
    usages = [message["usage"] for message in last.values()]
    assert truth["calls"] == len(last) < sum("requestId" in row for row in rows)
    assert truth["output_tokens"] == sum(usage["output_tokens"] for usage in usages)
    assert truth["cache_write_tokens"] == sum(usage["cache_creation_input_tokens"] for usage in usages)
    assert truth["by"]["model"] == Counter(message["model"] for message in last.values())


def test_the_answers_of_rollouts_count_each_answer_once(tmp_path):
    truth = codex_logs.write(tmp_path, 1000)
    files = [records(path) for path in sorted(tmp_path.rglob("*.jsonl"))]
    infos = [[row["payload"].get("info") for row in rows if row["type"] == "event_msg"] for rows in files]
    totals = [[info["total_token_usage"]["total_tokens"] for info in one if info] for one in infos]
    assert truth["calls"] == sum(len(set(one)) for one in totals) < sum(map(len, totals))
    last = [next(info for info in reversed(one) if info)["total_token_usage"] for one in infos]
    assert truth["output_tokens"] == sum(usage["output_tokens"] for usage in last)
    account = pipeline.read([str(path) for path in tmp_path.rglob("*.jsonl")], input_format="codex").account
    assert account.calls == truth["calls"]


def test_the_answers_of_a_log_of_texts_are_the_tokens_of_its_texts(tmp_path):
    truth = text_logs.write(tmp_path / "texts.jsonl", 20)
    rows = records(tmp_path / "texts.jsonl")
    encode = encoding("o200k_base").encode_ordinary
    assert truth["input_tokens"] == sum(len(encode(row["prompt"])) for row in rows)
    assert truth["output_tokens"] == sum(len(encode(row["completion"])) for row in rows)
    assert truth["calls"] == len(rows) == 20
    assert all(1000 <= len(row["prompt"]) < 1100 for row in rows)


def test_the_same_bytes_every_time(tmp_path):
    for name in ("a", "b"):
        flat_logs.write(tmp_path / name / "calls.jsonl", 500)
        agent_logs.write(tmp_path / name / "agent", 900)
        text_logs.write(tmp_path / name / "texts.jsonl", 20)
        codex_logs.write(tmp_path / name / "codex", 500)
    one, other = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
        for name in ("a", "b")
    )
    assert one == other


def test_a_bad_line_is_one_line_more(tmp_path):
    flat_logs.write(tmp_path / "good.jsonl", 500)
    flat_logs.write(tmp_path / "bad.jsonl", 500, bad_line=True)
    good, bad = ((tmp_path / name).read_text().splitlines() for name in ("good.jsonl", "bad.jsonl"))
    assert len(bad) == len(good) + 1
    with pytest.raises(json.JSONDecodeError):
        json.loads(next(line for line in bad if line not in good))


def test_transcripts_with_a_bad_line_leave_the_good_ones_alone(tmp_path):
    agent_logs.write(tmp_path / "good", 900)
    before = {path: path.read_bytes() for path in (tmp_path / "good").rglob("*.jsonl")}
    with_a_bad_line(tmp_path / "good", tmp_path / "bad")
    assert {path: path.read_bytes() for path in (tmp_path / "good").rglob("*.jsonl")} == before
    lines = [
        sum(path.read_bytes().count(b"\n") for path in (tmp_path / name).rglob("*.jsonl"))
        for name in ("good", "bad")
    ]
    assert lines[1] == lines[0] + 1


def test_a_wrong_answer_stops_the_benchmark():
    check("peer", {"calls": 10, "more": 1}, {"calls": 10, "errors": 2})
    with pytest.raises(RuntimeError, match="calls is 11, and should be 10"):
        check("peer", {"calls": 11}, {"calls": 10})


def test_a_program_that_fails_is_named():
    with pytest.raises(RuntimeError, match="peer failed: no such thing"):
        Program("peer", ["python3", "-c", "raise SystemExit('no such thing')"]).run()


def test_a_target_says_whether_it_is_met():
    assert str(Target("wall", 0.5, 0.75)) == "wall: 0.50 (at most 0.75) met"
    assert str(Target("wall", 0.8, 0.75)).endswith("MISSED")
