"""Every shared case of bad input that this version has commands for: account, exit codes, words."""

import contextlib
import gzip
import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import zstandard

from llmtel.cli.app import run
from llmtel.core.schema import SCHEMA_VERSION

VECTORS = Path(__file__).parents[2] / ".." / "shared" / "vectors" / "bad_inputs.json"
CASES = json.loads(VECTORS.read_text())["cases"] if VECTORS.exists() else []
LATER = re.compile(r"--store|\breport\b|\bcheck\b|--config")
"""Commands of later versions."""


def good(n, drop=(), set_=None, raw=None):
    record = {
        "timestamp": f"2026-09-01T10:{n // 60 % 60:02d}:{n % 60:02d}Z",
        "request_id": f"r{n}",
        "model": "gpt-4o-mini",
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "latency_ms": 120,
        "user": "u1",
    }
    raw = raw or {}
    record = {**record, **(set_ or {})}
    record = {name: value for name, value in record.items() if name not in (*drop, *raw)}
    text = json.dumps(record, separators=(",", ":"), ensure_ascii=False)
    tail = "".join(f",{json.dumps(name)}:{literal(value)}" for name, value in raw.items())
    return text[:-1] + tail + "}"


def literal(value):
    """A raw value: JSON text, or a rule that makes a long one."""
    if isinstance(value, str):
        return value
    if "repeat" in value:
        a, m, b = value["repeat"]
        return a * m + b * m
    if "keys" in value:
        return "{" + ",".join(f'"k{i}":{i}' for i in range(value["keys"])) + "}"
    char, m = value["string"]
    return json.dumps(char * m)


def bytes_of(part):
    if "good" in part:
        return "".join(good(n) + part.get("end", "\n") for n in part["good"]).encode()
    if "line" in part:
        line = part["line"]
        text = good(line["n"], line.get("drop", ()), line.get("set"), line.get("raw"))
        return (text + part.get("end", "\n")).encode("utf-8", "surrogatepass")
    if "hex" in part:
        return bytes.fromhex(part["hex"])
    if "repeat" in part:
        return (part["repeat"]["text"] * part["repeat"]["times"]).encode()
    if "pretty" in part:
        return (json.dumps(json.loads(good(part["pretty"])), indent=2) + "\n").encode()
    return part["text"].encode()


def content(file):
    data = b"".join(map(bytes_of, file["parts"]))
    if "encode" in file:
        text = data.decode()
        data = text.encode("utf-16-le")
        if "BOM" in file["encode"]:
            data = b"\xff\xfe" + data
    if "wrap" in file:
        pack = gzip.compress if file["wrap"] == "gzip" else zstandard.compress
        data = pack(data)
        if "then" in file:
            data += pack(b"".join(map(bytes_of, file["then"])))
    return data


def in_words(case):
    """The files of a case that is told in words, None where this version cannot do it; and what to read."""
    lines = lambda *ns: "".join(good(n) + "\n" for n in ns).encode()  # noqa: E731
    future = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    newer = json.dumps({"llmtel_call": SCHEMA_VERSION + 1, "ts": "2026-09-01T10:00:00Z", "model": "m"})
    known = json.dumps({"llmtel_call": SCHEMA_VERSION, "ts": "2026-09-01T10:00:00Z", "model": "m"})
    made = {
        "V13": ({"a.jsonl": f"{known}\n{newer}\n".encode()}, ["a.jsonl"]),
        "T03": ({"a.jsonl": lines(1) + (good(2, set_={"timestamp": future}) + "\n").encode()}, ["a.jsonl"]),
        "I09": ({"a.jsonl": lines(1)}, ["."]),
        "I10": ({"a.jsonl": lines(1)}, ["."]),
        "I13": ({"a.jsonl": lines(1, 2)}, ["a.jsonl", "a.jsonl", "b.jsonl"]),
        "I15": ({"a\n\x1b[31m.jsonl": lines(1) + b"{broken}\n"}, ["."]),
    }
    return made.get(case["id"])


def prepare(case):
    """Write the files of a case into the current folder; the paths to read."""
    if "input" in case:
        for file in case["input"]:
            Path(file["name"]).write_bytes(content(file))
        return [file["name"] for file in case["input"]]
    files, paths = in_words(case)
    for name, data in files.items():
        Path(name).write_bytes(data)
    if case["id"] == "I09":
        Path("loop").symlink_to(".", target_is_directory=True)
    if case["id"] == "I10":
        os.mkfifo("pipe")
    if case["id"] == "I13":
        os.link("a.jsonl", "b.jsonl")
    return paths


def doable(case):
    return not LATER.search(case["command"]) and ("input" in case or in_words(case) is not None)


def answer(capsys, *arguments):
    code = run(list(arguments))
    said = capsys.readouterr()
    return code, said.out, said.err


def between(value, expected):
    low, high = expected if isinstance(expected, list) else (expected, expected)
    return low <= value <= high


DOABLE = [case for case in CASES if doable(case)]


@pytest.mark.skipif(not CASES, reason="the shared vectors are not here")
@pytest.mark.parametrize("case", DOABLE, ids=[case["id"] for case in DOABLE])
def test_bad_input_costs_no_more_than_itself(case, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    paths = prepare(case)
    code, plain, plain_err = answer(capsys, "analyze", *paths)
    strict_code, out, err = answer(capsys, "analyze", *paths, "--strict", "--format", "json")
    expected = case["expect"]
    alternatives = (
        [expected, {**expected, "unreadable_values": 0, **case["alternative"]}]
        if "alternative" in case
        else [expected]
    )
    assert (code, strict_code) == (expected["exit"], expected["exit_strict"])
    assert re.search(expected.get("message", ""), f"{out}\n{err}\n{plain}\n{plain_err}", re.IGNORECASE)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", out + plain + err + plain_err)
    if code in (0, 5):
        account = json.loads(out)["input"]
        assert any(account_is(account, one, free="how" in case) for one in alternatives), account


def account_is(account, expected, *, free):
    """Whether the account has the counts of a case; those that a case in words leaves open are free."""
    names = {"calls": "accepted", "unreadable": "unreadable_values"}
    counts = (
        "calls",
        "rejected",
        "files_rejected",
        "duplicates",
        "other",
        "blank",
        "unfinished",
        "unreadable",
    )
    for name in counts:
        key = names.get(name, name)
        if key not in expected and free:
            continue
        if not between(account[name], expected.get(key, 0)):
            return False
    return True


@pytest.fixture
def rows(tmp_path, monkeypatch, capsys):
    """The answer to a case by its id, as JSON."""
    monkeypatch.chdir(tmp_path)

    def get(case_id, *arguments):
        case = next(case for case in CASES if case["id"] == case_id)
        paths = prepare(case)
        code, out, _ = answer(capsys, "analyze", *paths, "--format", "json", *arguments)
        assert code == 0
        return json.loads(out)

    return get


needs_vectors = pytest.mark.skipif(not CASES, reason="the shared vectors are not here")


@needs_vectors
def test_a_count_written_as_a_string_is_read_and_counted(rows):
    answer = rows("V01", "--metrics", "input_tokens")
    assert answer["input"]["coerced"] == 1
    assert answer["tables"][0]["rows"][0]["input_tokens"] == 10


@needs_vectors
def test_a_negative_count_is_neither_itself_nor_zero(rows):
    answer = rows("V03", "--by", "minute,user", "--metrics", "calls,output_tokens")
    assert answer["tables"][0]["rows"][0]["output_tokens"] == 5


@needs_vectors
def test_more_cached_than_input_tokens_means_that_the_input_excludes_the_cache(rows):
    row = rows("V05", "--metrics", "input_tokens,cache_read_tokens")["tables"][0]["rows"][0]
    assert row == {"input_tokens": 510, "cache_read_tokens": 500}


@needs_vectors
def test_offsets_are_honoured(rows):
    answer = rows("T01", "--by", "minute", "--metrics", "calls")
    assert answer["tables"][1]["rows"] == [{"minute": "2026-09-01T10:00:00+00:00", "calls": 3}]


@needs_vectors
def test_a_repeated_hour_is_two_hours_of_one_day(rows):
    by_hour = rows("T04", "--by", "hour", "--metrics", "calls", "--tz", "Europe/Berlin")
    assert [row["hour"] for row in by_hour["tables"][1]["rows"]] == [
        "2025-10-26T02:00:00+02:00",
        "2025-10-26T02:00:00+01:00",
    ]
    by_day = rows("T04", "--by", "day", "--metrics", "calls", "--tz", "Europe/Berlin")
    assert by_day["tables"][1]["rows"] == [{"day": "2025-10-26", "calls": 2}]


@needs_vectors
def test_cells_that_a_spreadsheet_takes_for_formulas_begin_with_an_apostrophe(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    paths = prepare(next(case for case in CASES if case["id"] == "O06"))
    _, out, _ = answer(capsys, "analyze", *paths, "--by", "model", "--metrics", "calls", "--format", "csv")
    cells = [line.split(",")[-2].strip('"') for line in out.splitlines()[1:]]
    assert all(cell == "" or cell[0] not in "=+-@" for cell in cells)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_named_and_the_others_are_read(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("a.jsonl").write_text(good(1) + "\n")
    Path("b.jsonl").write_text(good(2) + "\n")
    Path("b.jsonl").chmod(0)
    code, out, _ = answer(capsys, "analyze", "a.jsonl", "b.jsonl", "--format", "json")
    assert code == 0
    assert json.loads(out)["input"]["files_rejected"] == 1
    assert "permission" in out.lower()
    with contextlib.suppress(OSError):
        Path("b.jsonl").chmod(0o600)
