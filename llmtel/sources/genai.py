"""Attributes of spans of inference, in every generation of their names: shared by the formats that have them.

https://opentelemetry.io/docs/specs/semconv/gen-ai/ has the newest names; OpenLLMetry, OpenInference, the
Vercel AI SDK and Langfuse have names of their own. Attributes are flat and have `_` for dots, see `spans`.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.events import count, number, text
from llmtel.sources.nested import inside

_OPERATIONS = ("chat", "generate_content", "text_completion", "embeddings", "completion")
_USE, _LLM, _AI = "gen_ai_usage_", "llm_token_count_", "ai_usage_"
SCOPE, TOOK = raw.text("scope"), raw.number("took_ms")
KIND = text("openinference_span_kind")
OPERATION = text("gen_ai_operation_name", "llm_request_type", "ai_operationId", "openinference_span_kind")
_P = count(
    f"{_USE}input_tokens", f"{_USE}prompt_tokens", "llm_usage_prompt_tokens", f"{_LLM}prompt",
    f"{_AI}promptTokens", f"{_AI}inputTokens", f"{_AI}tokens",
)  # fmt: skip
_C = count(
    f"{_USE}output_tokens", f"{_USE}completion_tokens", "llm_usage_completion_tokens", f"{_LLM}completion",
    f"{_AI}completionTokens", f"{_AI}outputTokens",
)  # fmt: skip
_CR = count(
    f"{_USE}cache_read_input_tokens", f"{_USE}cache_read_tokens", f"{_USE}details_cache_read_tokens",
    f"{_LLM}prompt_details_cache_read", f"{_AI}cachedInputTokens",
)  # fmt: skip
_CW = count(
    f"{_USE}cache_write_input_tokens", f"{_USE}cache_creation_input_tokens", f"{_USE}cache_write_tokens",
    f"{_LLM}prompt_details_cache_write",
)  # fmt: skip
_R = count(
    f"{_USE}reasoning_output_tokens", f"{_USE}reasoning_tokens", "llm_usage_reasoning_tokens",
    f"{_LLM}completion_details_reasoning", f"{_USE}details_reasoning_tokens", f"{_AI}reasoningTokens",
)  # fmt: skip
_TOTAL = count(f"{_USE}total_tokens", "llm_usage_total_tokens", f"{_LLM}total", f"{_AI}totalTokens")
# Bedrock's instrumentation leaves the cache out of the input: add it, so that one formula holds
_EXCLUSIVE = ((SCOPE == "opentelemetry.instrumentation.bedrock") & _TOTAL.is_null()).fill_null(value=False)

COUNTS = {
    "input": pl.when(_EXCLUSIVE).then(_P + _CR.fill_null(0) + _CW.fill_null(0)).otherwise(_P),
    "output": _C,
    "cache_read": _CR,
    "cache_write": _CW,
    "reasoning": _R,
    "total": _TOTAL,
    "input_audio": count(f"{_USE}audio_input_tokens", f"{_LLM}prompt_details_audio"),
    "output_audio": count(f"{_USE}audio_output_tokens", f"{_LLM}completion_details_audio"),
}
"""What a span counts, as `usage.Counts` has it. Producers disagree on whether the input has the cache in it:
a total tells, else a cache larger than the input."""

INFERS = (
    OPERATION.is_in(_OPERATIONS)
    | KIND.is_in(["LLM", "EMBEDDING"])
    | text("ai_operationId").str.contains(r"\.do(?:Generate|Stream|Embed)$")
    | _P.is_not_null()
    | _C.is_not_null()
).fill_null(value=False) & (OPERATION != "execute_tool").fill_null(value=True)
"""Whether a span may be a call: its operation is one of inference, or it has usage."""

_RESPONSE_ID = text("gen_ai_response_id", "ai_response_id", "response_id")
_TRACELOOP = "traceloop_association_properties_"

CALLS: dict[str, pl.Expr] = {
    "ttft_ms": pl.coalesce(
        number(
            "gen_ai_response_time_to_first_chunk", "gen_ai_server_time_to_first_token",
            "gen_ai_latency_time_to_first_token",
        ) * 1000,
        number("ai_response_msToFirstChunk", "ttft_ms"),
        raw.number("first_ms"),
    ),
    "call_id": pl.coalesce(
        _RESPONSE_ID,
        text("request_id"),
        pl.concat_str(raw.text("trace"), raw.text("span"), separator="/"),
    ),
    "response_id": _RESPONSE_ID,
    "trace": raw.text("trace"),
    "operation": OPERATION,
    "provider": text("gen_ai_provider_name", "gen_ai_system", "llm_provider", "llm_system", "llm_vendor"),
    "model": text(
        "gen_ai_response_model", "gen_ai_request_model", "llm_response_model", "llm_request_model",
        "llm_model_name", "embedding_model_name", "ai_response_model", "ai_model_id", "model",
    ),
    "model_requested": text("gen_ai_request_model", "llm_request_model"),
    "session": text(
        "gen_ai_conversation_id", "conversation_id", "session_id", "gen_ai_session_id",
        "langfuse_session_id", f"{_TRACELOOP}session_id", "thread_id",
    ),
    "user": text(
        "user_id", "enduser_id", "gen_ai_user", "llm_user", "langfuse_user_id", f"{_TRACELOOP}user_id",
    ),
    "agent": text("gen_ai_agent_name"),
    "feature": pl.coalesce(
        text(
            "gen_ai_agent_name", "gen_ai_workflow_name", "traceloop_workflow_name", "tag_tags",
            "langfuse_tags", "langfuse_trace_tags",
        ),
        raw.text("service"),
    ),
    "environment": raw.text("environment"),
    "prompt": text(
        "gen_ai_prompt_name", "traceloop_prompt_key", "langfuse_prompt_name",
        "langfuse_observation_prompt_name",
    ),
    "prompt_version": text(
        "gen_ai_prompt_version", "llm_prompt_template_version", "traceloop_prompt_version",
        "langfuse_observation_prompt_version",
    ),
    "finish_reason": text(
        "gen_ai_response_finish_reasons", "gen_ai_response_finish_reason", "llm_response_finish_reason",
        "llm_finish_reason", "gen_ai_completion_0_finish_reason", "ai_response_finishReason",
    ),
    "service_tier": text(
        "openai_response_service_tier", "gen_ai_openai_response_service_tier",
        "openai_request_service_tier", "speed",
    ),
    "cost_logged": pl.coalesce(
        number(f"{_USE}cost", "llm_cost_total", "operation_cost", "cost_usd"),
        inside(text("langfuse_observation_cost_details"), "total").cast(pl.Float64, strict=False),
    ),
    "prompt_chars": raw.count("prompt_chars"),
    "output_chars": raw.count("output_chars"),
    "sample_rate": raw.number("sample_rate"),
}  # fmt: skip
"""Fields of a span other than its times, leaves and outcome."""

QUALITY = {
    name: read(f"judged.{name}")
    for name, read in (
        ("thumb", raw.flag), ("rating", raw.number), ("hallucination", raw.flag), ("regenerated", raw.flag),
        ("corrected", raw.flag), ("escalated", raw.flag), ("resolved", raw.flag),
    )
}  # fmt: skip
"""What evaluations said of a span: those that were written onto it."""
