"""LiteLLM: StandardLoggingPayload and SpendLogs rows, https://docs.litellm.ai/docs/proxy/logging_spec."""

from __future__ import annotations

from msgspec.structs import replace

from llmtel.sources.litellm import CALLS, records
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source

_LINES = Source(
    name="litellm",
    help="LiteLLM logging payloads and SpendLogs rows (JSON); whether the input includes the cache is told "
    "by the total, and unverified without one",
    link="https://docs.litellm.ai/docs/proxy/logging_spec",
    marks=(Mark(all=("call_type",), any=("response_cost", "spend")),),
    utc=True,
    records=records,
    calls=CALLS,
    sample=lines("""
        {"id":"chatcmpl-1","call_type":"acompletion","status":"success","custom_llm_provider":"openai",
          "startTime":"2026-09-01 10:00:00.000000","endTime":"2026-09-01 10:00:01.500000","model":"gpt-4o",
          "response_cost":0.0002,"prompt_tokens":10,"completion_tokens":20,"total_tokens":30,"end_user":"u1",
          "metadata":{},"request_tags":["search"],"stream":false}
    """),
    expect=rows("""
        {"call_id": "chatcmpl-1", "response_id": "chatcmpl-1", "input_uncached": 10, "output_text": 20,
          "latency_ms": 1500.0, "cost_logged": 0.0002, "user": "u1", "feature": "search",
          "provider": "openai", "status": "ok", "operation": "acompletion"}
    """),
)

SOURCES = (
    _LINES,
    replace(
        _LINES,
        name="litellm_spend_logs",
        help="LiteLLM SpendLogs as a table (CSV dump of the database), with JSON in its cells",
        link="https://docs.litellm.ai/docs/proxy/cost_tracking",
        evidence="documented",
        layout="csv",
        records=None,
        sample=lines("""
            request_id,call_type,startTime,endTime,completionStartTime,model,custom_llm_provider,spend,
              prompt_tokens,completion_tokens,total_tokens,status,cache_hit,user,metadata,request_tags
            chatcmpl-2,acompletion,2026-09-01 10:00:00,2026-09-01 10:00:02,2026-09-01 10:00:00.5,gpt-4o,
              openai,0.001,100,20,120,success,None,None,
              "{""usage_object"":{""prompt_tokens_details"":{""cached_tokens"":60}}}","[""search""]"
            r3,acompletion,2026-09-01 10:00:05,2026-09-01 10:00:06,2026-09-01 10:00:06,gpt-4o,openai,0,0,0,0,
              failure,None,u1,"{""error_information"":{""error_code"":""429"",
              ""error_class"":""RateLimitError""}}",[]
        """),
        expect=rows("""
            {"call_id": "chatcmpl-2", "input_uncached": 40, "cache_read": 60, "output_text": 20,
              "ttft_ms": 500.0, "user": null, "feature": "search", "status": "ok"}
            {"call_id": "r3", "input_uncached": null, "ttft_ms": null, "error": "rate_limit",
              "http_status": 429}
        """),
    ),
)
