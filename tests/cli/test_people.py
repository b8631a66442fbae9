"""`privacy: users` of a configuration, from the first ingest to forgetting."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from .conftest import record, write

pytest.importorskip("deltalake")
KEYS = ("00" * 32, "11" * 32)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder that is the current one, with a log of six calls of two users and a table of their teams."""
    monkeypatch.chdir(tmp_path)
    write("a.jsonl", [record(n, user=("ada", "bob")[n % 2]) for n in range(6)])
    Path("teams.csv").write_text("user,team\nada,red\nbob,blue\n")
    return tmp_path


@pytest.fixture
def asked(llmtel):
    """The rows of `llmtel analyze s` with more options, as JSON."""

    def ask(*options):
        code, out, err = llmtel("analyze", "s", *options, "--metrics", "calls", "--format", "json")
        assert code == 0, err
        return json.loads(out)["tables"][-1]["rows"]

    return ask


def config(text):
    Path("llmtel.yaml").write_text(text)


def key_file(name, key):
    Path(name).write_text(key)
    Path(name).chmod(0o600)


def refused(answer, *words):
    code, out, err = answer
    assert code == 2
    assert not out
    assert [word for word in words if word not in err] == []
    assert not any(key in err for key in KEYS)


def more(day, user="ada"):
    """One more call in the log."""
    with Path("a.jsonl").open("a") as file:
        file.write(json.dumps(record(1, day=day, user=user)) + "\n")


def test_users_are_pseudonyms_by_default_which_is_said_once(here, llmtel):
    code, out, _ = llmtel("ingest", "a.jsonl", "--store", "s")
    assert code == 0
    assert "kept as pseudonyms" in out
    key = Path.home() / "xdg_config_home" / "llmtel" / "pseudonyms.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert not any(b'"ada"' in path.read_bytes() for path in (here / "s").rglob("*") if path.is_file())
    more(2)
    assert "pseudonyms" not in llmtel("ingest", "a.jsonl", "--store", "s")[1]
    info = json.loads(llmtel("store", "info", "s", "--format", "json")[1])
    assert (info["users"], len(info["key_ids"]), info["keys_missing"]) == ("pseudonym", 1, [])
    assert info["key_ids"][0] in Path("s/audit.jsonl").read_text()


@pytest.mark.usefixtures("here")
def test_what_is_kept_of_people_is_said_when_the_first_calls_come(llmtel):
    Path("empty").mkdir()
    assert llmtel("ingest", "empty", "--store", "s")[0] == 5
    assert "kept as pseudonyms" in llmtel("ingest", "a.jsonl", "--store", "s")[1]


@pytest.mark.usefixtures("here")
def test_a_data_file_of_a_store_is_read_beside_a_log(llmtel):
    llmtel("ingest", "a.jsonl", "--store", "s")
    (file,) = Path("s/calls").rglob("*.parquet")
    code, out, _ = llmtel("analyze", "a.jsonl", file, "--by", "session", "--format", "json")
    assert (code, json.loads(out)["input"]["duplicates"]) == (0, 6)


@pytest.mark.usefixtures("here")
def test_filters_take_the_real_name_and_find_it_under_every_key(llmtel, asked):
    llmtel("ingest", "a.jsonl", "--store", "s")
    assert asked("--where", "user=ada") == [{"calls": 3}]
    assert asked("--where", "user!=ada") == [{"calls": 3}]
    assert llmtel("store", "rotate-key", "s")[0] == 0
    more(2)
    llmtel("ingest", "a.jsonl", "--store", "s")
    assert len(asked("--by", "user")) == 3
    assert asked("--where", "user=ada", "--by", "user") == [{"user": "ada", "calls": 4}]
    (bob,) = (row for row in asked("--where", "user!=ada", "--by", "user"))
    assert asked("--where", f"user={bob['user']}") == [{"calls": 3}]
    refused(llmtel("analyze", "s", "--where", "user=a*"), "whole name")
    assert llmtel("check", "s", "--fail-if", "calls{user=ada} > 3")[0] == 3


@pytest.mark.usefixtures("here")
def test_an_exemption_takes_the_real_name(llmtel):
    llmtel("ingest", "a.jsonl", "--store", "s")
    rule = "version: 1\nchecks:\n  - {id: many, metric: calls, by: user, max: 2, min_samples: 1}\n"
    lapse = "exempt:\n  - {check: many, match: {user: NAME}, until: 2099-01-01, reason: bulk}\n"
    verdicts = {}
    for name in ("ada", "a*"):
        Path("llmtel.yaml").write_text(rule + lapse.replace("NAME", name))
        found = json.loads(llmtel("check", "s", "--format", "json")[1])
        verdicts[name] = sorted(row["verdict"] for row in found["results"])
    assert verdicts == {"ada": ["exempt", "fail"], "a*": ["fail", "fail"]}


@pytest.mark.usefixtures("here")
def test_a_store_is_no_log_to_be_redacted(llmtel):
    llmtel("ingest", "a.jsonl", "--store", "s")
    refused(llmtel("redact", "s", "-o", "copy"), "it is a store", "--share")
    assert not Path("copy").exists()


@pytest.mark.usefixtures("here")
def test_tables_are_joined_by_the_real_names(llmtel, asked):
    llmtel("ingest", "a.jsonl", "--store", "s")
    rows = asked("--join", "teams.csv:user", "--by", "team")
    assert {row["tags.team"]: row["calls"] for row in rows} == {"red": 3, "blue": 3}


@pytest.mark.usefixtures("here")
def test_forgetting_takes_the_name_and_says_when_a_key_is_gone(llmtel):
    llmtel("ingest", "a.jsonl", "--store", "s")
    llmtel("store", "rotate-key", "s")
    more(2)
    llmtel("ingest", "a.jsonl", "--store", "s")
    llmtel("store", "export", "s", "-o", "all.csv")
    code, out, err = llmtel("store", "forget", "s", "--user", "ada")
    assert (code, "4 calls removed" in out, err) == (0, True, "")
    assert f"out of reach: exports of {datetime.now(UTC).date()}, reports" in " ".join(out.split())
    (old,) = (Path.home() / "xdg_config_home" / "llmtel").glob("pseudonyms-*.key")
    old.unlink()
    code, out, err = llmtel("store", "forget", "s", "--user", "bob")
    assert (code, "0 calls removed" in out, "not at hand" in err) == (0, True, True)
    assert "(not at hand)" in llmtel("store", "info", "s")[1]
    assert "not at hand" in " ".join(llmtel("analyze", "s", "--where", "user=bob")[1].split())


@pytest.mark.usefixtures("here")
def test_the_key_of_the_configuration_is_that_of_the_store(llmtel, asked, monkeypatch):
    config("privacy: {users: pseudonym, key_env: PEOPLE}")
    monkeypatch.setenv("PEOPLE", KEYS[0])
    assert llmtel("ingest", "a.jsonl", "--store", "s")[0] == 0
    assert not (Path.home() / "xdg_config_home").exists()
    monkeypatch.setenv("PEOPLE", KEYS[1])
    more(2)
    refused(llmtel("ingest", "a.jsonl", "--store", "s"), "not at hand", "rotate-key")
    refused(llmtel("analyze", "s", "--where", "user=ada"), "not at hand")
    assert llmtel("store", "rotate-key", "s")[0] == 0
    refused(llmtel("store", "rotate-key", "s"), "llmtel.yaml:1", "old_keys")
    assert llmtel("ingest", "a.jsonl", "--store", "s")[0] == 0
    key_file("old", KEYS[0])
    config("privacy:\n  key_env: PEOPLE\n  old_keys: {key_file: old}\n")
    assert asked("--where", "user=ada") == [{"calls": 4}]
    monkeypatch.delenv("PEOPLE")
    refused(llmtel("store", "forget", "s", "--user", "ada"), "llmtel.yaml:2", "PEOPLE")


@pytest.mark.usefixtures("here")
def test_a_store_keeps_users_as_it_began_until_it_is_told_otherwise(llmtel, asked):
    config("privacy: {users: plain}")
    assert "pseudonyms" not in llmtel("ingest", "a.jsonl", "--store", "s")[1]
    assert {row["user"] for row in asked("--by", "user")} == {"ada", "bob"}
    config("privacy: {users: pseudonym}")
    refused(llmtel("ingest", "a.jsonl", "--store", "s"), "by name", "llmtel store users s --keep pseudonym")
    refused(llmtel("store", "rotate-key", "s"), "--keep pseudonym")
    assert llmtel("store", "users", "s", "--keep", "pseudonym")[0] == 0
    assert asked("--where", "user=ada") == [{"calls": 3}]
    config("privacy: {users: plain}")
    refused(llmtel("ingest", "a.jsonl", "--store", "s"), "a new store")
    config("tz: UTC")
    assert llmtel("ingest", "a.jsonl", "--store", "s")[0] == 0
    assert "users are pseudonyms already" in llmtel("store", "users", "s", "--keep", "pseudonym")[1]
    assert "users dropped" in llmtel("store", "users", "s", "--keep", "drop")[1]
    assert [row["user"] for row in asked("--by", "user")] == [None]
    refused(llmtel("analyze", "s", "--where", "user=ada"), "keeps no users")
    code, out, _ = llmtel("store", "users", "s", "--keep", "pseudonym")
    assert (code, "users to come are kept as pseudonyms" in out, "turned" in out) == (0, True, False)
    more(2)
    llmtel("ingest", "a.jsonl", "--store", "s")
    assert [row["calls"] for row in asked("--by", "user", "--where", "user=ada")] == [1]


@pytest.mark.usefixtures("here")
def test_only_extra_keys_that_are_allowed_are_stored(llmtel, asked):
    write(
        "b.jsonl",
        [record(1, team="red", mail="ada@example.org"), record(2, mail="ada@example.org"), record(3)],
    )
    config("tags: [team, mail]\nprivacy: {tags: team}\n")
    assert llmtel("ingest", "b.jsonl", "--store", "s")[0] == 0
    assert {row["tags.team"]: row["calls"] for row in asked("--by", "tags.team")} == {"red": 1, None: 2}
    assert [row["tags.mail"] for row in asked("--by", "tags.mail")] == [None]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("privacy: {users: names}", "plain, pseudonym, drop"),
        (f"privacy: {{key: '{KEYS[0]}'}}", "key_env"),
        (f"privacy: {{key_file: '{KEYS[0]}'}}", "key_env"),
        ("privacy: {old_keys: [{}]}", "key_file"),
        ("privacy: {retention: 90}", "90d or 12w"),
        ("privacy: {retention: 0d}", "90d or 12w"),
        ("privacy: {tags: [1]}", "must be text"),
    ],
)
@pytest.mark.usefixtures("here")
def test_what_cannot_be_is_told_with_its_line(text, words, llmtel):
    config(text)
    refused(llmtel("ingest", "a.jsonl", "--store", "s"), "llmtel.yaml:1: privacy", words)
    assert not Path("s").exists()


@pytest.mark.usefixtures("here")
def test_a_pseudonym_can_be_asked_for_as_a_table_shows_it(llmtel, asked, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    llmtel("ingest", "a.jsonl", "--store", "s")
    whole = sorted(row["user"] for row in asked("--by", "user"))
    table = llmtel("analyze", "s", "--by", "user", "--metrics", "calls")[1]
    shown = sorted(word for word in table.split() if word.startswith("u_"))
    assert [len(one) for one in shown] == [15, 15]
    assert [one.startswith(short[:-1]) for one, short in zip(whole, shown, strict=True)] == [True, True]
    assert asked("--by", "user", "--where", f"user={shown[0]}") == [{"user": whole[0], "calls": 3}]
    assert asked("--by", "user", "--where", f"user!={shown[0][:-1]}...") == [{"user": whole[1], "calls": 3}]
    refused(llmtel("store", "forget", "s", "--user", shown[0]), "in full")


@pytest.mark.usefixtures("here")
def test_no_key_is_made_for_a_store_that_cannot_be_written(llmtel):
    llmtel("ingest", "a.jsonl", "--store", "s")
    keys = sorted((Path.home() / "xdg_config_home" / "llmtel").iterdir())
    Path("s/lock").unlink()
    Path("s/lock").mkdir()
    assert llmtel("store", "rotate-key", "s")[0] == 1
    assert sorted((Path.home() / "xdg_config_home" / "llmtel").iterdir()) == keys


@pytest.mark.usefixtures("here")
def test_a_long_tag_is_cut_and_stays_a_tag(llmtel, asked):
    config("privacy: {users: plain, tags: [team]}\ntags: [team, note]\n")
    write("a.jsonl", [record(n, team="red", note="x" * 5000) for n in range(3)])
    assert llmtel("ingest", "a.jsonl", "--store", "s")[0] == 0
    assert asked("--by", "tags.team") == [{"tags.team": "red", "calls": 3}]
    rows = json.loads(llmtel("analyze", "a.jsonl", "--by", "tags.note", "--format", "json")[1])["tables"]
    assert rows[-1]["rows"][0]["tags.note"] == "x" * 1024
