"""What no format maps is read by none: a marker in every other place of every sample comes out nowhere."""

import csv
import io
import json
import re

import polars as pl
import pytest

from llmtel import pipeline
from llmtel.cli.app import run
from llmtel.core.errors import UnreadableInput
from llmtel.core.schema import FIELDS
from llmtel.privacy.names import TEXTS, plain
from llmtel.sources import raw
from llmtel.sources.formats import sources

SAID, NAMED = "xyzzyplugh", "frobozzmagic"
"""Put into texts and under unknown keys; and into what else no path of the mapping ends in."""
TIME = re.compile(r"\d{4}-\d\d-\d\d")
SOURCES = list(sources().values())
LOST = {"gemini_cli_stats", "inspect_ai", "mlflow"}
"""Formats whose records are known by shapes that the markers break: none of them is read at all."""

NAMES = {"promptfoo": {"case"}}
"""Fields that are mapped from what elsewhere is a text: the description of a test case is its name."""


def read_by(source):
    """The last keys of all paths that a format reads or is known by."""
    paths = {key for column in source.columns() for key, _ in column.leaves}
    known = {
        f"{raw.steps_of(path)[-1]}" for mark in source.marks for path in (*mark.all, *mark.any, *mark.values)
    }
    return paths | known | set(source.tells) | {f"{raw.steps_of(path)[-1]}" for path in paths}


def marked(value, key, read):
    """A value with a marker in every text under a key that is not read, but for times."""
    if isinstance(value, dict):
        return {k: marked(v, k, read) for k, v in value.items()} | {"unheard_of": SAID}
    if isinstance(value, list):
        return [marked(one, key, read) for one in value]
    if not isinstance(value, str):
        return value
    try:
        inner = json.loads(value)
    except ValueError:
        inner = None
    if isinstance(inner, dict | list):
        return json.dumps(marked(inner, key, read))
    if key in read or TIME.match(value):
        return value
    return f"{value} {SAID}" if plain(key) in TEXTS else f"{value}{NAMED}"


def records_of(source):
    if source.layout == "csv":
        return list(csv.DictReader(io.StringIO(source.sample), strict=True))
    return [json.loads(line) for line in source.sample.strip().split("\n")]


def log_of(source):
    read = read_by(source)
    rows = [marked(row, "", read) for row in records_of(source)]
    if source.layout == "csv":
        out = io.StringIO()
        writer = csv.DictWriter(out, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue()
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.mark.parametrize("source", SOURCES, ids=[source.name for source in SOURCES])
def test_a_marker_in_what_is_not_mapped_comes_out_nowhere(source, tmp_path):
    path = tmp_path / "log"
    bound = source.bind(records_of(source), source) if source.bind else source
    path.write_text(log_of(bound))
    assert SAID in path.read_text()
    try:
        reading = pipeline.read([str(path)], input_format=source.name)
    except UnreadableInput as refusal:
        assert not {SAID, NAMED} & set(str(refusal).split())  # noqa: PT017 (either way is right)
        assert source.name in LOST
        return
    rows = reading.calls.with_columns(pl.col(pl.Categorical).cast(pl.String)).to_dicts()
    leaks = {mark: {name for row in rows for name in row if mark in str(row[name])} for mark in (SAID, NAMED)}
    assert leaks[SAID] == NAMES.get(source.name, set())
    assert leaks[NAMED] <= {
        name for name in bound.calls if name in FIELDS and FIELDS[name].dtype == pl.String
    }
    told = str((reading.notes, reading.rejects, reading.account))
    assert SAID not in told
    assert NAMED not in told
    assert rows or source.name in LOST


def test_no_file_of_a_store_and_no_answer_from_it_has_a_marker_of_a_text(tmp_path, capsysbinary):
    pytest.importorskip("deltalake")
    logs, store = tmp_path / "logs", tmp_path / "store"
    logs.mkdir()
    taken = [one for one in SOURCES if one.name not in {*LOST, *NAMES}]
    for source in taken:
        bound = source.bind(records_of(source), source) if source.bind else source
        if "grain" not in bound.calls:  # a store keeps no sums of providers
            (logs / source.name).write_text(log_of(bound))
    assert run(["ingest", str(logs), "--store", str(store), "--rejects"]) == 0
    files = [path for path in store.rglob("*") if path.is_file()]
    parquets = [path for path in files if path.suffix == ".parquet"]
    held = [path.read_bytes() for path in files]
    held += [str(pl.read_parquet(path).to_dicts()).encode() for path in parquets]
    assert len(parquets) > 1
    assert [data for data in held if SAID.encode() in data] == []
    for command in ("analyze", "calls", "store info", "store rejects", "privacy check"):
        assert run([*command.split(), str(store), "--format", "json"]) == 0
    told = capsysbinary.readouterr()
    assert SAID.encode() not in told.out + told.err
