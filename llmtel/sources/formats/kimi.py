"""Kimi Code CLI: `wire.jsonl` below `~/.kimi/sessions` and `~/.kimi-code/sessions`.

https://github.com/MoonshotAI/kimi-cli. A request is logged at every attempt; its usage follows as a record of
its own. Older files have only the usage, in status updates that name no model. The input excludes the cache.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import kimi, raw
from llmtel.sources.outcome import ANSWERED
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source

_MESSAGE = raw.text("message.payload.message_id")
_USED = {name: pl.col(f"@{name}") for name in kimi.COUNTS}

SOURCES = (
    Source(
        name="kimi",
        help="Kimi Code CLI wire logs (~/.kimi/sessions, ~/.kimi-code/sessions)",
        link="https://moonshotai.github.io/kimi-cli/en/customization/wire-mode.html",
        marks=(
            Mark(all=("turnStep",), values={"type": ("llm.request",)}),
            Mark(all=("usage.inputOther",), values={"type": ("usage.record",)}),
            Mark(values={"message.type": ("StatusUpdate",)}),
            Mark(
                all=("time",),
                values={"type": ("turn.*", "context.*", "config.*", "llm.*", "token_counting.*", "tools.*")},
            ),
            Mark(all=("message.payload",), values={"message.type": ("TurnBegin", "StepBegin", "ToolCall")}),
        ),
        markers=('"llm.request"', '"StatusUpdate"', '"usage.record"'),
        whole=True,
        prepare=kimi.with_calls,
        keep=pl.col("@call"),
        reads=(
            kimi.TYPE,
            kimi.STEP,
            raw.text("message.type"),
            raw.text("usageScope"),
            raw.text("attempt"),
            *kimi.COUNTS.values(),
        ),
        calls={
            "ts": raw.time("time", "timestamp"),
            "call_id": _MESSAGE,
            "response_id": _MESSAGE,
            "provider": raw.text("provider"),
            "model": raw.text("model"),
            "agent": raw.text("agentId"),
            **_USED,
            "retries": pl.when(kimi.IS_REQUEST).then(pl.col("@attempts").fill_null(1) - 1),
            ANSWERED: pl.when(_USED["output_text"].is_not_null()).then(statement=True),
        },
        sample=lines("""
            {"type":"llm.request","kind":"loop","provider":"kimi","model":"kimi-k2.7-code","turnStep":"0.1",
              "time":1788256800000,"agentId":"main"}
            {"type":"llm.request","kind":"loop","provider":"kimi","model":"kimi-k2.7-code","turnStep":"0.1",
              "attempt":"2/10","time":1788256802000}
            {"type":"usage.record","model":"kimi-k2.7-code","usage":{"inputOther":40,"output":25,
              "inputCacheRead":900,"inputCacheCreation":0},"usageScope":"turn","time":1788256809000}
            {"type":"token_counting.measured","agentId":"main","length":3,"tokens":965,"time":1788256809001}
            {"timestamp":1788256820.5,"message":{"type":"StatusUpdate","payload":{"context_usage":0.01,
              "token_usage":{"input_other":7,"output":9,"input_cache_read":3,"input_cache_creation":0},
              "message_id":"chatcmpl-2"}}}
        """),
        expect=rows("""
            {"provider": "kimi", "model": "kimi-k2.7-code", "retries": 1, "input_uncached": 40,
              "cache_read": 900, "cache_write_5m": 0, "output_text": 25, "agent": "main", "status": "ok"}
            {"call_id": "chatcmpl-2", "model": null, "input_uncached": 7, "cache_read": 3, "output_text": 9}
        """),
    ),
)
