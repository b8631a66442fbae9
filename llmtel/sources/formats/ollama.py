"""Ollama's answers: https://docs.ollama.com/api/usage. Durations are nanoseconds, the stamp is the end.

Chunks of a stream before the last one tell no counts and are no calls.
"""

from __future__ import annotations

from functools import partial

import polars as pl

from llmtel.sources import raw
from llmtel.sources.outcome import ANSWERED, TEXT
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source
from llmtel.sources.wrapped import FAMILY, bind

_COUNTS = ("eval_count", "prompt_eval_count")


def body(at: str) -> dict[str, pl.Expr]:
    """The mapping of an answer at a prefix."""
    took = raw.number(f"{at}total_duration")
    end = raw.time(f"{at}created_at")
    return {
        "ts": end - pl.duration(microseconds=(took.fill_null(0) / 1000).round().cast(pl.Int64)),
        "provider": pl.lit("ollama"),
        "model": raw.text(f"{at}model"),
        "latency_ms": took / 1e6,
        "input_uncached": raw.count(f"{at}prompt_eval_count"),
        "output_text": raw.count(f"{at}eval_count"),
        "finish_reason": raw.text(f"{at}done_reason"),
        TEXT: pl.lit(None, dtype=pl.String),
        ANSWERED: took.is_not_null(),
    }


SOURCES = (
    Source(
        name="ollama",
        help="Ollama chat, generate and embed answers, bare or in an app's own line",
        link="https://docs.ollama.com/api/usage",
        evidence="documented",
        marks=(
            Mark(all=("total_duration",), any=_COUNTS),
            Mark(all=("model", "created_at"), values={"done": (False,)}),
        ),
        family=FAMILY,
        bind=partial(bind, body),
        sample=lines("""
            {"model":"llama3.2","created_at":"2026-09-01T10:00:05Z","message":{"role":"assistant"},
              "done":false}
            {"model":"llama3.2","created_at":"2026-09-01T10:00:06Z","message":{"role":"assistant"},
              "done":true,"done_reason":"stop","total_duration":2500000000,"load_duration":100000000,
              "prompt_eval_count":26,"prompt_eval_duration":400000000,"eval_count":290,
              "eval_duration":1900000000}
        """),
        expect=rows("""
            {"ts": "2026-09-01T10:00:03.500000+00:00", "provider": "ollama", "model": "llama3.2",
              "latency_ms": 2500.0, "input_uncached": 26, "cache_read": null, "output_text": 290,
              "finish_reason": "stop", "status": "ok"}
        """),
    ),
)
