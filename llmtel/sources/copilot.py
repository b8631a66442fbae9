"""Events of GitHub Copilot CLI: which are calls, and the sums of a session's end as records of their own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from llmtel.sources import raw
from llmtel.sources.agents import folder, in_order, of_file
from llmtel.sources.source import Record, lookup
from llmtel.sources.usage import leaves

TYPE, OUTPUT, STAMP = raw.text("type"), raw.count("data.outputTokens"), raw.time("timestamp")
MESSAGE = (TYPE == "assistant.message") & OUTPUT.is_not_null()
FAILED = (TYPE == "session.error") & raw.code("data.statusCode").is_not_null()
ROLLUP = (TYPE == "rollup").fill_null(value=False)
CONTEXT = "data.context."
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


def prepared(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with what the first line tells of the session, and whether they count (`@call`)."""
    told = MESSAGE.fill_null(value=False).any().over("@segment")
    return rows.with_columns(
        of_file(raw.text("data.sessionId")).alias("@session"),
        of_file(folder(raw.text(f"{CONTEXT}cwd"))).alias("@folder"),
        of_file(raw.text(f"{CONTEXT}branch")).alias("@branch"),
        (MESSAGE | FAILED | (ROLLUP & ~told)).alias("@call"),
        in_order(),
    )


SUMS = leaves(
    input=raw.count("rollup.inputTokens"),
    output=raw.count("rollup.outputTokens"),
    cache_read=raw.count("rollup.cacheReadTokens"),
    cache_write=raw.count("rollup.cacheWriteTokens"),
)
"""The leaves of a sum."""
READS = (
    TYPE,
    raw.text("data.sessionId"),
    raw.text(f"{CONTEXT}cwd"),
    raw.text(f"{CONTEXT}branch"),
)
"""What `prepared` reads beside the mapping."""
