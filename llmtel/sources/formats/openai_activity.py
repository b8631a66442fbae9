"""OpenAI's activity export (CSV) of before 2024: sums of requests and of two kinds of tokens.

https://platform.openai.com/usage
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.buckets import SUMS
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source

SOURCES = (
    Source(
        name="openai_activity",
        help="OpenAI's activity CSV of before 2024: requests, context tokens and generated tokens",
        link="https://platform.openai.com/usage",
        evidence="documented",
        layout="csv",
        marks=(Mark(all=("n_context_tokens_total",)),),
        calls={
            "ts": raw.time("timestamp", "date"),
            **SUMS,
            "request_count": raw.count("n_requests"),
            "provider": pl.lit("openai"),
            "model": raw.text("model"),
            "user": raw.text("user"),
            "input_uncached": raw.count("n_context_tokens_total"),
            "output_text": raw.count("n_generated_tokens_total"),
        },
        sample=lines("""
            timestamp,model,n_requests,n_context_tokens_total,n_generated_tokens_total,user
            1690000000,gpt-4-0613,2,900,60,ann
        """),
        expect=rows("""
            {"grain": "bucket", "request_count": 2, "input_uncached": 900, "cache_read": null,
              "output_text": 60, "user": "ann"}
        """),
    ),
)
