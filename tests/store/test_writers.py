"""Commits are whole or not at all: under kill -9, and with several writers at once."""

import random
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import polars as pl
import pytest
from deltalake import DeltaTable

from llmtel.store.rewrite import compact, swept
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
from llmtel.store.rewrite import compact
folder, locked, work, *paths = sys.argv[1:]
while True:
    ingest(Path(folder), expand(paths), pipeline.gather, at_once=1, locked=locked == "locked")
    if work == "once":
        break
    compact(Path(folder))
"""


def writer(folder, *paths, locked="locked", work="once"):
    command = [sys.executable, "-c", WRITER, str(folder), locked, work, *map(str, paths)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)  # noqa: S603


def ids(store):
    return sorted(store.calls["call_id"].drop_nulls())


def test_a_killed_ingest_neither_loses_nor_repeats(store, tmp_path):
    chance = random.Random(1)  # noqa: S311 (moments, no secret)
    logs = [tmp_path / f"{i}.jsonl" for i in range(8)]
    n, kills, between = 0, 0, 0
    store.ingest(*[log for log in logs if log.exists()] or [_begun(logs[0])])
    while kills < 12 or between < 6:
        for log in logs:
            with log.open("a") as file:
                file.write("".join(line(n + i, ids=(n + i) % 3 > 0) for i in range(40)))
                n += 40
        version = opened(store.folder).version
        process = writer(store.folder, *logs, work="and compact")
        _wait_for_commit(store.folder, version, chance.random())
        process.kill()
        process.communicate()
        kills += 1
        between += opened(store.folder).version > version
        assert kills < 60
    store.ingest(*logs)
    assert store.calls.height == n
    assert ids(store) == sorted(f"r{i}" for i in range(n) if i % 3 > 0)
    assert faults(store.folder) == []
    swept(store.folder, 0)
    assert orphans(store.folder) == []


def _begun(log):
    log.touch()
    return log


def _wait_for_commit(folder, version, chance):
    """Wait until the writer has committed, or nearly: some kills come before, some after."""
    log = folder / "calls" / "_delta_log" / f"{version + 1:020}.json"
    until = time.monotonic() + (30 if chance > 0.3 else 3 * chance + 1)
    while time.monotonic() < until and not log.exists():
        time.sleep(0.005)
    time.sleep(chance / 10)


def test_processes_that_take_the_same_files_take_each_call_once(store, tmp_path):
    logs = []
    for i in range(4):
        logs.append(tmp_path / f"{i}.jsonl")
        logs[-1].write_text("".join(line(100 * i + j, ids=j % 2 == 0) for j in range(150)))
    store.ingest(_begun(tmp_path / "none.jsonl"))
    running = [writer(store.folder, *order, locked="alone") for order in (logs, logs[::-1], logs)]
    for process in running:
        error = process.communicate()[1]
        assert process.returncode == 0, error.decode()
    with_id = {f"r{100 * i + j}" for i in range(4) for j in range(0, 150, 2)}
    assert ids(store) == sorted(with_id)
    assert store.calls["call_id"].null_count() == 4 * 75
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
