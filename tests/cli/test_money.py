"""Money on the command line: other prices, other currencies, which cost counts."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import polars as pl
import pytest


@pytest.fixture
def log(tmp_path, monkeypatch):
    """Ten calls of $0.0075, which the log puts at $0.0070, in the current folder."""
    monkeypatch.chdir(tmp_path)
    tokens = {"prompt_tokens": 1000, "completion_tokens": 500}
    record = {"model": "gpt-4o", "feature": "night", "cost_usd": 0.007, **tokens}
    lines = [
        json.dumps({"timestamp": f"2026-09-0{n + 1}T10:00:00Z", "request_id": f"r{n}", **record})
        for n in range(9)
    ]
    Path("a.jsonl").write_text("\n".join(lines) + "\n")
    return "a.jsonl"


def asked(llmtel, *arguments):
    code, out, err = llmtel("analyze", *arguments, "--format", "json")
    assert code == 0, err
    return json.loads(out)


def test_both_costs_are_shown_and_their_difference_is_a_finding(log, llmtel):
    document = asked(llmtel, log, "--by", "model")
    row = document["tables"][1]["rows"][0]
    assert (row["cost"], row["computed_cost"], row["logged_cost"]) == pytest.approx((0.0675, 0.0675, 0.063))
    assert "cost_differs" in {finding["kind"] for finding in document["findings"]}
    assert document["coverage"]["computed"]["calls"] == 9


@pytest.mark.parametrize(("option", "cost"), [("computed", 0.0675), ("logged", 0.063), ("auto", 0.0675)])
def test_the_cost_that_counts_is_chosen(log, llmtel, option, cost):
    document = asked(llmtel, log, "--cost", option, "--metrics", "cost,computed_cost,logged_cost")
    row = document["tables"][0]["rows"][0]
    assert row == pytest.approx({"cost": cost, "computed_cost": 0.0675, "logged_cost": 0.063})
    assert document["pricing"]["cost_source"] == option


def test_a_what_if_shows_both_costs_and_says_so(log, llmtel):
    document = asked(llmtel, log, "--price-as", "gpt-4o-mini", "--by", "model")
    row = document["tables"][1]["rows"][0]
    assert (row["cost"], row["actual_cost"]) == pytest.approx((9 * 0.00045, 0.0675))
    assert document["what_if"] == "priced as gpt-4o-mini"
    (finding,) = [f for f in document["findings"] if f["kind"] == "what_if"]
    assert finding["evidence"]["cost"] == pytest.approx(9 * 0.00045)
    assert "--price-as gpt-4o-mini" in finding["command"]
    assert "another model counts and answers otherwise" in finding["text"]
    assert "cost_differs" not in {finding["kind"] for finding in document["findings"]}
    assert llmtel("analyze", log, "--price-as", "gpt-4o-minni")[0] == 2
    assert llmtel("analyze", log, "--as-of", "yesterday")[0] == 2


def test_the_same_model_on_another_day_is_not_called_another_model(log, llmtel):
    document = asked(llmtel, log, "--as-of", "2026-01-01")
    (finding,) = [f for f in document["findings"] if f["kind"] == "what_if"]
    assert "another model" not in finding["text"]


MONEY = "cost,cost_per_call,cost_per_user,cost_per_success,computed_cost,cache_savings,actual_cost"


@pytest.mark.parametrize("ask", [(), ("--by", "model"), ("--by", "model", "--metrics", MONEY)])
@pytest.mark.parametrize("cost", ["auto", "computed", "logged"])
@pytest.mark.parametrize("form", ["table", "markdown", "json", "jsonl", "csv", "parquet", "focus"])
def test_an_unknown_model_costs_nothing_known_in_any_format(tmp_path, llmtel, form, cost, ask):
    call = {"timestamp": "2026-09-01T10:00:00Z", "model": "o9-mini", "provider": "openai", "status": "ok"}
    log, out = tmp_path / "log.jsonl", tmp_path / "out"
    log.write_text(json.dumps({**call, "user": "u", "prompt_tokens": 7, "completion_tokens": 3}) + "\n")
    if form == "focus" and ask:
        pytest.skip("a bill has no questions")
    assert llmtel("analyze", log, "--format", form, "--cost", cost, *ask, "-o", out)[0] == 0
    assert not _amounts(out, form)


def _amounts(path, form):
    """Every amount of money in an answer, wherever it stands: "$0" is one too."""
    if form in ("table", "markdown"):
        return re.findall(r"\$ ?\d", path.read_text())
    if form == "json":
        document = json.loads(path.read_text())
        rows = [row for table in document["tables"] for row in table["rows"]]
    elif form == "parquet":
        rows = pl.read_parquet(path).to_dicts()
    elif form == "jsonl":
        rows = [json.loads(line) for line in path.read_text().splitlines()]
    else:
        rows = list(csv.DictReader(path.read_text().splitlines()))
        assert form == "csv" or not rows
    return [v for row in rows for name, v in row.items() if "cost" in name.lower() and v not in (None, "")]


def test_a_batch_saves_on_what_can_wait(log, llmtel):
    document = asked(llmtel, log, "--metrics", "batch_savings", "--deferrable", "feature=night")
    assert document["tables"][0]["rows"][0]["batch_savings"] == pytest.approx(0.0675 / 2)
    code, _, err = llmtel("analyze", log, "--metrics", "batch_savings")
    assert code == 2
    assert "--deferrable" in err
    code, _, err = llmtel("analyze", log, "--deferrable", "feature=night")
    assert (code, "batch_savings" in err) == (2, True)


def test_people_see_their_currency_and_machines_dollars(log, llmtel):
    Path("rates.yaml").write_text("{as_of: 2026-11-20, source: ECB, rates: {EUR: 2}}")
    options = ("--currency", "eur", "--rates", "rates.yaml")
    _, out, _ = llmtel("analyze", log, *options)
    assert "€0.135" in out
    assert "cost €" in out.lower()
    assert "shown in EUR at 2.0 per USD (ECB of 2026-11-20)" in " ".join(out.split())
    assert "$" not in out.replace("$ per", "")
    document = asked(llmtel, log, *options)
    assert document["tables"][0]["rows"][0]["cost"] == pytest.approx(0.0675)
    assert document["pricing"]["shown_in"]["code"] == "EUR"
    code, _, err = llmtel("analyze", log, "--currency", "CHF", "--rates", "rates.yaml")
    assert (code, "has no rate for CHF; it has EUR" in err) == (2, True)
    assert "--rates FILE" in llmtel("analyze", log, "--currency", "CHF")[2]


def test_discounts_and_credits_are_named(log, llmtel):
    Path("mine.yaml").write_text(
        "discounts: [{provider: openai, percent: 20}]\ncredits: [{provider: openai, usd: 1}]\n"
    )
    document = asked(llmtel, log, "--pricing", "mine.yaml")
    assert document["tables"][0]["rows"][0]["cost"] == pytest.approx(0.0675 * 0.8)
    assert document["pricing"]["discounts"] == ["openai 20 %"]
    (finding,) = [f for f in document["findings"] if f["kind"] == "credits"]
    assert finding["evidence"]["used"] == pytest.approx(0.0675 * 0.8)
    _, out, _ = llmtel("analyze", log, "--pricing", "mine.yaml")
    assert "less your discounts (openai 20 %), not your invoice" in " ".join(out.split())


def test_every_call_has_a_reason_for_its_price(llmtel, tmp_path):
    path = tmp_path / "b.jsonl"
    usage = {"prompt_tokens": 1000, "completion_tokens": 500}
    calls = [
        {"model": "gpt-4o", **usage},
        {"model": "o9", **usage},
        {"model": "o9", "cost_usd": 1.5, **usage},
        {"model": "o9", "http_status": 429},
        {"model": "gpt-4", "usage": {**usage, "prompt_tokens_details": {"cached_tokens": 900}}},
        {"model": "gpt-4o"},
    ]
    path.write_text("".join(json.dumps({"timestamp": "2026-09-01T10:00:00Z", **c}) + "\n" for c in calls))
    rows = asked(llmtel, path, "--by", "price", "--metrics", "calls,cost")["tables"][1]["rows"]
    assert {row["price"]: (row["calls"], row["cost"] is None) for row in rows} == {
        "priced": (1, False),
        "priced, cache rate assumed": (1, False),
        "logged": (1, False),
        "not billed": (1, False),
        "unpriced: unknown_model": (1, True),
        "unpriced: no_usage": (1, True),
    }
