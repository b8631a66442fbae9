"""The published vectors: every documented way a call has been priced wrongly, with the right answer."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from llmtel.core import schema
from llmtel.pricing import book, cost

VECTORS = Path(__file__).parents[2] / ".." / "shared" / "vectors" / "pricing.json"
CASES: list[dict[str, Any]] = json.loads(VECTORS.read_text())["vectors"] if VECTORS.exists() else []

pytestmark = pytest.mark.skipif(not CASES, reason="the vectors are not beside this checkout")


def call(case: dict[str, Any]) -> dict[str, Any]:
    ts = datetime.fromisoformat(case["timestamp"]) if case["timestamp"] else None
    invalid = {"price_reason": "invalid_usage"} if case["leaves"] is None else {}
    known = {
        "ts": ts,
        "provider": case["provider"],
        "model": case["model"],
        "request_count": case["request_count"],
    }
    return {**dict.fromkeys(schema.FIELDS), **known, **case["context"], **(case["leaves"] or {}), **invalid}


@pytest.fixture(scope="module")
def priced() -> dict[str, dict[str, Any]]:
    calls = pl.DataFrame([call(case) for case in CASES], schema=schema.polars_schema())
    return dict(zip((case["id"] for case in CASES), cost.priced(calls, book.load()).to_dicts(), strict=True))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_call_costs_what_the_vector_says(case: dict[str, Any], priced: dict[str, dict[str, Any]]) -> None:
    answer, expect = priced[case["id"]], case["expect"]
    usd = None if expect["usd"] is None else pytest.approx(float(expect["usd"]), abs=1e-9, rel=0)
    assert answer["cost_usd"] == usd
    assert answer["price_reason"] == expect.get("reason")
    assert set(expect.get("flags", ())) <= set((answer["price_flags"] or "").split(","))
