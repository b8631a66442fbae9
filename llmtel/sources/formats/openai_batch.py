"""OpenAI Batch output: one line a request, https://platform.openai.com/docs/guides/batch.

A body is an object, or on some gateways a JSON text, so records are taken out of their envelopes one by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import polars as pl

from llmtel.sources import raw
from llmtel.sources.nested import object_in
from llmtel.sources.outcome import ANSWERED, TEXT, joined
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Record, Source
from llmtel.sources.usage import leaves

_NAME = re.compile(r"[A-Za-z][A-Za-z_]*(?:[- ][A-Za-z_]+)*")


def records(line: Record) -> Iterable[dict[str, Any]]:
    """The record of a line, its body as an object, and its own name for the request where it is one."""
    response, name = line.get("response"), line.get("custom_id")
    named = {"feature": name if isinstance(name, str) and _NAME.fullmatch(name) else None}
    if not isinstance(response, dict):
        return [{**line, **named}]
    return [{**line, **named, "response": {**response, "body": object_in(response, "body")}}]


_BODY = "response.body."
_USE = f"{_BODY}usage."
_IN, _OUT = "tokens_details.cached_tokens", "tokens_details.reasoning_tokens"
_WORDS = joined([raw.text(f"{at}error.{key}") for at in (_BODY, "") for key in ("type", "code", "message")])

SOURCES = (
    Source(
        name="openai_batch",
        speaks=True,
        help="Output of the OpenAI Batch API",
        link="https://platform.openai.com/docs/guides/batch",
        marks=(
            Mark(all=("custom_id", "response"), none=("method",)),
            Mark(all=("custom_id", "error"), none=("method",)),
            Mark(all=("custom_id", "method", "url", "body")),
        ),
        refuse=pl.when(raw.text("method").is_not_null()).then(
            pl.lit("a request to a batch, which says nothing of its answer: give the batch's output")
        ),
        records=records,
        calls={
            "ts": raw.time(f"{_BODY}created", f"{_BODY}created_at"),
            "call_id": raw.text("response.request_id", "id"),
            "response_id": raw.text(f"{_BODY}id"),
            "model": raw.text(f"{_BODY}model"),
            "feature": raw.text("feature"),
            "batch": pl.lit(value=True),
            "service_tier": raw.text(f"{_BODY}service_tier"),
            "finish_reason": raw.text(f"{_BODY}choices[0].finish_reason", f"{_BODY}status"),
            **leaves(
                input=raw.count(f"{_USE}prompt_tokens", f"{_USE}input_tokens"),
                output=raw.count(f"{_USE}completion_tokens", f"{_USE}output_tokens"),
                cache_read=raw.count(f"{_USE}prompt_{_IN}", f"{_USE}input_{_IN}"),
                reasoning=raw.count(f"{_USE}completion_{_OUT}", f"{_USE}output_{_OUT}"),
                input_audio=raw.count(f"{_USE}prompt_tokens_details.audio_tokens"),
                output_audio=raw.count(f"{_USE}completion_tokens_details.audio_tokens"),
                total=raw.count(f"{_USE}total_tokens"),
            ),
            "http_status": raw.code("response.status_code"),
            TEXT: _WORDS,
            ANSWERED: raw.text(f"{_BODY}id").is_not_null(),
        },
        tells=("custom_id",),
        sample=lines("""
            {"id":"batch_req_1","custom_id":"summaries","response":{"status_code":200,"request_id":"req_1",
              "body":{"id":"chatcmpl-1","object":"chat.completion","created":1788000000,"model":"gpt-4o-mini",
              "choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":3,
              "total_tokens":15}}},"error":null}
            {"id":"batch_req_2","custom_id":"row-2","response":null,"error":{"code":"batch_expired",
              "message":"too late"}}
        """),
        expect=rows("""
            {"call_id": "req_1", "response_id": "chatcmpl-1", "input_uncached": 12, "output_text": 3,
              "batch": true, "feature": "summaries", "status": "ok"}
            {"call_id": "batch_req_2", "status": "error", "error": "other", "feature": null,
              "input_uncached": null}
        """),
    ),
)
