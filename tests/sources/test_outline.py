"""Logs of applications, whose facts are found by their names."""

import json

import pytest

from llmtel.pipeline import read

CALL = {"timestamp": "2026-09-01T10:00:00Z", "model": "gpt-4o", "input_tokens": 1, "output_tokens": 2}


def reading(path, text):
    path.write_text(text)
    return read([str(path)])


def calls(path, text):
    return reading(path, text).calls.sort("line")


def lines(*records):
    return "".join(json.dumps(CALL | record) + "\n" for record in records)


def test_a_start_and_an_end_beside_some_durations_leave_the_others_as_they_are(tmp_path):
    log = lines({"latency": 1.5}, {"latency": 2.5}, {"latency": 0.5, "end_time": "2026-09-01T10:00:01Z"})
    assert calls(tmp_path / "a.jsonl", log)["latency_ms"].to_list() == [1500, 2500, 1000]


def test_where_all_have_a_start_and_an_end_nothing_is_asked_about_a_duration(tmp_path):
    ended = {"latency": 3, "end_time": "2026-09-01T10:00:02Z"}
    found = reading(tmp_path / "a.jsonl", lines(ended, ended))
    assert found.calls["latency_ms"].to_list() == [2000, 2000]
    assert not [note for note in found.notes if "latency" in note.text]


@pytest.mark.parametrize(
    ("start", "latency"), [("start_time", 2000), ("startedAt", 2000), ("timestamp", 1900)]
)
def test_what_is_named_the_start_tells_the_latency_with_the_end(tmp_path, start, latency):
    call = {"model": "gpt-4o", start: "2026-09-01T10:00:00Z", "end_time": "2026-09-01T10:00:02Z"}
    log = "".join(json.dumps(call | {"latency_ms": 1900} | more) + "\n" for more in ({}, {"end_time": None}))
    assert calls(tmp_path / "a.jsonl", log)["latency_ms"].to_list() == [latency, 1900]


def test_a_cell_with_json_is_looked_into_as_an_object_is(tmp_path):
    table = (
        "timestamp,model,usage,latency_ms\n"
        '2026-09-01T10:00:00Z,gpt-4o,"{""input_tokens"": 5, ""output_tokens"": 6}",10\n'
        '2026-09-01T10:00:01Z,gpt-4o,"{broken",10\n'
    )
    found = calls(tmp_path / "a.csv", table)
    assert found["input_uncached"].to_list() == [5, None]
    assert found["output_text"].to_list() == [6, None]
