"""Anthropic's usage and cost reports: pages of buckets, each with results.

https://docs.anthropic.com/en/api/usage-cost-api. Costs are decimal strings in cents, and daily; costs of the
priority tier are not in them.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from llmtel.sources import raw
from llmtel.sources.buckets import PAGE_FOLLOWS, SUMS, dollars, in_dollars_only, results
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Record, Source


def records(page: Record) -> list[dict[str, Any]]:
    """The results of a page, or of a bucket."""
    return results(page, "starting_at")


_TIER = raw.text("service_tier")
_GEO = raw.text("inference_geo")
_CURRENCY = raw.text("currency").fill_null("USD")

SOURCES = (
    Source(
        name="anthropic_usage",
        help="Pages of Anthropic's usage report and cost report: sums of many requests",
        link="https://docs.anthropic.com/en/api/usage-cost-api",
        evidence="documented",
        marks=(
            Mark(all=("data[0].starting_at",)),
            Mark(all=("data", "has_more", "next_page"), none=("data[0]", "object")),
            Mark(all=("starting_at", "ending_at", "results")),
        ),
        records=records,
        keep=raw.text("starting_at").is_not_null(),
        calls={
            "ts": raw.time("starting_at"),
            **SUMS,
            "provider": pl.lit("anthropic"),
            "model": raw.text("model"),
            "project": raw.text("workspace_id"),
            "api_key": raw.text("api_key_id"),
            "region": pl.when(_GEO != "not_available").then(_GEO),
            "input_uncached": raw.count("uncached_input_tokens"),
            "cache_read": raw.count("cache_read_input_tokens"),
            "cache_write_5m": raw.count("cache_creation.ephemeral_5m_input_tokens"),
            "cache_write_1h": raw.count("cache_creation.ephemeral_1h_input_tokens"),
            "output_text": raw.count("output_tokens"),
            "web_searches": raw.count("server_tool_use.web_search_requests"),
            "service_tier": _TIER,
            "batch": pl.when(_TIER == "batch").then(statement=True),
            # cents, by Anthropic's definition a decimal string: no value of a wrong type
            "cost_logged": dollars(raw.text("amount").cast(pl.Float64, strict=False) / 100, _CURRENCY),
        },
        remarks={**PAGE_FOLLOWS, **in_dollars_only(_CURRENCY)},
        sample=lines("""
            {"data":[{"starting_at":"2026-09-01T00:00:00Z","ending_at":"2026-09-02T00:00:00Z","results":[{
              "uncached_input_tokens":800,"cache_creation":{"ephemeral_5m_input_tokens":60,
              "ephemeral_1h_input_tokens":0},"cache_read_input_tokens":3000,"output_tokens":150,
              "server_tool_use":{"web_search_requests":1},"model":"claude-sonnet-4-5","service_tier":"batch",
              "inference_geo":"not_available","workspace_id":"wrk_shop",
              "api_key_id":"apikey_1"}]}],"has_more":false,"next_page":null}
            {"data":[{"starting_at":"2026-09-01T00:00:00Z","ending_at":"2026-09-02T00:00:00Z","results":[{
              "amount":"123.45","currency":"USD","cost_type":"tokens","model":"claude-sonnet-4-5"}]}],
              "has_more":false,"next_page":null}
        """),
        expect=rows("""
            {"grain": "bucket", "request_count": null, "model": "claude-sonnet-4-5", "project": "wrk_shop",
              "region": null, "input_uncached": 800, "cache_read": 3000, "cache_write_5m": 60,
              "output_text": 150, "reasoning": null, "batch": true, "web_searches": 1,
              "api_key": "apikey_1", "cost_logged": null}
            {"model": "claude-sonnet-4-5", "input_uncached": null, "cost_logged": 1.2345}
        """),
    ),
)
