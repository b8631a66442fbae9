"""OpenRouter's daily activity CSV: a row a day and model, https://openrouter.ai/activity."""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source

_REASONING = raw.count("Reasoning Tokens")

SOURCES = (
    Source(
        name="openrouter_daily",
        help="Daily activity CSV of OpenRouter: cost, requests and tokens by day and model",
        link="https://openrouter.ai/activity",
        layout="csv",
        utc=True,
        marks=(Mark(all=("Date", "Slug", "Usage")),),
        calls={
            "ts": raw.time("Date"),
            "grain": pl.lit("bucket"),
            "request_count": raw.count("Requests"),
            "provider": pl.lit("openrouter"),
            "model": raw.text("Slug"),
            "input_uncached": raw.count("Prompt Tokens"),
            "output_text": raw.count("Completion Tokens") - _REASONING.fill_null(0),
            "reasoning": _REASONING,
            "cost_logged": raw.number("Usage"),
        },
        sample=lines("""
            Date,Slug,Usage,BYOK Usage,Requests,Prompt Tokens,Completion Tokens,Reasoning Tokens
            2026-09-01 00:00:00,anthropic/claude-haiku-4.5,0.42,0,6,3000,500,120
        """),
        expect=rows("""
            {"grain": "bucket", "request_count": 6, "model": "anthropic/claude-haiku-4.5",
              "input_uncached": 3000, "cache_read": null, "output_text": 380, "reasoning": 120,
              "cost_logged": 0.42}
        """),
    ),
)
