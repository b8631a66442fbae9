"""GitHub Copilot CLI: `~/.copilot/session-state/*/events.jsonl`, https://github.com/github/copilot-cli.

A message states its output tokens alone. What the session read, it says when it ends, as a sum for each
model: that counts only where no message has told its tokens. Whether the input of a sum includes the cache
is not documented; it is taken to, unless the cache is larger.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from llmtel.sources import raw
from llmtel.sources.agents import ORDER, dated_by_answer, folder, in_order, of_file
from llmtel.sources.outcome import ANSWERED, TEXT
from llmtel.sources.source import Copies, Mark, Record, Remark, Source, lookup
from llmtel.sources.usage import Counts, leaves

_TYPE, _OUTPUT, _STAMP = raw.text("type"), raw.count("data.outputTokens"), raw.time("timestamp")
_MESSAGE = (_TYPE == "assistant.message") & _OUTPUT.is_not_null()
_FAILED = (_TYPE == "session.error") & raw.code("data.statusCode").is_not_null()
_ROLLUP = (_TYPE == "rollup").fill_null(value=False)
_CONTEXT = "data.context."
_USAGE = ("inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens")
_DETAILS = ("input", "output", "cache_read", "cache_write")


def records(line: Record) -> Iterable[Record]:
    """An event as it is; the end of a session as the sums of its models."""
    metrics = lookup(line, ("data", "modelMetrics"))
    if line.get("type") != "session.shutdown" or not isinstance(metrics, dict) or not metrics:
        return [line]
    whole = {
        name: lookup(line, ("data", "tokenDetails", key, "tokenCount"))
        for name, key in zip(_USAGE, _DETAILS, strict=True)
    }
    return [
        {
            "type": "rollup",
            "timestamp": line.get("timestamp"),
            "rollup": _sums(stats, whole if len(metrics) == 1 else {}),
            "data": {"model": model},
        }
        for model, stats in metrics.items()
    ]


def _sums(stats: object, otherwise: dict[str, object]) -> dict[str, Any]:
    """A model's requests and tokens: its own, else those of the session if it had no other model."""
    requests = lookup(stats, ("requests",))
    usage = lookup(stats, ("usage",))
    return {
        **(usage if isinstance(usage, dict) else otherwise),
        "requests": lookup(requests, ("count",)) if isinstance(requests, dict) else requests,
    }


def with_session(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with what the first line tells of the session, and whether they count (`@call`)."""
    told = _MESSAGE.fill_null(value=False).any().over("@segment")
    return rows.with_columns(
        of_file(raw.text("data.sessionId")).alias("@session"),
        of_file(folder(raw.text(f"{_CONTEXT}cwd"))).alias("@folder"),
        of_file(raw.text(f"{_CONTEXT}branch")).alias("@branch"),
        (_MESSAGE | _FAILED | (_ROLLUP & ~told)).alias("@call"),
        in_order(),
    )


_SUMS = leaves(
    Counts(
        input=raw.count("rollup.inputTokens"),
        output=raw.count("rollup.outputTokens"),
        cache_read=raw.count("rollup.cacheReadTokens"),
        cache_write=raw.count("rollup.cacheWriteTokens"),
    )
)

SOURCES = (
    Source(
        name="copilot_cli",
        help="GitHub Copilot CLI events (~/.copilot/session-state); input tokens are logged as sums only",
        link="https://docs.github.com/en/copilot/concepts/agents/about-copilot-cli",
        marks=(
            Mark(
                all=("data", "parentId"),
                values={
                    "type": (
                        "session.*", "assistant.*", "user.message", "system.*", "tool.*", "hook.*",
                        "subagent.*", "skill.*", "abort",
                    )
                },
            ),
        ),
        whole=True,
        records=records,
        prepare=with_session,
        keep=pl.col("@call"),
        reads=(
            _TYPE, raw.text("data.sessionId"), raw.text(f"{_CONTEXT}cwd"), raw.text(f"{_CONTEXT}branch"),
        ),
        calls={
            "ts": _STAMP,
            "grain": pl.when(_ROLLUP).then(pl.lit("bucket")).otherwise(pl.lit("call")),
            "request_count": pl.when(_ROLLUP).then(raw.count("rollup.requests")),
            "call_id": pl.coalesce(raw.text("data.requestId"), raw.text("data.providerCallId")),
            "response_id": raw.text("data.apiCallId"),
            "session": pl.col("@session"),
            "feature": pl.col("@folder"),
            "project": pl.col("@folder"),
            "branch": pl.col("@branch"),
            "model": raw.text("data.model"),
            **_SUMS,
            "output_text": pl.coalesce(_OUTPUT, _SUMS["output_text"]),
            "http_status": pl.when(_FAILED).then(raw.code("data.statusCode")),
            TEXT: pl.when(_FAILED).then(raw.text("data.errorType").fill_null("unknown error")),
            ANSWERED: pl.when(_MESSAGE).then(statement=True),
        },
        copies=Copies(prefer=(_OUTPUT, pl.col(ORDER))),
        remarks={
            "input_unlogged": Remark(
                _MESSAGE, "{n} calls have no input tokens: Copilot CLI logs only their sums"
            ),
            **dated_by_answer(_STAMP),
        },
        sample='{"type":"session.start","data":{"sessionId":"s1","context":{"cwd":"/home/me/shop",'
        '"branch":"main"}},"id":"e1","timestamp":"2026-09-01T10:00:00Z","parentId":null}\n'
        '{"type":"session.error","data":{"errorType":"rate_limit","statusCode":429,"providerCallId":"r0"},'
        '"id":"e2","timestamp":"2026-09-01T10:00:01Z","parentId":"e1"}\n'
        '{"type":"assistant.message","data":{"messageId":"m1","model":"gpt-5-mini","requestId":"r1",'
        '"apiCallId":"c1","outputTokens":12},"id":"e3","timestamp":"2026-09-01T10:00:05Z","parentId":"e2"}\n'
        '{"type":"session.shutdown","data":{"modelMetrics":{"gpt-5-mini":{"requests":{"count":1},"usage":{'
        '"inputTokens":90,"outputTokens":12,"cacheReadTokens":30,"cacheWriteTokens":0}}}},"id":"e4",'
        '"timestamp":"2026-09-01T10:00:09Z","parentId":"e3"}\n',
        expect=(
            {
                "call_id": "r0", "session": "s1", "status": "error", "error": "rate_limit",
                "http_status": 429, "output_text": None,
            },
            {
                "call_id": "r1", "response_id": "c1", "session": "s1", "project": "shop", "branch": "main",
                "model": "gpt-5-mini", "input_uncached": None, "output_text": 12, "grain": "call",
                "status": "ok",
            },
        ),
    ),
)  # fmt: skip
