"""OpenRouter: one row a generation, from the activity page (CSV) or the generation API (JSON).

https://openrouter.ai/docs/api-reference/get-a-generation. Tokens are OpenAI's: cached ones are inside the
prompt, reasoning inside the completion. The API counts twice: `tokens_*` by a tokenizer of OpenRouter's own,
`native_tokens_*` as billed. Whether `generation_time_ms` begins with the first token is not documented.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from llmtel.sources import raw
from llmtel.sources.nested import objects_in
from llmtel.sources.outcome import ANSWERED, TEXT
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Record, Source
from llmtel.sources.usage import leaves


def records(line: Record) -> Iterable[Record]:
    """A generation, also in the `data` of an answer of the API."""
    data: Any = line.get("data")
    if isinstance(data, list):
        return objects_in(line, "data")
    return [data if isinstance(data, dict) else line]


_CANCELLED = raw.flag("cancelled").fill_null(value=False)
_FINISH = raw.text("finish_reason_normalized", "finish_reason")
_FAILED = pl.when(_CANCELLED).then(pl.lit("cancelled")).when(_FINISH == "error").then(pl.lit("other"))
_VARIANT = raw.text("variant")


def _calls(**other: pl.Expr) -> dict[str, pl.Expr]:
    """The fields that both have under the same names, and others."""
    return {
        "ts": raw.time("created_at"),
        "ttft_ms": raw.number("time_to_first_token_ms"),
        "provider": pl.lit("openrouter"),
        "finish_reason": _FINISH,
        TEXT: _FAILED,
        ANSWERED: _FAILED.is_null(),
        **other,
    }


SOURCES = (
    Source(
        name="openrouter_activity",
        help="OpenRouter activity CSV, one row a generation; its latency may begin with the first token",
        link="https://openrouter.ai/activity",
        layout="csv",
        utc=True,
        marks=(Mark(all=("generation_id", "cost_total")),),
        calls=_calls(
            call_id=raw.text("generation_id"),
            response_id=raw.text("generation_id"),
            latency_ms=raw.number("generation_time_ms"),
            # the variant is part of the model's name wherever one can ask for it
            model=pl.when(_VARIANT.is_in(["", "standard"]) | _VARIANT.is_null())
            .then(raw.text("model_permaslug"))
            .otherwise(pl.concat_str(raw.text("model_permaslug"), _VARIANT, separator=":")),
            user=raw.text("user"),
            api_key=raw.text("api_key_name"),
            feature=raw.text("app_name"),
            cost_logged=raw.number("cost_total"),
            **leaves(
                input=raw.count("tokens_prompt"),
                output=raw.count("tokens_completion"),
                cache_read=raw.count("tokens_cached"),
                reasoning=raw.count("tokens_reasoning"),
            ),
        ),
        sample=lines("""
            generation_id,created_at,cost_total,cost_cache,tokens_prompt,tokens_completion,tokens_reasoning,
              tokens_cached,model_permaslug,provider_name,variant,cancelled,user,finish_reason_normalized,
              generation_time_ms,time_to_first_token_ms,app_name
            gen-1,2026-09-01 10:00:00.250,0.002,-0.0005,900,120,100,600,openai/gpt-5-mini,OpenAI,free,false,
              u1,stop,1800,300,shop
        """),
        expect=rows("""
            {"call_id": "gen-1", "response_id": "gen-1", "model": "openai/gpt-5-mini:free",
              "input_uncached": 300, "cache_read": 600, "output_text": 20, "reasoning": 100,
              "latency_ms": 1800.0, "ttft_ms": 300.0, "cost_logged": 0.002, "user": "u1", "feature": "shop",
              "status": "ok"}
        """),
    ),
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
        calls=_calls(
            call_id=raw.text("id"),
            response_id=raw.text("id"),
            latency_ms=pl.max_horizontal(raw.number("latency"), raw.number("generation_time")),
            model=raw.text("model"),
            user=raw.text("external_user"),
            feature=raw.text("app_name"),
            region=raw.text("data_region"),
            service_tier=raw.text("service_tier"),
            cost_logged=raw.number("total_cost", "usage"),
            **leaves(
                input=raw.count("native_tokens_prompt", "tokens_prompt"),
                output=raw.count("native_tokens_completion", "tokens_completion"),
                cache_read=raw.count("native_tokens_cached"),
                reasoning=raw.count("native_tokens_reasoning"),
            ),
        ),
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
