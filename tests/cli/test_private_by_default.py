"""Texts of prompts and answers are measured at most: no output of any command has them."""

import json
import os
from pathlib import Path

import polars as pl
import pytest

from .conftest import write

MARK = "xyzzy-plugh"
SAID = f"my {MARK} plan\nfor jane@example.org"


def chat(n):
    return {
        "time": f"2026-09-01T10:00:{n:02d}Z",
        "user": "u1",
        "feature": "search",
        "latency_ms": 900 + n,
        "request": {"messages": [{"role": "system", "content": SAID}, {"role": "user", "content": SAID}]},
        "response": {
            "id": f"chatcmpl-{n}",
            "object": "chat.completion",
            "created": 1788256800 + n,
            "model": "gpt-5-mini",
            "choices": [{"message": {"role": "assistant", "content": SAID}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
        },
    }


def uncounted(n):
    """A call whose tokens are counted from its texts."""
    return {
        "timestamp": f"2026-09-01T11:00:{n:02d}Z",
        "model": "gpt-4o-mini",
        "prompt": SAID,
        "completion": SAID,
        "latency_ms": 100,
    }


def failed(n):
    return {
        "timestamp": f"2026-09-01T12:00:{n:02d}Z",
        "model": "gpt-4o-mini",
        "prompt_tokens": 7,
        "completion_tokens": 0,
        "status": "error",
        "error": f"Rate limit reached, prompt was: {SAID}",
        "comment": SAID,
        "metadata": {"title": SAID},
    }


def transcript(n):
    return {
        "type": "assistant",
        "timestamp": f"2026-09-01T13:00:{n:02d}.000Z",
        "sessionId": "s1",
        "uuid": f"u{n}",
        "cwd": "/home/jane/shop",
        "version": "2.1.0",
        "requestId": f"req_{n}",
        "message": {
            "id": f"msg_{n}",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-4-6",
            "content": [
                {"type": "text", "text": SAID},
                {
                    "type": "tool_use",
                    "id": "toolu_1",
                    "name": "Bash",
                    "input": {"command": SAID, "x": MARK},
                },
            ],
            "usage": {"input_tokens": 6, "output_tokens": 110},
        },
    }


LOGS = {"chat": chat, "uncounted": uncounted, "failed": failed, "transcript": transcript}


@pytest.fixture
def logs(tmp_path, monkeypatch):
    """A folder with a log of each kind, all with the secret in their texts and in a bad line."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    for name, record in LOGS.items():
        lines = [json.dumps(record(n)) for n in range(6)]
        lines.insert(3, '{"prompt": "' + MARK + '"')
        (tmp_path / "logs" / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    return tmp_path


def bytes_of(answer):
    return answer if isinstance(answer, bytes) else answer.encode()


def without_text(data):
    if data.startswith(b"PAR1"):
        frame = pl.read_parquet(data)
        data += str(frame.to_dicts()).encode()
    return MARK.encode() not in data and b"jane@" not in data


@pytest.mark.parametrize(
    "command",
    [
        ("analyze", "logs", "--rejects"),
        ("analyze", "logs", "--by", "error", "--by", "user", "--by", "feature"),
        ("calls", "logs", "--top", "50"),
        ("inspect", "logs/chat.jsonl", "--rejects"),
        ("inspect", "logs/failed.jsonl"),
        ("inspect", "logs/transcript.jsonl"),
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("logs")
def test_no_output_has_the_text_of_a_prompt_an_answer_or_a_bad_line(command, in_every_format):
    code, answers, err = in_every_format(*command)
    assert code == 0
    assert [fmt for fmt, answer in answers.items() if not without_text(bytes_of(answer))] == []
    assert without_text(err.encode())


def test_the_calls_that_are_ingested_have_no_text(logs, llmtel):
    code, out, err = llmtel("ingest", "logs", "-o", "calls.parquet", "--rejects")
    assert code == 0
    assert without_text((logs / "calls.parquet").read_bytes())
    assert without_text((out + err).encode())


PEOPLE = ("wanda-w", "sess-wanda", "s1-wanda", "t-wanda")
"""Ids of people in the logs, none of which a store may hold."""


@pytest.fixture
def store(logs, llmtel):
    """A store of the logs, of a second copy of one of them, and of people whose ids are told."""
    pytest.importorskip("deltalake")
    people = {"user": "wanda-w", "session_id": "sess-wanda", "trace_id": "t-wanda"}
    lines = [json.dumps({**failed(n), **people, "request_id": f"r{n % 3}", "title": SAID}) for n in range(4)]
    (logs / "logs" / "people.jsonl").write_text(
        "\n".join([*lines, '{"user": "wanda-w", "text": "' + MARK]) + "\n"
    )
    (logs / "logs" / "copy.jsonl").write_text("\n".join(lines[:2]).replace('"wanda-w"', '"s1-wanda"') + "\n")
    code, out, err = llmtel("ingest", "logs", "--store", "s", "--rejects")
    assert code == 0
    assert without_text((out + err).encode())
    return logs / "s"


def without_people(data):
    if data.startswith(b"PAR1"):
        data += str(pl.read_parquet(data).to_dicts()).encode()
    return not any(name.encode() in data for name in PEOPLE)


@pytest.mark.usefixtures("logs")
def test_what_is_written_is_its_owners_alone_and_what_was_there_keeps_its_mode(llmtel, tmp_path):
    before = os.umask(0o022)
    try:
        assert llmtel("calls", "logs", "-o", "new.txt")[0] == 0
        assert llmtel("ingest", "logs", "-o", "calls.parquet")[0] == 0
        Path("there.txt").touch(0o644)
        assert llmtel("calls", "logs", "-o", "there.txt")[0] == 0
        assert llmtel("check", "logs", "--format", "json=out/check.json", "--fail-if", "calls < 0")[0] == 0
        assert llmtel("init", "schema", "-o", "s.json")[0] == 0
    finally:
        os.umask(before)
    wanted = {
        "new.txt": 0o600, "calls.parquet": 0o600, "there.txt": 0o644, "out": 0o700, "out/check.json": 0o600,
        "s.json": 0o644,
    }  # fmt: skip
    assert {name: (tmp_path / name).stat().st_mode & 0o777 for name in wanted} == wanted


def test_no_file_of_a_store_has_text_or_a_person(store, llmtel):
    for command in ((), ("compact",), ("rotate-key",), ("forget", "--user", "wanda-w")):
        if command:
            assert llmtel("store", command[0], "s", *command[1:])[0] == 0
        files = [path for path in store.rglob("*") if path.is_file()]
        assert {path.suffix for path in files} >= {".parquet", ".json", ".jsonl"}
        assert [str(path) for path in files if not without_text(path.read_bytes())] == []
        assert [str(path) for path in files if not without_people(path.read_bytes())] == []
        assert all(path.stat().st_mode & 0o077 == 0 for path in store.rglob("*"))


def test_no_answer_of_a_store_has_text_or_a_person(store, llmtel, in_every_format):
    for command in (
        ("analyze", "s", "--rejects"),
        ("analyze", "s", "--by", "user", "--by", "session"),
        ("calls", "s", "--top", "50"),
        ("store", "info", "s"),
        ("store", "verify", "s"),
        ("store", "rejects", "s"),
        ("privacy", "check", "s"),
    ):
        code, answers, err = in_every_format(*command)
        assert code == 0
        told = [*map(bytes_of, answers.values()), err.encode()]
        assert all(without_text(data) and without_people(data) for data in told)
    for name in ("calls.parquet", "calls.jsonl"):
        assert llmtel("store", "export", "s", "-o", name)[0] == 0
        data = (store.parent / name).read_bytes()
        assert without_text(data)
        assert without_people(data)
    assert "export" in (store / "audit.jsonl").read_text()


def test_a_reconciliation_has_no_text(logs, in_every_format):
    bill = {
        "object": "page",
        "data": [
            {
                "object": "bucket",
                "start_time": 1788220800,
                "end_time": 1788307200,
                "results": [
                    {
                        "object": "organization.usage.completions.result",
                        "input_tokens": 60,
                        "output_tokens": 30,
                        "num_model_requests": 6,
                        "model": "gpt-5-mini",
                    }
                ],
            }
        ],
        "has_more": False,
        "next_page": None,
    }
    (logs / "usage.json").write_text(json.dumps(bill))
    _, answers, err = in_every_format("reconcile", "logs/chat.jsonl", "--with", "usage.json", "--rejects")
    assert [fmt for fmt, answer in answers.items() if not without_text(bytes_of(answer))] == []
    assert without_text(err.encode())


def test_neither_the_copies_nor_the_account_of_redacting_have_it(logs, in_every_format):
    code, answers, err = in_every_format("redact", "logs", "-o", "shared")
    assert code == 0
    assert [fmt for fmt, answer in answers.items() if not without_text(bytes_of(answer))] == []
    assert without_text(err.encode())
    copies = sorted((logs / "shared").iterdir())
    assert len(copies) == len(LOGS)
    assert all(without_text(copy.read_bytes()) for copy in copies)


def test_a_store_that_others_may_read_or_lead_elsewhere_is_told(llmtel, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("a.jsonl", [chat(1)])
    assert "others may read it" not in llmtel("ingest", "a.jsonl", "--store", "s")[1]
    Path("s").chmod(0o755)
    assert "others may read it: chmod -R go= s" in llmtel("ingest", "a.jsonl", "--store", "s")[1]
    Path("link").symlink_to("s")
    assert llmtel("analyze", "link")[0] == 0
    if os.getuid() == 0:
        os.chown("link", 65534, 65534, follow_symlinks=False)
    else:
        monkeypatch.setattr(os, "getuid", lambda: 65534)
    code, _, err = llmtel("analyze", "link")
    assert (code, "a link of another user" in err) == (2, True)
