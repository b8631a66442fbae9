"""OpenInference spans as a table: Phoenix's data frame of spans, written as CSV or Parquet.

https://arize.com/docs/phoenix/tracing/how-to-tracing/importing-and-exporting-traces. Each attribute is a
column of its name. Lists and objects are Python's text of them there, and are not read.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.outcome import ANSWERED, TEXT
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source
from llmtel.sources.trees import leaves_of
from llmtel.sources.usage import leaves

_IS, _USE = "attributes.", "attributes.llm.token_count."
_IDS = ("context.trace_id:str", "context.span_id:str", "parent_id:str")
_START, _END, _KIND = raw.time("start_time"), raw.time("end_time"), raw.text("span_kind")
_FAILED = (raw.text("status_code").str.to_uppercase() == "ERROR").fill_null(value=False)


def with_calls(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with `@call`: spans of calls that have no such span below them."""
    return rows.with_columns(leaves_of(rows, _KIND.is_in(["LLM", "EMBEDDING"]), *_IDS))


SOURCES = (
    Source(
        name="openinference_csv",
        help="OpenInference spans as a table (CSV, Parquet) of Phoenix's data frame",
        link="https://arize.com/docs/phoenix/tracing/how-to-tracing/importing-and-exporting-traces",
        evidence="documented",
        layout="csv",
        utc=True,
        marks=(Mark(all=("context.span_id", "span_kind", "start_time")),),
        whole=True,
        prepare=with_calls,
        keep=pl.col("@call"),
        reads=(_KIND, *map(pl.col, _IDS)),
        calls={
            "ts": _START,
            "latency_ms": (_END - _START).dt.total_microseconds() / 1000,
            "call_id": pl.concat_str(*_IDS[:2], separator="/"),
            "trace": pl.col(_IDS[0]),
            "operation": _KIND.replace_strict({"LLM": "chat", "EMBEDDING": "embeddings"}, default=None),
            "provider": raw.text(f"{_IS}llm.provider", f"{_IS}llm.system"),
            "model": raw.text(f"{_IS}llm.model_name", f"{_IS}embedding.model_name"),
            "user": raw.text(f"{_IS}user.id"),
            "session": raw.text(f"{_IS}session.id"),
            "feature": raw.text(f"{_IS}gen_ai.agent.name"),
            **leaves(
                input=raw.count(f"{_USE}prompt"),
                output=raw.count(f"{_USE}completion"),
                cache_read=raw.count(f"{_USE}prompt_details.cache_read"),
                cache_write=raw.count(f"{_USE}prompt_details.cache_write"),
                reasoning=raw.count(f"{_USE}completion_details.reasoning"),
                total=raw.count(f"{_USE}total"),
            ),
            "cost_logged": raw.number(f"{_IS}llm.cost.total"),
            TEXT: pl.when(_FAILED).then(raw.text("status_message").fill_null("unknown error")),
            ANSWERED: ~_FAILED,
        },
        sample=lines("""
            context.span_id,name,span_kind,parent_id,start_time,end_time,status_code,status_message,
              context.trace_id,attributes.llm.model_name,attributes.llm.token_count.prompt,
              attributes.llm.token_count.completion,attributes.llm.token_count.prompt_details.cache_read,
              attributes.user.id
            a,agent,AGENT,,2026-09-01 10:00:00+00:00,2026-09-01 10:00:04+00:00,OK,,t1,,90.0,12.0,,
            b,chat,LLM,a,2026-09-01 10:00:00+00:00,2026-09-01 10:00:02.500000+00:00,OK,,t1,gpt-5-mini,90.0,
              12.0,60.0,u1
            c,chat,LLM,a,2026-09-01 10:00:03+00:00,2026-09-01 10:00:04+00:00,ERROR,429 Too Many Requests,t1,
              gpt-5-mini,,,,
        """),
        expect=rows("""
            {"call_id": "t1/b", "trace": "t1", "model": "gpt-5-mini", "operation": "chat", "user": "u1",
              "input_uncached": 30, "cache_read": 60, "output_text": 12, "latency_ms": 2500.0, "status": "ok"}
            {"call_id": "t1/c", "input_uncached": null, "status": "error", "error": "rate_limit"}
        """),
    ),
)
