"""Every command that the pages on the store and on privacy print works as it is printed."""

import re
import shlex
from pathlib import Path

import pytest

from .conftest import record, write

pytest.importorskip("deltalake")
PAGES = [Path(__file__).parents[2] / "docs" / name for name in ("store.md", "privacy.md")]
PLACEHOLDERS = {"LOGS": "logs/", "DIR": "copy", "U": "ada", "HOW": "drop"}
NAMES = re.compile(r"llmtel( [a-z][a-z-]*)+")
"""A command that is named and not given."""


def lines(text):
    """The command lines of the blocks of a page, block by block."""
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        if found := [one for one in block.splitlines() if one.startswith("llmtel ") and "://" not in one]:
            yield found


def alone(text):
    """The commands in tables and sentences."""
    cells = re.findall(r"^\| `(llmtel [^`]+)`", text, re.MULTILINE)
    said = [one for one in re.findall(r"`(llmtel [^`]+)`", text) if not NAMES.fullmatch(one)]
    return [one for one in dict.fromkeys([*cells, *said]) if "--follow" not in one and "://" not in one]


CASES = [
    *(
        pytest.param(block, False, id=block[0])
        for page in PAGES
        for block in lines(page.read_text())
        if block
    ),
    *(pytest.param([one], True, id=one) for page in PAGES for one in alone(page.read_text())),
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with logs of two months, and the keys that the pages speak of."""
    monkeypatch.chdir(tmp_path)
    Path("logs").mkdir()
    users = ("ada", "bob", "cy", "dan", "eve", "fay")
    days = [record(n, day=day, user=users[n % 6], region="eu") for day in range(1, 29) for n in range(60)]
    write("logs/a.jsonl", days)
    for name in ("LLMTEL_STORE_KEY", "NEW"):
        monkeypatch.setenv(name, "00" * 32)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("commands", "filled"), CASES)
def test_what_a_page_prints_can_be_pasted(llmtel, commands, filled):
    if filled:
        assert llmtel("ingest", "logs", "--store", "calls")[0] == 0
    for command in commands:
        words = [PLACEHOLDERS.get(word, word) for word in shlex.split(command, comments=True)[1:]]
        code, _, err = llmtel(*words)
        assert code in {0, 3}, f"{command}: {err}"
