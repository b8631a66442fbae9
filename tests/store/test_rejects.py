"""Rejected records: kept as places and reasons, and read again from their files when it is asked."""

import gzip
import json

import pytest

from llmtel import pipeline
from llmtel.cli.app import run
from llmtel.sources.maps import Rule, parse
from llmtel.sources.wishes import Wishes
from llmtel.store import rejected
from llmtel.store.retry import retry

from .conftest import line

HIDDEN = "sk-secret"
BAD = line(1, ids=False, timestamp=f"soon {HIDDEN}", at="2026-09-01T11:00:00Z")


@pytest.fixture
def log(tmp_path):
    """Two good lines, between them one whose time is not in the usual place."""
    path = tmp_path / "a.jsonl"
    path.write_text(line(0, ids=False) + BAD + line(2, ids=False))
    return path


def again(store, *near, mapped=False):
    """Retry, where it is asked with a mapping that makes the bad line good."""
    wishes = Wishes((Rule((parse("ts=at"),)),)) if mapped else Wishes()
    return retry(store.folder, lambda inputs: pipeline.gather(inputs, wishes=wishes), [str(p) for p in near])


def test_a_reject_is_the_place_of_its_line_and_never_its_bytes(store, log):
    store.ingest(log)
    (one,) = rejected.listed(store.folder)
    data = log.read_bytes()
    assert (one.line, data[one.offset : one.offset + one.length].decode()) == (2, BAD.rstrip("\n"))
    assert HIDDEN not in (store.folder / "rejects.jsonl").read_text()
    assert (store.folder / "rejects.jsonl").stat().st_mode & 0o777 == 0o600


def test_the_place_is_right_in_a_file_that_was_read_in_parts(store, log):
    store.ingest(log)
    with log.open("a") as file:
        file.write(line(3) + "{bad\n" + line(4) + "{worse")
    store.ingest(log)
    with log.open("a") as file:
        file.write("}\n")
    store.ingest(log)
    data = log.read_bytes()
    texts = [data[one.offset : one.offset + one.length] for one in rejected.listed(store.folder)]
    assert texts == [BAD.rstrip("\n").encode(), b"{bad", b"{worse}"]


def test_what_can_be_read_now_is_taken_and_leaves_the_list(store, log):
    store.ingest(log)
    with log.open("a") as file:
        file.write("{bad\n")
    store.ingest(log)
    done = again(store, mapped=True)
    assert (done.read, done.calls, [one.line for one in done.still], done.lost) == (1, 1, [4], ())
    assert store.lines() == [("a.jsonl", 1), ("a.jsonl", 2), ("a.jsonl", 3)]
    assert [one.line for one in rejected.kept(store.folder)] == [4]


def test_what_cannot_be_read_stays_in_the_list(store, log):
    store.ingest(log)
    done = again(store)
    assert (done.read, done.calls, len(done.still)) == (0, 0, 1)
    assert store.calls.height == 2
    assert len(rejected.kept(store.folder)) == 1


def test_a_retry_that_was_killed_after_its_commit_takes_nothing_twice(store, log, monkeypatch):
    store.ingest(log)
    with monkeypatch.context() as patch:
        patch.setattr(rejected, "put", lambda *_: None)
        again(store, mapped=True)
    assert again(store, mapped=True).calls == 0
    assert store.calls.height == 3
    assert rejected.kept(store.folder) == []


def test_a_rotated_log_is_found_beside_its_old_place_or_where_one_says(store, log, tmp_path):
    store.ingest(log)
    log.rename(tmp_path / "a.jsonl.1")
    log.write_text(line(7))
    assert again(store, mapped=False).still
    (tmp_path / "old").mkdir()
    (tmp_path / "a.jsonl.1").rename(tmp_path / "old" / "x")
    assert [one.reason for one in again(store).lost] == ["its file is another one now"]
    assert again(store, tmp_path / "old" / "x", mapped=True).calls == 1


def test_a_file_that_is_gone_or_has_changed_is_said(store, log):
    store.ingest(log)
    log.write_text(line(0, ids=False) + "x" + BAD)
    assert [one.reason for one in again(store, mapped=True).lost] == ["its file has changed"]
    log.unlink()
    assert [one.reason for one in again(store, mapped=True).lost] == ["its file is gone"]
    assert len(rejected.kept(store.folder)) == 1
    assert store.calls.height == 2


def test_a_file_that_is_no_file_of_lines_is_read_as_a_whole(store, tmp_path):
    log = tmp_path / "a.jsonl.gz"
    log.write_bytes(gzip.compress((line(0, ids=False) + BAD).encode()))
    store.ingest(log)
    assert again(store).still
    assert again(store, mapped=True).calls == 1
    assert store.lines() == [("a.jsonl.gz", 1), ("a.jsonl.gz", 2)]


def test_a_log_that_is_read_again_from_its_beginning_has_its_rejects_once(store, tmp_path):
    log = tmp_path / "a.json"
    calls = [json.loads(line(i, ids=False)) for i in range(3)]
    calls[1]["timestamp"] = "soon"
    for n in (2, 3):
        log.write_text(json.dumps(calls[:n]))
        store.ingest(log)
        assert len((store.folder / "rejects.jsonl").read_text().splitlines()) == 1
    calls[1]["timestamp"] = calls[0]["timestamp"]
    log.write_text(json.dumps(calls))
    store.ingest(log)
    assert rejected.kept(store.folder) == []


def test_a_damaged_file_is_taken_once(store, tmp_path):
    log = tmp_path / "a.jsonl.gz"
    whole = gzip.compress("".join(line(i, ids=False, x=f"{i * 7919:x}") for i in range(4000)).encode())
    log.write_bytes(whole[:-3000])
    some = store.ingest(log).calls
    assert 0 < some < 4000
    assert store.ingest(log).calls == 0
    log.write_bytes(whole)
    assert store.ingest(log).calls == 4000 - some


def test_the_command_says_what_became_of_the_rejects(store, log, capsysbinary):
    def llmtel(*arguments):
        code = run([str(one) for one in arguments])
        return code, capsysbinary.readouterr().out.decode()

    store.ingest(log)
    code, out = llmtel("ingest", "--retry-rejects", "--store", store.folder)
    assert code == 0
    assert "1 rejected still" in out
    code, out = llmtel("ingest", "--retry-rejects", "--store", store.folder, "--map", "ts=at")
    assert "of the rejected records 1 can be read now: 1 more call" in " ".join(out.split())
    assert llmtel("ingest", log, "--retry-rejects", "-o", "x.parquet")[0] == 2
    assert llmtel("ingest", "--store", store.folder)[0] == 2


def test_a_retry_where_there_is_no_store_is_a_mistake_and_makes_none(tmp_path, capsys):
    assert run(["ingest", "--retry-rejects", "--store", str(tmp_path / "s")]) == 2
    assert "there is no store" in capsys.readouterr().err
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("torn", [b'{"source": "x", "fi', b"\xff\xfe\x00", b'{"source": 1}', b"[]"])
def test_a_torn_line_in_the_list_costs_that_line_alone(store, log, torn):
    store.ingest(log)
    for name in ("rejects.jsonl", "audit.jsonl"):
        with (store.folder / name).open("ab") as file:
            file.write(torn)
    more = log.with_name("b.jsonl")
    more.write_text(BAD + line(9, ids=False))
    store.ingest(more)
    assert [one.line for one in rejected.listed(store.folder)] == [2, 1]
    assert again(store, mapped=True).read == 2
    assert run(["store", "forget", str(store.folder), "--user", "nobody"]) == 0
