"""Arguments become files: each once, in order, and what is left out is told."""

import gzip
import os

import pytest
import zstandard

from llmtel.core.errors import UsageError
from llmtel.sources.files import Undecodable, blocks, expand, open_stream


@pytest.fixture
def tree(tmp_path, monkeypatch):
    for name in ("b.jsonl", "a.jsonl", "sub/c.jsonl", ".hidden.jsonl", ".git/d.jsonl"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("{}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("tree")
def test_a_folder_gives_its_files_by_name_and_tells_what_is_hidden():
    inputs = expand(["."])
    assert inputs.files == ["./a.jsonl", "./b.jsonl", "./sub/c.jsonl"]
    assert sorted(inputs.skipped) == [("hidden", "./.git"), ("hidden", "./.hidden.jsonl")]
    assert inputs.sizes == dict.fromkeys(inputs.files, 3)
    assert not inputs.named


@pytest.mark.usefixtures("tree")
def test_files_come_in_the_order_given_and_are_named():
    inputs = expand(["b.jsonl", "a.jsonl", ".hidden.jsonl"])
    assert inputs.files == ["b.jsonl", "a.jsonl", ".hidden.jsonl"]
    assert inputs.named == set(inputs.files)


@pytest.mark.usefixtures("tree")
def test_a_glob_gives_what_it_matches_by_name():
    assert expand(["*.jsonl"]).files == ["a.jsonl", "b.jsonl"]
    assert expand(["**/*.jsonl"]).files == ["a.jsonl", "b.jsonl", "sub/c.jsonl"]


def test_a_file_whose_name_looks_like_a_glob_is_itself(tree):
    (tree / "x[1].jsonl").write_text("{}\n")
    assert expand(["x[1].jsonl"]).files == ["x[1].jsonl"]


def test_the_same_file_is_read_once_whatever_it_is_called(tree):
    (tree / "link.jsonl").symlink_to("a.jsonl")
    (tree / "hard.jsonl").hardlink_to(tree / "a.jsonl")
    inputs = expand(["a.jsonl", "./a.jsonl", "link.jsonl", "hard.jsonl"])
    assert inputs.files == ["a.jsonl"]
    assert inputs.skipped == [
        ("the same file again", path) for path in ("./a.jsonl", "link.jsonl", "hard.jsonl")
    ]


def test_a_store_among_logs_is_passed_by_as_only_its_log_knows_which_files_are_live(tree):
    (tree / "sub" / "kept" / "calls" / "_delta_log").mkdir(parents=True)
    (tree / "sub" / "kept" / "audit.jsonl").write_text("{}")
    inputs = expand(["sub"])
    assert inputs.files == ["sub/c.jsonl"]
    assert inputs.skipped == [("a store, which is asked alone", "sub/kept")]
    with pytest.raises(UsageError, match="sub/kept: it is a store"):
        expand(["sub/kept"])


def test_links_to_folders_are_not_followed_and_no_loop_is_endless(tree):
    (tree / "sub" / "up").symlink_to(tree)
    inputs = expand(["sub"])
    assert inputs.files == ["sub/c.jsonl"]
    assert inputs.skipped == [("a link to a folder", "sub/up")]


def test_a_pipe_in_a_folder_is_skipped_and_a_named_one_is_read(tree):
    os.mkfifo(tree / "sub" / "pipe")
    assert ("not a file", "sub/pipe") in expand(["sub"]).skipped
    assert expand(["sub/pipe"]).files == ["sub/pipe"]


@pytest.mark.parametrize(("path", "words"), [("nothing.jsonl", "no such file"), ("*.csv", "nothing matches")])
@pytest.mark.usefixtures("tree")
def test_a_path_that_is_not_there_is_an_error_that_names_it(path, words):
    with pytest.raises(UsageError, match=words) as error:
        expand([path])
    assert path in str(error.value)


@pytest.mark.usefixtures("tree")
def test_standard_input_is_named_once():
    inputs = expand(["-", "-"])
    assert inputs.files == ["-"]
    assert inputs.sizes == {"-": 0}


def whole(path):
    stream = open_stream(str(path))
    with stream.raw:
        return b"".join(blocks(stream, 1 << 16))


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, zstandard.compress], ids=["plain", "gzip", "zstandard"]
)
def test_first_bytes_not_names_tell_how_a_file_is_packed(tmp_path, pack):
    path = tmp_path / "log.txt"
    path.write_bytes(pack(b'{"a":1}\n' * 1000))
    assert whole(path) == b'{"a":1}\n' * 1000


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstandard"])
def test_packed_parts_one_after_the_other_are_one_file(tmp_path, pack):
    path = tmp_path / "log.gz"
    path.write_bytes(pack(b"1\n") + pack(b"2\n"))
    assert whole(path) == b"1\n2\n"


def test_damaged_compression_is_an_error_in_words(tmp_path):
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(os.urandom(1000))[:500])
    with pytest.raises(Undecodable, match="cut off"):
        whole(path)


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("llmtel.sources.files._FREE_EXPANSION", 1 << 16)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(1 << 20), 9) + gzip.compress(bytes(64 << 20), 9))
    with pytest.raises(Undecodable, match="expands beyond"):
        whole(path)


def test_blocks_end_with_lines_and_lose_nothing(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"".join(b"%d\n" % i * (i % 50) for i in range(9000)) + b"the end")
    stream = open_stream(str(path))
    with stream.raw:
        found = list(blocks(stream, 1 << 17))
    assert len(found) > 2
    assert all(block.endswith(b"\n") for block in found[:-1])
    assert b"".join(found) == path.read_bytes()


def test_a_file_without_permission_says_so(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text("{}")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(Undecodable, match="permission denied"):
        open_stream(str(path))
