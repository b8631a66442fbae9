"""Qwen Code transcripts: `~/.qwen/projects/*/chats/*.jsonl`, https://github.com/QwenLM/qwen-code.

A call is logged twice, and no id connects the two: as the answer, and as an event of telemetry that has its
latency and outcome too. So the event counts, and answers from the time before a file's first event do.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import gemini, raw
from llmtel.sources.agents import folder
from llmtel.sources.outcome import ANSWERED, TEXT
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source

_EVENT = "systemPayload.uiEvent."
_NAME = raw.text(f"{_EVENT}event\\.name")
_MS = raw.number(f"{_EVENT}duration_ms")
_STAMP = raw.time(f"{_EVENT}event\\.timestamp", "timestamp")
_IS_EVENT = (
    (raw.text("subtype") == "ui_telemetry")
    & raw.text(f"{_EVENT}function_name").is_null()
    & raw.code(f"{_EVENT}status_code").is_not_null()
).fill_null(value=False)
_ERROR = raw.text(f"{_EVENT}error_type", f"{_EVENT}error_message")
_FAILED = _IS_EVENT & (_NAME.str.ends_with("api_error").fill_null(value=False) | _ERROR.is_not_null())
_IS_ANSWER = (
    (raw.text("type") == "assistant") & raw.count("usageMetadata.promptTokenCount").is_not_null()
).fill_null(value=False)
_START = pl.when(_MS >= 0).then(_STAMP - pl.duration(microseconds=_MS * 1000)).otherwise(_STAMP)
_FOLDER = folder(raw.text("cwd"))


def with_calls(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with `@call`: the events, and the answers before them."""
    begun = pl.when(_IS_EVENT).then(_START).min().over("@segment")
    before = begun.is_null() | (raw.time("timestamp") < begun)
    return rows.with_columns((_IS_EVENT | (_IS_ANSWER & before.fill_null(value=True))).alias("@call"))


_COUNTS = {
    name: pl.when(_IS_EVENT)
    .then(raw.count(f"{_EVENT}{event}_token_count"))
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

SOURCES = (
    Source(
        name="qwen_code",
        help="Qwen Code transcripts (~/.qwen/projects)",
        link="https://github.com/QwenLM/qwen-code/blob/main/packages/core/src/services/chatRecordingService.ts",
        marks=(
            Mark(all=("message.parts",), any=("sessionId", "uuid")),
            Mark(all=("usageMetadata", "sessionId")),
            Mark(all=("systemPayload", "sessionId"), none=("message.parts",)),
        ),
        markers=('"usageMetadata"', '"uiEvent"'),
        whole=True,
        prepare=with_calls,
        keep=pl.col("@call"),
        reads=(raw.text("type"), raw.text("subtype"), raw.text(f"{_EVENT}function_name")),
        calls={
            "ts": _START,
            "latency_ms": _MS,
            "call_id": raw.text(f"{_EVENT}response_id", "uuid"),
            "response_id": raw.text(f"{_EVENT}response_id"),
            "session": raw.text("sessionId"),
            "feature": _FOLDER,
            "project": _FOLDER,
            "branch": raw.text("gitBranch"),
            "model": raw.text(f"{_EVENT}model", "model"),
            **gemini.counted(_COUNTS),
            "http_status": raw.code(f"{_EVENT}status_code"),
            TEXT: pl.when(_FAILED).then(_ERROR.fill_null("unknown error")),
            ANSWERED: ~_FAILED,
        },
        sample=lines("""
            {"uuid":"u1","sessionId":"s1","timestamp":"2026-09-01T10:00:04.000Z","type":"system",
              "subtype":"ui_telemetry","cwd":"/home/me/shop","gitBranch":"main","systemPayload":{"uiEvent":{
              "event.name":"qwen-code.api_response","event.timestamp":"2026-09-01T10:00:04.000Z",
              "response_id":"chatcmpl-q1","model":"qwen3-coder-plus","status_code":200,"duration_ms":2500,
              "input_token_count":800,"output_token_count":30,"cached_content_token_count":500,
              "thoughts_token_count":0,"tool_token_count":0,"total_token_count":830}}}
            {"uuid":"u2","sessionId":"s1","timestamp":"2026-09-01T10:00:04.010Z","type":"assistant",
              "cwd":"/home/me/shop","gitBranch":"main","model":"qwen3-coder-plus","message":{"role":"model",
              "parts":[]},"usageMetadata":{"promptTokenCount":800,"cachedContentTokenCount":500,
              "candidatesTokenCount":30,"totalTokenCount":830}}
            {"uuid":"u3","sessionId":"s1","timestamp":"2026-09-01T10:00:05.000Z","type":"system",
              "subtype":"ui_telemetry","systemPayload":{"uiEvent":{"event.name":"qwen-code.tool_call",
              "function_name":"read_file","duration_ms":12,"success":true,"response_id":"chatcmpl-q1"}}}
        """),
        expect=rows("""
            {"call_id": "chatcmpl-q1", "response_id": "chatcmpl-q1", "latency_ms": 2500.0, "session": "s1",
              "project": "shop", "branch": "main", "model": "qwen3-coder-plus", "input_uncached": 300,
              "cache_read": 500, "output_text": 30, "reasoning": 0, "http_status": 200, "status": "ok"}
        """),
    ),
)
