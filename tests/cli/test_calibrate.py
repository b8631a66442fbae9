"""Logs that have texts and counts teach how a model counts; what is printed works as a price file."""

import json
import re

import pytest

from llmtel.tokens.counting import Counter

PROMPT, ANSWER = "Say hello to the whole wide world, please. " * 5, "Hello, whole wide world! " * 4


@pytest.fixture
def counted():
    return sum(Counter().counts([PROMPT, ANSWER], "o200k_base"))


def log(path, lines, **fields):
    line = {"timestamp": "2026-09-01T10:00:00Z", "latency_ms": 5, "prompt": PROMPT, "completion": ANSWER}
    path.write_text((json.dumps(line | fields) + "\n") * lines)
    return path


def test_a_family_learns_its_factor_and_estimates_with_it(llmtel, tmp_path, counted):
    prompt, answer = Counter().counts([PROMPT, ANSWER], "o200k_base")
    half_more = {"prompt_tokens": round(prompt * 1.5), "completion_tokens": round(answer * 1.5)}
    logs = log(tmp_path / "logs.jsonl", 40, model="claude-sonnet-4-5", **half_more)
    code, out, _ = llmtel("calibrate", logs, "--format", "json")
    [row] = json.loads(out)["tables"][0]["rows"]
    assert (code, row["tokenizer"], row["calls"]) == (0, "claude", 40)
    assert row["factor"] == pytest.approx(sum(half_more.values()) / counted)

    _, out, _ = llmtel("calibrate", logs)
    book = tmp_path / "book.yaml"
    assert "source: llmtel calibrate over 40 calls" in " ".join(out.split())
    book.write_text("schema: 1\n" + re.search(r"tokenizers: \{.*?\}\}", " ".join(out.split()))[0] + "\n")
    silent = log(tmp_path / "silent.jsonl", 1, model="claude-sonnet-4-5")
    _, out, _ = llmtel("analyze", silent, "--pricing", book, "--format", "json", "--metrics", "total_tokens")
    assert json.loads(out)["tables"][0]["rows"][0]["total_tokens"] == pytest.approx(1.5 * counted, abs=1)


def test_too_few_calls_are_told_and_taught_by_nothing(llmtel, tmp_path):
    few = log(tmp_path / "few.jsonl", 3, model="claude-sonnet-4-5", prompt_tokens=9, completion_tokens=9)
    _, out, _ = llmtel("calibrate", few)
    assert "claude: 3 calls are too few to go by" in out
    assert "factor:" not in out


def test_logs_without_texts_have_nothing_to_teach(llmtel, tmp_path):
    path = tmp_path / "log.jsonl"
    for n in (1, 3):
        lines = (
            f'{{"timestamp":"2026-09-01","request_id":"{i}","model":"gpt-4o","prompt_tokens":9}}\n'
            for i in range(n)
        )
        path.write_text("".join(lines))
        code, out, _ = llmtel("calibrate", path)
        assert code == 0
        assert "nothing to learn from" in out


def test_calls_without_counts_are_priced_by_their_texts_and_say_so(llmtel, tmp_path):
    silent = log(tmp_path / "silent.jsonl", 2, model="gpt-4o")
    _, out, _ = llmtel("analyze", silent)
    assert "tokens of 2 calls were counted from texts" in out
    one = log(tmp_path / "one.jsonl", 1, model="claude-sonnet-4-5")
    out = " ".join(llmtel("analyze", one)[1].split())
    assert "tokens of 1 call were counted from texts, 1 of them estimated" in out
    _, out, _ = llmtel("calls", silent, "--format", "json")
    rows = json.loads(out)["tables"][0]["rows"]
    assert all(row["cost_usd"] > 0 for row in rows)
    assert {row["token_source"] for row in rows} == {"tokenizer"}
    logged = log(tmp_path / "logged.jsonl", 2, model="gpt-4o", prompt_tokens=9, completion_tokens=9)
    assert (
        "token_source"
        not in json.loads(llmtel("calls", logged, "--format", "json")[1])["tables"][0]["rows"][0]
    )
    assert "Hello" not in out


def test_headline_and_json_say_which_share_rests_on_counted_tokens(llmtel, tmp_path):
    usage = {"prompt_tokens": 1000, "completion_tokens": 100}
    logs = tmp_path / "logs"
    logs.mkdir()
    log(logs / "counted.jsonl", 2, model="gpt-4o")
    log(logs / "estimated.jsonl", 1, model="claude-sonnet-4-5")
    log(logs / "logged.jsonl", 3, model="gpt-4o", **usage)
    document = json.loads(llmtel("analyze", logs, "--format", "json")[1])
    sources = document["coverage"]["token_sources"]
    assert [sources[name]["calls"] for name in ("logged", "tokenizer", "estimated")] == [3, 2, 1]
    assert sum(part["share_of_tokens"] for part in sources.values()) == pytest.approx(1)
    assert sum(part["share_of_cost"] for part in sources.values()) == pytest.approx(1)
    assert sources["logged"]["cost"] == pytest.approx(3 * (1000 * 2.5 + 100 * 10) / 1e6)
    _, out, _ = llmtel("analyze", logs)
    assert "% on counted tokens" in out
    assert "% on estimated tokens" in out
    assert f"{sources['tokenizer']['share_of_tokens'] * 100:.1f} % counted" in out
    _, out, _ = llmtel("analyze", logs, "--by", "token_source", "--metrics", "calls,cost", "--format", "json")
    rows = json.loads(out)["tables"][1]["rows"]
    assert {row["token_source"]: row["calls"] for row in rows} == {
        "logged": 3,
        "tokenizer": 2,
        "estimated": 1,
    }


def test_a_counted_answer_of_a_model_that_reasons_is_a_finding_and_explained(llmtel, tmp_path):
    silent = log(tmp_path / "silent.jsonl", 1, model="o3")
    document = json.loads(llmtel("analyze", silent, "--format", "json")[1])
    [finding] = [one for one in document["findings"] if one["kind"] == "reasoning_unknown"]
    assert finding["evidence"]["cost"] == document["coverage"]["reasoning_unknown"]["cost"] > 0
    pasted = finding["command"].split()[1:]
    assert llmtel(*pasted, "--format", "json")[0] == 0
    out = " ".join(llmtel("pricing", "explain", f"{silent}:1")[1].split())
    assert "counted from the texts, o200k_base, the model's own encoding" in out
    assert "lower bound" in out


def test_an_estimate_says_with_which_factor_and_where_that_is_from(llmtel, tmp_path):
    silent = log(tmp_path / "silent.jsonl", 1, model="claude-sonnet-4-5")
    out = " ".join(llmtel("pricing", "explain", f"{silent}:1")[1].split())
    assert "estimated from the texts, claude: o200k_base × 1.18 (the vendor's counter, https://" in out
    out = " ".join(llmtel("pricing", "show", "claude-sonnet-4-5")[1].split())
    assert "checked 2026-11-23)" in out
