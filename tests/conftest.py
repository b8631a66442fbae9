"""For every test: no network, and nothing of the machine's home, configuration, time zone or terminal."""

from __future__ import annotations

import socket
import time

import pytest
from hypothesis import settings

# How fast a machine is says nothing about the code: speed is what benchmarks measure.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")

CLEARED = (
    "CLAUDE_CONFIG_DIR", "CODEX_HOME", "LLMTEL_PRICING", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR",
    "CLICOLOR_FORCE", "PY_COLORS", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "GITHUB_ACTIONS",
)  # fmt: skip


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """A test that opens a connection fails: llmtel promises that logs stay where they are."""

    def refuse(*_args, **_kwargs):
        raise AssertionError("a test tried to reach the network")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    for name in ("create_connection", "getaddrinfo", "gethostbyname"):
        monkeypatch.setattr(socket, name, refuse)
    # tiktoken would fetch its ranks with other sockets than these, or find them in a cache of this machine.
    monkeypatch.setattr("tiktoken.load.read_file", refuse)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "/nonexistent")


@pytest.fixture(autouse=True)
def own_home(monkeypatch, tmp_path_factory):
    """A home of its own, UTC, and no word of the terminal that runs the tests."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(home / name.lower()))
    for name in CLEARED:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
