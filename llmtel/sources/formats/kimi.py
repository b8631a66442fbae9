"""Kimi Code CLI: `wire.jsonl` below `~/.kimi/sessions` and `~/.kimi-code/sessions`.

https://github.com/MoonshotAI/kimi-cli. A request is logged at every attempt; its usage follows as a record of
its own. Older files have only the usage, in status updates that name no model. The input excludes the cache.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.agents import so_far
from llmtel.sources.outcome import ANSWERED
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source

_OLD, _NEW = "message.payload.token_usage.", "usage."
_TYPE, _STEP = raw.text("type"), raw.text("turnStep")
_COUNTS = {
    "input_uncached": raw.count(f"{_OLD}input_other", f"{_NEW}inputOther"),
    "cache_read": raw.count(f"{_OLD}input_cache_read", f"{_NEW}inputCacheRead"),
    "cache_write_5m": raw.count(f"{_OLD}input_cache_creation", f"{_NEW}inputCacheCreation"),
    "output_text": raw.count(f"{_OLD}output", f"{_NEW}output"),
}
_IS_REQUEST = (_TYPE == "llm.request").fill_null(value=False)
_IS_USAGE = (
    _COUNTS["output_text"].is_not_null()
    & ((raw.text("message.type") == "StatusUpdate") | (_TYPE == "usage.record")).fill_null(value=False)
    # what is of a session sums up what is of its turns
    & (raw.text("usageScope") != "session").fill_null(value=True)
)
_ATTEMPT = raw.text("attempt").str.extract(r"^(\d+)/").cast(pl.Int64, strict=False)
_MESSAGE = raw.text("message.payload.message_id")


def with_calls(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with `@call` (the first row of each), its `@attempts`, and the usage that followed (`@FIELD`)."""
    step = so_far(pl.when(_IS_REQUEST).then(_STEP)).shift(1).over("@segment")
    kind = pl.when(_IS_REQUEST).then(pl.lit("request")).when(_IS_USAGE).then(pl.lit("usage"))
    waiting = (so_far(kind).shift(1).over("@segment") == "request").fill_null(value=False)
    again = ((step == _STEP) & (_ATTEMPT > 1)).fill_null(value=False)
    opens = (_IS_REQUEST & ~again) | (_IS_USAGE & ~waiting)
    rows = rows.with_columns(opens.alias("@call"))
    group = ["@segment", pl.col("@call").cast(pl.Int64).cum_sum().over("@segment")]
    return rows.with_columns(
        _ATTEMPT.max().over(group).alias("@attempts"),
        *(
            pl.when(_IS_USAGE).then(value).max().over(group).alias(f"@{name}")
            for name, value in _COUNTS.items()
        ),
    )


_USED = {name: pl.col(f"@{name}") for name in _COUNTS}

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
        prepare=with_calls,
        keep=pl.col("@call"),
        reads=(
            _TYPE,
            _STEP,
            raw.text("message.type"),
            raw.text("usageScope"),
            raw.text("attempt"),
            *_COUNTS.values(),
        ),
        calls={
            "ts": raw.time("time", "timestamp"),
            "call_id": _MESSAGE,
            "response_id": _MESSAGE,
            "provider": raw.text("provider"),
            "model": raw.text("model"),
            "agent": raw.text("agentId"),
            **_USED,
            "retries": pl.when(_IS_REQUEST).then(pl.col("@attempts").fill_null(1) - 1),
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
