"""CSV exports of Anthropic's Console: tokens and cost (in dollars), https://console.anthropic.com/usage.

Every token column is a leaf already. Files of 2025 lack `context_window`, `inference_geo` and `speed`.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.buckets import SUMS
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source

_TYPE, _GEO, _SPEED = raw.text("usage_type"), raw.text("inference_geo"), raw.text("speed")
_SHARED = {
    "ts": raw.time("usage_date_utc"),
    **SUMS,
    "provider": pl.lit("anthropic"),
    "project": raw.text("workspace"),
    "api_key": raw.text("api_key"),
    "region": pl.when(_GEO != "not_available").then(_GEO),
    "service_tier": pl.coalesce(pl.when(_SPEED != "").then(_SPEED), _TYPE),
    "batch": pl.when(_TYPE == "batch").then(statement=True),
}

SOURCES = (
    Source(
        name="anthropic_console_tokens",
        help="Token export (CSV) of Anthropic's Console: sums of many requests",
        link="https://console.anthropic.com/usage",
        layout="csv",
        utc=True,
        marks=(Mark(all=("usage_date_utc", "usage_input_tokens_no_cache")),),
        calls={
            **_SHARED,
            "model": raw.text("model_version"),
            "input_uncached": raw.count("usage_input_tokens_no_cache"),
            "cache_read": raw.count("usage_input_tokens_cache_read"),
            "cache_write_5m": raw.count("usage_input_tokens_cache_write_5m"),
            "cache_write_1h": raw.count("usage_input_tokens_cache_write_1h"),
            "output_text": raw.count("usage_output_tokens"),
            "web_searches": raw.count("web_search_count"),
        },
        sample=lines("""
            usage_date_utc,model_version,api_key,workspace,usage_type,usage_input_tokens_no_cache,
              usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,
              usage_input_tokens_cache_read,usage_output_tokens,web_search_count
            2026-09-01 05:00,claude-haiku-4-5-20251001,shop,Default,batch,70,0,20,900,35,2
        """),
        expect=rows("""
            {"grain": "bucket", "request_count": null, "model": "claude-haiku-4-5-20251001",
              "project": "Default", "api_key": "shop", "input_uncached": 70, "cache_read": 900,
              "cache_write_1h": 20, "output_text": 35, "batch": true, "web_searches": 2}
        """),
    ),
    Source(
        name="anthropic_console_cost",
        help="Cost export (CSV, dollars) of Anthropic's Console: a row a kind of token",
        link="https://console.anthropic.com/cost",
        layout="csv",
        utc=True,
        marks=(Mark(all=("usage_date_utc", "cost_usd")),),
        calls={**_SHARED, "model": raw.text("model"), "cost_logged": raw.number("cost_usd")},
        sample=lines("""
            usage_date_utc,model,workspace,api_key,usage_type,token_type,cost_usd,list_price_usd,cost_type
            2026-09-01,Claude Haiku 4.5,Default,shop,message,output,0.35,0.70,token
        """),
        expect=rows("""
            {"grain": "bucket", "model": "Claude Haiku 4.5", "project": "Default", "input_uncached": null,
              "cost_logged": 0.35}
        """),
    ),
)
