"""CSV exports of OpenAI's dashboard: usage and costs by bucket, and the activity export of before 2024.

https://platform.openai.com/usage. Columns are found by name, since their order differs. An export of a time
without usage has its four time columns and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from llmtel.sources import raw
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Record, Source

_TIMES = frozenset({"start_time", "end_time", "start_time_iso", "end_time_iso"})


def bind(records: Sequence[Record], source: Source) -> Source:
    """The source as it is, with a word about an export that has no column but those of time."""
    if any(set(record) - _TIMES for record in records):
        return source
    return replace(source, decisions=("no usage: it has the columns of time and no others",))


_CACHED, _WRITTEN = raw.count("input_cached_tokens"), raw.count("input_cache_write_tokens")
_AUDIO, _SPOKEN = raw.count("input_audio_tokens"), raw.count("output_audio_tokens")
_FULL_RATE = pl.coalesce(
    raw.count("input_uncached_tokens"),
    raw.count("input_tokens") - _CACHED.fill_null(0) - _WRITTEN.fill_null(0),
)
_REQUESTS, _COST = raw.count("num_model_requests"), raw.number("amount_value")

SOURCES = (
    Source(
        name="openai_dashboard",
        help="CSV of OpenAI's dashboard: usage or costs by bucket (cost columns are unverified)",
        link="https://platform.openai.com/usage",
        evidence="documented",
        layout="csv",
        marks=(Mark(all=("start_time", "end_time", "start_time_iso")),),
        bind=bind,
        keep=pl.any_horizontal(
            column.is_not_null() for column in (_REQUESTS, raw.count("input_tokens"), _COST)
        ),
        calls={
            "ts": raw.time("start_time"),
            "grain": pl.lit("bucket"),
            "request_count": _REQUESTS,
            "provider": pl.lit("openai"),
            "model": raw.text("model"),
            "user": raw.text("user_id"),
            "project": raw.text("project_id"),
            "input_uncached": _FULL_RATE - _AUDIO.fill_null(0),
            "cache_read": _CACHED,
            "cache_write_5m": _WRITTEN,
            "input_audio": _AUDIO,
            "output_text": raw.count("output_tokens") - _SPOKEN.fill_null(0),
            "output_audio": _SPOKEN,
            "batch": raw.flag("batch"),
            "service_tier": raw.text("service_tier"),
            "cost_logged": pl.when(raw.text("amount_currency").str.to_lowercase() == "usd").then(_COST),
        },
        sample=lines("""
            start_time,end_time,start_time_iso,end_time_iso,model,num_model_requests,input_tokens,
              output_tokens,input_cached_tokens,batch
            1788220800,1788307200,2026-09-01T00:00:00+00:00,2026-09-02T00:00:00+00:00,gpt-5-mini,3.0,1200.0,
              80.0,200.0,False
        """),
        expect=rows("""
            {"grain": "bucket", "request_count": 3, "model": "gpt-5-mini", "input_uncached": 1000,
              "cache_read": 200, "output_text": 80, "batch": false, "latency_ms": null}
        """),
    ),
    Source(
        name="openai_activity",
        help="OpenAI's activity CSV of before 2024: requests, context tokens and generated tokens",
        link="https://platform.openai.com/usage",
        evidence="documented",
        layout="csv",
        marks=(Mark(all=("n_context_tokens_total",)),),
        calls={
            "ts": raw.time("timestamp", "date"),
            "grain": pl.lit("bucket"),
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
