"""`llmtel redact`: a copy of logs without texts, persons and secrets, and with the same numbers."""

import gzip
import json
import stat
from pathlib import Path

import polars as pl
import pytest

from llmtel import pipeline
from llmtel.sources.formats import sources

ROOT = Path(__file__).parents[2]
KEY = "11" * 32
IDS = {"user", "session", "trace", "call_id", "response_id", "case"}
LOST = {"file", "line", "tags", "prompt_chars", "output_chars", "api_key", *IDS}
"""Fields that say where the copy is, are pseudonyms (or gone, like a key), or are measured of texts."""


@pytest.fixture
def redacted(tmp_path, llmtel, monkeypatch):
    """Redact paths into a new folder with a known key: the folder, and the answer as JSON."""
    monkeypatch.setenv("LLMTEL_KEY", KEY)

    def run(*arguments):
        folder = tmp_path / f"shared{len(list(tmp_path.iterdir()))}"
        code, out, err = llmtel(
            "redact", *arguments, "-o", folder, "--key-env", "LLMTEL_KEY", "--format", "json"
        )
        assert code == 0, err
        return folder, json.loads(out)

    return run


def log(path, *records):
    Path(path).write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def call(**fields):
    return {
        "timestamp": "2026-09-01T10:00:00Z",
        "request_id": "r1",
        "model": "gpt-4o-mini",
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "latency_ms": 250,
        **fields,
    }


def facts(path, **options):
    """The calls of a path but for what a copy does not keep, and the distinct values of the ids."""
    calls = pipeline.read([str(path)], **options).calls
    same = calls.drop(LOST & set(calls.columns)).with_columns(pl.col(pl.Categorical).cast(pl.String))
    distinct = {name: calls[name].cast(pl.String).n_unique() for name in IDS}
    return same.sort(same.columns), distinct


def test_the_copies_of_the_sample_logs_give_the_same_numbers(redacted):
    folder, _ = redacted(ROOT / "sample_logs")
    before, ids = facts(ROOT / "sample_logs")
    after, pseudonyms = facts(folder)
    assert after.equals(before)
    assert pseudonyms == ids


def test_text_goes_and_persons_get_pseudonyms(redacted, tmp_path):
    folder, _ = redacted(
        log(
            tmp_path / "a.jsonl",
            call(user_id="jane", messages=[{"role": "user", "content": "my secret plan"}]),
        )
    )
    copy = (folder / "a.jsonl").read_text()
    assert "secret plan" not in copy
    assert "jane" not in copy


def test_nothing_is_written_over_and_nobody_else_may_read(tmp_path, llmtel):
    path = log(tmp_path / "a.jsonl", call())
    code, _, _ = llmtel("redact", path, "-o", tmp_path / "out")
    assert code == 0
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "out/a.jsonl").stat().st_mode) == 0o600
    code, _, err = llmtel("redact", path, "-o", tmp_path / "out")
    assert code == 2
    assert "is there already" in err


def test_a_folder_without_files_is_nothing_to_copy(tmp_path, llmtel):
    (tmp_path / "empty").mkdir()
    code, out, err = llmtel("redact", tmp_path / "empty", "-o", tmp_path / "copy")
    assert (code, out) == (5, "")
    assert f"{tmp_path / 'empty'}: no files in it" in err


def test_a_packed_log_is_packed_again(redacted, tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(call()).encode() + b"\n"))
    folder, _ = redacted(path)
    assert json.loads(gzip.decompress((folder / "a.jsonl.gz").read_bytes()))["model"] == "gpt-4o-mini"


def test_a_line_that_cannot_be_read_is_not_copied_but_counted(redacted, tmp_path):
    path = log(tmp_path / "a.jsonl", call())
    path.write_text(path.read_text() + '{"password": "hunter2"\n')
    folder, answer = redacted(path)
    assert "hunter2" not in (folder / "a.jsonl").read_text()
    assert {row["what"]: row["count"] for row in answer["tables"][0]["rows"]}["line"] == 1
    assert pipeline.read([str(folder)]).account.rejected == 1


@pytest.mark.parametrize("name", [name for name, source in sources().items() if source.sample])
def test_the_copy_of_a_log_of_any_format_gives_the_same_calls(name, redacted, tmp_path):
    source = sources()[name]
    path = tmp_path / ("sample.csv" if source.layout == "csv" else "sample.jsonl")
    path.write_text(source.sample)
    folder, answer = redacted(path, "--input-format", name)
    assert answer["files"][0]["format"] == name
    before, ids = facts(path, input_format=name)
    after, pseudonyms = facts(folder, input_format=name)
    assert after.to_dicts() == before.to_dicts()
    assert pseudonyms == ids


def test_texts_may_be_redacted_or_kept(redacted, tmp_path):
    path = log(
        tmp_path / "a.jsonl", call(messages=[{"content": 'Write to\nann@x.org, "now"'}], user="ann@x.org")
    )
    folder, _ = redacted(path, "--text", "redact")
    (record,) = map(json.loads, (folder / "a.jsonl").read_text().splitlines())
    assert record["messages"] == [{"content": 'Write to\n[EMAIL], "now"'}]
    assert record["user"].startswith("u_")
    folder, answer = redacted(path, "--text", "keep")
    assert "ann@x.org, " in (folder / "a.jsonl").read_text()
    assert any("patterns do not find names" in note for note in answer["notes"])


def test_one_key_gives_the_same_pseudonyms_and_another_others(redacted, tmp_path, monkeypatch):
    path = log(tmp_path / "a.jsonl", call(user_id="ann"), call(user_id=17))

    def users():
        folder, _ = redacted(path)
        return [json.loads(line)["user_id"] for line in (folder / "a.jsonl").read_text().splitlines()]

    first = users()
    assert first == users()
    assert len(set(first)) == 2
    monkeypatch.setenv("LLMTEL_KEY", "22" * 32)
    assert not set(users()) & set(first)


def test_a_key_that_is_none_or_that_others_may_read_is_refused_without_being_shown(tmp_path, llmtel):
    path, key = log(tmp_path / "a.jsonl", call()), tmp_path / "key"
    key.write_text("hunter2" * 8)
    key.chmod(0o644)
    code, _, err = llmtel("redact", path, "-o", tmp_path / "out", "--key-file", key)
    assert (code, "chmod 600" in err, "hunter2" in err) == (2, True, False)
    key.chmod(0o600)
    code, _, err = llmtel("redact", path, "-o", tmp_path / "out", "--key-file", key)
    assert (code, "64 hex digits" in err, "hunter2" in err) == (2, True, False)
    assert not (tmp_path / "out").exists()


def test_rules_of_a_team_stand_in_the_configuration(redacted, tmp_path, llmtel):
    config = tmp_path / "llmtel.yaml"
    config.write_text("privacy:\n  redact:\n    - {name: employee, pattern: 'EMP-[0-9]{6}'}\n")
    path = log(tmp_path / "a.jsonl", call(feature="for-EMP-123456"))
    folder, answer = redacted(path, "--config", config)
    assert json.loads((folder / "a.jsonl").read_text())["feature"] == "for-[EMPLOYEE]"
    assert {row["what"]: row["count"] for row in answer["tables"][0]["rows"]}["employee"] == 1
    config.write_text("privacy:\n  redact:\n    - {name: employee, pattern: '(EMP'}\n")
    code, _, err = llmtel("redact", path, "-o", tmp_path / "out", "--config", config)
    assert code == 2
    assert "llmtel.yaml:3: " in err
    assert err.endswith("no pattern: unclosed group\n")


def test_json_inside_a_text_is_redacted_as_such(redacted, tmp_path):
    inner = json.dumps({"model": "gpt-5", "user_id": "ann", "n": 3, "note": "call ann", "mail": "ann@x.org"})
    path = log(tmp_path / "a.jsonl", call(extra=inner))
    folder, _ = redacted(path)
    extra = json.loads(json.loads((folder / "a.jsonl").read_text())["extra"])
    assert extra | {"user_id": ""} == {
        "model": "gpt-5",
        "user_id": "",
        "n": 3,
        "note": "",
        "mail": "[REDACTED]",
    }
    assert "ann" not in extra["user_id"]


def test_words_inside_a_text_go_and_keys_that_are_texts(redacted, tmp_path):
    path = log(tmp_path / "a.jsonl", call(tool={"arguments": {"pin": "tiger", "deep": [{"w": ["lion"]}]}}))
    path.write_text(path.read_text() + json.dumps(call(answers={"what is it that ann did": 1})) + "\n")
    folder, _ = redacted(path)
    copy = (folder / "a.jsonl").read_text()
    assert not [word for word in ("tiger", "lion", "ann did") if word in copy]


def test_a_key_written_with_escapes_is_read_as_what_it_says(redacted, tmp_path):
    path = log(tmp_path / "a.jsonl", call())
    path.write_text(path.read_text().replace('"model"', '"c\\u006fntent": "tiger", "model"'))
    folder, _ = redacted(path)
    assert "tiger" not in (folder / "a.jsonl").read_text()


def test_the_rules_are_listed(llmtel):
    code, out, _ = llmtel("list", "redactions", "--format", "json")
    assert code == 0
    assert {"email", "iban", "jwt"} <= {row["name"] for row in json.loads(out)["tables"][0]["rows"]}


def test_a_text_that_only_begins_like_json_is_treated_as_a_text(redacted, tmp_path):
    path = log(tmp_path / "a.jsonl", call(response='"Hi" said ann@x.org'), call(response='[see "x"]'))
    folder, _ = redacted(path)
    assert [json.loads(line)["response"] for line in (folder / "a.jsonl").read_text().splitlines()] == [
        "",
        "",
    ]
    folder, _ = redacted(path, "--text", "redact")
    copies = [json.loads(line)["response"] for line in (folder / "a.jsonl").read_text().splitlines()]
    assert copies == ['"Hi" said [EMAIL]', '[see "x"]']


def test_a_time_that_cannot_be_read_is_rejected_in_the_copy_as_well(redacted, tmp_path):
    folder, _ = redacted(log(tmp_path / "a.jsonl", call(), call(timestamp="some time ago")))
    account = pipeline.read([str(folder)]).account
    assert (account.calls, account.rejected) == (1, 1)


FIXTURES = ROOT.parent / "shared/fixtures"
REAL = sorted(path.name for path in FIXTURES.iterdir() if path.is_dir()) if FIXTURES.is_dir() else []
NO_LOGS = {"pii", "jsontestsuite", "provider-usage-shapes"}
TIED = {"codex", "openai", "pi"}
"""Folders where a call has two different copies of equal rank: which one counts is drawn by its ids."""


@pytest.mark.parametrize("name", sorted(set(REAL) - NO_LOGS))
def test_the_copies_of_real_logs_give_the_same_calls(name, redacted):
    folder, _ = redacted(FIXTURES / name)
    before, ids = facts(FIXTURES / name)
    after, pseudonyms = facts(folder)
    assert len(after) == len(before)
    assert after.equals(before) or name in TIED
    assert pseudonyms == ids
