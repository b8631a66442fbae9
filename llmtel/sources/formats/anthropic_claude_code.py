"""Anthropic's Claude Code analytics: a record a day and a person (or API key), with a sum for each model.

https://platform.claude.com/docs/en/api/admin/usage_report. The estimated cost is in cents.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from llmtel.sources import raw
from llmtel.sources.anthropic import UNSTATED_LIFE
from llmtel.sources.buckets import PAGE_FOLLOWS, SUMS, dollars, in_dollars_only, results
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Record, Remark, Source

_CURRENCY, _CENTS = raw.text("estimated_cost.currency"), raw.number("estimated_cost.amount")
_WRITTEN = raw.count("tokens.cache_creation")


def records(page: Record) -> list[dict[str, Any]]:
    """The models of a page of records, or of one, each with its day and its actor."""
    days = [page] if "date" in page else page.get("data") or ()
    found = [
        {**model, "actor": day.get("actor")}
        for day in days
        for model in results(day, "date", ("model_breakdown",))
    ]
    return [{**found[0], "page_follows": page.get("has_more")}, *found[1:]] if found else []


SOURCES = (
    Source(
        name="anthropic_claude_code",
        help="Anthropic's Claude Code usage report (API): tokens and estimated cost by day, person and model",
        link="https://platform.claude.com/docs/en/build-with-claude/claude-code-analytics-api",
        evidence="documented",
        marks=(
            Mark(all=("data[0].core_metrics", "data[0].actor")),
            Mark(all=("core_metrics", "actor", "model_breakdown")),
        ),
        records=records,
        keep=raw.text("date").is_not_null(),
        calls={
            **SUMS,
            "ts": raw.time("date"),
            "provider": pl.lit("anthropic"),
            "model": raw.text("model"),
            "user": raw.text("actor.email_address"),
            "api_key": raw.text("actor.api_key_name"),
            "input_uncached": raw.count("tokens.input"),
            "cache_read": raw.count("tokens.cache_read"),
            "cache_write_5m": _WRITTEN,
            "output_text": raw.count("tokens.output"),
            "cost_logged": dollars(_CENTS / 100, _CURRENCY),
        },
        remarks={
            **PAGE_FOLLOWS,
            **in_dollars_only(_CURRENCY),
            "ttl_unknown": Remark(_WRITTEN > 0, UNSTATED_LIFE),
        },
        sample=lines("""
            {"data":[{"date":"2026-09-01T00:00:00Z","actor":{"type":"user_actor","email_address":"ann@example.com"},
              "customer_type":"api","terminal_type":"vscode","core_metrics":{"num_sessions":2},
              "model_breakdown":[{"model":"claude-sonnet-4-5","tokens":{"input":700,"output":300,
              "cache_read":9000,"cache_creation":400},"estimated_cost":{"currency":"USD","amount":250}},{
              "model":"claude-haiku-4-5","tokens":{"input":10,"output":5,"cache_read":0,"cache_creation":0},
              "estimated_cost":{"currency":"USD","amount":1}}]},{"date":"2026-09-01T00:00:00Z",
              "actor":{"type":"api_actor","api_key_name":"ci"},"core_metrics":{"num_sessions":1},
              "model_breakdown":[{"model":"claude-haiku-4-5","tokens":{"input":20,"output":2,"cache_read":0,
              "cache_creation":0},"estimated_cost":{"currency":"USD","amount":2}}]}],
              "has_more":false,"next_page":null}
        """),
        expect=rows("""
            {"ts": "2026-09-01T00:00:00+00:00", "grain": "bucket", "request_count": null,
              "model": "claude-sonnet-4-5", "user": "ann@example.com", "api_key": null, "input_uncached": 700,
              "cache_read": 9000, "cache_write_5m": 400, "output_text": 300, "cost_logged": 2.5}
            {"model": "claude-haiku-4-5", "user": "ann@example.com", "cost_logged": 0.01}
            {"user": null, "api_key": "ci", "input_uncached": 20}
        """),
    ),
)
