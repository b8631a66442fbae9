"""What tests of the command line share."""

import json
from pathlib import Path

import pytest

from llmtel.cli.app import run


def record(n, *, cost=1.0, feature="chat", day=1, cases=False, **fields):
    """A call of a made-up evaluation; `n` is its case, whose size it is."""
    return {
        "timestamp": f"2026-09-{day:02d}T{10 + n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d}Z",
        "request_id": f"{feature}-{day}-{n}-{cost}",
        "model": "gpt-4o-mini",
        "prompt_tokens": 1000 + 13 * (n % 17),
        "completion_tokens": round(cost * (400 + 29 * (n % 11))),
        "latency_ms": 900 + 50 * (n % 13),
        "status": "ok",
        "session_id": f"s{n}",
        "feature": feature,
        **({"case": f"case {n}"} if cases else {}),
        **fields,
    }


def write(path, records):
    Path(path).write_text("".join(json.dumps(one) + "\n" for one in records))


@pytest.fixture
def evaluated():
    """Write calls of an evaluation to a file: `evaluated(path, 300, cost=2.0)`."""

    def write_run(path, size, **fields):
        write(path, [record(n, **fields) for n in range(size)])

    return write_run


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Two evaluation runs in the current folder: before.jsonl, and a dearer now.jsonl."""
    monkeypatch.chdir(tmp_path)
    write("before.jsonl", [record(n) for n in range(300)])
    write("now.jsonl", [record(n, cost=2.0, day=2) for n in range(300)])
    return tmp_path


@pytest.fixture
def llmtel(capsysbinary):
    """Run a command line: exit code, standard output, standard error."""

    def call(*arguments):
        code = run([str(argument) for argument in arguments])
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return call
