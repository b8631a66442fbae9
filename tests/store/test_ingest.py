"""Only what is new of a log is taken, and each call once, whatever happens to the files."""

import gzip
import json
import os
import shutil

import pytest

from llmtel import pipeline
from llmtel.core.errors import UsageError
from llmtel.sources.formats import sources

from .conftest import line


def test_a_second_ingest_adds_nothing(store, tmp_path):
    log = tmp_path / "a.jsonl"
    log.write_text("".join(line(i, ids=i % 2 == 0) for i in range(20)))
    assert store.ingest(log).calls == 20
    again = store.ingest(log)
    assert (again.calls, again.known, again.commits) == (0, 1, 0)
    assert store.calls.height == 20


def test_of_a_file_that_grew_only_the_new_lines_are_read(store, tmp_path):
    log = tmp_path / "a.jsonl"
    log.write_text(line(0, ids=False) + line(1, ids=False))
    store.ingest(log)
    with log.open("a") as file:
        file.write(line(2, ids=False))
    assert store.ingest(log).calls == 1
    assert store.lines() == [("a.jsonl", 1), ("a.jsonl", 2), ("a.jsonl", 3)]


def test_a_line_that_is_finished_later_is_taken_once_wherever_it_was_cut(store, tmp_path):
    first, second, third = (line(i, ids=False) for i in range(3))
    for cut in range(0, len(second) + 1, 7):
        log = tmp_path / f"{cut}.jsonl"
        log.write_text(first + second[:cut])
        store.ingest(log)
        with log.open("a") as file:
            file.write(second[cut:] + third)
        store.ingest(log)
        assert [at for name, at in store.lines() if name == log.name] == [1, 2, 3]


def test_a_complete_last_line_without_its_end_is_taken_at_once(store, tmp_path):
    log = tmp_path / "a.jsonl"
    log.write_text(line(0) + line(1).rstrip("\n"))
    assert store.ingest(log).calls == 2
    with log.open("a") as file:
        file.write("\n" + line(2))
    assert store.ingest(log).calls == 1
    assert store.lines() == [("a.jsonl", 1), ("a.jsonl", 2), ("a.jsonl", 3)]


def test_a_log_that_is_rotated_goes_on(store, tmp_path):
    log, old = tmp_path / "app.log", tmp_path / "app.log.1"
    log.write_text(line(0, ids=False) + line(1, ids=False))
    store.ingest(log)
    with log.open("a") as file:
        file.write(line(2, ids=False))
    log.rename(old)
    log.write_text(line(3, ids=False))
    assert store.ingest(log, old).calls == 2
    assert store.calls.height == 4


@pytest.mark.parametrize("after", [[2], [2, 3, 4]], ids=["shorter", "longer"])
def test_a_log_that_was_copied_and_truncated_begins_anew(store, tmp_path, after):
    log = tmp_path / "app.log"
    log.write_text(line(0, ids=False) + line(1, ids=False))
    store.ingest(log)
    log.write_text("".join(line(i, ids=False) for i in after))
    assert store.ingest(log).calls == len(after)
    assert store.calls.height == 2 + len(after)
    assert store.ingest(log).calls == 0


def test_a_truncated_log_with_the_same_first_line_begins_anew(store, tmp_path):
    log = tmp_path / "app.log"
    log.write_text(line(0, ids=False) + line(1, ids=False))
    store.ingest(log)
    log.write_text(line(0, ids=False))
    store.ingest(log)
    log.write_text(line(0, ids=False) + line(2, ids=False, user="a longer name") + line(3, ids=False))
    store.ingest(log)
    store.ingest(log)
    assert sorted(store.calls["output_text"]) == [0, 0, 1, 2, 3]


def put(path, text):
    """A file in the place of another, as rsync and editors put it."""
    beside = path.with_name("beside")
    beside.write_text(text)
    beside.replace(path)


def test_a_copy_that_takes_the_place_of_a_log_goes_on(store, tmp_path):
    log = tmp_path / "app.log"
    lines = [line(i, ids=False) for i in range(200)]
    log.write_text("".join(lines[:100]))
    store.ingest(log)
    for end, new in ((150, 50), (150, 0), (200, 50)):
        put(log, "".join(lines[:end]))
        assert store.ingest(log).calls == new
    with log.open("a") as file:
        file.write(line(200, ids=False))
    assert store.ingest(log).calls == 1
    assert sorted(store.calls["output_text"]) == list(range(201))


def test_what_takes_the_place_of_a_log_and_is_no_copy_of_it_is_another_log(store, tmp_path):
    log = tmp_path / "app.csv"
    head = "timestamp,model,prompt_tokens,completion_tokens\n"
    log.write_text(head + "2026-09-01T10:00:00Z,m,1,1\n")
    store.ingest(log)
    put(log, head + "2026-09-02T10:00:00Z,m,1,2\n2026-09-02T10:00:01Z,m,1,3\n")
    assert store.ingest(log).calls == 2
    other = tmp_path / "other.log"
    other.write_text(line(0, ids=False) + line(1, ids=False))
    store.ingest(other)
    put(other, line(0, ids=False, user="another") + line(1, ids=False))
    assert store.ingest(other).calls == 2


def test_a_copy_of_a_transcript_that_grew_replaces_what_was_read_of_it(store, tmp_path):
    log = tmp_path / "rollout.jsonl"
    lines = sources()["codex"].sample.strip().splitlines()
    more = lines[-1].replace("10:00:06", "10:00:09").replace('"input_tokens":900', '"input_tokens":999')
    log.write_text("\n".join(lines) + "\n")
    assert store.ingest(log).calls == 1
    put(log, "\n".join([*lines, more]) + "\n")
    store.ingest(log)
    raw = pipeline.read([str(log)]).calls
    assert sorted(store.calls["input_uncached"]) == sorted(raw["input_uncached"])


def test_a_hard_link_is_the_same_file(store, tmp_path):
    log, link = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    log.write_text(line(0, ids=False))
    os.link(log, link)
    store.ingest(log)
    assert store.ingest(link).calls == 0
    assert store.ingest(tmp_path / "a.jsonl", tmp_path / "b.jsonl").calls == 0


def test_a_file_whose_inode_another_one_had_is_another_file(store, tmp_path):
    log, other = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    log.write_text(line(0, ids=False))
    store.ingest(log)
    log.rename(other)  # the same inode, whatever the file system does with free ones
    other.write_text(line(1, ids=False) + line(2, ids=False))
    assert store.ingest(other).calls == 2
    assert store.calls.height == 3


def test_two_files_with_the_same_beginning_share_these_calls(store, tmp_path):
    shared = "".join(line(i) for i in range(50))
    for name, rest in (("x", range(50, 76)), ("y", range(76, 102))):
        (tmp_path / f"{name}.jsonl").write_text(shared + "".join(line(i) for i in rest))
    assert store.ingest(tmp_path / "x.jsonl", tmp_path / "y.jsonl").calls == 102
    assert store.calls["call_id"].n_unique() == store.calls.height == 102


def test_two_files_with_the_same_lines_without_ids_are_both_kept(store, tmp_path):
    log, copy = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    log.write_text(line(0, ids=False) * 2)
    shutil.copy(log, copy)
    store.ingest(log)
    store.ingest(copy)
    assert store.calls.height == 4


def test_a_document_that_grew_replaces_what_was_read_of_it(store, tmp_path):
    log = tmp_path / "a.json"
    calls = [json.loads(line(i, ids=False)) for i in range(4)]
    log.write_text(json.dumps(calls[:2], indent=1))
    assert store.ingest(log).calls == 2
    log.write_text(json.dumps(calls, indent=1))
    assert store.ingest(log).calls == 2
    log.write_text(json.dumps(calls[:3], indent=1))
    assert store.ingest(log).calls == -1
    assert sorted(store.calls["output_text"]) == [0, 1, 2]


def test_a_compressed_log_that_changed_replaces_what_was_read_of_it(store, tmp_path):
    log = tmp_path / "a.jsonl.gz"
    log.write_bytes(gzip.compress(line(0, ids=False).encode(), mtime=0))
    store.ingest(log)
    with log.open("ab") as file:
        file.write(gzip.compress(line(1, ids=False).encode(), mtime=0))
    assert store.ingest(log).calls == 1
    assert store.calls.height == 2


def claude(message, output, *, at="10:00:00", stop=None):
    """A line of a Claude Code transcript: one of the copies of a message that is being written."""
    return (
        json.dumps({
            "type": "assistant", "sessionId": "s1", "timestamp": f"2026-09-01T{at}.000Z",
            "uuid": f"{message}{at}", "requestId": f"req_{message}", "version": "2.0.0",
            "cwd": "/home/me/app",
            "message": {
                "id": f"msg_{message}", "model": "claude-sonnet-4-5", "role": "assistant",
                "stop_reason": stop,
                "usage": {"input_tokens": 10, "output_tokens": output},
            },
        })
        + "\n"
    )  # fmt: skip


def test_a_message_that_was_streaming_ends_with_its_final_counts(store, tmp_path):
    log = tmp_path / "t.jsonl"
    log.write_text(claude("a", 5) + claude("b", 1))
    store.ingest(log)
    with log.open("a") as file:
        file.write(claude("b", 70, at="10:00:09", stop="end_turn") + claude("c", 3))
    assert store.ingest(log).calls == 1
    found = store.calls.sort("response_id")
    assert found["output_text"].to_list() == [5, 70, 3]
    assert str(found["ts"][1])[11:19] == "10:00:00"


def test_the_copy_that_wins_does_not_depend_on_which_file_came_first(store, tmp_path):
    one, other = tmp_path / "one.jsonl", tmp_path / "other.jsonl"
    one.write_text(claude("a", 5, at="10:00:00"))
    other.write_text(claude("a", 70, at="10:00:05"))
    for order in ((one, other), (other, one)):
        shutil.rmtree(store.folder, ignore_errors=True)
        for path in order:
            store.ingest(path)
        assert store.calls.select("output_text", "line").rows() == [(70, 1)]
        assert str(store.calls["ts"][0])[11:19] == "10:00:00"


def test_what_another_file_knew_of_a_call_stays_when_its_file_is_read_again(store, tmp_path):
    one, other = tmp_path / "one.jsonl", tmp_path / "other.jsonl"
    one.write_text(claude("a", 5, at="10:00:00"))
    other.write_text(claude("a", 70, at="10:00:05"))
    store.ingest(one, other)
    with other.open("a") as file:
        file.write(claude("b", 1))
    store.ingest(other)
    assert str(store.calls.sort("response_id")["ts"][0])[11:19] == "10:00:00"


def test_a_call_sent_again_around_midnight_is_one_call(store, tmp_path):
    one, other = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    one.write_text(line(1, timestamp="2026-09-01T23:59:59Z"))
    other.write_text(line(1, timestamp="2026-09-02T00:00:01Z"))
    store.ingest(one)
    store.ingest(other)
    assert store.calls.height == 1


def test_equal_copies_rewrite_nothing(store, tmp_path):
    log = tmp_path / "t.jsonl"
    log.write_text(claude("a", 5) + claude("b", 70))
    store.ingest(log)
    files = set(store.folder.rglob("*.parquet"))
    with log.open("a") as file:
        file.write(claude("c", 3).replace("2026-09-01", "2026-09-08"))
    store.ingest(log)
    assert files < set(store.folder.rglob("*.parquet"))


def test_a_call_without_a_time_is_kept_and_known_again(store, tmp_path):
    one, other = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    timeless = json.loads(line(1))
    timeless["timestamp"] = None
    one.write_text(line(2) + json.dumps(timeless) + "\n")
    other.write_text(line(3) + json.dumps(timeless) + "\n")
    store.ingest(one)
    store.ingest(other)
    assert store.calls.height == 3
    assert store.calls["ts"].null_count() == 1


def test_files_are_for_their_owner_alone(store, tmp_path):
    log = tmp_path / "a.jsonl"
    log.write_text(line(0) + "{bad}\n")
    store.ingest(log)
    modes = {path: path.stat().st_mode & 0o777 for path in [store.folder, *store.folder.rglob("*")]}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}


def test_a_folder_of_other_things_is_no_store(store, tmp_path):
    store.folder.mkdir()
    (store.folder / "thesis.txt").write_text("mine")
    log = tmp_path / "a.jsonl"
    log.write_text(line(0))
    with pytest.raises(UsageError, match="other things"):
        store.ingest(log)
