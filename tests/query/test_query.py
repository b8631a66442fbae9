"""Queries: the numbers are those of the calls, however they are split, pooled or weighted."""

from __future__ import annotations

import polars as pl
import pytest

from llmtel.core.errors import UnknownName
from llmtel.query.query import Query


def calls(**columns: object) -> pl.DataFrame:
    """A frame of calls from some columns."""
    return pl.DataFrame(columns, strict=False)


def test_an_unknown_cost_is_no_free_call() -> None:
    frame = calls(cost_usd=[0.5, None, 0.25], latency_ms=[10.0, 20.0, None])
    row = Query(("calls", "cost", "cost_per_call", "unpriced_calls", "priced_share")).run(frame).rows[0]
    assert row == {"calls": 3, "cost": 0.75, "cost_per_call": 0.375, "unpriced_calls": 1, "priced_share": 2 / 3}


def test_a_wrong_metric_suggests_the_right_one() -> None:
    with pytest.raises(UnknownName, match="Did you mean p95_latency"):
        Query(("p95_latncy",))
