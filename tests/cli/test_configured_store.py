"""`store:` in llmtel.yaml: where ingest writes and what commands read when nothing else is said."""

import json
from pathlib import Path

import pytest

from .conftest import record, write

pytest.importorskip("deltalake")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A repository whose configuration names a store, a log in it; one of its folders is the current one."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "llmtel.yaml").write_text("store: .llmtel/calls\n")
    write(tmp_path / "app.jsonl", [record(n) for n in range(5)])
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def calls(out):
    return json.loads(out)["tables"][0]["rows"][0]["calls"]


def test_logs_go_to_the_configured_store_and_answers_come_from_it(llmtel, folder):
    assert llmtel("ingest", "../app.jsonl")[0] == 0
    assert (folder / ".llmtel" / "calls" / "calls" / "_delta_log").is_dir()
    assert calls(llmtel("analyze", "--format", "json")[1]) == 5
    assert llmtel("calls")[0] == 0
    assert llmtel("check")[0] == 0
    assert json.loads(llmtel("store", "info", "--format", "json")[1])["calls"] == 5


def test_paths_and_options_go_before_the_configuration(llmtel, folder):
    write(folder / "more.jsonl", [record(n) for n in range(9)])
    assert llmtel("ingest", "../app.jsonl")[0] == 0
    assert calls(llmtel("analyze", "../more.jsonl", "--format", "json")[1]) == 9
    assert llmtel("ingest", "../more.jsonl", "--store", "other")[0] == 0
    assert calls(llmtel("analyze", "--store", "other", "--format", "json")[1]) == 9
    assert llmtel("ingest", "../more.jsonl", "-o", "more.parquet")[0] == 0
    assert Path("more.parquet").is_file()
    assert calls(llmtel("analyze", "--format", "json")[1]) == 5


def test_a_store_that_is_not_there_yet_is_said_with_what_makes_it(llmtel, folder):
    code, _, err = llmtel("analyze")
    assert code == 2
    assert ".llmtel/calls" in err
    assert "llmtel ingest LOGS makes one" in err
    (folder / "llmtel.yaml").unlink()
    assert "store: in llmtel.yaml" in llmtel("ingest", "../app.jsonl")[2]
    assert llmtel("store", "info")[0] == 2


def test_every_command_that_takes_logs_takes_a_store_by_either_name(llmtel, folder):
    assert llmtel("ingest", "../app.jsonl", "--store", "s")[0] == 0
    (folder / "bill.csv").write_text(
        "Date,Slug,Usage,BYOK Usage,Requests,Prompt Tokens,Completion Tokens,Reasoning Tokens\n"
        "2026-09-01 00:00:00,openai/gpt-4o-mini,0.01,0,5,5000,2000,0\n"
    )
    for asked in (
        ("inspect",),
        ("reconcile", "--with", "../bill.csv"),
        ("reconcile", "--with", "../bill.csv", "--since", "2026-09-02"),
        ("privacy", "check"),
    ):
        named = llmtel(*asked, "--store", "s", "--format", "csv")
        assert named[0] == 0, named[2]
        assert named == llmtel(*asked, "s", "--format", "csv")
    assert "5 calls" in llmtel("reconcile", "--with", "../bill.csv", "--store", "s")[1]
    for place in (["s"], ["--store", "s"]):
        code, _, err = llmtel("calibrate", *place)
        assert (code, "a store keeps none" in err) == (2, True)
    call = llmtel("calls", "s", "--format", "json")[1]
    first = json.loads(call)["tables"][0]["rows"][0]["call_id"]
    assert llmtel("pricing", "explain", first, "--store", "s")[0] == 0


@pytest.mark.usefixtures("folder")
def test_a_call_of_the_configured_store_is_explained_by_its_id(llmtel):
    assert llmtel("ingest", "../app.jsonl")[0] == 0
    listed = json.loads(llmtel("calls", "--format", "json")[1])["tables"][0]["rows"]
    code, out, err = llmtel("pricing", "explain", listed[0]["call_id"], "--format", "json")
    assert code == 0, err
    assert listed[0]["call_id"] in out
    assert llmtel("pricing", "explain", "../app.jsonl:1")[0] == 0
    assert "there is no call 'nobody'" in llmtel("pricing", "explain", "nobody")[2]


@pytest.mark.usefixtures("folder")
def test_explain_of_a_store_asks_which_call_and_does_not_wait_for_standard_input(llmtel):
    assert llmtel("ingest", "../app.jsonl", "--store", "s")[0] == 0
    code, _, err = llmtel("pricing", "explain", "--store", "s")
    assert (code, "which call of s?" in err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("talk.jsonl",), 5),
        (("broken.jsonl",), 5),
        (("empty",), 5),
        (("half.jsonl", "--strict"), 4),
        (("bill.csv",), 2),
        (("half.jsonl", "--map", "user=nowhere"), 2),
    ],
)
def test_an_ingest_that_fails_leaves_no_store_behind(llmtel, folder, monkeypatch, arguments, code):
    monkeypatch.chdir(folder)
    Path("talk.jsonl").write_text('{"who":"me"}\n')
    Path("broken.jsonl").write_text('{"timestamp":"2026-09-01T10:00:00Z","model":"m"\nnonsense\n')
    Path("half.jsonl").write_text(Path("app.jsonl").read_text() + "nonsense\n")
    Path("bill.csv").write_text("Date,Slug,Usage,Requests\n2026-09-01 00:00:00,openai/gpt-5-mini,1.5,12\n")
    Path("empty").mkdir()
    assert llmtel("ingest", *arguments, "--store", "new")[0] == code
    assert not Path("new").exists()
    assert llmtel("ingest", "app.jsonl", "--store", "new")[0] == 0
    assert calls(llmtel("analyze", "--store", "new", "--format", "json")[1]) == 5
    assert "5 records = 5 duplicates" not in llmtel("ingest", "app.jsonl", "--store", "new")[1]


def test_a_log_that_is_empty_as_yet_makes_a_store(llmtel, folder, monkeypatch):
    monkeypatch.chdir(folder)
    Path("quiet.jsonl").write_text("")
    assert llmtel("ingest", "quiet.jsonl", "--store", "new")[0] == 0
    assert calls(llmtel("analyze", "--store", "new", "--format", "json")[1]) == 0


@pytest.mark.parametrize(
    "command",
    [
        ("store", "info"), ("store", "verify"), ("store", "rejects"), ("store", "compact"), ("analyze",),
        ("store", "export", "-o", "all.csv"), ("privacy", "check"), ("calls",), ("check",),
    ],
)  # fmt: skip
def test_a_configuration_elsewhere_may_name_the_store(llmtel, folder, monkeypatch, command):
    assert llmtel("ingest", "../app.jsonl")[0] == 0
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    (folder / "llmtel.yaml").rename(folder / "other.yaml")
    assert llmtel(*command)[0] == 2
    code, _, err = llmtel(*command, "--config", "../other.yaml")
    assert (code, err) == (0, "")
