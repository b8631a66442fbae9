"""What every test can rely on: no network, no traces of this machine."""

from __future__ import annotations

import socket
import urllib.request
from pathlib import Path

import pytest
import tiktoken


def test_no_test_reaches_the_network():
    with pytest.raises(AssertionError, match="network"):
        urllib.request.urlopen("http://192.0.2.1/", timeout=1)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        pytest.raises(AssertionError, match="network"),
    ):
        udp.sendto(b"x", ("192.0.2.1", 9))


def test_a_tokenizer_that_would_be_downloaded_fails_the_test(monkeypatch):
    monkeypatch.setattr("tiktoken.registry.ENCODINGS", {})
    with pytest.raises(AssertionError, match="network"):
        tiktoken.get_encoding("o200k_base")


def test_home_is_an_empty_folder_of_this_test():
    assert list(Path.home().iterdir()) == []
