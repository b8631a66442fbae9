"""Helicone requests, from its export tool or its API, https://docs.helicone.ai/tools/export."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from llmtel.sources.helicone import CALLS
from llmtel.sources.nested import objects_in
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Record, Source


def records(line: Record) -> Iterable[Record]:
    """A request, or those of a page of the API."""
    return objects_in(line, "data") if isinstance(line.get("data"), list) else [line]


_REQUESTS = Source(
    name="helicone",
    help="Helicone requests (JSON of its export or API); totals tell whether prompts have the cache, "
    "which is unverified without them",
    link="https://docs.helicone.ai/rest/request/post-v1requestquery-clickhouse",
    evidence="documented",
    utc=True,
    marks=(
        Mark(all=("request_id",), any=("delay_ms", "helicone_user", "request_properties")),
        Mark(all=("data[0].request_id", "data[0].delay_ms")),
    ),
    records=records,
    nested=('"data"',),
    calls=CALLS,
    sample=lines("""
            {"request_id":"r1","request_created_at":"2026-09-01T10:00:00Z","delay_ms":1200,
              "time_to_first_token":250,"provider":"ANTHROPIC","request_model":"claude-haiku-4-5",
              "response_model":"claude-haiku-4-5-20251001","response_status":200,"prompt_tokens":10,
              "prompt_cache_read_tokens":400,"completion_tokens":20,"total_tokens":430,"costUSD":0.0003,
              "helicone_user":"u1","request_properties":{"Helicone-Session-Id":"s1","feature":"search"},
              "feedback_rating":true,"cache_reference_id":"00000000-0000-0000-0000-000000000000"}
            {"request_id":"r2","request_created_at":"2026-09-01T10:00:05Z","delay_ms":900,"provider":"OPENAI",
              "request_model":"gpt-5-mini","response_status":-3,"prompt_tokens":0,"completion_tokens":0}
            {"request_id":"r3","request_created_at":"2026-09-01T10:00:09Z","delay_ms":4,"provider":"OPENAI",
              "request_model":"gpt-5-mini","response_status":200,"prompt_tokens":9,"completion_tokens":3,
              "total_tokens":12,"cost":0.1,"cache_enabled":true,"cache_reference_id":"r0"}
        """),
    expect=rows("""
            {"call_id": "r1", "model": "claude-haiku-4-5-20251001", "input_uncached": 10, "cache_read": 400,
              "output_text": 20, "latency_ms": 1200.0, "ttft_ms": 250.0, "user": "u1", "session": "s1",
              "feature": "search", "cost_logged": 0.0003, "thumb": true, "status": "ok"}
            {"call_id": "r2", "error": "cancelled", "http_status": null, "input_uncached": null}
            {"call_id": "r3", "latency_ms": null, "cost_logged": 0.0, "input_uncached": 9, "status": "ok"}
        """),
)

SOURCES = (
    _REQUESTS,
    replace(
        _REQUESTS,
        name="helicone_csv",
        help="Helicone requests as a table (CSV of its export tool), with JSON in its cells; unverified",
        link="https://docs.helicone.ai/tools/export",
        layout="csv",
        records=None,
        sample=lines("""
            request_id,request_created_at,delay_ms,time_to_first_token,response_status,provider,response_model,
              prompt_tokens,completion_tokens,total_tokens,costUSD,request_user_id,request_properties
            r1,2026-09-01T10:00:00Z,800,300,200,OPENAI,gpt-5-mini,90,12,102,0.0002,u1,
              "{""feature"":""search"",""Helicone-Session-Id"":""s1""}"
            r2,2026-09-01T10:00:05Z,40,,429,OPENAI,gpt-5-mini,0,0,0,0,u1,{}
        """),
        expect=rows("""
            {"call_id": "r1", "provider": "OPENAI", "model": "gpt-5-mini", "user": "u1", "session": "s1",
              "feature": "search", "input_uncached": 90, "output_text": 12, "latency_ms": 800.0,
              "ttft_ms": 300.0, "cost_logged": 0.0002, "status": "ok"}
            {"call_id": "r2", "input_uncached": null, "error": "rate_limit"}
        """),
    ),
)
