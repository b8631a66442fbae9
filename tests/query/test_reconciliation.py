"""Logs against a bill: every cent of the difference has one cause, and the causes add up to it."""

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtel.core.schema import FIELDS, LEAVES, polars_schema
from llmtel.query.allocation import allocated
from llmtel.query.reconciliation import CAUSES, in_dollars, reconciled

DAY = datetime(2026, 9, 1, tzinfo=UTC)


def frame(*rows):
    blank = dict.fromkeys(FIELDS)
    return pl.DataFrame([{**blank, **row} for row in rows], schema=polars_schema())


def call(**fields):
    return {
        "ts": DAY.replace(hour=9), "grain": "call", "request_count": 1, "provider": "openai", "model": "m",
        "status": "ok", "input_uncached": 100, "output_text": 10, "cost_usd": 0.5, **fields,
    }  # fmt: skip


def bucket(**fields):
    return {
        "ts": DAY, "grain": "bucket", "provider": "openai", "model": "m", "request_count": 1,
        "input_uncached": 100, "output_text": 10, "cost_usd": 0.5, **fields,
    }  # fmt: skip


def bill(**fields):
    none = {"request_count": None, "input_uncached": None, "output_text": None, "cost_usd": None}
    return bucket(**none, **fields)


def causes(found):
    row = in_dollars(found.summed()).row(0, named=True)
    return {name: row[name] for name in CAUSES if row[name]}


def test_logs_that_agree_with_the_bill_leave_nothing_to_explain():
    found = reconciled(
        frame(call(), call()), frame(bucket(request_count=2, input_uncached=200, output_text=20, cost_usd=1))
    )
    assert causes(found) == {}
    assert found.gap() == 0


def test_what_only_the_bill_has_is_not_in_our_logs():
    found = reconciled(frame(call()), frame(bucket(), bucket(model="other", cost_usd=3.0)))
    assert causes(found) == {"not_in_logs": 3.0}


def test_what_only_the_logs_have_is_not_on_the_bill_yet_and_later_days_are_no_gap():
    found = reconciled(frame(call(), call(ts=DAY.replace(day=2), cost_usd=7.0)), frame(bucket()))
    assert causes(found) == {"not_on_bill": -7.0}
    assert found.gap() == 0
    assert (found.first, found.last) == (date(2026, 9, 1), date(2026, 9, 1))


def test_requests_that_the_logs_lack_are_priced_as_the_bill_uses_them():
    usage = bucket(request_count=4, input_uncached=400, output_text=40, cost_usd=2.0)
    found = reconciled(frame(call(), call(), call()), frame(usage))
    assert causes(found) == {"not_in_logs": 0.5}


def test_equal_requests_with_other_tokens_are_a_matter_of_counting():
    found = reconciled(frame(call()), frame(bucket(input_uncached=130, cost_usd=0.65)))
    assert causes(found) == {"token_counts": 0.15}


def test_equal_tokens_at_another_price_are_a_matter_of_price():
    found = reconciled(frame(call()), frame(bucket(cost_logged=0.4)))
    assert causes(found) == {"price": -0.1}


def test_all_causes_at_once_add_up():
    usage = bucket(request_count=4, input_uncached=500, output_text=40, cost_usd=2.4, cost_logged=2.0)
    found = reconciled(frame(call(), call(), call()), frame(usage))
    assert causes(found) == {"not_in_logs": 0.6, "token_counts": 0.3, "price": -0.4}


def test_a_bill_without_tokens_is_unexplained_where_it_differs_and_says_why():
    found = reconciled(frame(call()), frame(bill(cost_logged=0.75)))
    assert causes(found) == {"unexplained": 0.25}
    assert found.cells["reason"].to_list() == ["no tokens or no price on the bill"]


def test_calls_without_a_price_are_unexplained_and_not_free():
    found = reconciled(frame(call(cost_usd=None)), frame(bucket(cost_logged=0.75)))
    assert causes(found) == {"unexplained": 0.75}
    assert found.cells["cost_computed"].to_list() == [None]
    assert found.cells["reason"].to_list() == ["no price for the calls"]


def test_usage_and_its_bill_in_rows_of_their_own_are_one_cell_and_counted_once():
    found = reconciled(frame(call()), frame(bucket(), bill(cost_logged=0.25), bill(cost_logged=0.35)))
    assert causes(found) == {"price": 0.1}
    assert found.cells["cost_billed"].to_list() == [600_000_000]


def test_a_bill_that_is_not_split_by_model_is_compared_by_day():
    usage = [bucket(), bucket(model="n", cost_usd=1.5)]
    found = reconciled(
        frame(call(), call(model="n", cost_usd=1.5)), frame(*usage, bill(model=None, cost_logged=2.5))
    )
    assert found.by == ("day",)
    assert causes(found) == {"price": 0.5}


def test_projects_are_told_apart_where_both_sides_know_them():
    ours = frame(call(project="a"), call(project="b"))
    assert reconciled(ours, frame(bucket(project="a"))).by == ("day", "model", "project")
    assert reconciled(ours, frame(bucket(project="wrk_1"))).by == ("day", "model")


def test_keys_of_an_api_are_told_apart_where_both_sides_know_them():
    ours = frame(call(api_key="key_1"), call(api_key="key_2"))
    found = reconciled(ours, frame(bucket(api_key="key_1"), bucket(api_key="key_3")))
    assert found.by == ("day", "model", "api_key")
    assert found.cells.sort("api_key")["calls"].to_list() == [1, 1, 0]
    assert reconciled(ours, frame(bucket(api_key="apikey_9"))).by == ("day", "model")


@pytest.mark.parametrize("owner", ["project", "api_key"])
@pytest.mark.parametrize("silent", ["calls", "bill"])
def test_an_owner_that_some_rows_do_not_tell_splits_nothing(owner, silent):
    named, unnamed = {owner: "a"}, {owner: None}
    ours = frame(call(**named), call(**(unnamed if silent == "calls" else named)))
    found = reconciled(ours, frame(bucket(**named), bucket(**(unnamed if silent == "bill" else named))))
    assert found.by == ("day", "model")
    assert set(causes(found)) <= {"token_counts", "price"}


def test_calls_that_the_bill_is_not_about_are_left_out_and_counted():
    ours = frame(
        call(),
        call(provider="anthropic", cost_usd=9.0),
        call(ts=DAY.replace(year=2025)),
        call(ts=None, cost_usd=None),
    )
    found = reconciled(ours, frame(bucket()))
    assert causes(found) == {}
    assert {why: (out.calls, out.cost) for why, out in found.left_out.items()} == {
        "before the first day of the bill": (1, 0.5),
        "of other providers than the bill's": (1, 9.0),
        "without a time": (1, None),
    }


def test_reasoning_that_the_bill_does_not_tell_apart_is_no_difference():
    found = reconciled(frame(call(output_text=4, reasoning=6)), frame(bucket()))
    assert causes(found) == {}


def test_refused_calls_are_not_missed_on_the_bill():
    refused = call(
        status="error", price_flags="not_billed", cost_usd=0.0, input_uncached=None, output_text=None
    )
    found = reconciled(frame(call(), refused), frame(bucket(cost_usd=0.6, input_uncached=120)))
    assert causes(found) == {"token_counts": 0.1}
    assert found.cells["calls"].to_list() == [2]


def test_a_sampled_log_is_scaled():
    found = reconciled(
        frame(call(sample_rate=0.5)),
        frame(bucket(request_count=2, input_uncached=200, output_text=20, cost_usd=1.0)),
    )
    assert causes(found) == {}


def test_nothing_against_nothing_is_no_gap():
    found = reconciled(frame(), frame())
    assert (found.cells.height, found.gap(), found.last) == (0, None, None)


MONEY = st.none() | st.floats(0, 1e4, allow_nan=False, width=32) | st.sampled_from([0.1, 0.2, 1e-9, 1 / 3])
COUNT = st.none() | st.integers(0, 10**7)
FACTS = {
    "ts": st.sampled_from([DAY, DAY.replace(day=2), DAY.replace(day=3), None]),
    "provider": st.sampled_from(["openai", "anthropic", None]),
    "model": st.sampled_from(["m", "n", None]),
    "project": st.sampled_from(["a", "b", None]),
    "feature": st.sampled_from(["x", "y", None]),
    "cost_usd": MONEY,
    "cost_logged": MONEY,
    "input_uncached": COUNT,
    "cache_read": COUNT,
    "output_text": COUNT,
}
OURS = st.lists(st.builds(call, **FACTS), max_size=12)
THEIRS = st.lists(st.builds(bucket, **FACTS, request_count=COUNT), max_size=12)


@settings(deadline=None)
@given(ours=OURS, theirs=THEIRS)
def test_the_causes_add_up_to_the_difference_exactly(ours, theirs):
    found = reconciled(frame(*ours), frame(*theirs))
    for table in (found.cells, found.summed(), found.summed("day")):
        for row in in_dollars(table).iter_rows(named=True):
            printed = {name: Decimal(repr(row[name])) for name in row if isinstance(row[name], float)}
            parts = sum((printed.get(name, Decimal(0)) for name in CAUSES), Decimal(0))
            assert round(parts, 9) == round(printed.get("difference", Decimal(0)), 9)
            billed, computed = (printed.get(f"cost_{side}", Decimal(0)) for side in ("billed", "computed"))
            assert round(billed - computed, 9) == round(printed.get("difference", Decimal(0)), 9)


@settings(deadline=None)
@given(ours=OURS, theirs=THEIRS)
def test_no_billed_cent_is_lost_between_features_and_remainder(ours, theirs):
    found = reconciled(frame(*ours), frame(*theirs))
    shares, remainder = allocated(found, "feature")
    assert shares["cost_billed"].sum() + (remainder or 0) == (found.cells["cost_billed"].sum() or 0)
    assert (remainder is None) == (found.cells["cost_billed"].count() == 0)
    assert shares["calls"].sum() == found.calls.height


@settings(deadline=None)
@given(ours=OURS, theirs=THEIRS)
def test_no_call_and_no_token_is_lost_between_cells_and_what_is_left_out(ours, theirs):
    found = reconciled(frame(*ours), frame(*theirs))
    left = sum(out.calls for out in found.left_out.values())
    assert (found.cells["calls"].sum() or 0) + left == len(ours)
    for leaf in LEAVES:
        assert (found.cells[leaf].sum() or 0) == (found.calls[leaf].sum() or 0)


def test_features_share_the_bill_by_what_they_cost_and_the_rest_is_visible():
    ours = frame(call(feature="chat", cost_usd=3.0), call(feature="search", cost_usd=1.0))
    found = reconciled(ours, frame(bill(cost_logged=2.0), bill(model="other", cost_logged=5.0)))
    shares, remainder = allocated(found, "feature")
    assert shares.select("feature", "cost_billed").rows() == [
        ("chat", 1_500_000_000),
        ("search", 500_000_000),
    ]
    assert remainder == 5_000_000_000


@pytest.mark.parametrize("swap", [False, True])
def test_the_order_of_rows_does_not_matter(swap):
    rows = [call(), call(model="n", cost_usd=0.1), call(feature="x", cost_usd=0.2)]
    theirs = [bucket(cost_usd=0.9), bill(model="n", cost_logged=1.0)]
    found = reconciled(frame(*(rows[::-1] if swap else rows)), frame(*(theirs[::-1] if swap else theirs)))
    assert causes(found) == {"not_on_bill": -0.7, "unexplained": 0.9}


def test_tokens_that_one_side_alone_tells_apart_are_compared_with_those_that_hold_them():
    ours = frame(call(input_uncached=60, cache_read=40, output_text=10, reasoning=5))
    theirs = frame(bucket(input_uncached=100, cache_read=None, output_text=15, reasoning=None))
    found = {leaves: both for leaves, *both in reconciled(ours, theirs).tokens()}
    assert found == {("input_uncached", "cache_read"): [100, 100], ("output_text", "reasoning"): [15, 15]}
    split = frame(bucket(input_uncached=60, cache_read=40, output_text=10, reasoning=5))
    assert [leaves for leaves, *_ in reconciled(ours, split).tokens()] == [
        ("input_uncached",), ("cache_read",), ("output_text",), ("reasoning",)
    ]  # fmt: skip
