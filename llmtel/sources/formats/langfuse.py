"""Langfuse: traces with their observations, observations, and exports of tables and to blob storage.

https://langfuse.com/docs/api-and-data-platform/overview. Latencies with a bare name are seconds, `latencyMs`
is what it says; both only count where a start or an end is missing.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources.langfuse import MAPPING, READS, records, with_calls
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source

_TYPES = (
    "GENERATION", "SPAN", "EVENT", "EMBEDDING", "AGENT", "TOOL", "CHAIN", "RETRIEVER", "EVALUATOR",
    "GUARDRAIL",
)  # fmt: skip
_BESIDE = ("usageDetails", "usage_details", "parentObservationId", "parent_observation_id", "costDetails")

SOURCES = (
    Source(
        name="langfuse",
        help="Langfuse traces with observations, pages of observations, and exports as JSON",
        link="https://langfuse.com/docs/api-and-data-platform/features/export-from-ui",
        marks=(
            Mark(all=("observations",), any=("trace", "projectId", "htmlPath")),
            Mark(all=("traceId",), any=_BESIDE, values={"type": _TYPES}),
            Mark(all=("trace_id",), any=_BESIDE, values={"type": _TYPES}),
            Mark(all=("data[0].traceId",), values={"data[0].type": _TYPES}),
        ),
        utc=True,
        whole=True,
        records=records,
        prepare=with_calls,
        keep=pl.col("@call"),
        reads=READS,
        calls=MAPPING,
        sample=lines(r"""
            {"trace":{"id":"t1","name":"answer","userId":"u1","sessionId":"s1","tags":["beta"],"scores":[{
              "name":"hallucination","value":1,"dataType":"NUMERIC","observationId":null}]},"observations":[{
              "id":"a","traceId":"t1","type":"GENERATION","name":"generate","parentObservationId":null,
              "input":"Which of the three parcels that were sent to the harbour last week has not arrived yet
              , and why?","model":"gpt-5-mini","startTime":"2026-09-01T10:00:00.000Z",
              "endTime":"2026-09-01T10:00:02.100Z","usageDetails":{"input":90,"output":60,"total":150}},{
              "id":"b","traceId":"t1","type":"GENERATION","name":"generate.step","parentObservationId":"a",
              "model":"gpt-5-mini","startTime":"2026-09-01T10:00:00.100Z",
              "endTime":"2026-09-01T10:00:02.000Z",
              "input":"[{\"role\":\"user\",\"content\":\"Which of the three parcels that were sent to t\"}]",
              "output":"{\"role\":\"assistant\",\"content\":\"The second one: it waits at customs, since i\"}"
              ,"completionStartTime":"2026-09-01T10:00:00.500Z","latency":1.9,"level":"DEFAULT",
              "usageDetails":{"input":40,"input_cache_read":50,"output":20,"output_reasoning":40,"total":150},
              "costDetails":{"total":0.0002}},{"id":"c","traceId":"t1","type":"TOOL","name":"search",
              "parentObservationId":"a","usageDetails":{}}]}
        """),
        expect=rows("""
            {"call_id": "t1/b", "trace": "t1", "model": "gpt-5-mini", "input_uncached": 40, "cache_read": 50,
              "output_text": 20, "reasoning": 40, "latency_ms": 1900.0, "ttft_ms": 400.0, "user": "u1",
              "session": "s1", "feature": "answer", "cost_logged": 0.0002, "hallucination": true,
              "status": "ok"}
        """),
    ),
    Source(
        name="langfuse_csv",
        help="Langfuse observations as a table (CSV), with JSON in its cells",
        link="https://langfuse.com/docs/api-and-data-platform/features/blob-storage-export-fields",
        evidence="documented",
        layout="csv",
        marks=(
            Mark(all=("usageDetails", "startTime")),
            Mark(all=("usage_details", "start_time")),
            Mark(all=("traceId", "type", "startTime")),
        ),
        utc=True,
        whole=True,
        prepare=with_calls,
        keep=pl.col("@call"),
        reads=READS,
        calls=MAPPING,
        sample=lines("""
            id,trace_id,type,parent_observation_id,start_time,end_time,latency,provided_model_name,
              usage_details,total_cost,level,status_message,tags,prompt_name,prompt_version
            a,t1,SPAN,,2026-09-01 10:00:00.000000,2026-09-01 10:00:02.000000,2,,{},0,DEFAULT,,,,
            b,t1,GENERATION,a,2026-09-01 10:00:00.000000,,1.5,gpt-5-mini,"{""input"":30,
              ""prompt_details.cache_read"":20,""output"":5,""total"":35}",0.001,ERROR,429 rate limit,
              "[""search""]",greet,3
        """),
        expect=rows("""
            {"call_id": "t1/b", "model": "gpt-5-mini", "input_uncached": 10, "cache_read": 20,
              "output_text": 5, "latency_ms": 1500.0, "cost_logged": 0.001, "feature": "search",
              "prompt": "greet", "prompt_version": "3", "status": "error", "error": "rate_limit"}
        """),
    ),
)
