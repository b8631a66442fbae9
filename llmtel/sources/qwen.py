"""Calls of Qwen Code: each is logged as an answer and as an event of telemetry, and no id connects the two.

The event has its latency and outcome too. So the event counts, and answers from the time before a file's
first event do.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw

EVENT = "systemPayload.uiEvent."
_NAME = raw.text(f"{EVENT}event\\.name")
MS = raw.number(f"{EVENT}duration_ms")
_STAMP = raw.time(f"{EVENT}event\\.timestamp", "timestamp")
_IS_EVENT = (
    (raw.text("subtype") == "ui_telemetry")
    & raw.text(f"{EVENT}function_name").is_null()
    & raw.code(f"{EVENT}status_code").is_not_null()
).fill_null(value=False)
ERROR = raw.text(f"{EVENT}error_type", f"{EVENT}error_message")
FAILED = _IS_EVENT & (_NAME.str.ends_with("api_error").fill_null(value=False) | ERROR.is_not_null())
_IS_ANSWER = (
    (raw.text("type") == "assistant") & raw.count("usageMetadata.promptTokenCount").is_not_null()
).fill_null(value=False)
START = pl.when(MS >= 0).then(_STAMP - pl.duration(microseconds=MS * 1000)).otherwise(_STAMP)


def with_calls(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with `@call`: the events, and the answers before them."""
    begun = pl.when(_IS_EVENT).then(START).min().over("@segment")
    before = begun.is_null() | (raw.time("timestamp") < begun)
    return rows.with_columns((_IS_EVENT | (_IS_ANSWER & before.fill_null(value=True))).alias("@call"))


COUNTS = {
    name: pl.when(_IS_EVENT)
    .then(raw.count(f"{EVENT}{event}_token_count"))
    .otherwise(raw.count(f"usageMetadata.{answer}TokenCount"))
    for name, event, answer in (
        ("prompt", "input", "prompt"),
        ("candidates", "output", "candidates"),
        ("cached", "cached_content", "cachedContent"),
        ("thoughts", "thoughts", "thoughts"),
        ("tool", "tool", "toolUsePrompt"),
        ("total", "total", "total"),
    )
}
