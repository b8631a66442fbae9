"""pi and OpenClaw sessions: `~/.pi/agent/sessions`, `~/.openclaw/agents/*/sessions`.

https://github.com/badlogic/pi-mono. The input excludes the cache. A session that was forked repeats the
entries of its parent, ids and all.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.agents import with_session
from llmtel.sources.anthropic import UNSTATED_LIFE
from llmtel.sources.outcome import ANSWERED, TEXT
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Remark, Source

_OTHERS = (
    "model_change", "thinking_level_change", "compaction", "branch_summary", "custom", "custom_message",
    "label", "session_info",
)  # fmt: skip
"""Types of entries beside messages."""
_USE = "message.usage."
_SENT = raw.time("message.timestamp", "timestamp")
_WRITE = raw.count(f"{_USE}cacheWrite")
_STOP = raw.text("message.stopReason")
_COST = raw.number(f"{_USE}cost.total")
_FAILED = _STOP.is_in(["error", "aborted"])

SOURCES = (
    Source(
        name="pi",
        help="pi and OpenClaw sessions (~/.pi/agent, ~/.openclaw/agents)",
        link="https://github.com/badlogic/pi-mono/blob/main/packages/coding-agent/docs/session.md",
        marks=(
            Mark(all=("version",), values={"type": ("session",)}),
            Mark(all=("message.role",), values={"type": ("message",)}),
            Mark(all=("id", "parentId", "timestamp"), values={"type": _OTHERS}),
        ),
        whole=True,
        prepare=with_session,
        keep=(raw.text("message.role") == "assistant") & raw.count(f"{_USE}output").is_not_null(),
        reads=(raw.text("type"), raw.text("cwd")),
        calls={
            "ts": _SENT,
            "call_id": raw.text("id"),
            "response_id": raw.text("message.responseId"),
            "session": pl.col("@session"),
            "feature": pl.col("@folder"),
            "project": pl.col("@folder"),
            "provider": raw.text("message.provider"),
            "model": raw.text("message.model"),
            "operation": raw.text("message.api"),
            "input_uncached": raw.count(f"{_USE}input"),
            "cache_read": raw.count(f"{_USE}cacheRead"),
            "cache_write_5m": _WRITE,
            "output_text": raw.count(f"{_USE}output"),
            # 0 is what pi writes for a model without a price
            "cost_logged": pl.when(_COST > 0).then(_COST),
            "finish_reason": _STOP,
            TEXT: pl.when(_FAILED).then(
                pl.concat_str(_STOP, raw.text("message.errorMessage"), separator=" ", ignore_nulls=True)
            ),
            ANSWERED: ~_FAILED,
        },
        remarks={"ttl_unknown": Remark(_WRITE > 0, UNSTATED_LIFE)},
        sample=lines("""
            {"type":"session","version":3,"id":"s1","timestamp":"2026-09-01T10:00:00Z","cwd":"/home/me/shop"}
            {"type":"message","id":"a1","parentId":null,"timestamp":"2026-09-01T10:00:01Z","message":{
              "role":"user","content":[],"timestamp":1788256801000}}
            {"type":"message","id":"a2","parentId":"a1","timestamp":"2026-09-01T10:00:09Z","message":{
              "role":"assistant","api":"anthropic-messages","provider":"anthropic",
              "model":"claude-sonnet-4-6","usage":{"input":12,"output":70,"cacheRead":3000,"cacheWrite":200,
              "totalTokens":3282,"cost":{"total":0.0028}},"stopReason":"toolUse","timestamp":1788256802000,
              "responseId":"msg_1"}}
        """),
        expect=rows("""
            {"call_id": "a2", "response_id": "msg_1", "session": "s1", "project": "shop",
              "provider": "anthropic", "model": "claude-sonnet-4-6", "input_uncached": 12, "cache_read": 3000,
              "cache_write_5m": 200, "output_text": 70, "cost_logged": 0.0028, "finish_reason": "toolUse",
              "status": "ok"}
        """),
    ),
)
