"""`--share` on commands that look after stores, baselines and prices: no name, path or id in an answer."""

import json
from pathlib import Path

import pytest

from llmtel.cli import commands

from .conftest import record, write

pytest.importorskip("deltalake")
USERS = [f"mortal{n}" for n in range(6)]
SECRET = ["mortal", "kept-by-ada", "of-ada", "conversation", "request-", "tmp", "home"]
NOTHING_OF_PEOPLE = {
    "list", "init ci", "init schema", "formats test", "cache clear", "pricing list",
    "pricing show", "pricing check", "pricing update", "pricing add", "store export", "store compact",
    "store forget", "store rollup", "store expire", "store rekey", "store users", "store rotate-key",
    "baseline save", "baseline update",
}  # fmt: skip
"""Commands that answer nothing about logs, or only tell the one who does something that it is done."""


@pytest.fixture
def told(llmtel, tmp_path, monkeypatch):
    """A store of six people's calls and two bad lines, with its log and a baseline.

    Run a command: the secrets in what it says, and all of it.
    """
    monkeypatch.chdir(tmp_path)
    Path("llmtel.yaml").write_text("privacy: {users: plain}\n")
    Path("of-ada").mkdir()
    ids = [{"user": user, "session_id": "conversation", "request_id": f"request-{user}"} for user in USERS]
    messages = {"messages": [{"role": "user", "content": "hello there"}]}
    write("of-ada/a.jsonl", [record(n, **one, **messages) for n, one in enumerate(ids)])
    with Path("of-ada/a.jsonl").open("a") as file:
        file.write("{bad mortal\n[]\n")

    def call(*arguments):
        code, out, err = llmtel(*arguments)
        assert code == 0, err
        return [word for word in SECRET if word in (out + err).lower()], out

    call("ingest", "of-ada", "--store", "kept-by-ada")
    call("baseline", "save", "of-ada", "-o", "of-ada/b.json")
    return call


ASKED = [
    ("store", "info", "kept-by-ada"),
    ("store", "rejects", "kept-by-ada"),
    ("store", "verify", "kept-by-ada"),
    ("privacy", "check", "--store", "kept-by-ada"),
    ("baseline", "show", "of-ada/b.json", "--share-k", 1),
    ("baseline", "diff", "of-ada", "--baseline", "of-ada/b.json", "--share-k", 1),
    ("calibrate", "of-ada"),
    ("inspect", "of-ada/a.jsonl"),
    ("cache", "info"),
    ("inspect", "--store", "kept-by-ada"),
    ("pricing", "explain", "of-ada/a.jsonl:3", "--share-k", 1),
    ("pricing", "explain", "request-mortal3", "--store", "kept-by-ada", "--share-k", 1),
]


def test_no_shared_answer_says_who_or_where(told):
    found = {
        (asked, form): told(*asked, "--share", "--format", form)[0]
        for asked in ASKED
        for form in ("table", "json")
    }
    assert {asked: words for asked, words in found.items() if words} == {}
    told("ingest", "of-ada", "--store", "other")
    assert told("ingest", "of-ada", "--store", "other", "--share")[0] == []
    assert told("ingest", "of-ada", "--store", "third", "--share", "--rejects")[0] == []
    assert told("ingest", "--retry-rejects", "--store", "third", "--share")[0] == []
    assert told("redact", "of-ada", "-o", "copies", "--share")[0] == []
    assert told("ingest", "of-ada", "-o", "a.parquet", "--share")[0] == []


def test_numbers_of_all_the_calls_are_shared_where_many_people_are_behind_them(told, llmtel):
    info = json.loads(told("store", "info", "kept-by-ada", "--share", "--format", "json")[1])
    assert (info["calls"], info["rejects"], info["first"]) == (6, 2, "2026-09-01")
    assert info["tables"][0]["rows"][0]["calls"] == 6
    assert "2 rejected records" in told("store", "rejects", "kept-by-ada", "--share")[1]
    few = llmtel("store", "info", "kept-by-ada", "--share", "--share-k", 7)
    assert (few[0], few[1]) == (2, "")


def test_numbers_of_which_nobody_knows_of_how_many_they_are_need_a_word(told, llmtel):
    told("calibrate", "of-ada")
    for asked in (("baseline", "show", "of-ada/b.json"), ("pricing", "explain", "of-ada/a.jsonl:3")):
        code, out, err = llmtel(*asked, "--share")
        assert (code, out) == (2, "")
        assert "--share-k 1" in err


def test_every_command_that_answers_can_be_shared():
    every = {(): commands.EXAMPLES} | {(name,): of for name, _, of in commands.GROUPS}
    without = {
        " ".join((*group, commands.word(command)))
        for group, of in every.items()
        for command in of
        if "share" not in commands.function(command).__annotations__
    }
    assert without == NOTHING_OF_PEOPLE


def test_a_store_whose_key_is_away_is_shared_without_where_it_and_its_key_are(told, llmtel):
    Path("of-ada.key").write_text("ab" * 32)
    Path("of-ada.key").chmod(0o600)
    Path("llmtel.yaml").write_text("store: {encryption: {key_file: of-ada.key}}\n")
    llmtel("ingest", "of-ada", "--store", "secret-kept-by-ada", "--encrypt")
    Path("of-ada.key").rename("gone.key")
    words, out = told("privacy", "check", "secret-kept-by-ada", "--share")
    assert words == []
    assert "nothing is wrong, as far as it can be told without the key" in out
