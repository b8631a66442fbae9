"""`analyze --cache`: unchanged logs are not read again, and the answer is that of the logs."""

import gzip
import json
import os
import sys
from pathlib import Path

import pytest

from llmtel import cache

from .conftest import record

LOGS = Path(__file__).parents[2] / "sample_logs"
_OPENED: list[str] | None = None


def _listen(event, arguments):
    if _OPENED is not None and event == "open" and isinstance(arguments[0], str):
        _OPENED.append(arguments[0])


sys.addaudithook(_listen)


@pytest.fixture
def opened():
    """The paths that Python opens from now on."""
    global _OPENED  # noqa: PLW0603 (an audit hook stays for ever)
    _OPENED = []
    yield _OPENED
    _OPENED = None


def line(n, **fields):
    return json.dumps(record(n, **fields)) + "\n"


@pytest.fixture
def logs(tmp_path, monkeypatch):
    """A folder of logs of several kinds: of lines, compressed, with bad lines, unfinished, and no logs."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "a.jsonl").write_text("".join(line(n) for n in range(20)) + "{bad\n" + line(20)[:30])
    odd = line(23, latency_ms="900") + line(24, latency_ms=-1)
    (folder / "b.jsonl").write_text("".join(line(n) for n in range(15, 23)) + odd)
    (folder / "c.jsonl.gz").write_bytes(gzip.compress("".join(line(n, day=3) for n in range(5)).encode()))
    (folder / "d.json").write_text(json.dumps([record(n, timestamp="2026-09-04T10:00:00") for n in range(3)]))
    (folder / "README").write_text("no log\n")
    return folder


@pytest.fixture
def answer(llmtel):
    """Ask with the cache, and hold the answer to that of the logs; its account."""

    def ask(*arguments, same=True):
        options = (
            "--by",
            "model,day",
            "--metrics",
            "calls,cost,p95_latency,input_tokens",
            "--format",
            "json",
        )
        found = [
            json.loads(
                llmtel("analyze", *arguments, *options, how)[1], parse_float=lambda x: round(float(x), 9)
            )
            for how in ("--cache", "--no-cache")
        ]
        if same:
            assert found[0] == found[1]
        return found[0]

    return ask


def test_the_answer_is_that_of_the_logs_and_a_second_run_opens_none(llmtel, answer, logs, opened):
    first = answer("logs")
    opened.clear()
    code, out, _ = llmtel("analyze", "logs", "--cache")
    assert code == 0
    assert [path for path in opened if str(path).startswith(("logs", str(logs)))] == []
    assert "a.jsonl:21" in out
    again = answer("logs")
    assert again["input"] == first["input"]
    assert (first["input"]["rejected"], first["input"]["unfinished"]) == (1, 1)
    assert first["input"]["duplicates"] == 5


def test_the_sample_logs_of_all_kinds_give_the_same(answer, monkeypatch):
    monkeypatch.chdir(LOGS)
    monkeypatch.setattr(cache, "_GROUP", 1 << 20)
    answer(".")
    answer(".")


@pytest.mark.parametrize("name", ["a.jsonl", "b.jsonl"])
def test_of_a_log_that_grew_the_rest_is_read(answer, logs, name):
    answer("logs")
    end = line(20)[30:] if name == "a.jsonl" else ""
    for n in (30, 31):
        with (logs / name).open("a") as file:
            file.write(end + line(n) + "{bad\n" + line(n + 10)[:9])
        end = line(n + 10)[9:]
        answer("logs")
    parts = json.loads(next(cache.home().glob("*/index.json")).read_text())
    assert len(parts) == 3
    answer("logs")


def test_files_that_changed_came_or_went_are_seen(answer, logs):
    answer("logs")
    before = (logs / "b.jsonl").read_text()
    (logs / "b.jsonl").write_text(before.replace('"latency_ms": 1', '"latency_ms": 9'))
    answer("logs")
    (logs / "b.jsonl").write_text(before[: len(before) // 2].replace("gpt", "gtp") + before)
    answer("logs")
    (logs / "d.json").unlink()
    (logs / "e.jsonl").write_text(line(90))
    answer("logs")
    (logs / "e.jsonl").rename(logs / "f.jsonl")
    answer("logs")
    os.utime(logs / "a.jsonl")
    answer("logs")


@pytest.mark.usefixtures("logs")
def test_what_changes_how_logs_are_read_has_a_cache_of_its_own(answer, tmp_path):
    answer("logs")
    answer("logs", "--map", "user=feature")
    answer("logs", "--where", "tags.session_id=s1")
    (tmp_path / "p.yaml").write_text("models: {openai: {acme-7b: {prices: [{input: 1, output: 1}]}}}\n")
    answer("logs", "--pricing", "p.yaml")
    assert cache.size()[0] == 4
    assert all(path.stat().st_mode & 0o077 == 0 for path in cache.home().rglob("*"))
    assert not any(b"README" in path.read_bytes() for path in cache.home().rglob("*.parquet"))


@pytest.mark.usefixtures("logs")
def test_the_configuration_may_ask_for_it_and_commands_look_after_it(llmtel, tmp_path):
    (tmp_path / "llmtel.yaml").write_text("cache: true\n")
    assert llmtel("calls", "logs")[0] == 0
    assert cache.size()[0] == 1
    told = json.loads(llmtel("cache", "info", "--format", "json")[1])
    assert (told["store"], told["caches"]) == (str(cache.home()), 1)
    assert llmtel("cache", "info")[1].split()[0] == str(cache.home())
    assert llmtel("cache", "clear")[0] == 0
    assert cache.size() == (0, 0)
    assert llmtel("analyze", "logs", "--no-cache")[0] == 0
    assert cache.size()[0] == 0


@pytest.mark.usefixtures("logs")
def test_a_cache_that_is_damaged_or_cannot_be_written_is_none(answer):
    answer("logs")
    for path in cache.home().glob("*/*.parquet"):
        path.write_bytes(b"PAR1")
    answer("logs")
    for path in cache.home().glob("*/index.json"):
        path.write_bytes(b"[{}]")
    answer("logs")
    cache.clear()
    cache.home().parent.mkdir(parents=True, exist_ok=True)
    cache.home().write_text("in the way")
    answer("logs")


def test_nothing_that_could_be_read_is_said_every_time(llmtel, tmp_path):
    (tmp_path / "x.jsonl").write_text("{bad\n")
    for _ in range(2):
        assert llmtel("analyze", tmp_path / "x.jsonl", "--cache")[0] == 5
