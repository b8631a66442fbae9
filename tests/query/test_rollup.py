"""Rollups: parts of the calls, aggregated before, give what the whole gives."""

import math
import random
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtel.core.schema import complete
from llmtel.query.histograms import ERROR
from llmtel.query.metrics import METRICS
from llmtel.query.past import ROLLED_UP
from llmtel.query.query import Query, run_many
from llmtel.query.rollup import BY, packed, rolled, unpacked

APART = {"sessions", "users", "cost_per_user", "cost_per_session"}
"""Metrics that count distinct things: parts do not tell them."""
IMAGINED = {"actual_cost", "cache_savings", "cache_savings_missed", "batch_savings"}
MERGED = [name for name, metric in METRICS.items() if metric.merge]
ROUGH = [name for name in MERGED if "histogram" in METRICS[name].merge]
START = datetime(2026, 9, 1, tzinfo=UTC)


def made(seed, n=120, *, sampled=False):
    """Calls of three days whose fields are known now and then."""
    rng = random.Random(seed)  # noqa: S311 (numbers for a test)

    def maybe(value):
        return value if rng.random() < 0.8 else None

    def row(_):
        failed = rng.random() < 0.2
        return {
            "ts": START + timedelta(minutes=rng.randrange(3 * 24 * 60)),
            "grain": "call",
            "request_count": 0 if rng.random() < 0.05 else 1,
            "model": maybe(f"m{rng.randrange(3)}"),
            "feature": maybe(f"f{rng.randrange(2)}"),
            "user": maybe(f"u{rng.randrange(9)}"),
            "session": maybe(f"s{rng.randrange(9)}"),
            "status": maybe("error" if failed else "ok"),
            "error": "timeout" if failed else None,
            "http_status": maybe(500 if failed else 200),
            "latency_ms": maybe(rng.lognormvariate(6, 1) if rng.random() < 0.95 else 0.0),
            "ttft_ms": maybe(rng.lognormvariate(4, 1)),
            "input_uncached": maybe(rng.randrange(5000)),
            "cache_read": maybe(rng.randrange(500)),
            "output_text": maybe(rng.randrange(900)),
            "retries": maybe(rng.randrange(2)),
            "thumb": maybe(rng.random() < 0.5),
            "rating": maybe(float(rng.randrange(1, 6))),
            "finish_reason": maybe("length" if rng.random() < 0.2 else "stop"),
            "cost_usd": maybe(rng.random()),
            "cost_logged": maybe(rng.random()),
            "sample_rate": rng.choice([None, 0.5, 0.1]) if sampled else None,
        }

    return complete(pl.DataFrame([row(i) for i in range(n)], infer_schema_length=None))


def is_near(one, other, by):
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=by, abs_tol=1e-12)


def is_same(name, one, other):
    return is_near(one, other, ERROR + 1e-12 if name in ROUGH else 1e-9)


def exact_at_rank(calls, by):
    """The percentiles of a frame without weights, at the rank where histograms have them."""
    inputs = ("input_uncached", "cache_read", "cache_write_5m", "cache_write_1h", "input_audio")
    outputs = ("output_text", "reasoning", "output_audio")
    sums = {
        name: pl.when(pl.any_horizontal(pl.col(c).is_not_null() for c in leaves)).then(
            pl.sum_horizontal(*leaves)
        )
        for name, leaves in (("input_tokens", inputs), ("output_tokens", outputs))
    }
    fine = pl.col("status").ne_missing("error")
    columns = {
        "latency": pl.when(fine).then("latency_ms"), "ttft": pl.when(fine).then("ttft_ms"),
        **sums,
    }  # fmt: skip
    wanted = [
        columns[name.partition("_")[2]].quantile(int(name[1:3]) / 100, "lower").cast(pl.Float64).alias(name)
        for name in ROUGH
    ]
    calls = calls.filter(pl.col("request_count") > 0)
    frame = calls.group_by(by).agg(wanted) if by else calls.select(wanted)
    return {tuple(row[d] for d in by): row for row in frame.to_dicts()}


@settings(max_examples=6, deadline=None)
@given(
    st.integers(0, 10**6), st.booleans(), st.booleans(), st.sampled_from([(), ("model",), ("feature", "day")])
)
def test_parts_in_any_order_give_what_the_whole_gives(seed, sampled, include_failed, by):
    calls = made(seed, sampled=sampled)
    rng = random.Random(seed)  # noqa: S311 (numbers for a test)
    part = pl.Series([rng.randrange(4) for _ in range(calls.height)])
    cells = [rolled(calls.filter(part == i), "book") for i in range(3)]
    rng.shuffle(cells)
    query = Query(tuple(METRICS), by=by, include_failed=include_failed, tz="America/New_York")
    whole = query.run(calls)
    (merged,) = run_many(
        [query], calls.filter(part == 3), pl.concat(cells).sample(fraction=1.0, shuffle=True)
    )
    ranks = exact_at_rank(calls, by) if not (sampled or include_failed or "day" in by) else None
    expected = {tuple(row[d] for d in by): row for row in whole.rows}
    assert {tuple(row[d] for d in by) for row in merged.rows} == set(expected)
    for row in merged.rows:
        key = tuple(row[d] for d in by)
        for name in MERGED:
            if name not in ROUGH:
                assert is_same(name, row[name], expected[key][name]), name
                assert type(row[name]) is type(expected[key][name]), name
            elif ranks is not None:
                assert is_same(name, row[name], ranks[key][name]), name


def test_what_does_not_merge_is_unknown_and_what_is_in_no_cell_stays_exact():
    calls = made(1)
    early = pl.col("ts") < START + timedelta(days=1)
    cells = rolled(calls.filter(early), "book")
    rows = run_many([Query(tuple(METRICS), by=("day",))], calls.filter(~early), cells)[0].rows
    assert [row["day"] for row in rows] == ["2026-09-01", "2026-09-02", "2026-09-03"]
    assert all(rows[0][name] is None for name in APART | IMAGINED)
    exact = Query(tuple(METRICS), by=("day",)).run(calls).rows
    for row, other in zip(rows[1:], exact[1:], strict=True):
        assert [name for name in METRICS if not is_near(row[name], other[name], 1e-9)] == []
    assert set(METRICS) == {*MERGED, *APART, *IMAGINED}


def test_a_pooled_tail_has_the_numbers_of_its_calls_and_cells():
    calls = made(2)
    cells = rolled(calls.filter(pl.col("model") == "m1"), "book")
    rest = calls.filter(pl.col("model").ne_missing(pl.lit("m1")))
    query = Query(("calls", "cost", "p95_latency", "users"), by=("model",), top=1)
    whole, merged = query.run(calls).rows, run_many([query], rest, cells)[0].rows
    assert [row["calls"] for row in merged] == [row["calls"] for row in whole]
    assert [row["cost"] for row in merged] == pytest.approx([row["cost"] for row in whole])
    pooled = next(row for row in merged if row.get("pooled"))
    assert pooled["users"] is None
    assert pooled["p95_latency"] > 0


def test_a_dimension_that_cells_do_not_have_is_unknown_there_and_never_none():
    calls = made(3)
    cells = rolled(calls, "book")
    users, errors, minutes = run_many(
        [Query(("calls",), by=(name,)) for name in ("user", "error", "minute")], calls.clear(), cells
    )
    n = int((calls["request_count"] > 0).sum())
    assert users.rows == [{"user": None, "calls": n}]
    assert minutes.rows == [{"minute": None, "calls": n}]
    fine = int(((calls["status"] == "ok") & (calls["request_count"] > 0)).sum())
    assert {row["error"]: row["calls"] for row in errors.rows} == {None: fine, ROLLED_UP: n - fine}


def test_a_cell_holds_nothing_that_points_at_people():
    calls = made(4).with_columns(
        trace=pl.lit("t-secret"), prompt=pl.lit("p-secret"), tags=pl.lit('{"k":"secret"}')
    )
    cells = rolled(calls, "book")
    texts = {name for name, dtype in cells.schema.items() if dtype == pl.String}
    assert texts == {*BY, "book"}
    assert not any("secret" in str(row) or "'u" in str(row) for row in cells.select(texts).rows())


def test_cells_are_stored_and_read_back():
    cells = rolled(made(6), "book").sort(pl.all())
    assert unpacked(packed(cells)).equals(cells)
    older = packed(cells).with_columns(names=pl.col("names").str.replace("errors_sum", "gone"))
    assert unpacked(older)["errors_sum"].null_count() == cells.height
    rows = run_many([Query(("calls", "errors"))], made(6).clear(), unpacked(older))[0].rows
    assert rows[0]["calls"] > 0
    assert rows[0]["errors"] is None


def test_the_column_of_a_percentile_says_how_it_was_found():
    calls = made(5)
    table = run_many([Query(("calls", "p95_latency"))], calls.clear(), rolled(calls, "book"))[0]
    assert (table.column("p95_latency").method, table.column("p95_latency").rel_error) == ("histogram", ERROR)
    assert table.column("calls").rel_error is None
    assert table.column("p95_latency").rel_error < 0.01084
    assert Query(("p95_latency",)).run(calls).column("p95_latency").method == "exact"
