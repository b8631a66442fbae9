"""A disk that is full, and folders that may not be written: a sentence, and nothing of a commit."""

import errno
import resource

import pytest

from llmtel.cli.app import run
from llmtel.store.local import Local
from llmtel.store.verify import orphans

from .conftest import line


@pytest.fixture
def llmtel(capsysbinary):
    def call(*arguments):
        code = run([str(one) for one in arguments])
        return code, capsysbinary.readouterr().err.decode()

    return call


@pytest.fixture
def limited():
    """Set the largest file that may be written, as a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    ("days", "size"), [(2, 20_000), (80, 25_000)], ids=["of the data files", "of the log's entry"]
)
def test_on_a_full_disk_nothing_is_taken_and_everything_once_there_is_space(
    llmtel, store, tmp_path, limited, days, size
):
    log = tmp_path / "a.jsonl"
    one = store.folder.parent / "one.jsonl"
    one.write_text(line(1))
    store.ingest(one)
    n = 4000 if days == 2 else 80
    log.write_text(
        "".join(
            line(i + 2, timestamp=f"2026-{1 + i % days // 27:02}-{1 + i % days % 27:02}T10:00:00Z")
            for i in range(n)
        )
    )
    limited(size)
    code, err = llmtel("ingest", log, "--store", store.folder)
    assert code == 1
    assert err.startswith("llmtel: no space left to write to the store")
    assert len(err.splitlines()) == 1
    limited(resource.getrlimit(resource.RLIMIT_FSIZE)[1])
    assert store.calls.height == 1
    assert orphans(store.folder) == []
    assert llmtel("ingest", log, "--store", store.folder)[0] == 0
    assert store.calls.height == n + 1


def test_a_store_that_may_not_be_written_is_said_with_what_is_missing(llmtel, store, tmp_path, monkeypatch):
    log = tmp_path / "a.jsonl"
    log.write_text(line(0))
    store.ingest(log)

    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Local, "write", refuse)
    log.write_text(line(0) + line(1))
    code, err = llmtel("ingest", log, "--store", store.folder)
    assert code == 2
    assert f"--store {store.folder}: cannot write to it: permission denied" in err
