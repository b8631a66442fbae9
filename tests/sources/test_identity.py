"""Rows that share an id on equal or adjacent days are one call, whatever the order in which they come."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtel.sources.identity import deduplicated

START = datetime(2026, 9, 1, 23, 59, tzinfo=UTC)
SCHEMA = {
    "call_id": pl.String,
    "response_id": pl.String,
    "ts": pl.Datetime("us", "UTC"),
    "model": pl.String,
    "output_text": pl.Int64,
    "request_count": pl.Int64,
    "format": pl.String,
    "@file": pl.UInt32,
}


def rows(*given):
    """Calls of the generic format in one file, at the same time, with what is given."""
    usual = {"ts": START, "model": "m", "request_count": 1, "format": "generic", "@file": 0}
    return pl.DataFrame([{**usual, **row} for row in given], schema=SCHEMA)


def kept(*given):
    calls, dropped = deduplicated(rows(*given))
    assert dropped == len(given) - calls.height
    return calls


def test_rows_without_an_id_are_never_duplicates():
    assert kept({}, {}, {}).height == 3


@pytest.mark.parametrize("name", ["call_id", "response_id"])
def test_either_id_makes_two_rows_one_call(name):
    assert kept({name: "a"}, {name: "a"}, {name: "b"}).height == 2


def test_a_call_id_is_not_a_response_id():
    assert kept({"call_id": "a"}, {"response_id": "a"}).height == 2


def test_rows_are_joined_through_others_that_have_both_ids():
    gateway, trace = {"call_id": "req_1"}, {"response_id": "msg_1"}
    both = gateway | trace
    assert kept(gateway, trace).height == 2
    assert kept(gateway, both, trace).height == 1


def test_a_long_chain_of_ids_is_one_call():
    chain = [{"call_id": f"c{i // 2}", "response_id": f"r{(i + 1) // 2}"} for i in range(40)]
    assert kept(*chain).height == 1


def test_adjacent_days_are_one_call_and_days_apart_are_two():
    minutes = {"call_id": "a", "ts": START}, {"call_id": "a", "ts": START + timedelta(minutes=2)}
    assert kept(*minutes).height == 1
    apart = {"call_id": "a", "ts": START}, {"call_id": "a", "ts": START + timedelta(days=1, minutes=2)}
    assert kept(*apart).height == 2


def test_a_row_without_a_time_meets_only_rows_without_one():
    assert kept({"call_id": "a"}, {"call_id": "a", "ts": None}, {"call_id": "a", "ts": None}).height == 2


def test_an_id_that_most_of_a_file_repeats_at_other_times_is_no_key():
    session = [{"call_id": "session-1", "ts": START + timedelta(seconds=i)} for i in range(10)]
    assert kept(*session).height == 10
    assert kept(*session, {"call_id": "b", "@file": 1}, {"call_id": "b", "@file": 1}).height == 11


def test_the_copy_with_more_known_fields_is_kept():
    calls = kept({"call_id": "a"}, {"call_id": "a", "output_text": 5}, {"call_id": "a", "model": None})
    assert calls["output_text"].to_list() == [5]


def test_an_extra_pass_is_not_counted_as_a_duplicate():
    passes = {"call_id": "a#1", "request_count": 0}
    calls, dropped = deduplicated(rows({"call_id": "a"}, {"call_id": "a"}, passes, passes))
    assert (calls.height, dropped) == (2, 1)


def test_frames_without_ids_are_left_alone():
    calls = rows({}, {}).drop("call_id", "response_id")
    kept_calls, dropped = deduplicated(calls)
    assert kept_calls.equals(calls)
    assert dropped == 0


IDS = st.none() | st.sampled_from(["a", "b", "c", "d"])
ROWS = st.lists(
    st.fixed_dictionaries({
        "call_id": IDS,
        "response_id": IDS,
        "ts": st.none() | st.integers(0, 6).map(lambda day: START + timedelta(days=day)),
        "output_text": st.none() | st.integers(0, 2),
        "@file": st.integers(0, 2),
    }),
    max_size=12,
)  # fmt: skip


@settings(deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_no_call(given, chance):
    shuffled = chance.sample(given, len(given))
    one, other = deduplicated(rows(*given)), deduplicated(rows(*shuffled))
    assert one[1] == other[1]
    assert sorted(one[0].drop("@file").rows(), key=repr) == sorted(other[0].drop("@file").rows(), key=repr)


@settings(deadline=None)
@given(ROWS)
def test_taking_duplicates_out_again_takes_out_no_more_than_it_should(given):
    once, dropped = deduplicated(rows(*given))
    assert once.height + dropped == len(given)
    without_ids = [row for row in given if row["call_id"] is None and row["response_id"] is None]
    known = once.filter(pl.col("call_id").is_null() & pl.col("response_id").is_null())
    assert known.height == len(without_ids)


def test_the_order_of_the_columns_does_not_tell_which_copy_wins():
    given = [{"call_id": f"c{i}", "model": model} for i in range(20) for model in ("one", "other")]
    frame = rows(*given)
    one, other = (deduplicated(frame.select(names))[0] for names in (frame.columns, frame.columns[::-1]))
    assert one["model"].to_list() == other["model"].to_list()
