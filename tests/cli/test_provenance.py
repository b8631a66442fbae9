"""Every output says at which prices its money is: the day of the book and the hash of its content."""

from __future__ import annotations

import json

import pytest

from llmtel.cli.app import run
from llmtel.pricing import book

CALLS = [
    {"model": "gpt-4o", "prompt_tokens": 1000, "completion_tokens": 500},
    {"model": "no-such-model-1", "prompt_tokens": 1000, "completion_tokens": 500},
]
FORMATS = ("table", "markdown", "json", "jsonl", "csv", "parquet", "focus")


@pytest.fixture
def answer(tmp_path, capfdbinary):
    """What `llmtel analyze` writes about one call of a known and one of an unknown model."""
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"timestamp": "2026-09-01T10:00:00Z", **c}) + "\n" for c in CALLS))

    def ask(fmt, *options):
        code = run(["analyze", str(path), "--format", fmt, "-o", str(tmp_path / "out"), *options])
        assert code == 0, capfdbinary.readouterr().err
        return (tmp_path / "out").read_bytes()

    return ask


@pytest.mark.parametrize("fmt", FORMATS)
def test_the_book_is_named_by_day_and_hash(answer, fmt):
    prices = book.load()
    out = answer(fmt).replace(b"\\", b"")
    assert prices.as_of.isoformat().encode() in out
    digest = prices.sha256 if fmt not in {"table", "markdown"} else prices.sha256[:6]
    assert digest.encode() in out


@pytest.mark.parametrize("fmt", FORMATS[:-2])
def test_an_unknown_model_is_never_zero_in_any_format(answer, fmt):
    out = answer(
        fmt, "--by", "model", "--metrics", "calls,cost,cost_per_call,computed_cost,actual_cost"
    ).decode()
    lines = [line for line in out.splitlines() if "no-such-model-1" in line and "--" not in line]
    (line,) = [
        line for line in lines if "unknown" not in line and " no price" not in line and "alias" not in line
    ]
    numbers = line.split("no-such-model-1", 1)[1].replace("sha256:", "#").partition("#")[0]
    assert "0.0" not in numbers
    assert "$0" not in numbers
    assert ": 0" not in numbers
    if fmt == "json":
        assert '"cost": null' in line or '"cost":null' in line


def test_an_unknown_model_is_null_in_parquet_and_has_no_row_in_a_bill(answer, tmp_path):
    import polars as pl  # noqa: PLC0415 (only this test needs it)

    answer("parquet", "--by", "model", "--metrics", "cost")
    costs = dict(pl.read_parquet(tmp_path / "out").select("model", "cost").iter_rows())
    assert costs == {"gpt-4o": pytest.approx(0.0075), "no-such-model-1": None}
    assert b"no-such-model" not in answer("focus")
