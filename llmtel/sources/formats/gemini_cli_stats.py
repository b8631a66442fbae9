"""What `gemini --output-format json` prints: the sums of a session, one for each model.

https://github.com/google-gemini/gemini-cli/blob/main/docs/cli/headless.md
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from llmtel.sources import gemini, raw
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Record, Source

_COUNTS = {name: raw.count(f"tokens.{name}") for name in ("cached", "thoughts", "tool", "total")}


def models(line: Record) -> Iterator[dict[str, Any]]:
    """The models of a session's statistics."""
    for model, stats in line["stats"]["models"].items():
        yield {"model": model, "session": line.get("session_id"), **stats}


SOURCES = (
    Source(
        name="gemini_cli_stats",
        help="Gemini CLI --output-format json: the sums of a session (buckets)",
        link="https://github.com/google-gemini/gemini-cli/blob/main/docs/cli/headless.md",
        evidence="documented",
        marks=(Mark(all=("stats.models", "stats.tools")),),
        records=models,
        keep=raw.count("tokens.candidates").is_not_null(),
        calls={
            "grain": pl.lit("bucket"),
            "request_count": raw.count("api.totalRequests"),
            "provider": pl.lit("google"),
            "session": raw.text("session"),
            "model": raw.text("model"),
            **gemini.counted(
                {
                    "prompt": raw.count("tokens.prompt"),
                    "candidates": raw.count("tokens.candidates"),
                    **_COUNTS,
                }
            ),
        },
        sample=lines("""
            {"session_id":"s1","response":"Done.","stats":{"models":{"gemini-2.5-pro":{"api":{
              "totalRequests":2,"totalErrors":0,"totalLatencyMs":5053},"tokens":{"prompt":24939,
              "candidates":20,"total":25113,"cached":21263,"thoughts":154,"tool":0}}},"tools":{
              "totalCalls":1},"files":{}}}
        """),
        expect=rows("""
            {"grain": "bucket", "request_count": 2, "session": "s1", "model": "gemini-2.5-pro", "ts": null,
              "input_uncached": 3676, "cache_read": 21263, "output_text": 20, "reasoning": 154,
              "latency_ms": null, "status": null}
        """),
    ),
)
