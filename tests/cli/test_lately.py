"""Why the cost changed, in the overview: causes, a lever and a command, where there is something to tell."""

import json
from pathlib import Path

import pytest


@pytest.fixture
def month(tmp_path, monkeypatch):
    """Write a log of `days`, whose answers are `longer` times as long in the second half."""

    def written(longer, days=28):
        monkeypatch.chdir(tmp_path)
        calls = [
            {
                "timestamp": f"2026-09-{day:02d}T{n // 2:02d}:00:00Z",
                "request_id": f"{day}-{n}",
                "model": "gpt-5",
                "feature": "chat",
                "prompt_tokens": 1000,
                "completion_tokens": round(500 * (longer if day > days // 2 else 1)),
            }
            for day in range(1, days + 1)
            for n in range(48)
        ]
        Path("month.jsonl").write_text("".join(json.dumps(call) + "\n" for call in calls))

    return written


def change_of(out):
    return json.loads(out)["change"]


def test_a_dearer_fortnight_is_told_with_its_causes_a_lever_and_a_command(llmtel, month):
    month(1.5)
    _, out, _ = llmtel("analyze", "month.jsonl")
    assert "Cost of the last 14 days: " in out
    assert "why      output tokens  +$" in out
    assert "try      cap the output" in out
    assert "llmtel compare 'prev 14d' month.jsonl --by feature" in out
    _, out, _ = llmtel("analyze", "month.jsonl", "--format", "markdown")
    assert "| output tokens | +\\$" in out
    assert "`llmtel compare 'prev 14d' month.jsonl --by feature`" in out


def test_it_is_the_bridge_of_the_command_to_paste(llmtel, month):
    month(1.5)
    told = change_of(llmtel("analyze", "month.jsonl", "--format", "json")[1])
    assert (told["days"], told["material"]) == (14, True)
    full = json.loads(llmtel("compare", "prev 14d", "month.jsonl", "--format", "json")[1])["bridge"]
    assert told["bridge"]["effects"] == pytest.approx(full["effects"], abs=1e-9)
    assert [c["line"] for c in told["bridge"]["causes"]] == [c["line"] for c in full["causes"]]
    assert told["bridge"]["since"] == full["since"]


def test_a_change_below_a_tenth_is_in_json_alone(llmtel, month):
    month(1.05)
    assert "Cost of the last" not in llmtel("analyze", "month.jsonl")[1]
    told = change_of(llmtel("analyze", "month.jsonl", "--format", "json")[1])
    assert told["material"] is False
    assert told["before"] < told["now"]


def test_there_is_none_without_two_weeks_nor_with_imagined_prices(llmtel, month):
    month(2)
    asked = ("analyze", "month.jsonl", "--format", "json")
    assert change_of(llmtel(*asked, "--price-as", "gpt-5-mini")[1]) is None
    month(2, days=10)
    assert change_of(llmtel(*asked)[1]) is None
