"""Overlapping counts become disjoint leaves: the tests of the solver, one by one."""

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtel.core.schema import LEAVES
from llmtel.sources.steps import fields, with_steps
from llmtel.sources.usage import leaves

SHARED = Path(__file__).parents[2].parent / "shared"
NAMES = (
    "input", "output", "cache_read", "cache_write", "cache_write_1h", "reasoning", "input_audio",
    "output_audio", "total"
)  # fmt: skip


def read_as(**counts):
    """The leaves of one usage, whose format has just these counts, and what is said of them."""
    frame = pl.DataFrame(
        {name: [value] for name, value in counts.items()}, schema=dict.fromkeys(counts, pl.Int64)
    )
    found = leaves(**{name: pl.col(name) for name in counts})
    return with_steps(frame.lazy(), found).select(fields(found)).collect().row(0, named=True)


def solved(**counts):
    """The leaves of one usage that are known."""
    row = read_as(**counts)
    return {name: value for name, value in row.items() if value is not None and name[0] != "@"}


def test_totals_contain_their_details():
    assert solved(input=100, output=40, cache_read=60, cache_write=10, reasoning=15, total=140) == {
        "input_uncached": 30, "cache_read": 60, "cache_write_5m": 10, "output_text": 25, "reasoning": 15,
    }  # fmt: skip


def test_a_total_that_is_larger_by_the_cache_says_that_the_input_excludes_it():
    assert solved(input=22, output=13, cache_read=0, cache_write=2492, reasoning=0, total=2527) == {
        "input_uncached": 22, "cache_read": 0, "cache_write_5m": 2492, "output_text": 13, "reasoning": 0,
    }  # fmt: skip


def test_a_total_that_is_larger_by_the_reasoning_says_that_it_comes_on_top():
    assert solved(input=32, output=9, cache_read=6, reasoning=110, total=151) == {
        "input_uncached": 26, "cache_read": 6, "output_text": 9, "reasoning": 110,
    }  # fmt: skip


def test_what_a_total_has_beyond_input_and_output_is_hidden_reasoning():
    assert solved(input=10, output=5, reasoning=None, total=65) == {
        "input_uncached": 10, "output_text": 5, "reasoning": 50,
    }  # fmt: skip


def test_cache_and_reasoning_may_both_come_on_top_of_the_totals():
    assert solved(input=100, output=40, cache_read=60, reasoning=15, total=215) == {
        "input_uncached": 100, "cache_read": 60, "output_text": 40, "reasoning": 15,
    }  # fmt: skip


def test_what_a_total_has_beyond_a_cache_that_is_apart_is_hidden_reasoning():
    assert solved(input=3, output=5, cache_read=2000, reasoning=0, total=2018) == {
        "input_uncached": 3, "cache_read": 2000, "output_text": 5, "reasoning": 10,
    }  # fmt: skip


def test_a_total_beside_an_unknown_count_tells_nothing():
    assert solved(input=None, output=None, reasoning=None, total=50) == {}
    assert solved(input=10, output=None, reasoning=None, total=50) == {"input_uncached": 10}


@pytest.mark.parametrize(
    ("counts", "reconciled", "mismatch"),
    [
        ({"input": 100, "output": 40, "cache_read": 60, "reasoning": 15, "total": 140}, False, False),
        ({"input": 100, "output": 40, "cache_read": 60, "reasoning": 15}, False, False),
        ({"input": 100, "output": 40, "cache_read": 0, "reasoning": 0, "total": 140}, False, False),
        ({"input": 22, "output": 13, "cache_write": 2492, "total": 2527}, True, False),
        ({"input": 32, "output": 9, "reasoning": 110, "total": 151}, True, False),
        ({"input": 10, "output": 5, "reasoning": None, "total": 65}, True, False),
        ({"input": 3, "output": 5, "cache_read": 2000}, True, None),
        ({"input": 100, "output": 5, "cache_read": 80, "input_audio": 50}, True, True),
        ({"input": 10, "output": 5, "reasoning": 8}, False, True),
        ({"input": 100, "output": 40, "reasoning": 0, "total": 120}, False, True),
    ],
)
def test_a_reading_that_the_plain_rule_would_not_give_is_told(counts, reconciled, mismatch):
    row = read_as(**counts)
    assert (row["@reconciled"], row.get("@mismatch")) == (reconciled, mismatch)


def test_more_cache_than_input_says_that_the_input_excludes_it():
    assert solved(input=3, output=5, cache_read=2000, reasoning=0) == {
        "input_uncached": 3, "cache_read": 2000, "output_text": 5, "reasoning": 0,
    }  # fmt: skip
    assert solved(input=3, output=5, cache_read=2000) == {
        "input_uncached": 3, "cache_read": 2000, "output_text": 5,
    }  # fmt: skip


@pytest.mark.parametrize(
    "counts",
    [
        {"input": 10, "output": 5, "reasoning": 8},
        {"input": 10, "output": 5, "cache_read": 20, "reasoning": 0, "total": 15},
        {"input": 10, "output": 5, "output_audio": 6},
        {"input": 10, "output": 5, "cache_read": 20, "input_audio": 1, "total": 15},
    ],
)
def test_counts_that_cannot_be_make_every_leaf_unknown_and_say_so(counts):
    assert solved(**counts) == {"price_reason": "invalid_usage"}


def test_cached_audio_is_cached_and_not_audio_twice():
    assert solved(input=100, output=5, cache_read=80, input_audio=50) == {
        "input_uncached": 0, "cache_read": 80, "input_audio": 20, "output_text": 5,
    }  # fmt: skip


def test_audio_is_taken_out_of_both_totals():
    assert solved(input=100, output=50, cache_read=10, input_audio=30, output_audio=20, total=150) == {
        "input_uncached": 60, "cache_read": 10, "input_audio": 30, "output_text": 30, "output_audio": 20,
    }  # fmt: skip


def test_writes_of_long_life_are_their_own_leaf():
    assert solved(input=100, output=5, cache_write=20, cache_write_1h=30) == {
        "input_uncached": 50, "cache_write_5m": 20, "cache_write_1h": 30, "output_text": 5,
    }  # fmt: skip


def test_what_is_not_logged_stays_unknown_and_is_no_zero():
    assert solved(input=None, output=None, cache_read=None, reasoning=None, total=None) == {}
    assert solved(input=10, output=None, cache_read=None, total=None) == {"input_uncached": 10}
    assert solved(input=10, output=None) == {"input_uncached": 10}


COUNTS = st.none() | st.integers(0, 10_000)


@settings(deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(NAMES, COUNTS)))
def test_leaves_are_never_negative_and_sum_to_what_was_logged(counts):
    found = solved(**counts)
    values = [found[name] for name in LEAVES if name in found]
    assert all(value >= 0 for value in values)
    total, known = counts["total"], counts["input"] is not None and counts["output"] is not None
    if known and total == counts["input"] + counts["output"] and "price_reason" not in found:
        assert sum(values) == total


def openai_shaped():
    path = SHARED / "fixtures/provider-usage-shapes/usages.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    usages = [line["usage"] for line in lines if "prompt_tokens" in line.get("usage", {})]
    return [use for use in usages if "total_tokens" in use and not use.get("cache_read_input_tokens")]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data is not here")
def test_real_usages_of_many_vendors_lose_no_token():
    usages = openai_shaped()
    assert len(usages) > 10
    for use in usages:
        read, written = use.get("prompt_tokens_details") or {}, use.get("completion_tokens_details") or {}
        found = solved(
            input=use["prompt_tokens"],
            output=use.get("completion_tokens"),
            cache_read=read.get("cached_tokens"),
            reasoning=written.get("reasoning_tokens"),
            input_audio=read.get("audio_tokens"),
            output_audio=written.get("audio_tokens"),
            total=use["total_tokens"],
        )
        assert sum(found[name] for name in LEAVES if name in found) == use["total_tokens"], use
