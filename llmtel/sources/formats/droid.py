"""Droid (Factory): `~/.factory/sessions/*.settings.json` has the sum of a session; its stream has no tokens.

Nobody documents the counts. The cache is taken to be beside the input, thinking to be inside the output
unless there is more of it.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source


def _count(name: str) -> pl.Expr:
    return raw.count(f"tokenUsage.{name}", f"settings.tokenUsage.{name}")


_OUTPUT, _THINKING = _count("outputTokens"), _count("thinkingTokens")

SOURCES = (
    Source(
        name="droid",
        help="Droid: sums of ~/.factory/sessions/*.settings.json (buckets); how they count is unverified",
        link="https://docs.factory.ai/cli/droid-exec/overview",
        evidence="documented",
        marks=(
            Mark(any=("tokenUsage.inputTokens", "settings.tokenUsage.inputTokens")),
            Mark(
                all=("session_id", "timestamp"),
                none=("sessionId", "message", "attributes"),
                values={"type": ("system", "message", "tool_call", "tool_result", "completion")},
            ),
        ),
        keep=_OUTPUT.is_not_null(),
        calls={
            "grain": pl.lit("bucket"),
            "request_count": pl.lit(None, dtype=pl.Int64),
            "ts": raw.time("providerLockTimestamp", "settings.providerLockTimestamp"),
            "provider": raw.text("providerLock", "settings.providerLock"),
            "model": raw.text("model", "settings.model"),
            "input_uncached": _count("inputTokens"),
            "cache_read": _count("cacheReadTokens"),
            "cache_write_5m": _count("cacheCreationTokens"),
            "output_text": pl.when(_THINKING <= _OUTPUT).then(_OUTPUT - _THINKING).otherwise(_OUTPUT),
            "reasoning": _THINKING,
        },
        sample=lines("""
            {"model":"claude-sonnet-4-6","providerLock":"anthropic",
              "providerLockTimestamp":"2026-09-01T10:00:00.000Z","tokenUsage":{"inputTokens":120,
              "outputTokens":900,"cacheCreationTokens":4000,"cacheReadTokens":50000,"thinkingTokens":300}}
            {"type":"completion","session_id":"s1","timestamp":"2026-09-01T10:05:00.000Z","finalText":"ok"}
        """),
        expect=rows("""
            {"grain": "bucket", "request_count": null, "provider": "anthropic", "model": "claude-sonnet-4-6",
              "input_uncached": 120, "cache_read": 50000, "cache_write_5m": 4000, "output_text": 600,
              "reasoning": 300}
        """),
    ),
)
