"""`llmtel privacy check`: what a store holds of people, and who may read it."""

import json
import shlex
import subprocess

import pytest

from llmtel.store.census import Census, Held, faults
from llmtel.store.columns import SCHEMA

pytest.importorskip("deltalake")


@pytest.fixture
def stored(llmtel, tmp_path):
    """A store of some calls; what is given goes into each of them."""

    def make(**fields):
        record = {
            "timestamp": "2026-09-01T10:00:00Z",
            "request_id": "r1",
            "model": "gpt-4o-mini",
            "prompt_tokens": 100,
            "completion_tokens": 10,
            "latency_ms": 900,
            "user_id": "ada@example.org",
            **fields,
        }
        log = tmp_path / "log.jsonl"
        log.write_text(json.dumps(record) + "\n")
        assert llmtel("ingest", log, "--store", tmp_path / "store")[0] == 0
        return tmp_path / "store"

    return make


def looked(llmtel, store):
    code, out, _ = llmtel("privacy", "check", store, "--format", "json")
    answer = json.loads(out)
    return code, answer, {row["column"]: row for row in answer["tables"][0]["rows"]}


def test_a_store_as_it_is_made_has_nothing_wrong_and_every_column_a_class(llmtel, stored):
    code, answer, columns = looked(llmtel, stored())
    assert (code, answer["faults"]) == (0, [])
    assert columns.keys() == SCHEMA.keys()
    classes = {name: columns[name]["privacy"] for name in ("user", "model", "feature", "llmtel_copies")}
    assert classes == {
        "user": "personal",
        "model": "open",
        "feature": "internal",
        "llmtel_copies": "personal",
    }
    assert answer["access"]["open_files"] == 0
    assert answer["data_files_by_key"] == {"plain": 1}


def test_what_others_may_read_is_a_fault_that_the_command_mends(llmtel, stored):
    store = stored()
    next(store.rglob("*.parquet")).chmod(0o644)
    (store / "calls").chmod(0o755)
    code, answer, _ = looked(llmtel, store)
    assert code == 3
    assert (answer["access"]["open_files"], answer["access"]["open_folders"]) == (1, 1)
    subprocess.run(shlex.split(answer["mend"]), check=True)  # noqa: S603 (the command is llmtel's own)
    assert looked(llmtel, store)[0] == 0


def test_values_that_do_not_belong_are_counted_and_not_shown(in_every_format, stored):
    wrong = {
        "model": "for-ada@example.org",
        "region": "6f1c2d3e-0a1b-4c5d-8e9f-001122334455",
        "feature": "sk-ant-REDACTED-1234567890abcd",
    }
    code, answers, _ = in_every_format("privacy", "check", stored(**wrong))
    answer = json.loads(answers["json"])
    columns = {row["column"]: row for row in answer["tables"][0]["rows"]}
    assert code == 3
    for field, value in wrong.items():
        assert columns[field]["secrets"] or columns[field]["ids"]
        assert any(fault.startswith(field) for fault in answer["faults"])
        assert [fmt for fmt, text in answers.items() if value in str(text)] == []


def test_a_store_of_pseudonyms_with_a_name_in_it_is_wrong():
    held = (Held("user", "personal", 9, 3, 1, 0, 2), Held("session", "personal", 9, 2, 0, 0, 2))
    found = Census("pseudonym", ("ab12",), held, None, {"": 1, "k1": 1}, "k1", None)
    names, plain = faults(found)
    assert names.startswith("user (personal): 1 of 3 values are no pseudonyms")
    assert plain.startswith("1 data files are not encrypted")


def test_a_folder_without_a_store_is_a_mistake(llmtel, tmp_path):
    assert llmtel("privacy", "check", tmp_path)[0] == 2
