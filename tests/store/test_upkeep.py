"""Compacting, forgetting, expiring and checking; and the commands that ask a store."""

import json
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from llmtel import pipeline
from llmtel.cli.app import run
from llmtel.core.errors import UnreadableInput, UsageError
from llmtel.privacy.keys import KeySource
from llmtel.privacy.pseudonyms import Pseudonyms
from llmtel.store import table as tables
from llmtel.store.columns import KEPT
from llmtel.store.export import parquet
from llmtel.store.people import convert, rotate
from llmtel.store.policy import Policy
from llmtel.store.read import stored
from llmtel.store.rekey import rekey
from llmtel.store.retention import expire
from llmtel.store.rewrite import compact, forget
from llmtel.store.table import opened
from llmtel.store.verify import faults

from .conftest import line


@pytest.fixture
def filled(store, tmp_path):
    """A store that took a log in three parts."""
    log = tmp_path / "a.jsonl"
    for part in range(3):
        with log.open("a") as file:
            file.write("".join(line(part * 20 + i) for i in range(20)))
        store.ingest(log)
    return store


def test_compacting_leaves_one_file_a_day_and_the_same_calls(filled):
    before = filled.calls.sort("line")
    done = compact(filled.folder)
    assert (done.before, done.after, done.gone) == (15, 5, 0)
    assert filled.calls.sort("line").equals(before)
    assert faults(filled.folder) == []


def test_texts_that_repeat_are_categories_to_polars_and_texts_to_everybody(filled):
    table = opened(filled.folder)
    assert table.plain(table.files, table.kind.as_categories).collect()["user"].dtype == pl.Categorical
    rows = pl.scan_delta(str(filled.folder / "calls")).select("user", "call_id").collect()
    assert rows.schema == {"user": pl.String, "call_id": pl.String}
    assert sorted(rows["user"].to_list()) == sorted(filled.calls["user"].to_list())


def test_files_of_before_whose_texts_are_no_categories_are_read_beside_others(filled, tmp_path, monkeypatch):
    plain = tables.encoded
    with monkeypatch.context() as before:
        before.setattr(
            tables, "encoded", lambda rows, secret: plain(rows.cast({pl.Categorical: pl.String}), secret)
        )
        log = tmp_path / "b.jsonl"
        log.write_text("".join(line(60 + i) for i in range(20)))
        filled.ingest(log)
    assert sorted(filled.calls["call_id"].to_list()) == sorted(f"r{i}" for i in range(80))
    assert filled.calls["user"].dtype == pl.Categorical
    assert faults(filled.folder) == []


def test_what_was_compacted_is_still_known(filled, tmp_path):
    compact(filled.folder)
    again = tmp_path / "b.jsonl"
    again.write_text("".join(line(i) for i in range(70)))
    assert filled.ingest(again).calls == 10


def test_a_forgotten_user_is_in_no_file(filled):
    files = list(filled.folder.rglob("*.parquet"))
    assert any("u3" in pl.read_parquet(path)["user"].to_list() for path in files)
    gone = filled.calls.filter(pl.col("user") == "u3").height
    assert forget(filled.folder, ["u3"]).gone == gone
    assert "u3" not in filled.calls["user"].to_list()
    assert all(
        "u3" not in pl.read_parquet(p)["user"].to_list() for p in filled.folder.rglob("day=*/*.parquet")
    )
    assert "u3" not in (filled.folder / "audit.jsonl").read_text()


def test_what_cannot_be_noted_is_not_done(filled):
    before, audit = filled.calls.sort("line"), filled.folder / "audit.jsonl"
    audit.unlink()
    audit.mkdir()
    files = sorted(filled.folder.rglob("*.parquet"))
    for work in (
        lambda: forget(filled.folder, ["u3"]),
        lambda: expire(filled.folder, date(2030, 1, 1), None),
    ):
        with pytest.raises(OSError, match="directory"):
            work()
    assert filled.calls.sort("line").equals(before)
    assert sorted(filled.folder.rglob("*.parquet")) == files


def test_what_the_machine_refuses_is_a_sentence(filled, capsys):
    (filled.folder / "audit.jsonl").unlink()
    (filled.folder / "audit.jsonl").mkdir()
    assert run(["store", "forget", str(filled.folder), "--user", "u3"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "audit.jsonl: is a directory" in said


def test_the_audit_says_which_version_became_which(filled, monkeypatch):
    version = opened(filled.folder).version
    forget(filled.folder, ["u3"])
    parquet(filled.folder)
    rows = filled.calls.height
    convert(filled.folder, Policy("drop", Pseudonyms.random()))
    rotate(filled.folder, Pseudonyms.random())
    monkeypatch.setenv("NEW", "ab" * 32)
    rekey(filled.folder, KeySource("key_env", "NEW", "test"))
    made, *lines = map(json.loads, (filled.folder / "audit.jsonl").read_text().splitlines())
    assert made["versions"] == [None, 0]
    # what a vacuum begins and ends with are two commits of its own
    assert [[at - version for at in one["versions"]] for one in lines] == [
        [0, 1], [3, 3], [3, 4], [4, 5], [7, 8], [8, 10],
    ]  # fmt: skip
    assert opened(filled.folder).version == version + 12
    assert [one["rows"] for one in lines][1:] == [rows, 0, rows, 0, rows]


def test_a_user_whom_only_another_copy_names_is_forgotten_too(store, tmp_path):
    one, other = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    one.write_text(line(1, user="ada", session_id="s", feature="f"))
    other.write_text(line(1, user="ada lovelace"))
    store.ingest(one, other)
    assert store.calls["user"].to_list() == ["ada"]
    assert forget(store.folder, ["ada lovelace"]).gone == 1
    assert store.calls.is_empty()


def test_a_flipped_byte_and_a_missing_file_are_found(filled):
    paths = sorted(filled.folder.rglob("day=*/*.parquet"))
    data = bytearray(paths[0].read_bytes())
    data[100] ^= 1
    paths[0].write_bytes(data)
    paths[1].unlink()
    found = faults(filled.folder)
    assert len(found) == 2
    assert paths[0].name in found[0]
    assert "missing" in found[1]
    with pytest.raises(UnreadableInput, match="store verify"):
        _ = filled.calls


def test_a_gap_in_the_log_is_refused(filled):
    (filled.folder / "calls" / "_delta_log" / f"{2:020}.json").unlink()
    with pytest.raises(UnreadableInput, match="log"):
        _ = filled.calls


def test_a_store_of_a_later_llmtel_is_refused(filled):
    opened(filled.folder).delta.alter.set_table_properties({"llmtel.schema": "9"}, raise_if_not_exists=False)
    with pytest.raises(UsageError, match="newer"):
        _ = filled.calls


def test_only_the_days_of_the_question_are_read(store, tmp_path):
    log = tmp_path / "a.jsonl"
    now = datetime.now(UTC)
    log.write_text(
        "".join(line(i, timestamp=(now - timedelta(days=i, minutes=5)).isoformat()) for i in range(30))
    )
    store.ingest(log)
    found = stored(store.folder, since=now - timedelta(days=7))
    assert 7 <= found.files <= 8
    assert found.covered == stored(store.folder).covered


@pytest.fixture
def llmtel(capsysbinary):
    def call(*arguments):
        code = run([str(argument) for argument in arguments])
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


@pytest.mark.parametrize(
    "command",
    [
        ("analyze", "--by", "model"),
        ("analyze", "--by", "day", "--since", "2026-09-02", "--until", "2026-09-03"),
        ("analyze", "--by", "user", "--where", "latency_ms>120ms"),
        ("calls", "--top", "100"),
    ],
    ids=" ".join,
)
def test_commands_answer_from_a_store_as_from_the_logs(llmtel, filled, tmp_path, command):
    name, *options = command
    log, folder = tmp_path / "a.jsonl", filled.folder
    rows = [
        json.loads(llmtel(name, *at, *options, "--format", "json")[1])["tables"]
        for at in ((log,), (folder,), ("--store", folder), (folder / "calls",))
    ]
    assert rows[0] == rows[1] == rows[2] == rows[3]


def test_windows_of_a_store_are_compared(llmtel, filled):
    code, out, _ = llmtel("check", "--store", filled.folder, "--compare", "prev 2d", "--format", "json")
    assert code in (0, 3)
    assert "prev" in out or json.loads(out)
    assert llmtel("compare", "prev 2d", "--store", filled.folder)[0] == 0


def test_the_commands_of_a_store(llmtel, filled, tmp_path):
    folder = filled.folder
    info = json.loads(llmtel("store", "info", folder, "--format", "json")[1])
    assert (info["calls"], info["days"], info["rejects"]) == (60, 5, 0)
    assert llmtel("store", "verify", folder)[0] == 0
    for name in ("calls.parquet", "calls.jsonl", "calls.csv"):
        assert llmtel("store", "export", folder, "-o", tmp_path / name)[0] == 0
        back = pipeline.read([str(tmp_path / name)]).calls
        assert sorted(back["call_id"]) == sorted(filled.calls["call_id"])
        assert back["input_uncached"].sum() == filled.calls["input_uncached"].sum()
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    next(iter(folder.rglob("day=*/*.parquet"))).unlink()
    assert llmtel("store", "verify", folder)[0] == 3


def test_an_export_to_csv_has_all_fields_and_no_formula(llmtel, tmp_path):
    (tmp_path / "a.jsonl").write_text(line(0, model="=cmd()") + line(1, model="gpt-5"))
    llmtel("ingest", tmp_path / "a.jsonl", "--store", tmp_path / "s")
    llmtel("store", "export", tmp_path / "s", "-o", tmp_path / "calls.csv")
    calls = pl.read_csv(tmp_path / "calls.csv")
    assert sorted(calls["model"]) == ["'=cmd()", "gpt-5"]
    assert set(calls.columns) == {"llmtel_call", *KEPT}


def test_rejects_are_kept_with_their_place_and_without_their_bytes(llmtel, tmp_path):
    log, folder = tmp_path / "a.jsonl", tmp_path / "s"
    log.write_text(line(0) + '{"key": "sk-secret"\n' + line(1))
    assert llmtel("ingest", log, "--store", folder)[0] == 0
    out = llmtel("store", "rejects", folder, "--format", "jsonl")[1]
    assert json.loads(out.splitlines()[0])["line"] == 2
    assert not any(b"sk-secret" in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert "1 record was rejected" in llmtel("analyze", folder)[1]


def test_under_strict_a_store_takes_nothing_of_logs_with_bad_records(llmtel, tmp_path):
    log, folder = tmp_path / "a.jsonl", tmp_path / "s"
    log.write_text(line(0) + "{bad\n" + line(1))
    assert llmtel("ingest", log, "--store", folder, "--strict")[0] == 4
    assert not folder.exists()
    good = tmp_path / "b.jsonl"
    good.write_text(line(2))
    assert llmtel("ingest", good, "--store", folder, "--strict")[0] == 0
    assert llmtel("ingest", log, "--store", folder, "--strict")[0] == 4
    assert stored(folder).calls["call_id"].to_list() == ["r2"]


def test_a_store_and_logs_are_not_asked_together(llmtel, filled, tmp_path):
    assert llmtel("analyze", tmp_path / "a.jsonl", "--store", filled.folder)[0] == 2
    assert llmtel("analyze", tmp_path / "a.jsonl", filled.folder)[0] == 2
    assert llmtel("analyze")[0] == 2


def test_without_deltalake_one_line_says_what_to_install(llmtel, filled, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "deltalake", None)
    code, _, err = llmtel("analyze", "--store", filled.folder)
    assert code == 2
    assert err == "llmtel: a store needs deltalake: pip install 'llmtel[store]'\n"


def test_days_that_have_no_calls_say_which_have(filled, capsys):
    assert run(["analyze", str(filled.folder), "--since", "2026-10-01", "--metrics", "calls"]) == 0
    assert "calls pass --since; those of the store are of 1–5 Sep 2026" in " ".join(
        capsys.readouterr().out.split()
    )


@pytest.mark.parametrize(
    "asked",
    [
        ("analyze", "S"),
        ("store", "info", "S"),
        ("store", "export", "S", "-o", "x.parquet"),
        ("store", "forget", "S", "--user", "u1"),
        ("store", "compact", "S"),
        ("store", "rollup", "S"),
        ("store", "users", "S", "--keep", "drop"),
        ("privacy", "check", "S"),
        ("ingest", "a.jsonl", "--store", "S"),
    ],
)
def test_a_damaged_data_file_is_a_sentence_wherever_it_is_read(filled, tmp_path, monkeypatch, capsys, asked):
    monkeypatch.chdir(tmp_path)
    for path in (filled.folder / "calls").rglob("*.parquet"):
        path.write_bytes(b"PAR1" + b"\0" * (path.stat().st_size - 8) + b"PAR1")
    with (tmp_path / "a.jsonl").open("a") as file:
        file.write("".join(line(90 + i) for i in range(5)))
    before = opened(filled.folder).version
    code = run([str(filled.folder) if word == "S" else word for word in asked])
    assert (code, "a data file of the store cannot be read" in capsys.readouterr().err) == (5, True)
    assert not any("forget" in one for one in (filled.folder / "audit.jsonl").read_text().splitlines())
    assert opened(filled.folder).version <= before + 1  # that users are kept otherwise from now on
