"""LangSmith: payloads of its SDKs, runs of its API, and bulk exports.

https://docs.langchain.com/langsmith/run-data-format. Runs of models are calls; the chains above them repeat
their tokens.
"""

from __future__ import annotations

import polars as pl
from msgspec.structs import replace

from llmtel.sources.langsmith import CALLS, READS, records, with_calls
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source

_RUNS = Source(
    name="langsmith",
    help="LangSmith runs: payloads of its SDKs (post and patch), and runs of its API",
    marks=(
        Mark(all=("run_type",), any=("dotted_order", "trace_id")),
        Mark(all=("post", "patch")),
    ),
    link="https://docs.langchain.com/langsmith/run-data-format",
    utc=True,
    whole=True,
    records=records,
    prepare=with_calls,
    keep=pl.col("@call"),
    reads=READS,
    calls=CALLS,
    sample=lines("""
        {"post":[{"id":"a","trace_id":"a","dotted_order":"20260901T100000000000Za","run_type":"llm",
          "start_time":"2026-09-01T10:00:00.000000","session_name":"default","tags":["search"],"extra":{
          "metadata":{"ls_provider":"openai","ls_model_name":"gpt-5-mini","thread_id":"s1"}}}],"patch":[{
          "trace_id":"a","dotted_order":"20260901T100000000000Za","end_time":"2026-09-01T10:00:02","inputs":{
          "messages":[{"role":"user",
          "content":"Which of the three parcels that were sent to the harbour las"}]},"outputs":{"choices":[{
          "finish_reason":"stop","message":{"role":"assistant",
          "content":"The second one: it waits at customs, since its papers name another harbour than "}}],
          "id":"chatcmpl-1","model":"gpt-5-mini-2025-08-07","usage_metadata":{"input_tokens":100,
          "output_tokens":30,"total_tokens":130,"input_token_details":{"cache_read":60},
          "output_token_details":{"reasoning":20}}},"events":[{"name":"new_token",
          "time":"2026-09-01T10:00:00.400000"}]}]}
    """),
    expect=rows("""
        {"call_id": "chatcmpl-1", "response_id": "chatcmpl-1", "model": "gpt-5-mini-2025-08-07",
          "provider": "openai", "input_uncached": 40, "cache_read": 60, "output_text": 10, "reasoning": 20,
          "latency_ms": 2000.0, "ttft_ms": 400.0, "finish_reason": "stop", "session": "s1",
          "project": "default", "feature": "search", "status": "ok"}
    """),
)

SOURCES = (
    _RUNS,
    replace(
        _RUNS,
        name="langsmith_table",
        help="LangSmith bulk exports (Parquet, CSV), with JSON in their cells",
        evidence="documented",
        layout="csv",
        records=None,
        link="https://docs.langchain.com/langsmith/data-export",
        marks=(Mark(all=("run_type", "start_time"), any=("dotted_order", "trace_id")),),
        sample=lines("""
            id,run_type,trace_id,parent_run_id,start_time,end_time,status,error,prompt_tokens,
              completion_tokens,total_tokens,total_cost,extra
            a,chain,a,,2026-09-01T10:00:00,2026-09-01T10:00:03,success,,100,30,130,0.0100,{}
            b,llm,a,a,2026-09-01T10:00:00,2026-09-01T10:00:02,success,,100,30,130,0.0100,
              "{""metadata"":{""ls_model_name"":""gpt-5-mini"",""user_id"":""u1""}}"
            c,llm,a,a,2026-09-01T10:00:02,2026-09-01T10:00:03,error,RateLimitError: 429,0,0,0,,{}
        """),
        expect=rows("""
            {"call_id": "b", "model": "gpt-5-mini", "input_uncached": 100, "output_text": 30,
              "cost_logged": 0.01, "user": "u1", "latency_ms": 2000.0, "status": "ok"}
            {"call_id": "c", "input_uncached": null, "error": "rate_limit"}
        """),
    ),
)
