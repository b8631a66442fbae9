"""OpenRouter's generation API: https://openrouter.ai/docs/api-reference/get-a-generation.

Tokens are OpenAI's: cached ones are inside the prompt, reasoning inside the completion. They are counted
twice: `tokens_*` by a tokenizer of OpenRouter's own, `native_tokens_*` as billed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from llmtel.sources import raw
from llmtel.sources.gateways import OPENROUTER
from llmtel.sources.nested import objects_in
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Record, Source
from llmtel.sources.usage import leaves


def records(line: Record) -> Iterable[Record]:
    """A generation, also in the `data` of an answer of the API."""
    data: Any = line.get("data")
    if isinstance(data, list):
        return objects_in(line, "data")
    return [data if isinstance(data, dict) else line]


SOURCES = (
    Source(
        name="openrouter_generation",
        help="OpenRouter generations, as its API answers them; the longer of two durations is the latency",
        link="https://openrouter.ai/docs/api/api-reference/generations/get-generation",
        evidence="documented",
        utc=True,
        marks=(
            Mark(all=("native_tokens_prompt", "tokens_prompt")),
            Mark(all=("data.native_tokens_prompt",)),
            Mark(all=("data[0].native_tokens_prompt",)),
        ),
        records=records,
        nested=('"data"',),
        calls={
            **OPENROUTER,
            "call_id": raw.text("id"),
            "response_id": raw.text("id"),
            "latency_ms": pl.max_horizontal(raw.number("latency"), raw.number("generation_time")),
            "model": raw.text("model"),
            "user": raw.text("external_user"),
            "feature": raw.text("app_name"),
            "region": raw.text("data_region"),
            "service_tier": raw.text("service_tier"),
            "cost_logged": raw.number("total_cost", "usage"),
            **leaves(
                input=raw.count("native_tokens_prompt", "tokens_prompt"),
                output=raw.count("native_tokens_completion", "tokens_completion"),
                cache_read=raw.count("native_tokens_cached"),
                reasoning=raw.count("native_tokens_reasoning"),
            ),
        },
        sample=lines("""
            {"data":{"id":"gen-2","created_at":"2026-09-01T10:00:00.5+00:00","model":"x-ai/grok-4",
              "total_cost":0.004,"latency":350,"generation_time":2100,"cancelled":true,"tokens_prompt":40,
              "tokens_completion":9,"native_tokens_prompt":50,"native_tokens_completion":12,
              "native_tokens_reasoning":4,"native_tokens_cached":30,"external_user":"u1"}}
        """),
        expect=rows("""
            {"call_id": "gen-2", "input_uncached": 20, "cache_read": 30, "output_text": 8, "reasoning": 4,
              "latency_ms": 2100.0, "cost_logged": 0.004, "status": "error", "error": "cancelled"}
        """),
    ),
)
