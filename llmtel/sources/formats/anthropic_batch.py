"""Anthropic Message Batches results: https://platform.claude.com/docs/en/build-with-claude/batch-processing."""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.anthropic import ttl_unknown, usage, with_advisors
from llmtel.sources.outcome import ANSWERED, TEXT
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source

_KIND = raw.text("result.type")
_STOP = raw.text("result.message.stop_reason")
_ERROR = raw.text("result.error.error.type", "result.error.type")

SOURCES = (
    Source(
        name="anthropic_batch",
        help="Results of Anthropic Message Batches",
        link="https://platform.claude.com/docs/en/build-with-claude/batch-processing",
        marks=(Mark(all=("custom_id", "result.type")),),
        calls={
            "provider": pl.lit("anthropic"),
            "response_id": raw.text("result.message.id"),
            "call_id": raw.text("result.message.id"),
            "model": raw.text("result.message.model"),
            "batch": pl.lit(value=True),
            "finish_reason": _STOP,
            **usage("result.message.usage."),
            TEXT: pl.when(_KIND != "succeeded")
            .then(pl.coalesce(_ERROR, _KIND))
            .when(_STOP == "refusal")
            .then(_STOP),
            ANSWERED: _KIND == "succeeded",
        },
        remarks={"ttl_unknown": ttl_unknown("result.message.usage.")},
        extra=with_advisors,
        sample=lines("""
            {"custom_id":"a","result":{"type":"succeeded","message":{"id":"msg_1","type":"message",
              "model":"claude-opus-5","stop_reason":"end_turn","usage":{"input_tokens":15,
              "output_tokens":25}}}}
            {"custom_id":"b","result":{"type":"canceled"}}
        """),
        expect=rows("""
            {"response_id": "msg_1", "input_uncached": 15, "output_text": 25, "batch": true, "status": "ok"}
            {"status": "error", "error": "cancelled", "input_uncached": null, "batch": true}
        """),
    ),
)
