"""GitHub Copilot CLI: `~/.copilot/session-state/*/events.jsonl`, https://github.com/github/copilot-cli.

A message states its output tokens alone. What the session read, it says when it ends, as a sum for each
model: that counts only where no message has told its tokens. Whether the input of a sum includes the cache
is not documented; it is taken to, unless the cache is larger.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import copilot, raw
from llmtel.sources.agents import ORDER, dated_by_answer
from llmtel.sources.copilot import FAILED, MESSAGE, OUTPUT, READS, ROLLUP, STAMP, SUMS
from llmtel.sources.outcome import ANSWERED, TEXT
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Copies, Mark, Remark, Source

SOURCES = (
    Source(
        name="copilot_cli",
        help="GitHub Copilot CLI events (~/.copilot/session-state); input tokens are logged as sums only; "
        "that these include the cache is unverified",
        link="https://docs.github.com/en/copilot/concepts/agents/about-copilot-cli",
        marks=(
            Mark(
                all=("data", "parentId"),
                values={
                    "type": (
                        "session.*",
                        "assistant.*",
                        "user.message",
                        "system.*",
                        "tool.*",
                        "hook.*",
                        "subagent.*",
                        "skill.*",
                        "abort",
                    )
                },
            ),
        ),
        whole=True,
        records=copilot.records,
        prepare=copilot.prepared,
        keep=pl.col("@call"),
        reads=READS,
        calls={
            "ts": STAMP,
            "grain": pl.when(ROLLUP).then(pl.lit("bucket")).otherwise(pl.lit("call")),
            "request_count": pl.when(ROLLUP).then(raw.count("rollup.requests")),
            "call_id": raw.text("data.requestId", "data.providerCallId"),
            "response_id": raw.text("data.apiCallId"),
            "session": pl.col("@session"),
            "feature": pl.col("@folder"),
            "project": pl.col("@folder"),
            "branch": pl.col("@branch"),
            "model": raw.text("data.model"),
            **SUMS,
            "output_text": pl.coalesce(OUTPUT, SUMS["output_text"]),
            "http_status": pl.when(FAILED).then(raw.code("data.statusCode")),
            TEXT: pl.when(FAILED).then(raw.text("data.errorType").fill_null("unknown error")),
            ANSWERED: pl.when(MESSAGE).then(statement=True),
        },
        copies=Copies(prefer=(OUTPUT, pl.col(ORDER))),
        remarks={
            "input_unlogged": Remark(
                MESSAGE, "{n} {record has|records have} no input tokens: Copilot CLI logs only sums of them"
            ),
            **dated_by_answer(STAMP),
        },
        sample=lines("""
            {"type":"session.start","data":{"sessionId":"s1","context":{"cwd":"/home/me/shop",
              "branch":"main"}},"id":"e1","timestamp":"2026-09-01T10:00:00Z","parentId":null}
            {"type":"session.error","data":{"errorType":"rate_limit","statusCode":429,"providerCallId":"r0"},
              "id":"e2","timestamp":"2026-09-01T10:00:01Z","parentId":"e1"}
            {"type":"assistant.message","data":{"messageId":"m1","model":"gpt-5-mini","requestId":"r1",
              "apiCallId":"c1","outputTokens":12},"id":"e3","timestamp":"2026-09-01T10:00:05Z",
              "parentId":"e2"}
            {"type":"session.shutdown","data":{"modelMetrics":{"gpt-5-mini":{"requests":{"count":1},"usage":{
              "inputTokens":90,"outputTokens":12,"cacheReadTokens":30,"cacheWriteTokens":0}}}},"id":"e4",
              "timestamp":"2026-09-01T10:00:09Z","parentId":"e3"}
        """),
        expect=rows("""
            {"call_id": "r0", "session": "s1", "status": "error", "error": "rate_limit", "http_status": 429,
              "output_text": null}
            {"call_id": "r1", "response_id": "c1", "session": "s1", "project": "shop", "branch": "main",
              "model": "gpt-5-mini", "input_uncached": null, "output_text": 12, "grain": "call",
              "status": "ok"}
        """),
    ),
)
