"""OpenAI chat completions and what is shaped like them, bare or inside an application's own line.

https://platform.openai.com/docs/api-reference/chat/object (CompletionUsage): details are parts of the totals.
"""

from __future__ import annotations

from functools import partial

import polars as pl

from llmtel.sources import raw
from llmtel.sources.outcome import ANSWERED, TEXT
from llmtel.sources.source import Mark, Source
from llmtel.sources.usage import Counts, leaves
from llmtel.sources.wrapped import FAMILY, bind, error_http, error_text

_OBJECTS = ("chat.completion", "chat.completion.chunk", "text_completion")


def body(at: str) -> dict[str, pl.Expr]:
    """The mapping of a completion at a prefix."""
    use = f"{at}usage."
    details, written = f"{use}prompt_tokens_details.", f"{use}completion_tokens_details."
    created = raw.time(f"{at}created")
    refused = raw.text(f"{at}choices[0].message.refusal")
    return {
        "ts": created,
        "response_id": raw.text(f"{at}id"),
        "call_id": raw.text(f"{at}id"),
        "model": raw.text(f"{at}model"),
        "service_tier": raw.text(f"{at}service_tier"),
        "finish_reason": raw.text(f"{at}choices[0].finish_reason"),
        "user": raw.text(f"{at}user"),
        "cost_logged": raw.number(f"{use}cost"),
        **leaves(
            Counts(
                input=raw.count(f"{use}prompt_tokens"),
                output=raw.count(f"{use}completion_tokens"),
                cache_read=pl.coalesce(
                    raw.count(f"{details}cached_tokens"), raw.count(f"{use}prompt_cache_hit_tokens")
                ),
                cache_write=raw.count(f"{details}cache_write_tokens"),
                reasoning=raw.count(f"{written}reasoning_tokens"),
                input_audio=raw.count(f"{details}audio_tokens"),
                output_audio=raw.count(f"{written}audio_tokens"),
                total=raw.count(f"{use}total_tokens"),
            )
        ),
        "http_status": error_http(at),
        TEXT: pl.coalesce(error_text(at), pl.when(refused != "").then(pl.lit("refusal"))),
        ANSWERED: raw.text(f"{at}object").is_in([*_OBJECTS, "list"])
        | raw.count(f"{use}prompt_tokens").is_not_null(),
    }


SOURCES = (
    Source(
        name="openai_chat",
        help="OpenAI chat completions and embeddings, bare or in an app's own line; "
        "any provider of that shape",
        link="https://platform.openai.com/docs/api-reference/chat/object",
        marks=(
            Mark(values={"object": _OBJECTS}),
            Mark(
                all=("usage.prompt_tokens",),
                none=("timestamp", "ts", "time", "created_at", "call_type", "custom_id"),
            ),
            Mark(
                any=("error.message", "error.type", "error.code"),
                none=("type", "timestamp", "ts", "time", "created_at", "custom_id"),
            ),
        ),
        family=FAMILY,
        bind=partial(bind, body),
        sample='{"timestamp":"2026-09-01T10:00:00Z","request_id":"req_1","latency_ms":900,"user":"u1",'
        '"feature":"chat","response":'
        '{"id":"chatcmpl-1","object":"chat.completion","created":1788000000,"model":"gpt-4o-2024-08-06",'
        '"choices":[{"index":0,'
        '"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{'
        '"prompt_tokens":100,"completion_tokens":40,'
        '"total_tokens":140,"prompt_tokens_details":{"cached_tokens":60},"completion_tokens_details":{'
        '"reasoning_tokens":10}}}}\n'
        '{"timestamp":"2026-09-01T10:00:02Z","request_id":"req_2","latency_ms":10,"user":"u1",'
        '"feature":"chat","response":null,'
        '"error":{"type":"rate_limit_exceeded"}}\n',
        expect=(
            {
                "call_id": "req_1",
                "response_id": "chatcmpl-1",
                "input_uncached": 40,
                "cache_read": 60,
                "output_text": 30,
                "reasoning": 10,
                "latency_ms": 900.0,
                "feature": "chat",
                "status": "ok",
                "finish_reason": "stop",
            },
            {
                "call_id": "req_2",
                "input_uncached": None,
                "status": "error",
                "error": "rate_limit",
                "model": None,
            },
        ),
    ),
)
