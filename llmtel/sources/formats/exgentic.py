"""Spans of the Exgentic agent traces: https://huggingface.co/datasets/Exgentic/agent-llm-traces.

Flat spans, with OpenTelemetry's names without their dots. A failed call's zeros are placeholders, and the
sums of a session stand in each of its lines.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.outcome import SUCCESS
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source

_FAILED = raw.flag("is_error")
_TOOK = raw.number("duration_ms")

SOURCES = (
    Source(
        name="exgentic",
        help="Exgentic agent traces, one flat span per line",
        link="https://huggingface.co/datasets/Exgentic/agent-llm-traces",
        marks=(Mark(all=("span_type", "start_time_iso", "duration_ms")),),
        utc=True,
        keep=raw.text("span_type") == "llm_call",
        calls={
            "ts": raw.time("start_time_iso"),
            "latency_ms": pl.when((_TOOK > 0) | ~_FAILED.fill_null(value=False)).then(_TOOK),
            "call_id": raw.text("span_id"),
            "response_id": raw.text("response_id"),
            "session": raw.text("session_id"),
            "model": raw.text("response_model", "request_model"),
            "model_requested": raw.text("request_model"),
            "operation": raw.text("operation_name"),
            "feature": raw.text("harness"),
            "input_uncached": raw.count("input_tokens"),
            "output_text": raw.count("output_tokens"),
            "finish_reason": raw.text("finish_reasons[0]"),
            "prompt_chars": raw.count("input_messages_chars"),
            "output_chars": raw.count("output_messages_chars"),
            SUCCESS: ~_FAILED,
        },
        sample=lines("""
            {"span_type":"llm_call","span_id":"a1","session_id":"s1","harness":"fixer",
              "operation_name":"chat","request_model":"azure/gpt-5-mini","response_model":"azure/gpt-5-mini",
              "response_id":"r1","start_time_iso":"2026-09-01T10:00:00.250000+00:00","duration_ms":1500.5,
              "input_tokens":700,"output_tokens":30,"finish_reasons":["stop"],"is_error":false,
              "session_total_tokens":730,"input_messages_chars":2800}
            {"span_type":"llm_call","span_id":"a2","session_id":"s1","request_model":"azure/gpt-5-mini",
              "response_model":null,"start_time_iso":"2026-09-01T10:00:04.000000","duration_ms":0.0,
              "input_tokens":0,"output_tokens":0,"finish_reasons":[],"is_error":true,
              "session_total_tokens":730}
            {"span_type":"tool_call","span_id":"a3","session_id":"s1",
              "start_time_iso":"2026-09-01T10:00:05+00:00","duration_ms":20.0,"is_error":false}
        """),
        expect=rows("""
            {"call_id": "a1", "response_id": "r1", "session": "s1", "model": "azure/gpt-5-mini",
              "feature": "fixer", "latency_ms": 1500.5, "input_uncached": 700, "output_text": 30,
              "finish_reason": "stop", "prompt_chars": 2800, "status": "ok"}
            {"call_id": "a2", "model": "azure/gpt-5-mini", "latency_ms": null, "input_uncached": null,
              "finish_reason": null, "status": "error", "error": "other"}
        """),
    ),
)
