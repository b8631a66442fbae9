"""Usage of Amazon Bedrock's Converse API as leaves: shared by the formats that carry it.

The input excludes the cache. `cacheReadInputTokenCount` and the like repeat the counts of the same name
without `Count`. See TokenUsage at https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.source import Remark
from llmtel.sources.usage import MISMATCH

BLOCKED = ("guardrail_intervened", "content_filtered")
"""Reasons to stop that mean a blocked answer."""


def _details(at: str) -> pl.Expr:
    return raw.items(f"{at}cacheDetails", {"ttl": "str", "inputTokens": "count"})


def written(at: str, total: pl.Expr) -> dict[str, pl.Expr]:
    """Cache writes by their lives, which `cacheDetails` states; without it all of `total` count as short."""
    element = pl.element().struct
    lives = {
        name: _details(at)
        .list.eval(pl.when(element.field("ttl") == ttl).then(element.field("inputTokens")))
        .list.sum()
        for name, ttl in (("cache_write_5m", "5m"), ("cache_write_1h", "1h"))
    }
    told = _details(at).list.len() > 0
    unsaid = {"cache_write_5m": total, "cache_write_1h": pl.lit(None, dtype=pl.Int64)}
    return {name: pl.when(told).then(lives[name]).otherwise(unsaid[name]) for name in lives}


def usage(at: str) -> dict[str, pl.Expr]:
    """The leaves of the usage object at a path such as `usage.`."""
    given, made = raw.count(f"{at}inputTokens"), raw.count(f"{at}outputTokens")
    read, write = raw.count(f"{at}cacheReadInputTokens"), raw.count(f"{at}cacheWriteInputTokens")
    total = given + made + read.fill_null(0) + write.fill_null(0)
    return {
        "input_uncached": given,
        "cache_read": read,
        **written(at, write),
        "output_text": made,
        MISMATCH: (total != raw.count(f"{at}totalTokens")).fill_null(value=False),
    }


def ttl_unknown(at: str, total: pl.Expr) -> dict[str, Remark]:
    """Cache writes whose life is not stated."""
    unsaid = (total > 0) & (_details(at).list.len().fill_null(0) == 0)
    return {"ttl_unknown": Remark(unsaid, "{n} cache writes do not state their life: priced as 5 minutes")}
