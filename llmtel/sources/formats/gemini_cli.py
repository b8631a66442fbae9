"""Gemini CLI: the chats below `~/.gemini/tmp`, https://github.com/google-gemini/gemini-cli.

Up to 0.39 a chat is one object, from 0.40 on a line each for its head, its messages and changes of them. A
message may be written again, the last copy holds; a message that was rewound was paid for all the same.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from llmtel.sources import gemini, raw
from llmtel.sources.agents import ORDER, dated_by_answer, in_order, of_file
from llmtel.sources.outcome import ANSWERED
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Copies, Mark, Record, Source

_LINK = (
    "https://github.com/google-gemini/gemini-cli/blob/main/packages/core/src/services/chatRecordingService.ts"
)
_STAMP, _TOTAL = raw.time("timestamp"), raw.count("tokens.total")
_COUNTS = {name: raw.count(f"tokens.{name}") for name in ("cached", "thoughts", "tool", "total")}


def messages(line: Record) -> Iterable[Record]:
    """The messages of a chat, or of a change that rewrites them; any other line as it is."""
    change = line.get("$set")
    found = (change if isinstance(change, dict) else line).get("messages")
    if not isinstance(found, list):
        return [line]
    head = {"sessionId": line.get("sessionId")}
    return [{**head, **message} if isinstance(message, dict) else {} for message in found] or [{}]


SOURCES = (
    Source(
        name="gemini_cli",
        help="Gemini CLI chats (~/.gemini/tmp)",
        link=_LINK,
        marks=(
            Mark(all=("sessionId", "projectHash")),
            Mark(all=("history", "lastUpdated")),
            Mark(none=("message",), values={"type": ("gemini",)}),
            Mark(all=("sessionId",), values={"messages[1].type": ("gemini",)}),
            Mark(any=("$set", "$rewindTo")),
            Mark(
                all=("id", "timestamp", "content"),
                none=("message", "role", "session_id", "sessionId"),
                values={"type": ("user", "info", "warning", "error")},
            ),
        ),
        whole=True,
        records=messages,
        nested=('"messages"',),
        prepare=lambda rows: rows.with_columns(of_file(raw.text("sessionId")).alias("@session"), in_order()),
        keep=(raw.text("type") == "gemini") & raw.count("tokens.input").is_not_null(),
        reads=(raw.text("sessionId"),),
        calls={
            "ts": _STAMP,
            "provider": pl.lit("google"),
            "call_id": raw.text("id"),
            "session": pl.col("@session"),
            "model": raw.text("model"),
            **gemini.counted(
                {"prompt": raw.count("tokens.input"), "candidates": raw.count("tokens.output"), **_COUNTS}
            ),
            ANSWERED: pl.lit(value=True),
        },
        copies=Copies(prefer=(pl.col(ORDER),)),
        remarks=dated_by_answer(_STAMP),
        sample=lines("""
            {"sessionId":"s1","projectHash":"f00","startTime":"2026-09-01T10:00:00Z","kind":"main"}
            {"id":"m1","timestamp":"2026-09-01T10:00:01Z","type":"user","content":"hello"}
            {"id":"m2","timestamp":"2026-09-01T10:00:05Z","type":"gemini","model":"gemini-3-pro","tokens":{
              "input":900,"cached":600,"output":40,"thoughts":25,"tool":10,"total":975}}
            {"$rewindTo":"m1"}
            {"id":"m2","timestamp":"2026-09-01T10:00:05Z","type":"gemini","model":"gemini-3-pro","tokens":{
              "input":900,"cached":600,"output":50,"thoughts":25,"tool":10,"total":985},"toolCalls":[]}
        """),
        expect=rows("""
            {"call_id": "m2", "session": "s1", "provider": "google", "model": "gemini-3-pro",
              "input_uncached": 310, "cache_read": 600, "output_text": 50, "reasoning": 25, "status": "ok"}
        """),
    ),
)
