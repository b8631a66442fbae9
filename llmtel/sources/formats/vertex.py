"""Vertex AI's request-response log, one row a request, as BigQuery exports it.

https://docs.cloud.google.com/vertex-ai/generative-ai/docs/multimodal/request-response-logging
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from msgspec.structs import replace

from llmtel.sources import gemini, raw
from llmtel.sources.outcome import ANSWERED, TEXT
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Record, Source, lookup

_PLACES = ("", "gcp.vertexai.prompt_response_logs.", "gcp.vertexai.")
"""Where the row stands: at the top, or where Elastic's shipper puts it."""
_ROW = ("full_request", "full_response", "api_method")


def calls(at: str) -> dict[str, pl.Expr]:
    """The mapping of a row at a prefix."""
    answer = f"{at}full_response."
    found = gemini.body(answer, f"{answer}usageMetadata.")
    took = raw.number(f"{at}metadata.request_latency")
    logged = raw.time(f"{at}logging_time")
    began = logged - pl.duration(microseconds=(took.fill_null(0) * 1000).round().cast(pl.Int64))
    return {
        **found,
        "ts": pl.coalesce(found["ts"], began),
        "call_id": pl.coalesce(raw.text(f"{at}request_id"), found["call_id"]),
        "model": pl.coalesce(found["model"], raw.text(f"{at}model")),
        "operation": raw.text(f"{at}api_method"),
        "region": raw.text(f"{at}full_request.model").str.extract(r"/locations/([^/]+)/"),
        "latency_ms": took,
        TEXT: gemini.blocked(answer),
        ANSWERED: gemini.either(raw.text, f"{answer}candidates[0].finishReason").is_not_null(),
    }


def bind(records: Sequence[Record], source: Source) -> Source:
    """The mapping for a file: rows where they stand in most of its records."""
    found = [at for record in records for at in _PLACES if lookup(record, raw.steps_of(f"{at}api_method"))]
    return replace(source, calls=calls(max(found, key=found.count, default="")))


SOURCES = (
    Source(
        name="vertex",
        help="Vertex AI request-response logs (BigQuery rows), also as shipped by Elastic",
        link="https://docs.cloud.google.com/vertex-ai/generative-ai/docs/multimodal/request-response-logging",
        marks=tuple(Mark(all=tuple(f"{at}{name}" for name in _ROW)) for at in _PLACES),
        bind=bind,
        sample=lines("""
            {"logging_time":"2026-09-01T10:00:03.5Z","request_id":"77","api_method":"GenerateContent",
              "model":"publishers/google/models/gemini-2.5-pro","full_request":{
              "model":"projects/p/locations/europe-west4/publishers/google/models/gemini-2.5-pro"},
              "full_response":{"candidates":[{"finish_reason":"STOP"}],"model_version":"gemini-2.5-pro",
              "response_id":"r1","usage_metadata":{"billable_prompt_usage":{"text_count":900},
              "prompt_token_count":120,"cached_content_token_count":100,"candidates_token_count":30,
              "total_token_count":150}},"metadata":{"request_latency":2500}}
        """),
        expect=rows("""
            {"call_id": "77", "response_id": "r1", "model": "gemini-2.5-pro", "region": "europe-west4",
              "latency_ms": 2500.0, "input_uncached": 20, "cache_read": 100, "output_text": 30,
              "reasoning": 0, "status": "ok", "operation": "GenerateContent",
              "ts": "2026-09-01T10:00:01+00:00"}
        """),
    ),
)
