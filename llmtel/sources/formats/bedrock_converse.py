"""Answers of Amazon Bedrock's Converse API, which name neither a model nor a time.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

from functools import partial

import polars as pl

from llmtel.sources import raw
from llmtel.sources.bedrock import ttl_unknown, usage
from llmtel.sources.outcome import ANSWERED
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Remark, Source
from llmtel.sources.wrapped import FAMILY, OF_A_LOG, bind

_OF_THE_AI_SDK = ("usage.cachedInputTokens", "usage.reasoningTokens", "usage.inputTokenDetails")
"""What usages of the AI SDK have besides."""


def body(at: str) -> dict[str, pl.Expr]:
    """The mapping of an answer at a prefix."""
    sent = f"{at}ResponseMetadata."
    return {
        "provider": pl.lit("aws"),
        "call_id": raw.text(f"{sent}RequestId"),
        "http_status": raw.code(f"{sent}HTTPStatusCode"),
        "retries": raw.count(f"{sent}RetryAttempts"),
        "latency_ms": raw.number(f"{at}metrics.latencyMs"),
        "finish_reason": raw.text(f"{at}stopReason"),
        **usage(f"{at}usage."),
        ANSWERED: raw.count(f"{at}usage.inputTokens").is_not_null(),
    }


def _remarks(at: str) -> dict[str, Remark]:
    return ttl_unknown(f"{at}usage.", raw.count(f"{at}usage.cacheWriteInputTokens"))


SOURCES = (
    Source(
        name="bedrock_converse",
        help="Amazon Bedrock Converse answers, bare or in an app's own line; that the output includes "
        "reasoning is unverified",
        link="https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html",
        marks=(
            Mark(all=("output", "usage.inputTokens", "stopReason")),
            Mark(
                all=("usage.inputTokens", "usage.outputTokens"),
                none=("output", "stopReason", *_OF_THE_AI_SDK, *OF_A_LOG),
            ),
        ),
        family=FAMILY,
        bind=partial(bind, body, remarks=_remarks),
        remarks=_remarks(""),
        sample=lines("""
            {"timestamp":"2026-09-01T10:00:00Z","modelId":"us.amazon.nova-pro-v1:0","response":{
              "ResponseMetadata":{"RequestId":"q1","HTTPStatusCode":200,"RetryAttempts":1},"output":{
              "message":{"role":"assistant"}},"stopReason":"end_turn","metrics":{"latencyMs":640},"usage":{
              "inputTokens":40,"cacheReadInputTokens":1000,"cacheReadInputTokenCount":1000,
              "cacheWriteInputTokens":200,"cacheDetails":[{"ttl":"1h","inputTokens":150},{"ttl":"5m",
              "inputTokens":50}],"outputTokens":15,"totalTokens":1255}}}
        """),
        expect=rows("""
            {"call_id": "q1", "model": "us.amazon.nova-pro-v1:0", "provider": "aws", "retries": 1,
              "latency_ms": 640.0, "input_uncached": 40, "cache_read": 1000, "cache_write_5m": 50,
              "cache_write_1h": 150, "output_text": 15, "finish_reason": "end_turn", "status": "ok"}
        """),
    ),
)
