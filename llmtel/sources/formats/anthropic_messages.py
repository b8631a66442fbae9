"""Anthropic messages, bare or inside an application's own line: https://platform.claude.com/docs/en/api/messages."""

from __future__ import annotations

from functools import partial

import polars as pl

from llmtel.sources import raw
from llmtel.sources.anthropic import CACHE, ttl_unknown, usage, with_advisors
from llmtel.sources.outcome import ANSWERED, TEXT
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Remark, Source
from llmtel.sources.wrapped import FAMILY, OF_A_LOG, bind, error_http, error_text


def body(at: str) -> dict[str, pl.Expr]:
    """The mapping of a message at a prefix."""
    stop = raw.text(f"{at}stop_reason")
    return {
        "provider": pl.lit("anthropic"),
        "response_id": raw.text(f"{at}id"),
        "call_id": raw.text(f"{at}request_id", f"{at}id"),
        "model": raw.text(f"{at}model"),
        "finish_reason": stop,
        **usage(f"{at}usage."),
        "http_status": error_http(at),
        TEXT: pl.coalesce(error_text(at), pl.when(stop == "refusal").then(stop)),
        ANSWERED: (raw.text(f"{at}type") == "message").fill_null(value=False)
        | pl.any_horizontal(raw.count(f"{at}{path}").is_not_null() for path in CACHE)
        & raw.count(f"{at}usage.input_tokens").is_not_null(),
    }


def _remarks(at: str) -> dict[str, Remark]:
    return {"ttl_unknown": ttl_unknown(f"{at}usage.")}


SOURCES = (
    Source(
        name="anthropic_messages",
        speaks=True,
        help="Anthropic messages, bare or in an app's own line",
        link="https://platform.claude.com/docs/en/api/messages",
        marks=(
            Mark(all=("usage",), values={"type": ("message",)}),
            Mark(all=("usage.input_tokens",), any=CACHE, none=OF_A_LOG),
            Mark(all=("error.type",), values={"type": ("error",)}),
        ),
        family=FAMILY,
        bind=partial(bind, body, remarks=_remarks),
        remarks=_remarks(""),
        extra=with_advisors,
        sample=lines("""
            {"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-6",
              "stop_reason":"end_turn","usage":{"input_tokens":10,"cache_read_input_tokens":100,
              "cache_creation_input_tokens":30,"cache_creation":{"ephemeral_5m_input_tokens":10,
              "ephemeral_1h_input_tokens":20},"output_tokens":50,"output_tokens_details":{
              "thinking_tokens":8}}}
            {"type":"error","error":{"type":"overloaded_error","message":"busy"},"request_id":"req_2"}
        """),
        expect=rows("""
            {"call_id": "msg_1", "input_uncached": 10, "cache_read": 100, "cache_write_5m": 10,
              "cache_write_1h": 20, "output_text": 42, "reasoning": 8, "provider": "anthropic",
              "status": "ok"}
            {"call_id": "req_2", "status": "error", "error": "http_5xx", "input_uncached": null}
        """),
    ),
)
