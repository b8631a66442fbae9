"""LiteLLM: StandardLoggingPayload and SpendLogs rows, https://docs.litellm.ai/docs/proxy/logging_spec.

Some fields of SpendLogs are JSON inside text, so records are opened one by one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
import polars as pl

from llmtel.sources import raw
from llmtel.sources.outcome import TEXT, WORD, joined
from llmtel.sources.source import Mark, Record, Source
from llmtel.sources.usage import Counts, leaves


def _opened(value: object) -> object:
    if isinstance(value, str) and value[:1] in "{[":
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return None
    return value


def records(line: Record) -> Iterable[dict[str, Any]]:
    """The record with its JSON texts opened, its usage in one place, and the text "None" as nothing."""
    record: dict[str, Any] = {key: None if value == "None" else value for key, value in line.items()}
    response = _opened(record.get("response"))
    usage = response.get("usage") if isinstance(response, dict) else None
    metadata, tags = _opened(record.get("metadata")), _opened(record.get("request_tags"))
    metadata = metadata if isinstance(metadata, dict) else {}
    usage = usage if isinstance(usage, dict) else metadata.get("usage_object")
    error = record.get("error_information") or metadata.get("error_information")
    return [{
        **record,
        "usage": usage if isinstance(usage, dict) else None,
        "error_information": error if isinstance(error, dict) else None,
        "metadata": metadata,
        "tag": tags[0] if isinstance(tags, list) and tags else None,
        "cached": str(record.get("cache_hit")).lower() == "true",
        "streamed": bool(record.get("stream")),
    }]  # fmt: skip


_START, _END, _FIRST = raw.time("startTime"), raw.time("endTime"), raw.time("completionStartTime")
_CACHED = raw.flag("cached")
_TOOK = pl.coalesce((_END - _START).dt.total_microseconds() / 1000, raw.number("response_time") * 1000)
_CODE = raw.text("error_information.error_code")
_WORDS = joined([raw.text("error_information.error_class"), _CODE])


def _usage(*names: str) -> pl.Expr:
    return pl.coalesce(*(raw.count(f"usage.{name}") for name in names))


SOURCES = (
    Source(
        name="litellm",
        help="LiteLLM logging payloads and SpendLogs rows",
        link="https://docs.litellm.ai/docs/proxy/logging_spec",
        marks=(Mark(all=("call_type",), any=("response_cost", "spend")),),
        records=records,
        calls={
            "ts": _START,
            "latency_ms": pl.when(~_CACHED).then(_TOOK),
            "ttft_ms": pl.when(raw.flag("streamed") & (_FIRST < _END)).then(
                (_FIRST - _START).dt.total_microseconds() / 1000
            ),
            "call_id": pl.coalesce(raw.text("id"), raw.text("request_id")),
            "session": pl.coalesce(raw.text("trace_id"), raw.text("session_id")),
            "model": raw.text("model"),
            "provider": raw.text("custom_llm_provider"),
            "operation": raw.text("call_type"),
            "user": pl.coalesce(
                *(
                    pl.when(value != "").then(value)
                    for value in (
                        raw.text("end_user"),
                        raw.text("user"),
                        raw.text("metadata.user_api_key_user_id"),
                    )
                )
            ),
            "feature": pl.coalesce(
                *(
                    pl.when(value != "").then(value)
                    for value in (
                        raw.text("metadata.user_api_key_team_alias"),
                        raw.text("team_id"),
                        raw.text("tag"),
                    )
                )
            ),
            **leaves(
                Counts(
                    input=raw.count("prompt_tokens"),
                    output=raw.count("completion_tokens"),
                    cache_read=_usage("cache_read_input_tokens", "prompt_tokens_details.cached_tokens"),
                    cache_write=_usage("cache_creation_input_tokens"),
                    reasoning=_usage("completion_tokens_details.reasoning_tokens"),
                    total=raw.count("total_tokens"),
                )
            ),
            "cost_logged": pl.when(_CACHED)
            .then(0.0)
            .otherwise(pl.coalesce(raw.number("response_cost"), raw.number("spend"))),
            "retries": raw.count("metadata.attempted_retries"),
            "http_status": _CODE.cast(pl.Int64, strict=False),
            WORD: raw.text("status"),
            TEXT: pl.when(raw.text("status") != "success").then(_WORDS),
        },
        sample='{"id":"chatcmpl-1","call_type":"acompletion","status":"success",'
        '"custom_llm_provider":"openai","startTime":'
        '"2026-09-01 10:00:00.000000","endTime":"2026-09-01 10:00:01.500000","model":"gpt-4o",'
        '"response_cost":0.0002,"prompt_tokens":10,'
        '"completion_tokens":20,"total_tokens":30,"end_user":"u1","metadata":{},"request_tags":["search"],'
        '"stream":false}\n',
        expect=(
            {
                "call_id": "chatcmpl-1",
                "input_uncached": 10,
                "output_text": 20,
                "latency_ms": 1500.0,
                "cost_logged": 0.0002,
                "user": "u1",
                "feature": "search",
                "provider": "openai",
                "status": "ok",
                "operation": "acompletion",
            },
        ),
    ),
)
