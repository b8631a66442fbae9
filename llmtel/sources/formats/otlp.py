"""OTLP/JSON: traces with GenAI attributes, and the log events of Claude Code and Gemini CLI.

https://opentelemetry.io/docs/specs/semconv/gen-ai/ and the names its forerunners used. A span with usage is a
call unless a span below it has usage too: agents and workflows repeat the sums of their children.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.outcome import ANSWERED, TEXT
from llmtel.sources.source import Copies, Mark, Source
from llmtel.sources.spans import records
from llmtel.sources.usage import Counts, leaves

_OPERATIONS = ("chat", "generate_content", "text_completion", "embeddings", "completion")
_EVENTS = (
    "claude_code.api_request",
    "claude_code.api_error",
    "gemini_cli.api_response",
    "gemini_cli.api_error",
)


def _text(*names: str) -> pl.Expr:
    return pl.coalesce(*(raw.text(f"attributes.{name}") for name in names))


def _count(*names: str) -> pl.Expr:
    return pl.coalesce(*(raw.count(f"attributes.{name}") for name in names))


def _number(*names: str) -> pl.Expr:
    return pl.coalesce(*(raw.number(f"attributes.{name}") for name in names))


_USE = "gen_ai_usage_"
_NAME, _SCOPE, _KIND = raw.text("name"), raw.text("scope"), raw.text("kind")
_OPERATION = _text("gen_ai_operation_name", "llm_request_type")
_P = _count(
    f"{_USE}input_tokens",
    f"{_USE}prompt_tokens",
    "llm_usage_prompt_tokens",
    "llm_token_count_prompt",
    "ai_usage_promptTokens",
    "ai_usage_inputTokens",
)
_C = _count(
    f"{_USE}output_tokens",
    f"{_USE}completion_tokens",
    "llm_usage_completion_tokens",
    "llm_token_count_completion",
    "ai_usage_completionTokens",
    "ai_usage_outputTokens",
)
_CR = _count(
    f"{_USE}cache_read_input_tokens",
    f"{_USE}cache_read_tokens",
    f"{_USE}details_cache_read_tokens",
    "llm_token_count_prompt_details_cache_read",
    "ai_usage_cachedInputTokens",
)
_CW = _count(
    f"{_USE}cache_write_input_tokens",
    f"{_USE}cache_creation_input_tokens",
    f"{_USE}cache_write_tokens",
    "llm_token_count_prompt_details_cache_write",
)
_R = _count(
    f"{_USE}reasoning_output_tokens",
    f"{_USE}reasoning_tokens",
    "llm_usage_reasoning_tokens",
    "llm_token_count_completion_details_reasoning",
    f"{_USE}details_reasoning_tokens",
)
_TOTAL = _count(f"{_USE}total_tokens", "llm_usage_total_tokens", "llm_token_count_total")
_PROVIDER = _text("gen_ai_provider_name", "gen_ai_system", "llm_system", "llm_provider", "llm_vendor")
_RESPONSE_ID = _text("gen_ai_response_id", "ai_response_id")
_START, _END = raw.count("start"), raw.count("end")
_EVENT_MS = _number("duration_ms")
_IS_EVENT = _NAME.is_in(_EVENTS)
_EXCLUSIVE = (_SCOPE == "opentelemetry.instrumentation.bedrock").fill_null(value=False)
# Bedrock's instrumentation leaves the cache out of the input (v0.40+): add it, so that one formula holds
_INPUT = pl.when(_EXCLUSIVE).then(_P + _CR.fill_null(0) + _CW.fill_null(0)).otherwise(_P)


def with_calls(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with `@call`: spans of inference or usage with no such span below them, and events of calls."""
    usage = _P.is_not_null() | _C.is_not_null()
    inference = _OPERATION.is_in(_OPERATIONS) | usage
    candidate = (
        inference & (_OPERATION != "execute_tool").fill_null(value=True) & (_KIND == "span")
    ).fill_null(value=False)
    rows = rows.with_columns(candidate.alias("@candidate"))
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
        ((pl.col("@candidate") & pl.col("@covered").is_null()) | _IS_EVENT.fill_null(value=False)).alias(
            "@call"
        )
    )


_SPAN_LEAVES = leaves(
    Counts(
        input=_INPUT,
        output=_C,
        cache_read=_CR,
        cache_write=_CW,
        reasoning=_R,
        total=_TOTAL,
        input_audio=_count(f"{_USE}audio_input_tokens"),
        output_audio=_count(f"{_USE}audio_output_tokens"),
    )
)
_GEMINI = _NAME.str.starts_with("gemini_cli.").fill_null(value=False)
_CACHED = _count("cached_content_token_count")
_EVENT_LEAVES = {
    "input_uncached": pl.when(_GEMINI)
    .then(_count("input_token_count") - _CACHED.fill_null(0) + _count("tool_token_count").fill_null(0))
    .otherwise(_count("input_tokens")),
    "cache_read": pl.when(_GEMINI).then(_CACHED).otherwise(_count("cache_read_tokens")),
    "cache_write_5m": _count("cache_creation_tokens"),
    "output_text": pl.when(_GEMINI).then(_count("output_token_count")).otherwise(_count("output_tokens")),
    "reasoning": _count("thoughts_token_count"),
}
_STAMP = raw.time("stamp")
_ERROR = pl.coalesce(_text("error_type", "error"), raw.text("exception"))
_FAILED = raw.flag("failed").fill_null(value=False) | _NAME.str.ends_with(".api_error").fill_null(value=False)

SOURCES = (
    Source(
        name="otlp",
        help="OpenTelemetry traces (OTLP/JSON) with GenAI attributes, and Claude Code's log events",
        link="https://opentelemetry.io/docs/specs/semconv/gen-ai/",
        marks=(
            Mark(any=("resourceSpans", "resourceLogs", "resourceMetrics", "batches")),
            Mark(all=("attributes",), values={"body": ("claude_code.*", "gemini_cli.*")}),
        ),
        records=records,
        whole=True,
        prepare=with_calls,
        keep=pl.col("@call"),
        # two instrumentations of one call: the outer one lasts longer
        copies=Copies(prefer=(_END - _START,)),
        reads=(_NAME, _KIND, raw.text("span"), raw.text("parent")),
        calls={
            "ts": pl.coalesce(
                raw.time("start"),
                pl.when(_EVENT_MS >= 0)
                .then(_STAMP - pl.duration(microseconds=_EVENT_MS * 1000))
                .otherwise(_STAMP),
            ),
            "latency_ms": pl.coalesce((_END - _START) / 1e6, _EVENT_MS),
            "ttft_ms": pl.coalesce(
                _number("gen_ai_response_time_to_first_chunk") * 1000,
                _number("ai_response_msToFirstChunk"),
                (raw.count("first_chunk") - _START) / 1e6,
            ),
            "call_id": pl.coalesce(
                _RESPONSE_ID,
                _text("request_id"),
                pl.concat_str(raw.text("trace"), raw.text("span"), separator="/"),
            ),
            "response_id": _RESPONSE_ID,
            "trace": raw.text("trace"),
            "operation": _OPERATION,
            "provider": pl.when(_NAME.str.starts_with("claude_code."))
            .then(pl.lit("anthropic"))
            .otherwise(_PROVIDER),
            "model": _text(
                "gen_ai_response_model",
                "gen_ai_request_model",
                "llm_response_model",
                "llm_request_model",
                "llm_model_name",
                "ai_response_model",
                "ai_model_id",
                "model",
            ),
            "model_requested": _text("gen_ai_request_model", "llm_request_model"),
            "session": _text(
                "gen_ai_conversation_id",
                "session_id",
                "gen_ai_session_id",
                "langfuse_session_id",
                "traceloop_association_properties_session_id",
                "thread_id",
            ),
            "user": _text(
                "user_id",
                "enduser_id",
                "gen_ai_user",
                "llm_user",
                "langfuse_user_id",
                "traceloop_association_properties_user_id",
            ),
            "agent": _text("gen_ai_agent_name"),
            "feature": pl.coalesce(
                _text("gen_ai_agent_name", "gen_ai_workflow_name", "traceloop_workflow_name"),
                raw.text("service"),
            ),
            "environment": raw.text("environment"),
            "prompt": _text("gen_ai_prompt_name", "traceloop_prompt_key", "langfuse_prompt_name"),
            "prompt_version": _text(
                "gen_ai_prompt_version", "llm_prompt_template_version", "traceloop_prompt_version"
            ),
            "finish_reason": _text(
                "gen_ai_response_finish_reasons",
                "gen_ai_response_finish_reason",
                "llm_response_finish_reason",
                "llm_finish_reason",
                "gen_ai_completion_0_finish_reason",
            ),
            "service_tier": _text(
                "openai_response_service_tier", "gen_ai_openai_response_service_tier", "speed"
            ),
            "cost_logged": _number(f"{_USE}cost", "llm_cost_total", "cost_usd"),
            "retries": pl.when(_count("attempt") > 0).then(_count("attempt") - 1),
            "sample_rate": raw.number("sample_rate"),
            **{
                name: pl.when(_IS_EVENT).then(_EVENT_LEAVES.get(name)).otherwise(value)
                for name, value in _SPAN_LEAVES.items()
            },
            "http_status": pl.coalesce(
                raw.code("attributes.http_response_status_code"), raw.code("attributes.status_code")
            ),
            TEXT: pl.when(_FAILED).then(_ERROR.fill_null("unknown error")),
            ANSWERED: ~_FAILED,
        },
        sample='{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{'
        '"stringValue":"shop"}}]},"scopeSpans":'
        '[{"scope":{"name":"demo"},"spans":[{"traceId":"t1","spanId":"s1","name":"chat",'
        '"startTimeUnixNano":"1790000000000000000",'
        '"endTimeUnixNano":"1790000001500000000","attributes":[{"key":"gen_ai.operation.name","value":{'
        '"stringValue":"chat"}},'
        '{"key":"gen_ai.request.model","value":{"stringValue":"gpt-5-mini"}},{'
        '"key":"gen_ai.usage.input_tokens","value":{"intValue":"30"}},'
        '{"key":"gen_ai.usage.output_tokens","value":{"intValue":"4"}}]}]}]}]}\n',
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
        ),
    ),
)
