"""JSON, JSON lines, CSV and Parquet: raw numbers, unknown is null, and nothing that runs."""

from __future__ import annotations

import csv
import io
import json
import math
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from llmtel.core.answers import Column, Document, Table
from llmtel.core.errors import UsageError
from llmtel.core.units import USD
from llmtel.render import FORMATS, render

Maker = Callable[..., Document]


def shown(document: Document, fmt: str) -> str:
    text = render(document, fmt, width=80, color=True)
    assert isinstance(text, str)
    return text


def records(document: Document) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(shown(document, "csv"))))


def test_json_has_the_keys_of_the_schema_and_the_total_first(overview: Document) -> None:
    answer = json.loads(shown(overview, "json"))
    assert list(answer) == ["schema", "tool", "tz", "range", "tables", "findings"]
    assert answer["schema"] == "llmtel.analyze/1"
    assert [table["by"] for table in answer["tables"]] == [[], ["model"]]
    assert set(answer["tables"][0]) == {"by", "metrics", "columns", "rows"}
    assert answer["findings"][0]["evidence"] == {"feature": "report-writer"}


def test_json_numbers_are_not_rounded_and_the_unknown_is_null(overview: Document) -> None:
    total, models = json.loads(shown(overview, "json"))["tables"]
    assert total["rows"][0]["cost_per_call"] == 184.374 / 4948
    assert models["rows"][3]["cost"] is None
    assert models["rows"][4]["model"] is None


def test_only_the_pooled_row_is_marked_as_pooled(overview: Document) -> None:
    rows = json.loads(shown(overview, "json"))["tables"][1]["rows"]
    assert [row.get("pooled") for row in rows] == [None] * 5 + [True]
    assert rows[-1]["model"] is None
    assert rows[-1]["pooled_count"] == 7


def test_json_says_what_a_column_means() -> None:
    column = Column("p50", "p50", "Half are faster", "metric", USD, "lower", "exact", known=0.5)
    table = Table((), ("p50",), (column,), [{"p50": 1.0}], n=[{"p50": 12}])
    answer = json.loads(shown(Document("s", "", (), tables=(table,)), "json"))["tables"][0]
    assert answer["columns"]["p50"] == {
        "kind": "metric",
        "label": "p50",
        "help": "Half are faster",
        "unit": "US dollars",
        "better": "lower",
        "method": "exact",
        "known": 0.5,
    }
    assert answer["n"] == [{"p50": 12}]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_null(by_user: Maker, number: float) -> None:
    document = replace(by_user("a", value=number), meta={"seen": [number]})
    answer = json.loads(shown(document, "json"), parse_constant=pytest.fail)
    assert answer["seen"] == [None]
    assert answer["tables"][1]["rows"] == [{"user": "a", "cost": None}]
    assert records(document) == [{"user": "a", "cost": ""}]


def test_times_in_the_meta_are_iso_text() -> None:
    document = Document("s", "", (), meta={"at": datetime(2026, 11, 1, tzinfo=UTC), "n": {"a": 1}})
    answer = json.loads(shown(document, "json"))
    assert answer["at"] == "2026-11-01T00:00:00+00:00"
    assert answer["n"] == {"a": 1}


def test_a_value_that_json_does_not_have_is_a_fault() -> None:
    with pytest.raises(TypeError, match="object has no form in JSON"):
        shown(Document("s", "", (), meta={"x": object()}), "json")


names = st.none() | st.text(max_size=30)


@given(st.lists(st.tuples(names, st.none() | st.floats() | st.integers(0, 2**60)), max_size=6))
def test_json_gives_back_every_name_and_number(rows: list[tuple[str | None, Any]]) -> None:
    document = _document([{"user": name, "cost": value} for name, value in rows])
    text = shown(document, "json")
    assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in text.replace("\n", ""))
    seen = [(row["user"], row["cost"]) for row in json.loads(text)["tables"][0]["rows"]]
    assert seen == [(name, value if value is None or math.isfinite(value) else None) for name, value in rows]
    lines = [json.loads(line) for line in shown(document, "jsonl").split("\n")[:-1]]
    assert lines == [{"by": ["user"], "user": name, "cost": value} for name, value in seen]


def _document(rows: list[dict[str, Any]]) -> Document:
    columns = (
        Column("user", "user", "User", kind="dimension"),
        Column("cost", "cost", "Cost", kind="metric", unit=USD),
    )
    return Document("s", "", (), tables=(Table(("user",), ("cost",), columns, rows),))


def test_json_lines_carry_the_dimensions_of_their_table(overview: Document) -> None:
    lines = [json.loads(line) for line in shown(overview, "jsonl").splitlines()]
    assert [line["by"] for line in lines] == [[]] + [["model"]] * 6
    assert lines[1]["model"] == "claude-sonnet-4-5"


def test_csv_of_one_table_leaves_the_total_out(overview: Document) -> None:
    rows = records(overview)
    assert list(rows[0])[:3] == ["model", "cost", "share"]
    assert [row["model"] for row in rows[3:]] == ["acme-7b", "", ""]
    assert rows[3]["cost"] == ""
    assert [row["pooled"] for row in rows] == [""] * 5 + ["true"]


def test_csv_of_several_tables_says_whose_a_row_is(overview: Document, by_user: Maker) -> None:
    total, models = overview.tables
    rows = records(replace(overview, tables=(total, models, by_user("u-1").tables[1])))
    assert [row["by"] for row in rows] == ["", *["model"] * 6, "user"]
    assert (rows[-1]["user"], rows[-1]["model"], rows[-1]["calls"]) == ("u-1", "", "")


def test_csv_of_the_total_alone_is_its_row(overview: Document) -> None:
    (row,) = records(replace(overview, tables=overview.tables[:1]))
    assert float(row["cost_per_call"]) == 184.374 / 4948


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1d1", "\n=1"])
def test_no_cell_of_csv_is_a_formula(by_user: Maker, name: str) -> None:
    (row,) = records(by_user(name))
    assert row["user"].startswith("'")
    assert row["cost"] == "1.5"


def test_negative_numbers_stay_numbers(by_user: Maker) -> None:
    assert records(by_user("a", value=-1.5))[0]["cost"] == "-1.5"


@given(st.lists(names, max_size=5))
def test_csv_is_a_line_a_row_without_control_characters(users: list[str | None]) -> None:
    document = _document([{"user": user, "cost": 1} for user in users])
    lines = shown(document, "csv").split("\n")
    assert len(lines) == len(users) + 2
    assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for line in lines for c in line)


def test_parquet_keeps_types_nulls_and_meaning(overview: Document) -> None:
    data = render(overview, "parquet", width=80, color=False)
    assert isinstance(data, bytes)
    frame = pl.read_parquet(io.BytesIO(data))
    assert frame.schema["model"] == pl.String
    assert frame.schema["calls"] == pl.Int64
    assert frame.schema["cost"] == pl.Float64
    assert frame["cost"].to_list()[3] is None
    meaning = pl.read_parquet_metadata(io.BytesIO(data))
    assert json.loads(meaning["schema"]) == "llmtel.analyze/1"
    assert json.loads(meaning["columns"])["cost"]["unit"] == "US dollars"


def test_parquet_of_nothing_known_has_the_type_of_its_column(by_user: Maker) -> None:
    data = render(by_user(None, value=None), "parquet", width=80, color=False)
    assert isinstance(data, bytes)
    assert pl.read_parquet(io.BytesIO(data)).schema == {"user": pl.String, "cost": pl.Float64}


@pytest.mark.parametrize("fmt", FORMATS)
def test_every_format_takes_an_answer_without_tables(fmt: str) -> None:
    answer = render(Document("llmtel.analyze/1", "Nothing", ()), fmt, width=80, color=False)
    assert isinstance(answer, bytes if fmt == "parquet" else str)


def test_an_unknown_format_says_which_there_are(overview: Document) -> None:
    with pytest.raises(UsageError, match="'pdf'"):
        render(overview, "pdf", width=80, color=False)


def test_rendering_starts_without_polars_and_rich() -> None:
    look = "import sys, llmtel.render; sys.exit(bool({'polars', 'rich', 'pyarrow'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0  # noqa: S603
