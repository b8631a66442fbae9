"""Qwen Code transcripts: `~/.qwen/projects/*/chats/*.jsonl`, https://github.com/QwenLM/qwen-code."""

from __future__ import annotations

import polars as pl

from llmtel.sources import gemini, qwen, raw
from llmtel.sources.agents import folder
from llmtel.sources.outcome import ANSWERED, TEXT
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source

_FOLDER = folder(raw.text("cwd"))

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
        prepare=qwen.with_calls,
        keep=pl.col("@call"),
        reads=(raw.text("type"), raw.text("subtype"), raw.text(f"{qwen.EVENT}function_name")),
        calls={
            "ts": qwen.START,
            "latency_ms": qwen.MS,
            "call_id": raw.text(f"{qwen.EVENT}response_id", "uuid"),
            "response_id": raw.text(f"{qwen.EVENT}response_id"),
            "session": raw.text("sessionId"),
            "feature": _FOLDER,
            "project": _FOLDER,
            "branch": raw.text("gitBranch"),
            "model": raw.text(f"{qwen.EVENT}model", "model"),
            **gemini.counted(qwen.COUNTS),
            "http_status": raw.code(f"{qwen.EVENT}status_code"),
            TEXT: pl.when(qwen.FAILED).then(qwen.ERROR.fill_null("unknown error")),
            ANSWERED: ~qwen.FAILED,
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
