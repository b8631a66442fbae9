"""Rows that share an id on equal or adjacent days are one call, whatever the order in which they come."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtel.sources.formats import sources
from llmtel.sources.identity import deduplicated, once_a_file, once_in_a_row

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
    calls, dropped, _ = deduplicated(rows(*given))
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
    calls, dropped, _ = deduplicated(rows({"call_id": "a"}, {"call_id": "a"}, passes, passes))
    assert (calls.height, dropped) == (2, 1)


def test_frames_without_ids_are_left_alone():
    calls = rows({}, {}).drop("call_id", "response_id")
    kept_calls, dropped, _ = deduplicated(calls)
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
    once, dropped, _ = deduplicated(rows(*given))
    assert once.height + dropped == len(given)
    without_ids = [row for row in given if row["call_id"] is None and row["response_id"] is None]
    known = once.filter(pl.col("call_id").is_null() & pl.col("response_id").is_null())
    assert known.height == len(without_ids)


def test_the_order_of_the_columns_does_not_tell_which_copy_wins():
    given = [{"call_id": f"c{i}", "model": model} for i in range(20) for model in ("one", "other")]
    frame = rows(*given)
    one, other = (deduplicated(frame.select(names))[0] for names in (frame.columns, frame.columns[::-1]))
    assert one["model"].to_list() == other["model"].to_list()


GATEWAY = {
    "format": "litellm", "call_id": "c1", "response_id": "r1", "user": "u1", "feature": "search",
    "latency_ms": 900.0, "input_uncached": 10, "output_text": 5, "token_source": "logged", "cost_logged": 0.1,
}  # fmt: skip
TRACE = {
    "format": "langfuse", "response_id": "r1", "user": "u2", "session": "s1", "ttft_ms": 200.0,
    "input_uncached": 4, "cache_read": 6, "output_text": 3, "reasoning": 2, "token_source": "logged",
    "prompt": "greet", "prompt_version": "3", "status": "ok",
}  # fmt: skip
WIDE = SCHEMA | {
    "user": pl.String, "feature": pl.String, "session": pl.String, "prompt": pl.String,
    "prompt_version": pl.String, "status": pl.String, "error": pl.String, "http_status": pl.Int64,
    "latency_ms": pl.Float64, "ttft_ms": pl.Float64, "input_uncached": pl.Int64, "cache_read": pl.Int64,
    "reasoning": pl.Int64, "token_source": pl.String, "price_reason": pl.String, "cost_logged": pl.Float64,
    "sample_rate": pl.Float64, "@prefer 0": pl.Float64,
}  # fmt: skip


def met(*given):
    """What becomes of copies in several formats: rows, and the notes' texts."""
    usual = {"ts": START, "request_count": 1, "@file": 0}
    calls, _, notes = deduplicated(pl.DataFrame([{**usual, **row} for row in given], schema=WIDE))
    return calls.to_dicts(), notes


def test_the_richer_of_two_exports_wins_and_takes_what_the_other_knows():
    for copies in ([GATEWAY, TRACE], [TRACE, GATEWAY]):
        (row,), (note,) = met(*copies)
        assert row["format"] == "langfuse"
        assert (row["user"], row["session"], row["prompt"]) == ("u2", "s1", "greet")
        assert (row["call_id"], row["feature"], row["latency_ms"], row["cost_logged"]) == (
            "c1", "search", 900.0, 0.1,
        )  # fmt: skip
        assert note.count == 1
        assert "calls that stand in logs of several formats (langfuse, litellm): 1;" in note.text


def test_token_counts_of_two_exports_are_never_mixed():
    lean = {"format": "litellm", "response_id": "r1", "input_uncached": 10, "token_source": "logged"}
    (row,), _ = met(TRACE | {"input_uncached": None}, lean)
    assert (row["input_uncached"], row["cache_read"], row["output_text"]) == (None, 6, 3)
    none = dict.fromkeys(["input_uncached", "cache_read", "output_text", "reasoning", "token_source"])
    (row,), _ = met(TRACE | none, GATEWAY | {"user": None, "feature": None, "latency_ms": None})
    assert row["format"] == "langfuse"
    assert (row["input_uncached"], row["output_text"], row["cache_read"]) == (10, 5, None)
    assert [row["token_source"]] == ["logged"]


def test_counts_of_a_provider_come_before_counts_that_were_estimated_here():
    (row,), _ = met(TRACE | {"token_source": "estimated"}, GATEWAY | {"feature": None, "cost_logged": None})
    assert row["format"] == "langfuse"
    assert (row["input_uncached"], row["cache_read"], row["token_source"]) == (10, None, "logged")


def test_usage_that_contradicts_itself_gives_way_to_the_other_copy_with_its_reason():
    none = dict.fromkeys(["input_uncached", "cache_read", "output_text", "reasoning", "token_source"])
    broken = TRACE | none | {"price_reason": "invalid_usage", "feature": "f", "latency_ms": 1.0}
    (row,), _ = met(broken, GATEWAY)
    assert row["format"] == "langfuse"
    assert (row["input_uncached"], row["price_reason"]) == (10, None)


def test_an_outcome_is_taken_whole_or_not_at_all():
    failed = {"format": "litellm", "response_id": "r1", "status": "error", "error": "timeout"}
    (row,), _ = met(TRACE, failed | {"http_status": 504})
    assert (row["status"], row["error"], row["http_status"]) == ("ok", None, None)
    (row,), _ = met(TRACE | {"status": None}, failed | {"http_status": 504})
    assert (row["status"], row["error"], row["http_status"]) == ("error", "timeout", 504)


def test_a_prompt_is_not_given_the_version_of_another():
    other = {"format": "litellm", "response_id": "r1", "prompt": "other", "prompt_version": "9"}
    (row,), _ = met(TRACE | {"prompt_version": None}, other)
    assert (row["prompt"], row["prompt_version"]) == ("greet", None)


def test_a_first_token_after_the_end_is_not_taken():
    (row,), _ = met(TRACE, GATEWAY | {"latency_ms": 100.0})
    assert (row["latency_ms"], row["ttft_ms"]) == (100.0, None)


def test_a_call_of_a_complete_log_stands_for_itself_even_where_a_sampled_trace_is_richer():
    (row,), _ = met(TRACE | {"sample_rate": 0.1}, GATEWAY)
    assert row["sample_rate"] is None
    (row,), _ = met(TRACE | {"sample_rate": 0.1}, GATEWAY | {"sample_rate": 0.5})
    assert row["sample_rate"] == 0.5


def test_copies_of_one_format_are_left_as_the_format_wrote_them():
    (row,), notes = met(GATEWAY, GATEWAY | {"user": None, "session": "s9", "feature": None})
    assert (row["user"], row["session"]) == ("u1", None)
    assert not notes


def test_a_format_has_its_say_on_its_own_copies_alone():
    outer = {"format": "otlp", "response_id": "r1", "@prefer 0": 9.0, "model": "outer"}
    inner = {"format": "otlp", "response_id": "r1", "@prefer 0": 5.0, "model": "inner", "user": "u9"}
    for copies in ([outer, inner, GATEWAY], [GATEWAY, inner, outer]):
        (row,), _ = met(*copies)
        assert (row["format"], row["model"], row["user"]) == ("litellm", "outer", "u1")


COPIES = st.lists(
    st.fixed_dictionaries({
        "format": st.sampled_from(["generic", "litellm", "langfuse", "otlp"]),
        "call_id": IDS,
        "response_id": IDS,
        "ts": st.integers(0, 3).map(lambda day: START + timedelta(days=day)),
        "user": st.sampled_from([None, "u1", "u2"]),
        "input_uncached": st.none() | st.integers(0, 2),
        "cache_read": st.none() | st.integers(0, 2),
        "token_source": st.sampled_from([None, "logged", "estimated"]),
        "status": st.sampled_from([None, "ok", "error"]),
        "latency_ms": st.none() | st.floats(0, 9),
        "ttft_ms": st.none() | st.floats(0, 9),
        "sample_rate": st.sampled_from([None, 0.1, 0.5]),
        "@prefer 0": st.none() | st.floats(0, 2),
        "@file": st.integers(0, 2),
    }),
    max_size=8,
)  # fmt: skip


@settings(deadline=None)
@given(COPIES, st.randoms(use_true_random=False))
def test_what_a_call_takes_from_other_exports_does_not_depend_on_the_order_of_arrival(given, chance):
    one, other = met(*given), met(*chance.sample(given, len(given)))
    assert sorted(map(repr, one[0])) == sorted(map(repr, other[0]))
    assert one[1] == other[1]


def test_of_equal_copies_that_of_the_first_file_stays_whatever_the_order():
    one, other = ({"call_id": "a", "response_id": "b", "user": "u1", "@file": file} for file in (0, 1))
    for copies in ([one, other], [other, one]):
        (row,), _ = met(*copies)
        assert row["@file"] == 0


@settings(deadline=None)
@given(COPIES)
def test_a_row_never_has_token_counts_of_two_copies(given):
    leaves = {(row["input_uncached"], row["cache_read"]) for row in given}
    assert {(row["input_uncached"], row["cache_read"]) for row in met(*given)[0]} <= leaves


TRANSCRIPTS = st.lists(
    st.fixed_dictionaries({
        "format": st.sampled_from(["claude_code", "codex", "gemini"]),
        "call_id": IDS,
        "response_id": IDS,
        "ts": st.none()
        | st.tuples(st.integers(0, 4), st.integers(0, 3)).map(
            lambda at: START + timedelta(days=at[0], hours=-at[1])
        ),
        "request_count": st.integers(0, 1),
        "output_text": st.none() | st.integers(0, 2),
        "@prefer 0": st.none() | st.floats(0, 2),
        "@file": st.integers(0, 2),
    }),
    max_size=10,
)  # fmt: skip


@settings(deadline=None)
@given(TRANSCRIPTS)
def test_calls_without_the_copies_of_each_file_are_the_same_calls(given):
    schema = {**SCHEMA, "@prefer 0": pl.Float64}
    copies = pl.DataFrame([{"model": "m", **row} for row in given], schema=schema)
    all_at_once, duplicates, _ = deduplicated(copies)
    less, dropped = once_a_file(copies)
    kept_calls, rest, _ = deduplicated(less)
    assert kept_calls.equals(all_at_once)
    assert dropped + rest == duplicates
    once_more, none = once_a_file(less)
    assert once_more.equals(less)
    assert none == 0


IN_LINES = st.lists(
    st.fixed_dictionaries({
        "call_id": IDS,
        "response_id": IDS,
        "ts": st.none() | st.integers(-1, 3).map(lambda minutes: START + timedelta(minutes=minutes)),
        "request_count": st.integers(0, 1),
        "retries": st.none() | st.integers(0, 2),
        "output_text": st.none() | st.integers(0, 2),
        "@prefer 0": st.none() | st.floats(0, 2),
        "@prefer 1": st.none() | st.integers(0, 1).map(float),
        "@file": st.integers(0, 1),
    }),
    max_size=12,
)  # fmt: skip


@settings(deadline=None)
@given(IN_LINES)
def test_calls_without_the_copies_beside_each_other_are_the_same_calls(given):
    schema = {**SCHEMA, "retries": pl.Int64, "@prefer 0": pl.Float64, "@prefer 1": pl.Float64}
    given = [{"model": "m", "format": "claude_code", **row} for row in given]
    copies = pl.DataFrame(given, schema=schema)
    all_at_once, duplicates, _ = deduplicated(copies)
    less, dropped = once_in_a_row(copies, sources()["claude_code"].copies)
    kept_calls, rest, _ = deduplicated(less)
    assert kept_calls.equals(all_at_once)
    assert dropped + rest == duplicates


def test_copies_beside_each_other_leave_the_preferred_one_with_what_is_taken_over_all():
    copies = rows(
        *({"format": "claude_code", "call_id": "a", "ts": START + timedelta(seconds=n)} for n in range(3))
    )
    copies = copies.with_columns(pl.Series("@prefer 0", [1.0, 3.0, 2.0]), pl.Series("retries", [5, 0, 1]))
    less, dropped = once_in_a_row(copies, sources()["claude_code"].copies)
    assert dropped == 2
    assert less.select("@prefer 0", "retries", "ts").row(0) == (3.0, 5, START)


def test_copies_of_a_file_on_several_days_are_left_to_meet_those_of_others():
    days = [{"format": "claude_code", "call_id": "a", "ts": START + timedelta(days=day)} for day in range(4)]
    less, dropped = once_a_file(rows(*days[:3], {**days[3], "@file": 1}))
    assert (less.height, dropped) == (4, 0)
    assert deduplicated(less)[0].height == 1
    assert once_a_file(rows(days[0], days[0], days[1]))[1] == 1
