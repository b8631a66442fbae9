"""Of spans that repeat what those below them used, the lowest are the calls."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtel.sources.trees import leaves_of


def calls(*spans):
    """Names of the calls among spans (trace, span, parent, candidate)."""
    schema = {"trace": pl.String, "span": pl.String, "parent": pl.String, "candidate": pl.Boolean}
    rows = pl.DataFrame(spans, schema=schema, orient="row").with_columns(pl.lit(0).alias("@segment"))
    chosen = leaves_of(rows, pl.col("candidate"), "trace", "span", "parent")
    return rows.filter(chosen)["span"].to_list()


def test_a_candidate_above_another_is_no_call_however_far_above_and_in_whatever_order():
    tree = [("t", "c", "b", True), ("t", "b", "a", False), ("t", "a", None, True)]
    assert calls(*tree) == calls(*tree[::-1]) == ["c"]


def test_a_candidate_with_no_candidate_below_it_counts_once():
    assert calls(("t", "a", None, True), ("t", "b", "a", False), ("t", "c", "b", False)) == ["a"]


def test_spans_of_other_traces_with_the_same_id_cover_nothing():
    assert calls(("one", "a", None, True), ("other", "b", "a", True)) == ["a", "b"]


def test_a_parent_that_was_not_exported_is_no_harm():
    assert calls(("t", "b", "gone", True), ("t", "c", "gone", True)) == ["b", "c"]


def test_spans_without_a_trace_are_one_trace():
    assert calls((None, "a", None, True), (None, "b", "a", True)) == ["b"]


def test_a_span_that_names_itself_as_its_parent_is_a_call():
    assert calls(("t", "a", "a", True)) == ["a"]


IDS = st.sampled_from("abcde")


@settings(deadline=None)
@given(st.lists(st.tuples(st.just("t"), IDS, st.none() | IDS, st.booleans()), max_size=12))
def test_spans_that_go_round_in_circles_come_to_an_end(spans):
    candidates = {span for _, span, _, candidate in spans if candidate}
    assert set(calls(*spans)) <= candidates
