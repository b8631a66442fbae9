"""Amp threads: `~/.local/share/amp/threads/T-*.json`, https://ampcode.com/manual.

Older threads have a ledger of calls, whose cache counts stand with the message that a call answered with;
newer ones have the usage of each message. The input excludes the cache. Credits are no dollars.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from llmtel.sources import raw
from llmtel.sources.anthropic import UNSTATED_LIFE
from llmtel.sources.outcome import ANSWERED
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Record, Remark, Source, lookup

_WRITE = raw.count("usage.cacheCreationInputTokens")


def calls_of(thread: Record) -> Iterable[dict[str, Any]]:
    """The calls of a thread: its ledger's events, else the messages that state a usage."""
    found = thread.get("messages")
    messages = [message for message in found if isinstance(message, dict)] if isinstance(found, list) else []
    usages = {message.get("messageId"): message["usage"] for message in messages if message.get("usage")}
    ledger = lookup(thread, ("usageLedger", "events"))
    if isinstance(ledger, list) and ledger:
        return [
            {**event, "thread": thread.get("id"), "usage": usages.get(event.get("toMessageId"))}
            for event in ledger
        ]
    return [
        {"id": f"{thread.get('id')}/{message.get('messageId')}", "thread": thread.get("id"), **message}
        for message in messages
    ] or [{}]


SOURCES = (
    Source(
        name="amp",
        help="Amp threads (~/.local/share/amp/threads)",
        link="https://ampcode.com/manual",
        evidence="documented",
        marks=(Mark(all=("messages",), values={"id": ("T-*",)}),),
        records=calls_of,
        keep=raw.count("tokens.output", "usage.outputTokens").is_not_null(),
        calls={
            "ts": raw.time("timestamp", "usage.timestamp"),
            "call_id": raw.text("id"),
            "session": raw.text("thread"),
            "model": raw.text("model", "usage.model"),
            "operation": raw.text("operationType"),
            "input_uncached": raw.count("tokens.input", "usage.inputTokens"),
            "cache_read": raw.count("usage.cacheReadInputTokens"),
            "cache_write_5m": _WRITE,
            "output_text": raw.count("tokens.output", "usage.outputTokens"),
            ANSWERED: pl.lit(value=True),
        },
        remarks={"ttl_unknown": Remark(_WRITE > 0, UNSTATED_LIFE)},
        sample=lines("""
            {"id":"T-1","created":1788256800000,"messages":[{"role":"user","messageId":0},{"role":"assistant",
              "messageId":1,"usage":{"cacheReadInputTokens":700,"cacheCreationInputTokens":60}}],
              "usageLedger":{"events":[{"id":"e1","timestamp":"2026-09-01T10:00:03Z",
              "model":"claude-sonnet-4-5","credits":1.5,"tokens":{"input":8,"output":55},
              "operationType":"inference","fromMessageId":0,"toMessageId":1}]}}
            {"id":"T-2","created":1788256900000,"messages":[{"role":"assistant","messageId":1,"usage":{
              "model":"claude-opus-4-5","timestamp":"2026-09-01T10:01:40Z","inputTokens":10,"outputTokens":90,
              "cacheReadInputTokens":11372,"cacheCreationInputTokens":986,"totalInputTokens":12368}}]}
        """),
        expect=rows("""
            {"call_id": "e1", "session": "T-1", "model": "claude-sonnet-4-5", "input_uncached": 8,
              "cache_read": 700, "cache_write_5m": 60, "output_text": 55, "operation": "inference",
              "cost_logged": null}
            {"call_id": "T-2/1", "session": "T-2", "model": "claude-opus-4-5", "input_uncached": 10,
              "cache_read": 11372, "cache_write_5m": 986, "output_text": 90}
        """),
    ),
)
