"""OpenInference spans as Phoenix exports them, https://arize-ai.github.io/openinference/spec/.

Spans of the kinds LLM and EMBEDDING are calls; agents and chains around them repeat their sums. A data frame
that was written as one object has a key for each column.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import genai, raw
from llmtel.sources.openinference import records
from llmtel.sources.outcome import ANSWERED, TEXT, joined
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source
from llmtel.sources.trees import leaves_of
from llmtel.sources.usage import leaves

_START, _END, _KIND = raw.time("start_time"), raw.time("end_time"), raw.text("kind")


def with_calls(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with `@call`: spans of calls that have no such span below them."""
    calls = leaves_of(rows, _KIND.is_in(["LLM", "EMBEDDING"]), "trace:str", "span:str", "parent_id:str")
    return rows.with_columns(calls)


_FAILED = (raw.text("status").str.to_uppercase() == "ERROR").fill_null(value=False)
_WORDS = joined([raw.text("exception"), raw.text("message"), raw.text("attributes.error_type")])

SOURCES = (
    Source(
        name="openinference",
        help="OpenInference spans (Phoenix): JSON lines, an array, or a data frame as one object",
        link="https://arize-ai.github.io/openinference/spec/semantic_conventions.html",
        marks=(
            Mark(all=("context.span_id", "span_kind", "attributes")),
            Mark(all=("context.span_id", "span_kind", "start_time"), none=("attributes",)),
        ),
        whole=True,
        records=records,
        prepare=with_calls,
        keep=pl.col("@call"),
        reads=(raw.text("span"), raw.text("parent_id"), _KIND),
        calls={
            **genai.CALLS,
            **genai.QUALITY,
            **leaves(**genai.COUNTS),
            "ts": _START,
            "latency_ms": (_END - _START).dt.total_microseconds() / 1000,
            "operation": pl.coalesce(
                genai.CALLS["operation"],
                _KIND.replace_strict({"LLM": "chat", "EMBEDDING": "embeddings"}, default=None),
            ),
            TEXT: pl.when(_FAILED).then(_WORDS.fill_null("unknown error")),
            ANSWERED: ~_FAILED,
        },
        sample=lines("""
            {"name":"agent","context":{"trace_id":"t1","span_id":"a"},"span_kind":"AGENT","parent_id":null,
              "start_time":"2026-09-01T10:00:00Z","end_time":"2026-09-01T10:00:04Z","status_code":"OK",
              "attributes":{"llm.token_count.prompt":90,"llm.token_count.completion":12}}
            {"name":"chat","context":{"trace_id":"t1","span_id":"b"},"span_kind":"LLM","parent_id":"a",
              "start_time":"2026-09-01T10:00:00Z","end_time":"2026-09-01T10:00:02.500Z","status_code":"OK",
              "attributes":{"llm.model_name":"gpt-5-mini","llm.token_count.prompt":90,
              "llm.input_messages.0.message.role":"user",
              "llm.input_messages.0.message.content":"Which of the three parcels that were sent to the harbou
              r las",
              "llm.output_messages.0.message.content":"The second one: it waits at customs, since its papers n
              ame another","llm.token_count.prompt_details.cache_read":60,"llm.token_count.completion":12,
              "user.id":"u1","annotation.user feedback.label":"thumbs up"}}
        """),
        expect=rows("""
            {"call_id": "t1/b", "trace": "t1", "model": "gpt-5-mini", "operation": "chat",
              "input_uncached": 30, "cache_read": 60, "output_text": 12, "latency_ms": 2500.0, "user": "u1",
              "thumb": true, "prompt_chars": 60, "output_chars": 66, "status": "ok"}
        """),
    ),
)
