"""Why a cost changed: lines that add up, name what moved, and say what to do."""

import polars as pl
import pytest

from llmtel.checks import baseline
from llmtel.checks.cells import cells
from llmtel.checks.measure import measured
from llmtel.checks.oneline import rule
from llmtel.checks.rules import POOLED
from llmtel.checks.why import explain, search
from llmtel.core.schema import LEAVES, polars_schema
from llmtel.pricing import book, cost
from llmtel.pricing.leaves import with_leaf_costs

BOOK = book.load((), ("small=1/10", "big=10/100"))


def calls(*rows):
    """Priced calls of (feature, model, input, output, how many)."""
    data = [
        {"feature": f, "model": m, "input_uncached": i, "output_text": o, "status": "ok", "ts": None}
        for f, m, i, o, n in rows
        for _ in range(n)
    ]
    frame = pl.DataFrame(data, schema=polars_schema(data[0]), orient="row")
    return with_leaf_costs(cost.priced(frame, BOOK), BOOK)


def lines(before, after, **options):
    found = explain(cells(before), cells(after), **options)
    assert sum(c.effect for c in found.causes) == pytest.approx(found.after - found.before)
    return {c.line: c for c in found.causes}, found


def test_the_parts_of_a_cost_add_up_to_it():
    frame = calls(("chat", "small", 1000, 100, 3), ("chat", "unheard-of", 5, 5, 1))
    parts = frame.select(pl.sum_horizontal(f"cost:{leaf}" for leaf in LEAVES)).to_series()
    assert parts[:3].to_list() == pytest.approx(frame["cost_usd"][:3].to_list())
    assert frame["cost:output_text"].to_list() == [pytest.approx(0.001)] * 3 + [None]


def test_longer_answers_are_the_cause_and_name_their_lever():
    found, whole = lines(calls(("chat", "small", 1000, 100, 50)), calls(("chat", "small", 1000, 300, 50)))
    (only,) = found.values()
    assert (only.line, only.before, only.after) == ("output tokens", 100, 300)
    assert only.effect == pytest.approx(50 * 200 * 10e-6)
    assert only.key == ("chat", "small")
    assert "cap the output" in only.lever
    assert (whole.before, whole.after) == (pytest.approx(0.1), pytest.approx(0.2))


def test_each_line_is_told_apart():
    before = calls(
        ("chat", "small", 1000, 100, 80), ("chat", "big", 1000, 100, 20), ("old", "small", 10, 10, 9)
    )
    after = calls(
        ("chat", "small", 1200, 100, 60), ("chat", "big", 1000, 100, 60), ("new", "small", 10, 10, 5)
    )
    found, _ = lines(before, after)
    assert found.keys() == {"mix", "volume", "input tokens", "new", "removed"}
    assert found["mix"].key == ("chat", "big")
    assert found["new"].effect == pytest.approx(5 * 110e-6)
    assert found["removed"].effect == pytest.approx(-9 * 110e-6)


def test_a_new_price_is_its_own_line():
    frame = calls(("chat", "small", 1000, 100, 50))
    dearer = book.load((), ("small=2/10", "big=10/100"))
    again = with_leaf_costs(cost.priced(frame, dearer), dearer)
    found, _ = lines(frame, again)
    assert found.keys() == {"price"}
    assert found["price"].effect == pytest.approx(50 * 1000 * 1e-6)


def test_a_kind_of_token_that_one_side_lacks_is_no_change_of_price():
    found, _ = lines(calls(("chat", "small", 1000, 0, 50)), calls(("chat", "small", 1000, 300, 50)))
    assert found.keys() == {"output tokens"}


def test_scaled_to_the_same_calls_volume_explains_nothing():
    before, after = calls(("chat", "small", 1000, 100, 50)), calls(("chat", "small", 1000, 200, 150))
    found, _ = lines(before, after, scale=(3.0, 1.0))
    assert found.keys() == {"output tokens"}


def test_a_segment_can_be_explained_alone():
    before = calls(("chat", "small", 1000, 100, 50), ("rag", "small", 1000, 100, 50))
    after = calls(("chat", "small", 1000, 200, 50), ("rag", "small", 9000, 100, 50))
    found, _ = lines(before, after, match={"feature": "chat"})
    assert found.keys() == {"output tokens"}


def test_costs_without_parts_are_explained_by_all_tokens():
    strip = [f"cost:{leaf}" for leaf in LEAVES]
    before, after = calls(("chat", "small", 1000, 100, 50)), calls(("chat", "small", 2000, 200, 50))
    found, _ = lines(before.drop(strip), after.drop(strip))
    assert found.keys() == {"tokens per call"}


def test_what_is_no_tokens_is_kept_as_other():
    frame = calls(("chat", "small", 1000, 100, 50)).with_columns(pl.col("cost_usd") + 0.01)
    (usage,) = cells(frame).values()
    assert usage.costs["other"] == pytest.approx(0.5)
    found, _ = lines(calls(("chat", "small", 1000, 100, 50)), frame)
    assert found.keys() == {"price"}


def test_many_cells_are_pooled():
    found = cells(calls(*((f"f{i}", "small", 10, 10, 1) for i in range(250))))
    assert len(found) == 201
    assert found[POOLED].calls == 50


def test_a_baseline_can_explain_when_the_calls_are_gone():
    frame = calls(("chat", "small", 1000, 100, 50))
    side = measured(frame, [rule("cost_per_call > +10%")])
    kept = baseline.read(baseline.text(side).encode(), "b")
    assert kept.cells == side.cells
    assert len(kept.cells) == 1


def test_the_dimension_that_explains_is_found():
    before = calls(*((f, m, 1000, 100, 25) for f in ("a", "b") for m in ("small", "big")))
    after = calls(*((f, m, 1000, 400 if f == "b" else 100, 25) for f in ("a", "b") for m in ("small", "big")))
    best = search(before, after)[0]
    assert best.dimension == "feature"
    assert [e.key for e in best.elements] == ["b"]
    assert best.power == pytest.approx(1)
