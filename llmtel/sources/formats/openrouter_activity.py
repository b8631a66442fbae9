"""OpenRouter's activity page as CSV, one row a generation: https://openrouter.ai/activity.

Tokens are OpenAI's: cached ones are inside the prompt, reasoning inside the completion. Whether
`generation_time_ms` begins with the first token is not documented.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.gateways import OPENROUTER
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source
from llmtel.sources.usage import leaves

_VARIANT = raw.text("variant")

SOURCES = (
    Source(
        name="openrouter_activity",
        help="OpenRouter activity CSV, one row a generation; its latency may begin with the first token",
        link="https://openrouter.ai/activity",
        layout="csv",
        utc=True,
        marks=(Mark(all=("generation_id", "cost_total")),),
        calls={
            **OPENROUTER,
            "call_id": raw.text("generation_id"),
            "response_id": raw.text("generation_id"),
            "latency_ms": raw.number("generation_time_ms"),
            # the variant is part of the model's name wherever one can ask for it
            "model": pl.when(_VARIANT.is_in(["", "standard"]) | _VARIANT.is_null())
            .then(raw.text("model_permaslug"))
            .otherwise(pl.concat_str(raw.text("model_permaslug"), _VARIANT, separator=":")),
            "user": raw.text("user"),
            "api_key": raw.text("api_key_name"),
            "feature": raw.text("app_name"),
            "cost_logged": raw.number("cost_total"),
            **leaves(
                input=raw.count("tokens_prompt"),
                output=raw.count("tokens_completion"),
                cache_read=raw.count("tokens_cached"),
                reasoning=raw.count("tokens_reasoning"),
            ),
        },
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
)
