"""Cells of a table that hold JSON are looked into, each by itself."""

import json

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llmtel.sources import raw
from llmtel.sources.cells import raw_rows
from llmtel.sources.plan import Plan
from llmtel.sources.source import Source

PLAN = Plan(
    Source(
        name="table",
        help="",
        link="",
        calls={
            "input_uncached": raw.count("usage.input"),
            "output_text": raw.count("usage.details.out"),
            "feature": raw.text("tags[0]"),
            "model": raw.text("model"),
            "user": raw.text("user"),
        },
    )
)


def read(usage, tags=None):
    columns = {"usage": usage, "tags": tags or [None] * len(usage)}
    table = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    return raw_rows(table, pl.int_range(1, len(usage) + 1, eager=True), PLAN)


def test_a_damaged_cell_costs_its_own_values_alone():
    rows = read(['{"input": 1}', '{"input": 2', "", None, "input", '{"input": 6}'])
    assert rows["usage.input:count"].to_list() == [1, None, None, None, None, 6]


@pytest.mark.parametrize("cell", ['{"input": 7}', '{"\\u0069nput": 7}', '{"other": "input", "input" : "7"}'])
def test_a_key_is_found_however_it_is_written_and_whatever_stands_in_other_cells(cell):
    assert read(["{}", cell, '{"details": {"out": 3}}'])["usage.input:count"].to_list() == [None, 7, None]


def test_an_element_of_a_list_is_found():
    tags = ['["a", "b"]', "[]", "no list", '{"0": "x"}', None]
    assert read(["{}"] * 5, tags)["tags[0]:str"].to_list() == ["a", None, None, None, None]


@pytest.mark.parametrize("height", [0, 1, 3])
def test_every_column_of_the_plan_is_there_in_its_order(height):
    rows = read(["{}"] * height)
    assert (rows.height, rows.columns) == (height, ["row", *PLAN.schema])


KEYS = st.sampled_from(["input", "details", "0", "in.put", "é", 'in"put'])
NUMBERS = st.integers(-1, 10**19) | st.sampled_from([0.5, 1e30, None, True, "7", {"out": 3}, {"input": 4}])
PAIRS = st.lists(st.tuples(KEYS, st.integers(0, 99) | NUMBERS), max_size=3)


def cell_of(pairs, space):
    """An object with some keys, which may be repeated."""
    members = (f"{json.dumps(key, ensure_ascii=False)}:{space}{json.dumps(value)}" for key, value in pairs)
    return f"{{{f',{space}'.join(members)}}}"


@settings(deadline=None)
@given(
    st.lists(st.builds(cell_of, PAIRS, st.sampled_from(["", " ", "  "])) | st.none(), min_size=1, max_size=4)
)
@example(['{"input": 1, "input": 2}', '{"input": 01}', '{"input": 1,}', '{"in\nput": 1, "input": 2}', "{"])
def test_a_count_is_what_stands_at_its_path(cells):
    at_path = pl.Series(cells, dtype=pl.String).str.json_path_match("$['input']")
    rows = read(cells, cells)
    counts = rows["usage.input:count"]
    whole = at_path.str.contains(r"^(?:0|[1-9][0-9]*)$")
    assert counts.filter(whole).to_list() == at_path.filter(whole).cast(pl.Int64, strict=False).to_list()
    assert counts.filter(at_path.is_null()).is_null().all()
    assert rows["tags[0]:str"].is_null().all()
