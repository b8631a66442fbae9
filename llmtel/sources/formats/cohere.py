"""Cohere's chat and embed answers: https://docs.cohere.com/reference/chat.

`billed_units` is what is billed; `tokens` is what the model saw, and `cached_tokens` is a part of that alone.
"""

from __future__ import annotations

from functools import partial

import polars as pl

from llmtel.sources import raw
from llmtel.sources.outcome import ANSWERED, TEXT
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source
from llmtel.sources.wrapped import FAMILY, bind


def body(at: str) -> dict[str, pl.Expr]:
    """The mapping of an answer at a prefix."""

    def billed(name: str) -> pl.Expr:
        return raw.count(*(f"{at}{use}.billed_units.{name}_tokens" for use in ("usage", "meta")))

    finish = raw.text(f"{at}finish_reason")
    failed = finish.str.contains("^(?:ERROR|TIMEOUT)").fill_null(value=False)
    words = pl.when(finish == "ERROR_TOXIC").then(pl.lit("content_filter")).otherwise(finish)
    return {
        "provider": pl.lit("cohere"),
        "response_id": raw.text(f"{at}id"),
        "call_id": raw.text(f"{at}id"),
        "finish_reason": finish,
        "input_uncached": billed("input"),
        "output_text": billed("output"),
        TEXT: pl.when(failed).then(words),
        ANSWERED: billed("input").is_not_null(),
    }


SOURCES = (
    Source(
        name="cohere",
        help="Cohere chat and embed answers, bare or in an app's own line; tokens are the billed units",
        link="https://docs.cohere.com/reference/chat",
        marks=(
            Mark(all=("usage.billed_units",)),
            Mark(all=("meta.billed_units",), any=("embeddings", "text", "generations")),
        ),
        family=FAMILY,
        bind=partial(bind, body),
        sample=lines("""
            {"id":"c1","finish_reason":"COMPLETE","message":{"role":"assistant"},"usage":{"billed_units":{
              "input_tokens":13,"output_tokens":61},"cached_tokens":500,"tokens":{"input_tokens":542,
              "output_tokens":63}}}
            {"id":"c2","finish_reason":"TIMEOUT","usage":{"billed_units":{"input_tokens":9,
              "output_tokens":1}}}
        """),
        expect=rows("""
            {"response_id": "c1", "provider": "cohere", "input_uncached": 13, "cache_read": null,
              "output_text": 61, "status": "ok"}
            {"response_id": "c2", "status": "error", "error": "timeout"}
        """),
    ),
)
