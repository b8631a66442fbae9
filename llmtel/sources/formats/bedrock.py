"""Amazon Bedrock's model invocation log, from object storage or CloudWatch.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html. Bodies differ by vendor
and are lists of events for streams, so records are opened one by one; each count is taken from one place.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.bedrock import LEAVES, TIMES, TTL_UNKNOWN, records
from llmtel.sources.outcome import ANSWERED, TEXT
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source


def _tagged(*keys: str) -> pl.Expr:
    return raw.text(*(f"requestMetadata.{key}" for key in keys))


_IN_TEXT = ('*"schemaType":"ModelInvocationLog"*', '*"schemaType": "ModelInvocationLog"*')
"""CloudWatch has a log as a text; the order of its keys varies."""
_STOP = raw.text("answer.stop")
_ERROR = raw.text("errorCode")

SOURCES = (
    Source(
        name="bedrock",
        help="Amazon Bedrock model invocation logs, from object storage or CloudWatch",
        link="https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html",
        marks=(
            Mark(values={"schemaType": ("ModelInvocationLog",)}),
            *(
                Mark(values={path: _IN_TEXT})
                for path in ("message", "logEvents[0].message", "events[0].message")
            ),
        ),
        records=records,
        keep=raw.text("schemaType") == "ModelInvocationLog",
        calls={
            "ts": raw.time("timestamp"),
            "call_id": raw.text("requestId"),
            "provider": pl.lit("aws"),
            "model": raw.text("modelId"),
            "region": raw.text("inferenceRegion", "region"),
            "operation": raw.text("operation"),
            "user": raw.text("identity.arn"),
            "feature": _tagged("feature", "app", "use_case"),
            "session": _tagged("session", "session_id", "sessionId"),
            **LEAVES,
            "latency_ms": raw.number("answer.metrics.latencyMs", f"answer.{TIMES}.invocationLatency"),
            "ttft_ms": raw.number(f"answer.{TIMES}.firstByteLatency"),
            "finish_reason": _STOP,
            TEXT: pl.coalesce(pl.when(raw.flag("answer.guarded")).then(pl.lit("content_filter")), _ERROR),
            ANSWERED: _ERROR.is_null(),
        },
        remarks=TTL_UNKNOWN,
        sample=lines(r"""
            {"timestamp":"2026-09-01T10:00:00Z","region":"us-east-1","requestId":"b1","identity":{
              "arn":"arn:aws:iam::1:user/app"},"operation":"InvokeModelWithResponseStream",
              "modelId":"anthropic.claude-sonnet-4-5-20250929-v1:0","requestMetadata":{"feature":"chat"},
              "input":{"inputBodyJson":{"messages":[{"content":"\"inputTokenCount\":99999"}]},
              "inputTokenCount":40,"cacheReadInputTokenCount":1000,"cacheWriteInputTokenCount":200},"output":{
              "outputBodyJson":[{"type":"message_start","message":{"usage":{"input_tokens":40,
              "cache_read_input_tokens":1000,"cache_creation_input_tokens":200,"cache_creation":{
              "ephemeral_1h_input_tokens":200,"ephemeral_5m_input_tokens":0},"output_tokens":1}}},{
              "type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":15}},{
              "type":"message_stop","amazon-bedrock-guardrailAction":"NONE",
              "amazon-bedrock-invocationMetrics":{"inputTokenCount":40,"outputTokenCount":15,
              "invocationLatency":900,"firstByteLatency":300}},"[DONE]"],"outputTokenCount":15},
              "schemaType":"ModelInvocationLog","schemaVersion":"1.0"}
            {"schemaType":"ModelInvocationLog","timestamp":"2026-09-01T10:00:01Z","requestId":"b2",
              "operation":"Converse","modelId":"apac.amazon.nova-micro-v1:0",
              "errorCode":"ThrottlingException"}
        """),
        expect=rows("""
            {"call_id": "b1", "provider": "aws", "user": "arn:aws:iam::1:user/app", "feature": "chat",
              "input_uncached": 40, "cache_read": 1000, "cache_write_5m": 0, "cache_write_1h": 200,
              "output_text": 15, "latency_ms": 900.0, "ttft_ms": 300.0, "finish_reason": "end_turn",
              "region": "us-east-1", "status": "ok"}
            {"call_id": "b2", "input_uncached": null, "status": "error", "error": "rate_limit"}
        """),
    ),
)
