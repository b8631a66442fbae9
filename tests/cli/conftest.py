"""What tests of the command line share."""

import json
from contextlib import suppress
from pathlib import Path

import pytest

from llmtel.cli import output
from llmtel.cli.app import run
from llmtel.core.errors import UsageError
from llmtel.render import FORMATS, render


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
def in_every_format(llmtel, monkeypatch):
    """Run a command line once: exit code, its answer in each format that can show it, standard error."""

    def call(*arguments):
        written = []
        with monkeypatch.context() as patch:
            patch.setattr(output, "write", lambda document, _fmt, _path: written.append(document))
            code, _, err = llmtel(*arguments)
        found = {}
        for fmt in FORMATS:
            with suppress(UsageError):
                found[fmt] = render(written[0], fmt, width=200, color=False)
        assert len(found) > len(FORMATS) - 2
        return code, found, err

    return call


@pytest.fixture
def llmtel(capsysbinary):
    """Run a command line: exit code, standard output, standard error."""

    def call(*arguments):
        code = run([str(argument) for argument in arguments])
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return call
