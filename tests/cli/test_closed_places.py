"""Folders that one may not look into, as a home under another user, have nothing of ours in them."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from .conftest import record, write

NOBODY = 65534


@pytest.fixture
def closed(monkeypatch, llmtel):
    """A home and a parent folder that are closed; a process of root is nobody once it has been asked."""
    was = os.geteuid()
    with TemporaryDirectory() as folder:
        here = Path(folder, "parent", "here")
        home = Path(folder, "home")
        here.mkdir(parents=True)
        home.mkdir()
        monkeypatch.chdir(here)
        monkeypatch.setenv("HOME", str(home))
        for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
            monkeypatch.setenv(name, str(home / name))
        write("a.jsonl", [record(n) for n in range(3)])
        assert llmtel("check", "a.jsonl")[0] == 0
        for path, mode in ((folder, 0o755), (here, 0o755), ("a.jsonl", 0o644), (home, 0), (here.parent, 0)):
            Path(path).chmod(mode)
        if was == 0:
            os.seteuid(NOBODY)
        yield
        os.seteuid(was)
        for path in (home, here.parent):
            path.chmod(0o700)


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize(
    "command", ["analyze a.jsonl", "analyze a.jsonl --cache", "check a.jsonl", "pricing show gpt-4o", ""]
)
def test_a_closed_home_or_parent_folder_is_passed_by(llmtel, command):
    code, out, err = llmtel(*command.split())
    assert (code, "denied" in err) == (0, False), err
    assert out
