"""An application's log has lines of all kinds: those that tell of no call are counted, and are no calls."""

import json

import polars as pl
import pytest

from llmtel import pipeline
from llmtel.sources import decode, maps, take
from llmtel.sources.maps import Rule

LOGIN = {"timestamp": "2026-09-01T09:00:00Z", "level": "info", "msg": "user logged in", "user": "u1"}
CRASH = {"timestamp": "2026-09-01T09:00:01Z", "level": "error", "msg": "no disk", "error": "ENOSPC"}


def call(**facts):
    return {"timestamp": "2026-09-01T10:00:00Z", **facts}


ANSWERED = call(request_id="r1", model="m", prompt_tokens=10, completion_tokens=5, latency_ms=120)


@pytest.fixture(params=["fast", "line by line"])
def read(request, tmp_path, monkeypatch):
    """Read records as a log, on either of the two ways."""
    if request.param == "line by line":
        monkeypatch.setattr(take, "decode", lambda data, plan, _count: decode.decode_slowly(data, plan))

    def of(*records, **options):
        path = tmp_path / "app.jsonl"
        path.write_text("".join(f"{json.dumps(record)}\n" for record in records))
        return pipeline.read([str(path)], **options)

    return of


def told(reading):
    account = reading.account
    assert account.balance() == 0
    return account.calls, account.other


def test_a_line_that_tells_of_no_model_tokens_or_latency_is_no_call(read):
    reading = read(LOGIN, ANSWERED, CRASH, {"timestamp": "some time", "msg": "?"})
    assert told(reading) == (1, 3)
    assert reading.calls["call_id"].to_list() == ["r1"]
    assert reading.account.rejected == 0


@pytest.mark.parametrize(
    "fact",
    [
        {"model": "m"}, {"latency_ms": 3}, {"prompt_tokens": 0}, {"completion_tokens": "7"},
        {"prompt_tokens": 1.5}, {"model": "m", "timestamp": None},
    ],
)  # fmt: skip
def test_one_fact_of_a_call_is_enough_even_if_it_cannot_be_used(read, fact):
    assert told(read(ANSWERED, call(**fact), LOGIN)) == (2, 1)


@pytest.mark.parametrize("empty", [{"model": ""}, {"model": None, "latency_ms": None}])
def test_a_fact_without_a_value_makes_no_call(read, empty):
    assert told(read(ANSWERED, {**LOGIN, **empty})) == (1, 1)


@pytest.mark.parametrize("failure", [{"error": "timeout"}, {"status": "failed"}, {"status_code": 429}])
def test_a_failure_with_the_id_of_a_request_is_a_failed_call_though_no_more_is_known_of_it(read, failure):
    reading = read({**ANSWERED, "status": "ok"}, call(request_id="r2", model=None, **failure), LOGIN)
    assert told(reading) == (2, 1)
    assert reading.calls["status"].cast(pl.String).to_list() == ["ok", "error"]


def test_a_latency_whose_unit_is_not_told_still_makes_a_call(read):
    reading = read(call(latency=3, request_id="r1"), call(latency=4, request_id="r2"), LOGIN)
    assert told(reading) == (2, 1)


@pytest.mark.parametrize(
    ("said", "fact"),
    [("model=llm.name", {"llm": {"name": "m"}}), ("latency_ms=took_for:s", {"took_for": 3}),
     ("input_tokens=sent", {"sent": 12})],
)  # fmt: skip
def test_what_a_person_maps_tells_calls_from_other_lines_too(read, said, fact):
    rules = (Rule((maps.parse(said),)),)
    assert told(read(LOGIN, call(**fact), CRASH, rules=rules)) == (1, 2)


def test_a_log_in_which_calls_are_rare_is_read_as_one(read):
    assert told(read(*[LOGIN] * 60, ANSWERED, *[CRASH] * 60)) == (1, 120)


def test_every_row_of_a_table_is_a_call(tmp_path):
    path = tmp_path / "calls.csv"
    path.write_text("date,model,input_tokens\n2026-09-01,m,10\n2026-09-01,,\n")
    assert told(pipeline.read([str(path)])) == (2, 0)
