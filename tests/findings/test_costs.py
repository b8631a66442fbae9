"""Where the money comes from, and where book and log disagree."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from llmtel.core.schema import complete, polars_schema
from llmtel.findings import costs, grounds
from llmtel.findings.command import Command

HERE = Command(("logs/",))
CALL = {"model": "m", "input_uncached": 100, "ts": datetime(2026, 11, 1, tzinfo=UTC)}


def frame(*rows):
    rows = [{**CALL, **row} for row in rows]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return complete(pl.DataFrame([{n: r.get(n) for n in names} for r in rows], schema=polars_schema(names)))


def test_every_call_is_in_one_part_of_the_coverage():
    calls = frame(
        {"cost_usd": 6.0},
        {"cost_usd": 1.0, "price_flags": "tier,assumed_cache_rate", "token_source": "estimated"},
        {"cost_usd": 0.0, "price_flags": "reasoning_unknown", "token_source": "tokenizer"},
        {"cost_usd": 3.0, "price_flags": "logged"},
        {"cost_usd": 0.0, "price_flags": "not_billed"},
        {"price_reason": "unknown_model"},
        {"price_reason": "no_rate:batch"},
    )
    told = grounds.coverage(calls).meta()
    by_tokens = told.pop("token_sources")
    assert {name: part["calls"] for name, part in told.items()} == {
        "priced": 5, "computed": 3, "logged": 1, "not_billed": 1, "assumed_cache_rate": 1,
        "reasoning_unknown": 1, "unpriced": 2,
    }  # fmt: skip
    assert told["logged"]["share_of_cost"] == pytest.approx(0.3)
    assert told["unpriced"]["share_of_calls"] == pytest.approx(2 / 7)
    assert told["unpriced"]["reasons"] == {"no_rate:batch": 1, "unknown_model": 1}
    assert "cost" not in told["unpriced"]
    assert sum(part["tokens"] for part in by_tokens.values()) == 700
    assert [by_tokens[name]["share_of_tokens"] for name in ("tokenizer", "estimated")] == [1 / 7, 1 / 7]
    assert [by_tokens[name]["share_of_cost"] for name in by_tokens] == pytest.approx([0.6, 0, 0.1])
    assert grounds.cost_words(grounds.coverage(calls)) == ("30.0 % as logged", "10.0 % on estimated tokens")
    assert grounds.token_words(grounds.coverage(calls)) == ("14.3 % counted", "14.3 % estimated")


def test_a_gap_of_more_than_a_percent_between_book_and_log_is_a_finding():
    (finding,) = costs.differing(frame({"cost_computed": 1.0, "cost_logged": 0.98}), HERE)
    assert (finding.kind, finding.figure) == ("cost_differs", "+$0.0200")
    assert finding.evidence["models"][0]["model"] == "m"
    assert costs.differing(frame({"cost_computed": 1.0, "cost_logged": 0.995}), HERE) == []
    assert costs.differing(frame({"cost_computed": 1.0}), HERE) == []


def test_gaps_of_models_do_not_cancel_out():
    calls = frame(
        {"cost_computed": 1.0, "cost_logged": 2.0}, {"model": "n", "cost_computed": 2.0, "cost_logged": 1.0}
    )
    (finding,) = costs.differing(calls, HERE)
    assert finding.money == pytest.approx(2.0)


def test_a_logged_zero_beside_tokens_is_told():
    (finding,) = costs.differing(frame({"cost_computed": 1.0, "cost_logged": 0.0}), HERE)
    assert "over 1 call with both" in finding.text
    assert "1 call with tokens is logged at $0" in finding.text
    assert finding.evidence["logged_zero"] == 1


@pytest.mark.parametrize(
    ("today", "levels"),
    [(date(2026, 12, 30), ["warning"]), (date(2026, 12, 1), []), (None, [])],
)
def test_a_book_older_than_sixty_days_is_a_finding(today, levels):
    found = costs.stale_book("2026-10-25", today, frame({}))
    assert [finding.level for finding in found] == levels


def test_an_old_book_is_no_warning_for_older_calls():
    (finding,) = costs.stale_book("2026-11-02", date(2027, 11, 1), frame({}))
    assert finding.level == "info"


def test_credits_pay_a_part_of_the_cost():
    (finding,) = costs.credits_used([costs.Credit("anthropic", 100.0, 30.0, "2026-12-31")], 50.0)
    assert finding.figure == "$30.00"
    assert "$20.00 are not" in finding.text
    assert "anthropic $70.00 left of $100.00 until 2026-12-31" in finding.text
