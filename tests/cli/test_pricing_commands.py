"""`llmtel pricing`: what the book says, why a call costs what it costs, and what is wrong with a file."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

LINE = {
    "timestamp": "2026-09-01T10:00:00Z",
    "request_id": "r1",
    "provider": "anthropic",
    "model": "claude-sonnet-4-5-20250929",
    "usage": {"input_tokens": 1000, "cache_read_input_tokens": 10_000, "output_tokens": 500},
}
COST = (1000 * 3 + 10_000 * 0.3 + 500 * 15) / 1e6


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.jsonl").write_text("".join(json.dumps({**LINE, "request_id": f"r{n}"}) + "\n" for n in range(3)))
    return "a.jsonl"


def test_list_has_the_rates_of_a_day(llmtel):
    code, out, _ = llmtel("pricing", "list", "--as-of", "2025-06-09", "--format", "json")
    document = json.loads(out)
    (o3,) = [row for row in document["tables"][0]["rows"] if row["model"] == "o3"]
    assert (code, document["schema"], o3["input"], o3["output"]) == (0, "llmtel.pricing/1", 10, 40)
    assert o3["until"] == "2025-06-10"
    assert document["pricing"]["as_of"] == "2026-11-23"
    assert len(document["pricing"]["sha256"]) == 64
    assert document["pricing"].keys() == {"as_of", "sha256", "cost_source", "layers"}
    assert len(document["tables"][0]["rows"]) == 212


def test_list_can_be_of_one_provider_by_any_of_its_spellings(llmtel):
    _, out, _ = llmtel("pricing", "list", "--provider", "Bedrock", "--format", "json")
    assert {row["provider"] for row in json.loads(out)["tables"][0]["rows"]} == {"aws"}
    code, _, err = llmtel("pricing", "list", "--provider", "nobody")
    assert code == 2
    assert "there is no provider 'nobody'; known: openai" in err


def test_show_has_every_row_with_the_effective_one_marked(llmtel):
    _, out, _ = llmtel("pricing", "show", "o3", "--date", "2025-01-01", "--format", "json")
    rows = json.loads(out)["tables"][0]["rows"]
    assert [(row["when"], row["input"]) for row in rows] == [("effective", 10), ("future", 2)]
    assert rows[0]["where"].startswith("pricing.yaml:")
    code, _, err = llmtel("pricing", "show", "gpt-4oo")
    assert code == 2
    assert "openai/gpt-4o" in err


def test_show_works_an_example(llmtel):
    _, out, _ = llmtel("pricing", "show", "openai/gpt-4o", "--date", "2026-01-01")
    assert "10,000 tokens in and 1,000 out on 2026-01-01 cost $0.035" in out


@pytest.mark.parametrize(
    "arguments", [("a.jsonl:2",), ("r1", "a.jsonl"), (json.dumps({**LINE, "request_id": "r1"}),)]
)
def test_explain_prints_the_arithmetic_leaf_by_leaf(log, llmtel, arguments):
    code, out, _ = llmtel("pricing", "explain", *arguments, "--format", "json")
    document = json.loads(out)
    assert code == 0
    rows = {row["part"]: row["cost"] for row in document["tables"][0]["rows"]}
    assert rows == pytest.approx({"input_uncached": 0.003, "cache_read": 0.003, "output_text": 0.0075})
    assert sum(rows.values()) == pytest.approx(document["cost"]["cost_usd"]) == pytest.approx(COST)
    assert document["cost"]["price_id"] == "anthropic/claude-sonnet-4-5"
    assert document["call"]["call_id"] == "r1"
    assert (log in json.dumps(document["call"])) == (arguments[0][0] != "{")


def test_explain_reads_standard_input(llmtel, monkeypatch):
    pipe = io.TextIOWrapper(io.BytesIO(json.dumps(LINE).encode()))
    monkeypatch.setattr("sys.stdin", pipe)
    code, out, _ = llmtel("pricing", "explain")
    assert code == 0
    assert "cache_read: 10,000 × $0.3 ÷ 1,000,000 = $0.003" in out
    assert "claude-sonnet-4-5-20250929 is a name of claude-sonnet-4-5" in " ".join(out.split())
    assert "not your invoice" in out


def test_explain_says_why_there_is_no_cost(llmtel):
    line = json.dumps({**LINE, "model": "claude-opus-99"})
    _, out, _ = llmtel("pricing", "explain", line)
    assert "unknown: the book has no model of this name" in out
    assert "$0 " not in out


def test_explain_shows_the_logged_cost_beside_the_computed_one(llmtel):
    line = json.dumps({**LINE, "cost_usd": 0.027})
    _, out, _ = llmtel("pricing", "explain", line)
    assert "the log states $0.027; computed $0.0135, difference -$0.0135, -50.0%" in " ".join(out.split())


def test_explain_writes_small_amounts_out(llmtel):
    line = json.dumps({**LINE, "usage": {"input_tokens": 1, "output_tokens": 0}})
    _, out, _ = llmtel("pricing", "explain", line)
    assert "input_uncached: 1 × $3 ÷ 1,000,000 = $0.000003\n" in out
    assert "e-0" not in out


def test_explain_says_that_a_mode_lacks_a_rate_for_long_contexts_alone(llmtel):
    usage = {"prompt_tokens": 300_000, "completion_tokens": 1}
    call = {
        "timestamp": "2026-06-01T10:00:00Z",
        "model": "gpt-5.4",
        "latency_ms": 5,
        "service_tier": "priority",
    }
    out = llmtel("pricing", "explain", json.dumps({**call, "provider": "openai", "usage": usage}))[1]
    assert "long context: more than 272,000 input tokens" in out
    assert "the row has no rate for priority" in out


def test_explain_wants_exactly_one_call(log, llmtel):
    assert "has 3 calls" in llmtel("pricing", "explain", log)[2]
    assert "there is no call 'r9'" in llmtel("pricing", "explain", "r9", log)[2]
    assert "an id needs the logs" in llmtel("pricing", "explain", "r9")[2]


def test_check_names_every_mistake_with_its_line_and_exits_3(llmtel, tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text(
        "models:\n  openai:\n    a:\n      prices: [{input: -1, output: 2}]\n"
        "    b:\n      prices:\n        - {from: 2026-02-01, input: 1, output: 2}\n"
        "        - {from: 2026-01-01, input: 1, output: 2}\n"
        "    c: {names: [B], prices: [{input: 1, output: 2}]}\n"
    )
    code, out, _ = llmtel("pricing", "check", path, "--format", "json")
    found = {row["where"].rpartition(":")[2]: row["text"] for row in json.loads(out)["tables"][0]["rows"]}
    assert code == 3
    assert "negative" in found["4"]
    assert "oldest first" in found["8"]
    assert "stands twice" in found["9"]


def test_check_warns_of_what_is_rarely_meant(llmtel, tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text(
        "as_of: 2024-01-01\nmodels:\n  openai:\n    a:\n      context: 128000\n      checked: 2024-01-01\n"
        "      prices:\n"
        "        - {input: 10, cache_read: 10, output: 2, batch: 0.05,\n"
        "           above: {input_tokens: 200000, input: 5, cache_read: 10, output: 2}}\n"
        + "".join(
            f"        - {{from: 2026-0{month}-01, input: 1, output: 2, batch: {{input: 1}},\n"
            "           above: {input_tokens: 2000, input: 2}}\n"
            for month in (1, 2)
        )
    )
    code, out, _ = llmtel("pricing", "check", path, "--format", "json")
    rows = json.loads(out)["tables"][0]["rows"]
    assert code == 0
    assert {row["kind"] for row in rows} == {
        "stale_book", "stale_model", "cache_ratio", "output_below_input", "odd_mode", "tier_above_context",
        "cheaper_tier", "mode_without_tier", "equal_rows", "partial_tier",
    }  # fmt: skip
    assert [row["where"] for row in rows if row["kind"] == "stale_book"] == [f"{path}:1"]


def test_the_packaged_book_has_no_mistake_and_few_warnings(llmtel):
    code, out, _ = llmtel("pricing", "check", "--format", "json")
    assert code == 0
    assert json.loads(out)["counts"]["error"] == 0
    assert json.loads(out)["counts"]["warning"] <= 7


def test_a_price_is_added_in_one_line_and_used_from_then_on(llmtel):
    assert llmtel("pricing", "add", "anthropic/claude-9=1/2")[0] == 0
    line = json.dumps({**LINE, "model": "claude-9"})
    _, out, _ = llmtel("pricing", "explain", line, "--format", "json")
    document = json.loads(out)
    assert document["cost"]["price_id"] == "anthropic/claude-9"
    assert document["pricing"]["layers"][1].endswith("llmtel/pricing.yaml")
    code, _, err = llmtel("pricing", "add", "anthropic/claude-9=3/4")
    assert code == 2
    assert "--from DAY" in err


def test_an_update_shows_differences_and_writes_only_when_told(llmtel, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    models = {"gpt-4o": {"cost": {"input": 2, "output": 10}}, "gpt-9": {"cost": {"input": 1, "output": 2}}}
    Path("api.json").write_text(json.dumps({"openai": {"models": models}}))
    update = (
        "pricing",
        "update",
        "--from",
        "models.dev",
        "api.json",
        "--to",
        "mine.yaml",
        "--format",
        "json",
    )
    document = json.loads(llmtel(*update)[1])
    (row,) = document["tables"][0]["rows"]
    assert row == {
        "model": "openai/gpt-4o",
        "rate_name": "input",
        "mine": 2.5,
        "theirs": 2,
        "change": pytest.approx(-0.2),
    }
    assert document["new"] == ["openai/gpt-9"]
    assert not Path("mine.yaml").exists()
    llmtel(*update, "--write")
    assert "gpt-9" not in Path("mine.yaml").read_text()
    _, out, _ = llmtel("pricing", "show", "gpt-4o", "--pricing", "mine.yaml", "--format", "json")
    assert [r["input"] for r in json.loads(out)["tables"][0]["rows"]] == [2.5, 2]
    llmtel(*update, "--write", "--only", "openai/gpt-9")
    assert llmtel("pricing", "show", "gpt-9", "--pricing", "mine.yaml")[0] == 0
    assert json.loads(llmtel(*update)[1])["tables"][0]["rows"] == []


def test_prices_of_the_configuration_are_those_of_every_command(llmtel, log):
    Path("team.yaml").write_text(
        "models: {anthropic: {claude-sonnet-4-5-20250929: {prices: [{input: 1, output: 1}]}}}"
    )
    Path("llmtel.yaml").write_text("pricing: team.yaml\n")
    explained = json.loads(llmtel("pricing", "explain", "r1", log, "--format", "json")[1])
    total = json.loads(llmtel("analyze", log, "--format", "json")[1])["tables"][0]["rows"][0]
    bill = llmtel("analyze", log, "--format", "focus")[1]
    assert explained["cost"]["cost_usd"] == pytest.approx(0.0115)
    assert total["cost"] == pytest.approx(3 * 0.0115)
    assert sum(float(line.split(",")[0]) for line in bill.splitlines()[1:]) == pytest.approx(3 * 0.0115)


def test_the_bare_command_lists_its_commands(llmtel):
    code, out, _ = llmtel("pricing")
    assert code == 0
    for name in ("list", "show", "explain", "check", "update", "add"):
        assert f"\n  {name} " in out


def test_a_file_that_is_not_there_is_a_usage_error_and_nothing_on_a_pipe_is_said(llmtel, monkeypatch):
    assert llmtel("pricing", "check", "nowhere.yaml")[0] == 2
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    code, _, err = llmtel("pricing", "explain")
    assert (code, "standard input has no call" in err) == (2, True)
