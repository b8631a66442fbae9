"""OTLP/JSON: traces with GenAI attributes, and the log events of coding agents.

https://opentelemetry.io/docs/specs/semconv/gen-ai/ and the names its forerunners used. A span with usage is a
call unless a span below it has usage too: agents and workflows repeat the sums of their children.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import exported, genai, raw
from llmtel.sources.evaluations import with_evaluations
from llmtel.sources.events import COUNTS as EVENT_COUNTS
from llmtel.sources.events import ERROR, EVENT_MS, FAILED, HTTP, IS_EVENT, NAME, count, of_event
from llmtel.sources.genai import TOOK
from llmtel.sources.outcome import ANSWERED, TEXT
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import AtOnce, Copies, Mark, Source
from llmtel.sources.spans import records
from llmtel.sources.trees import leaves_of
from llmtel.sources.usage import leaves

_KIND, _STAMP = raw.text("kind"), raw.time("stamp")
_COUNTS = {
    name: of_event(name, value) if name in EVENT_COUNTS else value for name, value in genai.COUNTS.items()
}


def with_calls(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with `@call`: spans of inference or usage with no such span below them, and events of calls."""
    candidate = genai.INFERS & (_KIND == "span")
    spans = leaves_of(rows, candidate, "trace:str", "span:str", "parent:str")
    rows = rows.with_columns((spans | rows.select(IS_EVENT).to_series()).alias("@call"))
    return with_evaluations(rows)


SOURCES = (
    Source(
        name="otlp",
        help="OpenTelemetry traces (OTLP/JSON) with GenAI attributes, and log events of coding agents "
        "(that these are stamped at the end is unverified)",
        link="https://opentelemetry.io/docs/specs/semconv/gen-ai/",
        marks=(
            Mark(any=("resourceSpans", "resourceLogs", "resourceMetrics", "batches")),
            Mark(all=("context.span_id", "kind", "start_time", "attributes"), none=("span_kind",)),
            Mark(all=("attributes",), values={"body": ("claude_code.*", "gemini_cli.*")}),
            Mark(
                any=("body", "_body"),
                values={"attributes.event\\.name": ("gemini_cli.*", "qwen-code.*", "codex.*")},
            ),
        ),
        records=records,
        at_once=AtOnce(exported.BEGINS, exported.spans_at_once),
        whole=True,
        prepare=with_calls,
        keep=pl.col("@call"),
        # two instrumentations of one call: the outer one lasts longer
        copies=Copies(prefer=(TOOK * 1e6,)),
        reads=(NAME, _KIND, raw.text("span"), raw.text("parent"), *genai.QUALITY.values()),
        calls={
            **genai.CALLS,
            **{name: pl.col(f"@{name}") for name in genai.QUALITY},
            **leaves(**_COUNTS),
            "ts": pl.coalesce(
                raw.time("start"),
                pl.when(EVENT_MS >= 0)
                .then(_STAMP - pl.duration(microseconds=EVENT_MS * 1000))
                .otherwise(_STAMP),
            ),
            "latency_ms": pl.coalesce(TOOK, EVENT_MS),
            "provider": pl.when(NAME.str.starts_with("claude_code."))
            .then(pl.lit("anthropic"))
            .otherwise(genai.CALLS["provider"]),
            "retries": pl.when(count("attempt") > 0).then(count("attempt") - 1),
            "http_status": HTTP,
            TEXT: pl.when(FAILED).then(ERROR.fill_null("unknown error")),
            ANSWERED: ~FAILED,
        },
        sample=lines(r"""
            {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{
              "stringValue":"shop"}}]},"scopeSpans":[{"scope":{"name":"demo"},"spans":[{"traceId":"t1",
              "spanId":"s1","name":"chat","startTimeUnixNano":"1790000000000000000",
              "endTimeUnixNano":"1790000001500000000","attributes":[{"key":"gen_ai.operation.name","value":{
              "stringValue":"chat"}},{"key":"gen_ai.request.model","value":{"stringValue":"gpt-5-mini"}},{
              "key":"gen_ai.input.messages","value":{
              "stringValue":"[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"Which of the thre
              e parcels is late?\"}]}]"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"30"}},{
              "key":"gen_ai.usage.output_tokens","value":{"intValue":"4"}}]}]}]}]}
            {"body":"claude_code.api_request","attributes":{"event.name":"api_request",
              "event.timestamp":"2026-09-01T10:00:02.000Z","session.id":"s1","user.id":"u1",
              "model":"claude-opus-4-8","input_tokens":"20","output_tokens":"80","cache_read_tokens":"9000",
              "cache_creation_tokens":"500","cost_usd":"0.031","duration_ms":"2000","request_id":"req_e1"}}
            {"body":"API response from gemini-3-pro. Status: 200.","attributes":{
              "event.name":"gemini_cli.api_response","event.timestamp":"2026-09-01T10:00:05.000Z",
              "session.id":"s2","model":"gemini-3-pro","status_code":200,"duration_ms":1200,
              "input_token_count":900,"output_token_count":40,"cached_content_token_count":600,
              "thoughts_token_count":25,"tool_token_count":10,"total_token_count":975}}
            {"body":"","attributes":{"event.name":"codex.sse_event","event.kind":"response.completed",
              "event.timestamp":"2026-09-01T10:00:09.000Z","conversation.id":"s3","model":"gpt-5.3-codex",
              "duration_ms":"3","input_token_count":"900","cached_token_count":"600",
              "output_token_count":"40","reasoning_token_count":"10","tool_token_count":"940"}}
        """),
        expect=rows("""
            {"trace": "t1", "call_id": "t1/s1", "model": "gpt-5-mini", "input_uncached": 30, "output_text": 4,
              "latency_ms": 1500.0, "feature": "shop", "operation": "chat", "status": "ok"}
            {"call_id": "req_e1", "session": "s1", "user": "u1", "provider": "anthropic",
              "input_uncached": 20, "cache_read": 9000, "cache_write_5m": 500, "output_text": 80,
              "latency_ms": 2000.0, "cost_logged": 0.031, "ts": "2026-09-01T10:00:00+00:00", "status": "ok"}
            {"session": "s2", "model": "gemini-3-pro", "input_uncached": 310, "cache_read": 600,
              "output_text": 40, "reasoning": 25, "latency_ms": 1200.0, "http_status": 200, "status": "ok"}
            {"session": "s3", "model": "gpt-5.3-codex", "input_uncached": 300, "cache_read": 600,
              "output_text": 30, "reasoning": 10, "latency_ms": null, "status": "ok"}
        """),
    ),
)
