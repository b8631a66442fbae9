"""What holds for every call: costs add up, whatever the company, and an unknown price is never a number."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtel.core.schema import LEAVES, PRICED
from llmtel.pricing import book, cost

COUNTS = st.integers(min_value=0, max_value=20_000)
TIMES = st.none() | st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
MODELS = st.sampled_from(
    [
        ("openai", "gpt-4o"),
        ("openai", "o3"),
        (None, "gpt-5.4"),
        ("google", "gemini-2.5-pro"),
        ("deepseek", "deepseek-chat"),
        ("aws", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("azure", "eu/gpt-4o"),
        ("x-ai", "grok-4-0709"),
        ("openai", "gpt-99"),
        ("nobody", "x"),
        (None, None),
    ]
)


# of numbers without bounds a sum depends on its order, or has no end
LOGGED = st.none() | st.floats(0, 1e6) | st.sampled_from([math.nan, math.inf, -math.inf, -1.0])


@st.composite
def calls(draw):
    provider, model = draw(MODELS)
    leaves = draw(st.dictionaries(st.sampled_from(LEAVES), st.none() | st.integers(0, 10**6)))
    return {
        "provider": provider,
        "model": model,
        "ts": draw(TIMES),
        "service_tier": draw(st.sampled_from([None, "default", "flex", "priority", "odd"])),
        "batch": draw(st.sampled_from([None, False, True])),
        "region": draw(st.sampled_from([None, "us", "mars"])),
        "request_count": draw(st.sampled_from([None, 0, 1, 7])),
        "http_status": draw(st.sampled_from([None, 200, 429, 504])),
        "cost_logged": draw(LOGGED),
        "web_searches": draw(st.sampled_from([None, 0, 2])),
        **leaves,
    }


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(calls(), min_size=1, max_size=12), data=st.data())
def test_a_cost_does_not_depend_on_the_order_or_the_company(packaged, frame, rows, data):
    together = cost.priced(frame(*rows), packaged).select(PRICED).rows()
    order = data.draw(st.permutations(range(len(rows))))
    half = data.draw(st.integers(0, len(rows)))
    apart = [
        row
        for part in (order[:half], order[half:])
        if part
        for row in cost.priced(frame(*(rows[i] for i in part)), packaged).select(PRICED).rows()
    ]
    expected = [together[i] for i in order]
    assert [row[2:] for row in apart] == [row[2:] for row in expected]
    # The last bit of a sum depends on the place of its row in the vectors that are added.
    for (cost_usd, *_), (wanted, *_) in zip(apart, expected, strict=True):
        assert cost_usd == (wanted if wanted is None else pytest.approx(wanted, rel=1e-12, abs=0))


@settings(max_examples=50, deadline=None)
@given(row=calls())
def test_a_call_has_a_cost_or_a_reason_and_a_cost_is_a_sum_of_money(packaged, frame, row):
    for source in ("auto", "computed", "logged"):
        answer = cost.priced(frame(row), packaged, source).row(0, named=True)
        assert (answer["cost_usd"] is None) == (answer["price_reason"] is not None)
        if answer["cost_usd"] is not None:
            assert math.isfinite(answer["cost_usd"])
            assert answer["cost_usd"] >= 0


@settings(max_examples=40, deadline=None)
@given(row=calls(), model=st.text(max_size=20).map(lambda text: f"no such model {text}"))
def test_an_unknown_model_never_costs_zero(packaged, frame, row, model):
    billed = {**row, "http_status": 200, "model": model, "cost_logged": None}
    assert cost.priced(frame(billed), packaged)["cost_usd"].to_list() == [None]


@settings(max_examples=40, deadline=None)
@given(
    a=st.fixed_dictionaries(dict.fromkeys(LEAVES, COUNTS)),
    b=st.fixed_dictionaries(dict.fromkeys(LEAVES, COUNTS)),
)
def test_costs_add_up_leaf_by_leaf_below_the_tiers(ask, a, b):
    known = {"provider": "openai", "model": "gpt-realtime", "ts": datetime(2026, 11, 1, tzinfo=UTC)}
    both = {leaf: a[leaf] + b[leaf] for leaf in LEAVES}
    parts = [ask(**known, **counts)["cost_usd"] for counts in (a, b)]
    assert ask(**known, **both)["cost_usd"] == pytest.approx(sum(parts), rel=1e-12, abs=1e-15)
    alone = [
        ask(**known, **{**dict.fromkeys(LEAVES, 0), leaf: count})["cost_usd"] for leaf, count in a.items()
    ]
    assert sum(alone) == pytest.approx(parts[0], rel=1e-12, abs=1e-15)


FUTURE = """\
models:
  openai:
    gpt-4o:
      names: [gpt-4o-2024-08-06, gpt-4o-2024-11-20]
      prices:
        - {input: 2.5, cache_read: 1.25, output: 10}
        - {from: 2031-01-01, input: 99, output: 99}
"""


@pytest.fixture(scope="module")
def later(packaged, tmp_path_factory):  # noqa: ARG001 (no price file of this machine)
    path = tmp_path_factory.mktemp("layer") / "future.yaml"
    path.write_text(FUTURE, encoding="utf-8")
    return book.load([path])


@settings(max_examples=40, deadline=None)
@given(row=calls(), when=TIMES.filter(lambda ts: ts is not None))
def test_a_future_row_changes_no_past_cost_and_a_layer_only_its_own_models(packaged, later, frame, row, when):
    past = {**row, "ts": when, "service_tier": None, "batch": None, "web_searches": None}
    before, after = (cost.priced(frame(past), prices)["cost_usd"].to_list() for prices in (packaged, later))
    assert before == after


UNTIERED = st.sampled_from(
    [
        ("openai", "gpt-4o"),
        ("openai", "gpt-realtime"),
        ("anthropic", "claude-opus-4-6"),
        ("groq", "openai/gpt-oss-20b"),
    ]
)
CHANGES = date(2026, 3, 1)
CHANGED = """\
models:
  openai:
    gpt-4o:
      names: [gpt-4o-2024-08-06, gpt-4o-2024-11-20]
      prices:
        - {input: 2.5, cache_read: 1.25, output: 10}
        - {from: 2026-03-01, input: 99, output: 99}
"""


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(calls(), max_size=10))
def test_the_cost_of_calls_is_the_sum_of_their_costs(packaged, frame, rows):
    together = cost.priced(frame(*rows), packaged)["cost_usd"].sum() if rows else 0
    apart = [cost.priced(frame(row), packaged)["cost_usd"].sum() for row in rows]
    assert together == pytest.approx(math.fsum(apart), rel=1e-12, abs=1e-15)


@settings(max_examples=60, deadline=None)
@given(
    model=UNTIERED,
    counts=st.fixed_dictionaries(dict.fromkeys(LEAVES, COUNTS)),
    leaf=st.sampled_from(LEAVES),
    more=st.integers(1, 10**6),
)
def test_without_tiers_more_tokens_of_a_leaf_never_cost_less(ask, model, counts, leaf, more):
    provider, name = model
    known = {"provider": provider, "model": name, "ts": datetime(2026, 11, 1, tzinfo=UTC)}
    less, greater = (
        ask(**known, **usage)["cost_usd"] for usage in (counts, {**counts, leaf: counts[leaf] + more})
    )
    # Of a leaf without a rate the whole call has no price, before and after.
    assert (less is None and greater is None) or greater is None or greater >= less


@pytest.fixture(scope="module")
def changed(packaged, tmp_path_factory):  # noqa: ARG001 (no price file of this machine)
    path = tmp_path_factory.mktemp("layer") / "changed.yaml"
    path.write_text(CHANGED, encoding="utf-8")
    return book.load([path])


@settings(max_examples=60, deadline=None)
@given(when=st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_change_of_price_on_a_day_changes_no_call_before_it(packaged, changed, frame, when):
    call = frame({"provider": "openai", "model": "gpt-4o", "ts": when})
    before, after = (cost.priced(call, prices)["cost_usd"].item() for prices in (packaged, changed))
    assert (before == after) == (when.date() < CHANGES)
