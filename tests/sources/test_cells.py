"""Cells of a table that hold JSON are looked into, each by itself."""

import polars as pl
import pytest

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
    return raw_rows(table, list(range(1, len(usage) + 1)), PLAN)


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
