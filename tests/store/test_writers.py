"""Commits are whole or not at all: under kill -9, and with several writers at once."""

import subprocess
import sys
from pathlib import Path

import duckdb
import polars as pl
import pytest
from deltalake import DeltaTable
from kills import Trial

from llmtel.store.rewrite import compact
from llmtel.store.table import opened
from llmtel.store.verify import faults, orphans

from .conftest import line

ROOT = Path(__file__).parents[2]
WRITER = """
import sys
from pathlib import Path
from llmtel import pipeline
from llmtel.sources.files import expand
from llmtel.store.ingest import ingest
folder, *paths = sys.argv[1:]
ingest(Path(folder), expand(paths), pipeline.gather, at_once=1, locked=False)
"""


def writer(folder, *paths):
    command = [sys.executable, "-c", WRITER, str(folder), *map(str, paths)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)  # noqa: S603


def ids(store):
    return sorted(store.calls["call_id"].drop_nulls())


def test_a_killed_process_neither_loses_nor_repeats(tmp_path):
    outcome = Trial(tmp_path, seed=1).run(kills=12)
    assert outcome.good, outcome
    assert len(outcome.phases) > 1


def _begun(log):
    log.touch()
    return log


def test_six_processes_that_take_the_same_and_different_files_take_each_call_once(store, tmp_path):
    logs = []
    for i in range(8):
        logs.append(tmp_path / f"{i}.jsonl")
        logs[-1].write_text("".join(line(60 * i + j, ids=j % 2 == 0) for j in range(60)))
    store.ingest(_begun(tmp_path / "none.jsonl"))
    orders = (logs[:5], logs[4::-1], logs[3:], logs[:2:-1], logs[::2], logs[1::2])
    running = [writer(store.folder, *order) for order in orders]
    for process in running:
        error = process.communicate()[1]
        assert process.returncode == 0, error.decode()
    assert ids(store) == sorted(f"r{60 * i + j}" for i in range(8) for j in range(0, 60, 2))
    assert store.lines() == sorted((f"{i}.jsonl", j + 1) for i in range(8) for j in range(60))
    assert faults(store.folder) == []


def test_a_commit_after_somebody_elses_is_refused_and_leaves_no_file(store, tmp_path):
    log, other = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    log.write_text(line(0))
    other.write_text(line(1))
    store.ingest(log)
    interfered = []

    def meanwhile(found):
        if not interfered:
            interfered.append(True)
            store.ingest(other, locked=False)
        return found

    done = store.ingest(*[_grown(log)], locked=False, meanwhile=meanwhile)
    assert (done.refused, done.calls) == (1, 1)
    assert ids(store) == ["r0", "r1", "r2"]
    assert orphans(store.folder) == []


def test_a_snapshot_from_before_somebody_elses_commit_hides_nothing_of_it(store, tmp_path):
    log, other = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    log.write_text(line(0))
    other.write_text(line(0) + line(1))
    store.ingest(log)
    before = opened(store.folder)
    store.ingest(_grown(log))
    done = store.ingest(log, other, snapshot=before)
    assert (done.known, done.calls, done.refused) == (1, 1, 0)
    assert ids(store) == ["r0", "r1", "r2"]


def test_an_interrupt_when_the_commit_is_made_takes_no_file_of_it_away(store, tmp_path, monkeypatch):
    log = tmp_path / "a.jsonl"
    log.write_text(line(7))
    store.ingest(log)
    made = DeltaTable.create_write_transaction

    def interrupted(*arguments, **options):
        made(*arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(DeltaTable, "create_write_transaction", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.ingest(_grown(log))
    assert ids(store) == ["r2", "r7"]
    with pytest.raises(KeyboardInterrupt):
        compact(store.folder)
    assert ids(store) == ["r2", "r7"]
    assert faults(store.folder) == []


def _grown(log):
    with log.open("a") as file:
        file.write(line(2))
    return log


def test_other_tools_read_the_table_without_us(store, tmp_path):
    log = tmp_path / "a.jsonl"
    log.write_text("".join(line(i) for i in range(50)))
    store.ingest(log)
    with log.open("a") as file:
        file.write("".join(line(i) for i in range(30, 80)))
    store.ingest(log)
    mine = store.calls.select(pl.len(), pl.col("input_uncached").sum(), pl.col("latency_ms").sum()).row(0)
    table = pl.scan_delta(str(store.folder / "calls"))
    assert (
        table.select(pl.len(), pl.col("input_uncached").sum(), pl.col("latency_ms").sum()).collect().row(0)
        == mine
    )
    assert table.filter(pl.col("day") == pl.date(2026, 9, 2)).select(pl.len()).collect().item() == 16
    files = opened(store.folder).delta.file_uris()
    query = (
        "select count(*), sum(input_uncached), sum(latency_ms) "
        "from read_parquet(?, hive_partitioning=true, union_by_name=true)"
    )
    assert duckdb.execute(query, [files]).fetchone() == mine
