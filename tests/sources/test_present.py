"""A wide plan is decoded without the columns that a batch does not have, and reads the same."""

import json

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llmtel.sources import present, raw
from llmtel.sources.decode import decode
from llmtel.sources.plan import Plan
from llmtel.sources.source import Source

KEYS = [f"k{number}" for number in range(30)]
COLUMNS = {
    **{key: raw.count(key) for key in KEYS},
    **{f"inner {key}": raw.text(f"inner.i{key}") for key in KEYS},
    "value": raw.count("both"),
    "object": raw.count("both.k0"),
    "of a list": raw.text("list[0].k1"),
}
SOURCE = Source(name="wide", help="", link="", marks=(), calls=COLUMNS, sample="", expect=())


def lines(records):
    return "".join(f"{json.dumps(record)}\n" for record in records).encode()


def told(data, plan):
    """All that decoding tells, in one order of columns."""
    decoded = decode(data, plan)
    frame = decoded.raw
    lists = [name for name in ("coerced", "unreadable") if name not in frame.columns]
    frame = frame.with_columns(pl.lit([], dtype=pl.List(pl.String)).alias(name) for name in lists)
    frame = frame.with_columns(pl.col("coerced", "unreadable").fill_null([]))
    return frame.select(sorted(frame.columns)).rows(named=True), decoded.rejects, decoded.other


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(present, "_HEAD", 16)


def test_a_key_that_only_the_last_line_has_is_read():
    plan = Plan(SOURCE)
    data = lines([{"k0": 1}] * 50 + [{"k7": 7, "inner": {"ik8": "x"}}])
    narrow = present.narrowed(data, plan)
    assert {"k0:count", "k7:count", "inner.ik8:str"} <= set(narrow.schema) < set(plan.schema)
    rows = decode(data, plan).raw
    assert set(rows.columns) == {"row", *plan.schema}
    assert rows.select("k7:count", "inner.ik8:str", "k9:count").row(50) == (7, "x", None)


def test_a_key_with_an_escape_is_read():
    data = lines([{"k0": 1}] * 50) + b'{"\\u006b7": 7}\n'
    assert decode(data, Plan(SOURCE)).raw["k7:count"][50] == 7


def test_what_is_not_text_costs_its_own_line_alone():
    data = lines([{"k0": 1}] * 50) + b'{"k7": "\xff"}\n'
    decoded = decode(data, Plan(SOURCE))
    assert decoded.raw["k0:count"].sum() == 50
    assert [row for row, _ in decoded.rejects] == [50]


VALUES = st.none() | st.booleans() | st.integers(-3, 2**64) | st.floats() | st.sampled_from(["", "k3", "12"])
OBJECTS = st.dictionaries(st.sampled_from([*KEYS[:4], "ik0", "ik1", "other"]), VALUES, max_size=3)
RECORDS = st.dictionaries(
    st.sampled_from([*KEYS[:4], "inner", "both", "list", "other"]),
    VALUES | OBJECTS | st.lists(OBJECTS, max_size=2),
    max_size=4,
)


@settings(deadline=None, max_examples=150)
@given(st.lists(RECORDS, min_size=1, max_size=8))
@example([{"inner": False, "k0": None, "both": {}}])
def test_nothing_is_read_differently(records):
    data, plan = lines(records), Plan(SOURCE)
    found = told(data, plan)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(present, "_FEW", 1000)
        assert found == told(data, plan)


def test_a_path_that_is_a_value_and_an_object_is_read_as_in_the_whole_plan(monkeypatch):
    data, plan = (
        lines([{"both": {"k1": 1}}, {"both": 3}, {"both": "x"}, {"both": {"other": 1}}] * 9),
        Plan(SOURCE),
    )
    found = told(data, plan)
    monkeypatch.setattr(present, "_FEW", 1000)
    assert found == told(data, plan)
