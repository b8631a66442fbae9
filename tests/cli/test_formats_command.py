"""`llmtel formats test`: samples are read as they were when somebody looked."""

import json
from pathlib import Path

import pytest

SLOW = 0.1 + 0.2
LINES = [
    {
        "timestamp": "2026-09-01T10:00:00Z",
        "model": "gpt-4o-mini",
        "prompt_tokens": 10,
        "latency_ms": SLOW,
    },
    {"timestamp": "2026-09-01T10:00:01Z", "model": "gpt-4o", "prompt_tokens": 20, "user": "u1"},
]


@pytest.fixture
def sample(tmp_path, monkeypatch):
    """A sample with two calls and one bad line, in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("s.jsonl").write_text("".join(json.dumps(line) + "\n" for line in LINES) + "nonsense\n")
    return "s.jsonl"


def expectation():
    return json.loads(Path("s.jsonl.expect.json").read_text())


def test_a_sample_without_an_expectation_is_told_what_is_read(sample, llmtel):
    code, out, _ = llmtel("formats", "test", sample)
    assert code == 0
    assert "s.jsonl is generic: 3 records = 2 calls + 1 rejected" in " ".join(out.split())
    assert "--write" in out


def test_what_is_written_holds_the_account_and_the_known_fields_of_each_call(sample, llmtel):
    assert llmtel("formats", "test", sample, "--write")[0] == 0
    kept = expectation()
    assert (kept["format"], kept["records"], kept["calls"], kept["rejected"]) == ("generic", 3, 2, 1)
    assert kept["rows"][1] | {"request_count": 1} == {
        "grain": "call",
        "request_count": 1,
        "line": 2,
        "token_source": "logged",
        "ts": "2026-09-01T10:00:01+00:00",
        "model": "gpt-4o",
        "user": "u1",
        "input_uncached": 20,
    }
    code, out, _ = llmtel("formats", "test", sample)
    assert (code, "as expected" in out) == (0, True)


@pytest.mark.parametrize(
    ("change", "row"),
    [
        (lambda kept: kept["rows"][0].update(model="x"), (1, "model", '"x"', '"gpt-4o-mini"')),
        (lambda kept: kept["rows"][0].pop("input_uncached"), (1, "input_uncached", "null", "10")),
        (lambda kept: kept["rows"][1].update(user=None), (2, "user", "null", '"u1"')),
        (lambda kept: kept.update(rejected=0), (None, "rejected", "0", "1")),
        (
            lambda kept: kept["rows"][0].update(latency_ms=0.301),
            (1, "latency_ms", "0.301", str(SLOW)),
        ),
    ],
)
def test_each_difference_is_a_row_and_the_exit_code_is_3(sample, llmtel, change, row):
    llmtel("formats", "test", sample, "--write")
    kept = expectation()
    change(kept)
    Path("s.jsonl.expect.json").write_text(json.dumps(kept))
    code, out, _ = llmtel("formats", "test", sample, "--format", "json")
    assert code == 3
    (found,) = json.loads(out)["tables"][0]["rows"]
    assert tuple(found.values()) == ("s.jsonl", *row)


def test_a_call_more_or_less_is_a_difference_and_the_last_digit_is_none(sample, llmtel):
    llmtel("formats", "test", sample, "--write")
    kept = expectation()
    kept["rows"][0]["latency_ms"] = 0.3
    Path("s.jsonl.expect.json").write_text(json.dumps(kept))
    assert llmtel("formats", "test", sample, "s.jsonl.expect.json")[0] == 0
    kept["rows"].pop()
    Path("s.jsonl.expect.json").write_text(json.dumps(kept))
    assert llmtel("formats", "test", sample)[0] == 3


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("gone.jsonl",), 2, "gone.jsonl: no such file"),
        (("s.jsonl.expect.json",), 2, "name the samples"),
        (("other.jsonl",), 5, "no format claims"),
    ],
)
def test_what_cannot_be_tested_is_said(sample, llmtel, arguments, code, said):
    Path("other.jsonl").write_text('{"a":1}\n')
    assert Path(sample).exists()
    found, _, err = llmtel("formats", "test", *arguments)
    assert found == code
    assert said in err


def test_a_file_that_is_no_expectation_is_refused(sample, llmtel):
    Path("s.jsonl.expect.json").write_text("[]")
    code, _, err = llmtel("formats", "test", sample)
    assert code == 2
    assert "s.jsonl.expect.json: no expectation" in err


def test_a_sample_that_no_format_claims_does_not_keep_the_others_from_being_tested(sample, llmtel):
    Path("other.jsonl").write_text('{"a":1}\n')
    Path("third.jsonl").write_text(json.dumps(LINES[0]) + "\n")
    code, out, err = llmtel("formats", "test", "other.jsonl", sample, "third.jsonl", "--write")
    assert code == 5
    assert "other.jsonl: not read" in out
    assert "s.jsonl is generic" in out
    assert "third.jsonl is generic" in out
    assert "1 of 3 samples could not be read" in err
    assert "the keys a: no format claims them" in err
    assert Path("third.jsonl.expect.json").exists()
    assert not Path("other.jsonl.expect.json").exists()


def test_that_a_sample_is_not_read_counts_more_than_that_another_is_not_as_expected(sample, llmtel):
    llmtel("formats", "test", sample, "--write")
    Path(sample).write_text(json.dumps(LINES[0]) + "\n")
    Path("other.jsonl").write_text('{"a":1}\n')
    code, out, _ = llmtel("formats", "test", sample, "other.jsonl", "--format", "json")
    assert code == 5
    answer = json.loads(out)
    assert [one["state"] for one in answer["files"]] == ["differs", "unread"]
    assert "no format claims" in answer["files"][1]["why"]
    assert answer["tables"][0]["rows"]


def test_nothing_is_read_or_written_where_a_name_or_an_expectation_cannot_be_meant(sample, llmtel):
    Path("bad.jsonl").write_text(json.dumps(LINES[0]) + "\n")
    assert llmtel("formats", "test", "bad.jsonl", "gone.jsonl", "--write")[0] == 2
    assert not Path("bad.jsonl.expect.json").exists()
    Path("bad.jsonl.expect.json").write_text("[]")
    code, out, err = llmtel("formats", "test", sample, "bad.jsonl")
    assert (code, out) == (2, "")
    assert "bad.jsonl.expect.json: no expectation" in err
