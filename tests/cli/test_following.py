"""`llmtel ingest --follow`: what is written to live logs gets into the store, until it is stopped."""

import json
import os
import signal
import threading
import time

import pytest

from llmtel.cli import following
from llmtel.store.read import stored
from llmtel.store.table import opened

from .conftest import record

pytest.importorskip("deltalake")


def line(n, **fields):
    return json.dumps(record(n, **fields)) + "\n"


@pytest.fixture
def follow(llmtel, tmp_path, monkeypatch):
    """Follow logs while somebody works on them in steps; exit code and output. The last step ends it."""
    monkeypatch.setattr(following, "EVERY_S", 0.02)
    monkeypatch.setattr(following, "_SLICE_S", 0.01)
    folder = tmp_path / "store"

    def calls():
        there = (folder / "calls" / "_delta_log" / f"{0:020}.json").exists()
        return opened(folder).files["rows"].sum() if there else -1

    def run(paths, steps, end=signal.SIGINT):
        troubles = []

        def work():
            for act, expected in steps:
                act()
                until = time.monotonic() + 20
                while calls() != expected and time.monotonic() < until:
                    time.sleep(0.02)
                if calls() != expected:
                    troubles.append((act, expected, calls()))
                    break
            os.kill(os.getpid(), end)

        worker = threading.Thread(target=work)
        worker.start()
        found = llmtel("ingest", *paths, "--store", folder, "--follow")
        worker.join()
        assert troubles == []
        return found

    run.calls = lambda: stored(folder).calls
    return run


def nothing():
    pass


def append(path, text):
    def act():
        with path.open("a") as file:
            file.write(text)

    return act


def test_lines_are_taken_when_they_are_complete_and_a_signal_ends_it_well(follow, tmp_path):
    log = tmp_path / "a.jsonl"
    log.write_text(line(0) + line(1)[:20])
    code, out, err = follow(
        [log],
        [(nothing, 1), (append(log, line(1)[20:] + line(2)[:9]), 2), (append(log, line(2)[9:]), 3)],
    )
    assert code == 0
    assert "following" in err
    assert "3 calls →" in out
    assert "1 file" in out
    assert follow.calls()["line"].sort().to_list() == [1, 2, 3]


def test_new_files_of_a_folder_are_followed(follow, tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    steps = [
        (append(logs / "a.jsonl", line(0)), 1),
        (append(logs / "b.jsonl", line(1)), 2),
        (append(logs / "c.txt", "no log\n"), 2),
        (append(logs / "a.jsonl", line(2)), 3),
    ]
    assert follow([logs], steps, signal.SIGTERM)[0] == 0


def test_what_is_written_to_a_log_around_its_rotation_is_taken(follow, tmp_path):
    log = tmp_path / "app.log"
    log.write_text(line(0))

    def rotate():
        append(log, line(1))()
        log.rename(tmp_path / "app.log.1")
        append(log, line(2))()

    steps = [
        (nothing, 1),
        (rotate, 3),
        (append(tmp_path / "app.log.1", line(3)), 4),
        ((tmp_path / "app.log.1").unlink, 4),
        (append(log, line(4)), 5),
    ]
    assert follow([log], steps)[0] == 0


def test_a_bad_line_does_not_end_it_and_many_small_files_are_compacted(follow, tmp_path, monkeypatch):
    monkeypatch.setattr(following, "_CROWDED", 2)
    log = tmp_path / "a.jsonl"
    log.write_text(line(0))
    code, out, _ = follow([log], [(nothing, 1), (append(log, "{bad\n"), 1), (append(log, line(1)), 2)])
    assert code == 0
    assert "a.jsonl:2" in out
    assert len([*(tmp_path / "store").rglob("_last_checkpoint")]) == 1


def test_a_file_that_was_passed_by_and_is_taken_later_is_not_told_as_passed_by(follow, tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    for name in ("found.jsonl", "notes.txt"):
        (logs / name).write_text("no log\n")
    named = tmp_path / "named.jsonl"
    named.write_text("no log\n")
    steps = [
        (append(logs / "a.jsonl", line(0)), 1),
        (lambda: (logs / "found.jsonl").write_text(line(1)), 2),
        (lambda: named.write_text(line(2)), 3),
    ]
    _, out, err = follow([logs, named], steps)
    assert "named.jsonl: no format" in err
    assert "named.jsonl" not in out
    assert "found.jsonl" not in out
    assert "notes.txt" in out


def test_what_cannot_be_followed_is_refused(llmtel, tmp_path):
    log = tmp_path / "a.jsonl"
    log.write_text(line(0))
    store = tmp_path / "store"
    assert llmtel("ingest", "-", "--store", store, "--follow")[0] == 2
    assert llmtel("ingest", log, "-o", "x.parquet", "--follow")[0] == 2
    assert llmtel("ingest", log, "--store", store, "--follow", "--strict")[0] == 2
    assert llmtel("ingest", tmp_path / "none", "--store", store, "--follow")[0] == 2
