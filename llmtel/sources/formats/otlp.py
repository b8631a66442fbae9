"""OTLP/JSON: traces with GenAI attributes, and the log events of coding agents.

https://opentelemetry.io/docs/specs/semconv/gen-ai/ and the names its forerunners used. A span with usage is a
call unless a span below it has usage too: agents and workflows repeat the sums of their children.
"""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from llmtel.sources import raw
from llmtel.sources.events import ERROR, EVENT_MS, FAILED, HTTP, IS_EVENT, NAME, count, number, of_event, text
from llmtel.sources.outcome import ANSWERED, TEXT
from llmtel.sources.source import Copies, Mark, Source
from llmtel.sources.spans import records
from llmtel.sources.usage import Counts, leaves

_OPERATIONS = ("chat", "generate_content", "text_completion", "embeddings", "completion")
_USE = "gen_ai_usage_"
_SCOPE, _KIND = raw.text("scope"), raw.text("kind")
_OPERATION = text("gen_ai_operation_name", "llm_request_type")
_P = count(
    f"{_USE}input_tokens",
    f"{_USE}prompt_tokens",
    "llm_usage_prompt_tokens",
    "llm_token_count_prompt",
    "ai_usage_promptTokens",
    "ai_usage_inputTokens",
)
_C = count(
    f"{_USE}output_tokens",
    f"{_USE}completion_tokens",
    "llm_usage_completion_tokens",
    "llm_token_count_completion",
    "ai_usage_completionTokens",
    "ai_usage_outputTokens",
)
_CR = count(
    f"{_USE}cache_read_input_tokens",
    f"{_USE}cache_read_tokens",
    f"{_USE}details_cache_read_tokens",
    "llm_token_count_prompt_details_cache_read",
    "ai_usage_cachedInputTokens",
)
_CW = count(
    f"{_USE}cache_write_input_tokens",
    f"{_USE}cache_creation_input_tokens",
    f"{_USE}cache_write_tokens",
    "llm_token_count_prompt_details_cache_write",
)
_R = count(
    f"{_USE}reasoning_output_tokens",
    f"{_USE}reasoning_tokens",
    "llm_usage_reasoning_tokens",
    "llm_token_count_completion_details_reasoning",
    f"{_USE}details_reasoning_tokens",
)
_TOTAL = count(f"{_USE}total_tokens", "llm_usage_total_tokens", "llm_token_count_total")
_PROVIDER = text("gen_ai_provider_name", "gen_ai_system", "llm_system", "llm_provider", "llm_vendor")
_RESPONSE_ID = text("gen_ai_response_id", "ai_response_id", "response_id")
_START, _END = raw.count("start"), raw.count("end")
_EXCLUSIVE = (_SCOPE == "opentelemetry.instrumentation.bedrock").fill_null(value=False)
# Bedrock's instrumentation leaves the cache out of the input (v0.40+): add it, so that one formula holds
_INPUT = pl.when(_EXCLUSIVE).then(_P + _CR.fill_null(0) + _CW.fill_null(0)).otherwise(_P)


_COUNTS = {
    "input": of_event("input", _INPUT),
    "output": of_event("output", _C),
    "cache_read": of_event("cache_read", _CR),
    "cache_write": of_event("cache_write", _CW),
    "reasoning": of_event("reasoning", _R),
    "total": _TOTAL,
    "input_audio": count(f"{_USE}audio_input_tokens"),
    "output_audio": count(f"{_USE}audio_output_tokens"),
}
_LEAVES = leaves(Counts(**{name: pl.col(f"@{name}") for name in _COUNTS}))


def with_calls(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with `@call`: spans of inference or usage with no such span below them, and events of calls."""
    usage = _P.is_not_null() | _C.is_not_null()
    inference = _OPERATION.is_in(_OPERATIONS) | usage
    candidate = (
        inference & (_OPERATION != "execute_tool").fill_null(value=True) & (_KIND == "span")
    ).fill_null(value=False)
    # each count is asked for many times: once it is a column, that is cheap
    counts = [value.alias(f"@{name}") for name, value in _COUNTS.items()]
    rows = rows.with_columns(candidate.alias("@candidate"), *counts)
    key = ["@segment", "trace:str", "span:str"]
    spans = rows.filter(_KIND == "span").select(*key, pl.col("parent:str"))
    above = (
        rows.filter("@candidate")
        .select("@segment", "trace:str", pl.col("parent:str").alias("span:str"))
        .drop_nulls()
        .unique()
    )
    covering = above.clear()
    while above.height:
        covering = pl.concat([covering, above])
        higher = spans.join(above, on=key, how="semi").select(
            "@segment", "trace:str", pl.col("parent:str").alias("span:str")
        )
        above = higher.drop_nulls().unique().join(covering, on=key, how="anti")
    covered = covering.with_columns(pl.lit(value=True).alias("@covered"))
    rows = rows.join(covered, on=key, how="left", maintain_order="left")
    return rows.with_columns(
        ((pl.col("@candidate") & pl.col("@covered").is_null()) | IS_EVENT).alias("@call")
    )


_STAMP = raw.time("stamp")

SOURCES = (
    Source(
        name="otlp",
        help="OpenTelemetry traces (OTLP/JSON) with GenAI attributes, and log events of coding agents",
        link="https://opentelemetry.io/docs/specs/semconv/gen-ai/",
        marks=(
            Mark(any=("resourceSpans", "resourceLogs", "resourceMetrics", "batches")),
            Mark(all=("attributes",), values={"body": ("claude_code.*", "gemini_cli.*")}),
            Mark(
                any=("body", "_body"),
                values={"attributes.event\\.name": ("gemini_cli.*", "qwen-code.*", "codex.*")},
            ),
        ),
        records=records,
        whole=True,
        prepare=with_calls,
        keep=pl.col("@call"),
        # two instrumentations of one call: the outer one lasts longer
        copies=Copies(prefer=(_END - _START,)),
        reads=(NAME, _KIND, raw.text("span"), raw.text("parent"), *_COUNTS.values()),
        calls={
            "ts": pl.coalesce(
                raw.time("start"),
                pl.when(EVENT_MS >= 0)
                .then(_STAMP - pl.duration(microseconds=EVENT_MS * 1000))
                .otherwise(_STAMP),
            ),
            "latency_ms": pl.coalesce((_END - _START) / 1e6, EVENT_MS),
            "ttft_ms": pl.coalesce(
                number("gen_ai_response_time_to_first_chunk") * 1000,
                number("ai_response_msToFirstChunk", "ttft_ms"),
                (raw.count("first_chunk") - _START) / 1e6,
            ),
            "call_id": pl.coalesce(
                _RESPONSE_ID,
                text("request_id"),
                pl.concat_str(raw.text("trace"), raw.text("span"), separator="/"),
            ),
            "response_id": _RESPONSE_ID,
            "trace": raw.text("trace"),
            "operation": _OPERATION,
            "provider": pl.when(NAME.str.starts_with("claude_code."))
            .then(pl.lit("anthropic"))
            .otherwise(_PROVIDER),
            "model": text(
                "gen_ai_response_model",
                "gen_ai_request_model",
                "llm_response_model",
                "llm_request_model",
                "llm_model_name",
                "ai_response_model",
                "ai_model_id",
                "model",
            ),
            "model_requested": text("gen_ai_request_model", "llm_request_model"),
            "session": text(
                "gen_ai_conversation_id",
                "conversation_id",
                "session_id",
                "gen_ai_session_id",
                "langfuse_session_id",
                "traceloop_association_properties_session_id",
                "thread_id",
            ),
            "user": text(
                "user_id",
                "enduser_id",
                "gen_ai_user",
                "llm_user",
                "langfuse_user_id",
                "traceloop_association_properties_user_id",
            ),
            "agent": text("gen_ai_agent_name"),
            "feature": pl.coalesce(
                text("gen_ai_agent_name", "gen_ai_workflow_name", "traceloop_workflow_name"),
                raw.text("service"),
            ),
            "environment": raw.text("environment"),
            "prompt": text("gen_ai_prompt_name", "traceloop_prompt_key", "langfuse_prompt_name"),
            "prompt_version": text(
                "gen_ai_prompt_version", "llm_prompt_template_version", "traceloop_prompt_version"
            ),
            "finish_reason": text(
                "gen_ai_response_finish_reasons",
                "gen_ai_response_finish_reason",
                "llm_response_finish_reason",
                "llm_finish_reason",
                "gen_ai_completion_0_finish_reason",
            ),
            "service_tier": text(
                "openai_response_service_tier", "gen_ai_openai_response_service_tier", "speed"
            ),
            "cost_logged": number(f"{_USE}cost", "llm_cost_total", "cost_usd"),
            "retries": pl.when(count("attempt") > 0).then(count("attempt") - 1),
            "sample_rate": raw.number("sample_rate"),
            **_LEAVES,
            "http_status": HTTP,
            TEXT: pl.when(FAILED).then(ERROR.fill_null("unknown error")),
            ANSWERED: ~FAILED,
        },
        sample='{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{'
        '"stringValue":"shop"}}]},"scopeSpans":'
        '[{"scope":{"name":"demo"},"spans":[{"traceId":"t1","spanId":"s1","name":"chat",'
        '"startTimeUnixNano":"1790000000000000000",'
        '"endTimeUnixNano":"1790000001500000000","attributes":[{"key":"gen_ai.operation.name","value":{'
        '"stringValue":"chat"}},'
        '{"key":"gen_ai.request.model","value":{"stringValue":"gpt-5-mini"}},{'
        '"key":"gen_ai.usage.input_tokens","value":{"intValue":"30"}},'
        '{"key":"gen_ai.usage.output_tokens","value":{"intValue":"4"}}]}]}]}]}\n'
        '{"body":"claude_code.api_request","attributes":{"event.name":"api_request",'
        '"event.timestamp":"2026-09-01T10:00:02.000Z","session.id":"s1","user.id":"u1",'
        '"model":"claude-opus-4-8","input_tokens":"20","output_tokens":"80","cache_read_tokens":"9000",'
        '"cache_creation_tokens":"500","cost_usd":"0.031","duration_ms":"2000","request_id":"req_e1"}}\n'
        '{"body":"API response from gemini-3-pro. Status: 200.","attributes":{'
        '"event.name":"gemini_cli.api_response","event.timestamp":"2026-09-01T10:00:05.000Z",'
        '"session.id":"s2","model":"gemini-3-pro","status_code":200,"duration_ms":1200,'
        '"input_token_count":900,"output_token_count":40,"cached_content_token_count":600,'
        '"thoughts_token_count":25,"tool_token_count":10,"total_token_count":975}}\n'
        '{"body":"","attributes":{"event.name":"codex.sse_event","event.kind":"response.completed",'
        '"event.timestamp":"2026-09-01T10:00:09.000Z","conversation.id":"s3","model":"gpt-5.3-codex",'
        '"duration_ms":"3","input_token_count":"900","cached_token_count":"600","output_token_count":"40",'
        '"reasoning_token_count":"10","tool_token_count":"940"}}\n',
        expect=(
            {
                "trace": "t1",
                "call_id": "t1/s1",
                "model": "gpt-5-mini",
                "input_uncached": 30,
                "output_text": 4,
                "latency_ms": 1500.0,
                "feature": "shop",
                "operation": "chat",
                "status": "ok",
            },
            {
                "call_id": "req_e1", "session": "s1", "user": "u1", "provider": "anthropic",
                "input_uncached": 20, "cache_read": 9000, "cache_write_5m": 500, "output_text": 80,
                "latency_ms": 2000.0, "cost_logged": 0.031, "ts": datetime(2026, 9, 1, 10, tzinfo=UTC),
                "status": "ok",
            },
            {
                "session": "s2", "model": "gemini-3-pro", "input_uncached": 310, "cache_read": 600,
                "output_text": 40, "reasoning": 25, "latency_ms": 1200.0, "http_status": 200, "status": "ok",
            },
            {
                "session": "s3", "model": "gpt-5.3-codex", "input_uncached": 300, "cache_read": 600,
                "output_text": 30, "reasoning": 10, "latency_ms": None, "status": "ok",
            },
        ),
    ),
)  # fmt: skip
