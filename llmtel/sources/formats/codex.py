"""Codex CLI rollouts: `~/.codex/sessions/YYYY/MM/DD/rollout-*.jsonl`, https://github.com/openai/codex."""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw, rollouts
from llmtel.sources.agents import dated_by_answer, folder
from llmtel.sources.outcome import ANSWERED, TEXT
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Copies, Mark, Source
from llmtel.sources.usage import leaves

_FOLDER = folder(pl.col("@cwd"))

SOURCES = (
    Source(
        name="codex",
        help="Codex CLI rollouts (~/.codex/sessions)",
        link="https://github.com/openai/codex/blob/main/codex-rs/protocol/src/protocol.rs",
        marks=(
            Mark(
                all=("payload",),
                values={
                    "type": (
                        "session_meta",
                        "turn_context",
                        "event_msg",
                        "response_item",
                        "token_usage_record",
                        "compacted",
                        "world_state",
                    )
                },
            ),
        ),
        whole=True,
        markers=(
            '"token_count"',
            '"turn_context"',
            '"session_meta"',
            '"token_usage_record"',
            '"turn.completed"',
            '"error"',
        ),
        # a source is a text or an object
        careful=('"codex_error_info"', '"session_meta"'),
        prepare=rollouts.with_calls,
        keep=pl.col("@call"),
        reads=rollouts.READS,
        calls={
            "ts": rollouts.STAMP,
            "call_id": pl.coalesce(raw.text("payload.response_id"), rollouts.ID),
            "response_id": raw.text("payload.response_id"),
            "session": pl.col("@session"),
            "provider": pl.lit(None, dtype=pl.String),
            "model": pl.col("@model"),
            "feature": _FOLDER,
            "project": _FOLDER,
            "context_limit": raw.count("payload.info.model_context_window"),
            **leaves(
                input=rollouts.USE["input_tokens"],
                output=rollouts.USE["output_tokens"],
                cache_read=rollouts.USE["cached_input_tokens"],
                cache_write=rollouts.USE["cache_write_input_tokens"],
                reasoning=rollouts.USE["reasoning_output_tokens"],
            ),
            TEXT: pl.when("@failed").then(raw.text("payload.codex_error_info").fill_null("unknown error")),
            ANSWERED: ~pl.col("@failed"),
        },
        copies=Copies(prefer=(~pl.col("@fork"),)),
        remarks=dated_by_answer(rollouts.STAMP),
        sample=lines("""
            {"timestamp":"2026-09-01T10:00:00Z","type":"session_meta","payload":{"id":"s1",
              "cwd":"/home/me/app","source":"cli"}}
            {"timestamp":"2026-09-01T10:00:01Z","type":"turn_context","payload":{"model":"gpt-5.3-codex"}}
            {"timestamp":"2026-09-01T10:00:05Z","type":"event_msg","payload":{"type":"token_count","info":{
              "total_token_usage":{"input_tokens":900,"cached_input_tokens":600,"output_tokens":40,
              "reasoning_output_tokens":10,"total_tokens":940},"last_token_usage":{"input_tokens":900,
              "cached_input_tokens":600,"output_tokens":40,"reasoning_output_tokens":10,"total_tokens":940}}}}
            {"timestamp":"2026-09-01T10:00:06Z","type":"event_msg","payload":{"type":"token_count","info":{
              "total_token_usage":{"input_tokens":900,"cached_input_tokens":600,"output_tokens":40,
              "reasoning_output_tokens":10,"total_tokens":940},"last_token_usage":{"input_tokens":900,
              "cached_input_tokens":600,"output_tokens":40,"reasoning_output_tokens":10,"total_tokens":940}}}}
        """),
        expect=rows("""
            {"session": "s1", "model": "gpt-5.3-codex", "project": "app", "input_uncached": 300,
              "cache_read": 600, "output_text": 30, "reasoning": 10, "status": "ok"}
        """),
    ),
)
