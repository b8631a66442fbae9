"""Runs of an evaluation that logs no cases are paired by what was asked."""

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("runs")


def asked(evaluated, path, size, *, prompt="Question {}: what is it?", **fields):
    """A run whose calls hold their prompts."""
    evaluated(path, size, **fields)
    records = [json.loads(line) for line in Path(path).read_text().splitlines()]
    for n, record in enumerate(records):
        record["messages"] = [{"role": "user", "content": prompt.format(n)}]
    Path(path).write_text("".join(json.dumps(record) + "\n" for record in records))


def test_the_same_prompts_are_paired_where_no_case_is_logged(llmtel, evaluated):
    asked(evaluated, "old.jsonl", 60, day=1)
    asked(evaluated, "new.jsonl", 62, day=2, cost=1.5)
    code, out, _ = llmtel("check", "new.jsonl", "--compare-to", "old.jsonl")
    assert code == 3
    assert "60 paired cases (2 new)" in out
    _, out, _ = llmtel("compare", "old.jsonl", "new.jsonl", "--by", "case", "--top", "2")
    assert out.count("  prompt ") == 2


def test_a_baseline_keeps_no_prompt_and_pairs_by_its_hash(llmtel, evaluated):
    asked(evaluated, "old.jsonl", 60, day=1)
    asked(evaluated, "new.jsonl", 60, day=2, cost=1.5)
    llmtel("baseline", "save", "old.jsonl")
    assert "uestion" not in Path(".llmtel/baseline.json").read_text()
    assert "60 paired cases" in llmtel("check", "new.jsonl")[1]


def test_a_logged_case_counts_more_than_its_prompt(llmtel, evaluated):
    asked(evaluated, "old.jsonl", 60, day=1, cases=True)
    asked(evaluated, "new.jsonl", 60, day=2, cases=True, cost=1.5, prompt="Reworded {}.")
    assert "60 paired cases" in llmtel("check", "new.jsonl", "--compare-to", "old.jsonl")[1]


def test_other_prompts_are_not_paired(llmtel, evaluated):
    asked(evaluated, "old.jsonl", 60, day=1)
    asked(evaluated, "new.jsonl", 60, day=2, prompt="Reworded {}.")
    out = llmtel("check", "new.jsonl", "--compare-to", "old.jsonl")[1]
    assert "paired" not in out
    assert "60 and 60 calls, needs 200 a side" in out


def test_a_prompt_that_is_asked_over_and_over_is_no_case(llmtel, evaluated):
    asked(evaluated, "old.jsonl", 300, day=1, prompt="ping")
    asked(evaluated, "new.jsonl", 300, day=2, prompt="ping")
    assert "300 → 300 calls" in llmtel("check", "new.jsonl", "--compare-to", "old.jsonl")[1]
