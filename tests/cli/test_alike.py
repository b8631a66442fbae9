"""A store, which has pseudonyms, beside logs, which have names: a person is one person on both sides."""

import json
from pathlib import Path

import pytest

from .conftest import record, write

pytest.importorskip("deltalake")
BY_USER = ("--by", "user", "--metrics", "calls")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch, llmtel):
    """Two logs of two users, of the first a store `s`."""
    monkeypatch.chdir(tmp_path)
    for day in (1, 2):
        write(f"{day}.jsonl", [record(n, day=day, user=("ada", "bob")[n % 2]) for n in range(40 * day)])
    assert llmtel("ingest", "1.jsonl", "--store", "s")[0] == 0


@pytest.fixture
def moved(llmtel):
    """Calls before and now, by user, as a command says it."""

    def ask(*arguments):
        _, out, err = llmtel(*arguments, "--format", "json")
        assert out, err
        found = json.loads(out)
        if arguments[0] == "check":
            return {row["segment"]["user"]: (row["base"], row["current"]) for row in found["results"]}
        rows = (row for table in found["tables"] for row in table["rows"] if "user" in row)
        return {row["user"]: (row["before"], row["now"]) for row in rows}

    return ask


def test_users_are_the_same_whichever_side_the_store_is(moved):
    told = moved("compare", "s", "2.jsonl", *BY_USER)
    assert set(told.values()) == {(20, 40)}
    assert all(name.startswith("u_") for name in told)
    assert moved("compare", "2.jsonl", "s", *BY_USER) == dict.fromkeys(told, (40, 20))
    assert moved("compare", "2.jsonl", "--store", "s", *BY_USER).keys() == told.keys()
    Path("llmtel.yaml").write_text("checks: [{metric: calls, by: user, max_increase: 500%}]\n")
    assert moved("check", "2.jsonl", "--compare-to", "s") == told
    assert moved("check", "--store", "s", "--compare-to", "2.jsonl").keys() == told.keys()


def test_who_is_asked_for_by_name_keeps_the_name(moved):
    assert moved("compare", "s", "2.jsonl", "--where", "user=ada", *BY_USER) == {"ada": (20, 40)}


def test_a_user_under_two_keys_of_the_store_is_one_beside_logs(llmtel, moved):
    assert llmtel("store", "rotate-key", "s")[0] == 0
    write("3.jsonl", [record(n, day=3, user="ada") for n in range(10)])
    assert llmtel("ingest", "3.jsonl", "--store", "s")[0] == 0
    assert sorted(moved("compare", "s", "2.jsonl", *BY_USER).values()) == [(20, 40), (30, 40)]


def test_without_the_key_users_are_refused_and_the_rest_is_compared(llmtel):
    for path in (Path.home() / "xdg_config_home" / "llmtel").glob("pseudonyms*"):
        path.unlink()
    code, out, err = llmtel("compare", "s", "2.jsonl", *BY_USER)
    assert (code, out) == (2, "")
    assert "--by user: s has pseudonyms and 2.jsonl names" in err
    assert "not at hand" in err
    assert llmtel("compare", "s", "2.jsonl")[0] == 0


def test_stores_under_keys_of_their_own_are_not_compared_by_user(llmtel, monkeypatch):
    Path("llmtel.yaml").write_text("privacy: {key_env: OTHER}\n")
    monkeypatch.setenv("OTHER", "11" * 32)
    assert llmtel("ingest", "2.jsonl", "--store", "t")[0] == 0
    code, _, err = llmtel("compare", "s", "t", *BY_USER)
    assert (code, "pseudonyms under keys of their own" in err) == (2, True)


def test_a_store_without_users_is_beside_logs_without_users(llmtel, moved):
    assert llmtel("store", "users", "s", "--keep", "drop")[0] == 0
    assert moved("compare", "s", "2.jsonl", *BY_USER) == {None: (40, 80)}


def test_what_is_shared_of_both_has_one_pseudonym_a_user_too(moved):
    told = moved("compare", "s", "2.jsonl", *BY_USER, "--share", "--share-k", "1")
    assert set(told.values()) == {(20, 40)}
