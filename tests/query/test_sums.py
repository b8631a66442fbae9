"""Sums asked for beside tables are those that are asked for alone, and are of the calls alone."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from llmtel.core.schema import complete, polars_schema
from llmtel.query.dimensions import DIMENSIONS
from llmtel.query.measures import Measure, count, known, minimum
from llmtel.query.query import Query, run_beside, summed
from llmtel.query.rollup import packed, rolled, unpacked
from llmtel.query.sums import SEEN, Sums

START = datetime(2026, 9, 7, 10, tzinfo=UTC)
OF = {
    "calls": count(pl.lit(value=True), "calls"),
    "cost": Measure("moment", pl.col("cost_usd"), "calls"),
    "votes": known(pl.col("thumb"), "calls"),
    "first": minimum(pl.col("ts"), "calls"),
}
BY_MODEL = Sums((DIMENSIONS["model"],), OF)


def calls(rows):
    usual = {"grain": "call", "request_count": 1, "status": "ok", "ts": START}
    names = list(dict.fromkeys([*usual, *(name for row in rows for name in row)]))
    values = {name: [{**usual, **row}.get(name) for row in rows] for name in names}
    return complete(pl.DataFrame(values, schema=polars_schema(names)))


def many():
    """Enough calls that tables of few groups are made together."""
    return calls([
        {"model": f"m{i % 3}", "feature": f"f{i % 2}", "cost_usd": 0.25 * (i % 5), "latency_ms": float(i),
         "ts": START + timedelta(minutes=i)}
        for i in range(3000)
    ])  # fmt: skip


def test_sums_beside_tables_are_those_that_are_asked_for_alone():
    frame = many()
    queries = [Query(("cost", "calls", "p95_latency"), by=("feature",)), Query(("calls",), by=("model",))]
    tables, (beside,) = run_beside(queries, [BY_MODEL], frame)
    assert_frame_equal(beside.sort("model"), summed(BY_MODEL, frame).sort("model"))
    assert [table.rows for table in tables] == [query.run(frame).rows for query in queries]


def test_what_no_call_knows_sums_to_nothing_and_times_stay_times():
    row = summed(BY_MODEL, calls([{"model": "m", "cost_usd": 2.0}])).row(0, named=True)
    assert row == {"model": "m", "calls": 1.0, "cost": 2.0, "votes": 0.0, "first": START, SEEN: 1}


def test_a_pass_inside_a_call_and_a_bucket_are_no_calls():
    rows = [{"cost_usd": 1.0}, {"cost_usd": 2.0, "request_count": 0}, {"cost_usd": 4.0, "grain": "bucket"}]
    row = summed(BY_MODEL, calls([{"model": "m", **row} for row in rows])).row(0, named=True)
    assert (row["calls"], row["cost"], row[SEEN]) == (1.0, 1.0, 1)


def test_calls_of_a_sampled_log_are_weighed_and_their_rows_are_not():
    row = summed(BY_MODEL, calls([{"model": "m", "cost_usd": 1.0, "sample_rate": 0.1}])).row(0, named=True)
    assert row["calls"] == pytest.approx(10.0)
    assert row["cost"] == pytest.approx(10.0)
    assert row[SEEN] == 1


def test_calls_of_rollups_are_in_tables_and_in_no_sums():
    frame, past = calls([{"model": "m"}] * 2), calls([{"model": "m"}] * 5)
    cells = unpacked(packed(rolled(past, "book")))
    (table,), (beside,) = run_beside([Query(("calls",), by=("model",))], [BY_MODEL], frame, cells)
    assert [row["calls"] for row in table.rows] == [7]
    assert beside["calls"].to_list() == [2.0]
