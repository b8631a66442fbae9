"""Nested exports are opened piece by piece; every record knows the line it came from."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from llmtel import pipeline
from llmtel.sources import nesting, openings
from llmtel.sources.formats import sources
from llmtel.sources.nested import inside


def inner(record):
    return record["records"]


def test_nested_records_know_the_line_they_came_from():
    block = b'{"records":[{"a":1},{"a":2}]}\n{"records":[]}\nnot json\n{"none":1}\n'
    lines, numbers = nesting.lines_of_nested(block, replace(sources()["otlp"], records=inner))
    assert lines == b'{"a":1}\n{"a":2}\n{}\nnot json\n{"none":1}\n'
    assert numbers == [0, 0, 1, 2, 3]


@pytest.mark.parametrize("name", ["inspect_ai", "otlp"])
def test_lines_and_calls_are_the_same_however_a_file_is_cut(name, tmp_path, monkeypatch):
    good = sources()[name].sample.strip("\n") + "\n"
    log = tmp_path / "log"
    log.write_text(f'{good * 3}{{"broken\n{good}{{"cut')
    accounts = []
    for batch, piece in ((1, 1), (2000, 500), (1 << 24, 1 << 24)):
        monkeypatch.setattr(openings, "SIZE", batch)
        monkeypatch.setattr(nesting, "_PIECE", piece)
        reading = pipeline.read([str(log)], input_format=name)
        assert [one.line for one in reading.rejects] == [3 * good.count("\n") + 1]
        assert (reading.account.unfinished, reading.account.balance()) == (1, 0)
        accounts.append(reading.account)
    assert accounts[0] == accounts[1] == accounts[2]


@pytest.mark.parametrize("ending", ["", "\n"])
def test_a_document_in_one_line_may_be_larger_than_what_is_read_at_once(tmp_path, monkeypatch, ending):
    monkeypatch.setattr(openings, "SIZE", 50)
    line = {"timestamp": "2026-09-01T10:00:00Z", "model": "gpt-5", "prompt_tokens": 7}
    path = tmp_path / "page.json"
    path.write_text(json.dumps({"data": [line] * 9}) + ending)
    assert pipeline.read([str(path)]).account.calls == 9


VALUES = st.none() | st.integers(-1, 9) | st.sampled_from(["", "x"])
OBJECTS = st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES | st.dictionaries(st.just("b"), VALUES))
TEXTS = st.none() | OBJECTS.map(json.dumps) | st.text('"{}[]:,ab\\u0061 1', max_size=24)


@settings(deadline=None)
@given(st.sampled_from(["a.b", "a"]), TEXTS)
def test_what_is_inside_a_text_is_what_stands_at_the_path(path, text):
    frame = pl.DataFrame({"text": [text]}, schema={"text": pl.String})
    wanted = frame["text"].str.json_path_match(f"$.{path}")
    assert frame.select(inside(pl.col("text"), path)).to_series().to_list() == wanted.to_list()


def test_a_key_with_escapes_is_found_inside_a_text():
    texts = pl.Series(['{"\\u0061": {"b": 3}}', '{"a": {"\\u0062": 4}}', '{"a": {"b": "x"}}', "{"])
    assert pl.select(inside(pl.lit(texts), "a.b")).to_series().to_list() == ["3", "4", "x", None]
