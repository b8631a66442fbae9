"""A store that one may not read says so, and that nothing could be read."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from llmtel.cli.app import run

from .conftest import Store, line

NOBODY = 65534
COMMANDS = ("analyze", "analyze --store", "calls", "check", "store info", "store verify", "privacy check")


@pytest.fixture
def here(monkeypatch):
    """A folder that others may enter, with a store; a process of root is nobody once it has asked."""
    was = os.geteuid()
    with TemporaryDirectory() as folder:
        monkeypatch.chdir(folder)
        for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
            monkeypatch.setenv(name, folder)
        Path("a.jsonl").write_text(line(1))
        Store("store").ingest("a.jsonl")
        for path in (Path(folder), Path("store"), *Path("store").rglob("*")):
            path.chmod(0o755)
        yield
        os.seteuid(was)
        for part in ("", "calls", "calls/_delta_log"):
            Path("store", part).chmod(0o755)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("part", ["", "calls", "calls/_delta_log", "calls/day=2026-09-02"])
def test_a_store_that_one_may_not_read_is_unreadable_input(capsys, part):
    for command in COMMANDS:
        assert run([*command.split(), "store"]) in {0, 3}, command
    capsys.readouterr()
    Path("store", part).chmod(0)
    if os.geteuid() == 0:
        os.seteuid(NOBODY)
    for command in COMMANDS if "day" not in part else COMMANDS[:3]:
        assert run([*command.split(), "store"]) == 5, command
        out, err = capsys.readouterr()
        assert (out, "permission denied" in err.lower()) == ("", True), command
