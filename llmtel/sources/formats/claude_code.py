"""Claude Code transcripts: `~/.claude/projects/**/*.jsonl`.

One answer is written as several lines, one a content block, with early copies while it streams; resumed
sessions and side chains repeat them. Copies are one call: the whole line with the most output wins, a main
line before a side chain's. Nobody documents the format; the paths are those of real transcripts.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import claude, raw
from llmtel.sources.agents import dated_by_answer
from llmtel.sources.anthropic import ttl_unknown, with_advisors
from llmtel.sources.outcome import ANSWERED, TEXT
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Copies, Source

_OUTPUT = raw.count(f"{claude.USE}output_tokens", "outputTokens")

SOURCES = (
    Source(
        name="claude_code",
        help="Claude Code transcripts (~/.claude/projects)",
        link="https://code.claude.com/docs/en/claude-directory",
        marks=claude.MARKS,
        markers=('"usage"', '"isApiErrorMessage"', '"api_error"', '"inputTokens"'),
        careful=('"api_error"',),
        keep=claude.KEEP,
        prepare=claude.prepared,
        reads=claude.READS,
        calls={
            "ts": raw.time("timestamp"),
            "provider": pl.lit("anthropic"),
            "call_id": raw.text("requestId", "message.id"),
            "response_id": raw.text("message.id"),
            "session": claude.SESSION,
            "model": pl.when(~claude.SYNTHETIC).then(claude.MODEL),
            "feature": pl.coalesce(
                raw.text("attributionSkill"), raw.text("attributionPlugin"), claude.FOLDER
            ),
            "project": claude.FOLDER,
            "branch": raw.text("gitBranch"),
            "agent": raw.text("agentId"),
            "finish_reason": raw.text("message.stop_reason"),
            **claude.LEAVES,
            "cost_logged": raw.number("costUSD"),
            "retries": pl.col("@retries"),
            "http_status": raw.code("apiErrorStatus"),
            TEXT: pl.when(claude.FAILED)
            .then(raw.text("error").fill_null("unknown error"))
            .when(raw.text("message.stop_reason") == "refusal")
            .then(pl.lit("refusal")),
            ANSWERED: claude.HAS_USAGE,
        },
        copies=Copies(
            prefer=(~raw.flag("isSidechain").fill_null(value=False), _OUTPUT, raw.time("timestamp")),
            earliest=("ts",),
            largest=("retries",),
        ),
        remarks={
            "ttl_unknown": ttl_unknown(claude.USE),
            **dated_by_answer(raw.time("timestamp")),
        },
        extra=with_advisors,
        sample=lines("""
            {"type":"user","timestamp":"2026-09-01T10:00:00.000Z","sessionId":"s1","cwd":"/home/me/shop",
              "message":{"role":"user"}}
            {"type":"assistant","timestamp":"2026-09-01T10:00:04.000Z","sessionId":"s1","cwd":"/home/me/shop",
              "gitBranch":"main","requestId":"req_1","message":{"id":"msg_1","model":"claude-sonnet-4-6",
              "usage":{"input_tokens":3,"output_tokens":1,"cache_read_input_tokens":2000,
              "cache_creation_input_tokens":500}}}
            {"type":"assistant","timestamp":"2026-09-01T10:00:06.000Z","sessionId":"s1","cwd":"/home/me/shop",
              "gitBranch":"main","requestId":"req_1","message":{"id":"msg_1","model":"claude-sonnet-4-6",
              "usage":{"input_tokens":3,"output_tokens":240,"cache_read_input_tokens":2000,
              "cache_creation_input_tokens":500}}}
        """),
        expect=rows("""
            {"call_id": "req_1", "input_uncached": 3, "cache_read": 2000, "cache_write_5m": 500,
              "output_text": 240, "project": "shop", "branch": "main", "session": "s1",
              "provider": "anthropic", "status": "ok"}
        """),
    ),
)
