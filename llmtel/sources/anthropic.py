"""Anthropic's usage object as leaves, with all its passes: shared by the formats that carry one.

`input_tokens` is uncached only. With compaction, fallback or advisors, `iterations` lists every pass and the
counts at the top hold the message passes alone, so all passes are summed; an advisor's pass has a model of
its own and becomes a row of its own. See https://platform.claude.com/docs/en/api/messages.
"""

from __future__ import annotations

import polars as pl

from llmtel.core.schema import LEAVES
from llmtel.sources import raw
from llmtel.sources.source import Remark

CACHE = ("usage.cache_creation_input_tokens", "usage.cache_read_input_tokens")
"""Counts that prove whose usage a bare one is: nobody else states them beside `input_tokens`."""
ADVISORS = "@advisors"
_PASS: dict[str, raw.Kind] = {
    "type": "str",
    "model": "str",
    "input_tokens": "count",
    "output_tokens": "count",
    "cache_read_input_tokens": "count",
    "cache_creation_input_tokens": "count",
    "cache_creation.ephemeral_5m_input_tokens": "count",
    "cache_creation.ephemeral_1h_input_tokens": "count",
}
_ADVISOR = "advisor_message"
_ONLY_MAIN = (
    "response_id", "latency_ms", "ttft_ms", "status", "error", "http_status", "finish_reason", "retries",
    "cost_logged", "web_searches", "thumb", "rating", "resolved",
)  # fmt: skip


def _writes(five: pl.Expr, hour: pl.Expr, any_life: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Cache writes of short and long life; those of no stated life count as short."""
    unsaid = five.fill_null(0) + hour.fill_null(0) == 0
    return pl.when(unsaid).then(pl.coalesce(any_life, five)).otherwise(five.fill_null(0)), hour


def usage(at: str) -> dict[str, pl.Expr]:
    """The leaves of the usage object at a path such as `usage.`, and `@advisors`: passes that become rows."""
    passes = raw.items(f"{at}iterations", _PASS)
    others = passes.list.filter(pl.element().struct.field("type").fill_null("") != _ADVISOR)
    several = passes.list.len() > 0

    def total(key: str) -> pl.Expr:
        summed = others.list.eval(pl.element().struct.field(key)).list.sum()
        return pl.when(several).then(summed).otherwise(raw.count(f"{at}{key}"))

    def cached(key: str) -> pl.Expr:
        inner = others.list.eval(pl.element().struct.field("cache_creation").struct.field(key)).list.sum()
        return pl.when(several).then(inner).otherwise(raw.count(f"{at}cache_creation.{key}"))

    thinking = raw.count(f"{at}output_tokens_details.thinking_tokens")
    five, hour = _writes(
        cached("ephemeral_5m_input_tokens"),
        cached("ephemeral_1h_input_tokens"),
        total("cache_creation_input_tokens"),
    )
    return {
        "input_uncached": total("input_tokens"),
        "cache_read": total("cache_read_input_tokens"),
        "cache_write_5m": five,
        "cache_write_1h": hour,
        "output_text": total("output_tokens") - thinking.fill_null(0),
        "reasoning": thinking,
        "service_tier": pl.when(raw.text(f"{at}speed") == "fast")
        .then(pl.lit("fast"))
        .otherwise(raw.text(f"{at}service_tier")),
        "region": raw.text(f"{at}inference_geo"),
        "web_searches": raw.code(f"{at}server_tool_use.web_search_requests"),
        ADVISORS: passes.list.filter(pl.element().struct.field("type") == _ADVISOR),
    }


UNSTATED_LIFE = (
    "{n} {cache write does not state its|cache writes do not state their} life: priced as 5 minutes"
)
"""The remark `ttl_unknown`, of every format that has it."""


def ttl_unknown(at: str) -> Remark:
    """Cache writes whose life is not stated."""
    created = raw.count(f"{at}cache_creation_input_tokens")
    lives = [
        raw.count(f"{at}cache_creation.ephemeral_{life}_input_tokens").fill_null(0) for life in ("5m", "1h")
    ]
    return Remark(
        (created > 0) & (pl.sum_horizontal(lives) == 0),
        UNSTATED_LIFE,
    )


def with_advisors(calls: pl.DataFrame) -> pl.DataFrame:
    """Calls, and a row of `request_count` 0 for every pass of an advisor, which has a model of its own."""
    main = calls.drop(ADVISORS)
    some = calls.filter(pl.col(ADVISORS).list.len() > 0)
    if some.is_empty():
        return main
    passes = some.with_columns(pl.int_ranges(1, pl.col(ADVISORS).list.len() + 1).alias("@n")).explode(
        ADVISORS, "@n"
    )
    of_pass, creation = pl.col(ADVISORS).struct, pl.col(ADVISORS).struct.field("cache_creation").struct
    five, hour = _writes(
        creation.field("ephemeral_5m_input_tokens"), creation.field("ephemeral_1h_input_tokens"),
        of_pass.field("cache_creation_input_tokens"),
    )  # fmt: skip
    counts = {
        "input_uncached": of_pass.field("input_tokens"),
        "cache_read": of_pass.field("cache_read_input_tokens"),
        "cache_write_5m": five,
        "cache_write_1h": hour,
        "output_text": of_pass.field("output_tokens"),
    }
    nothing = [
        name
        for name in (*_ONLY_MAIN, *(leaf for leaf in LEAVES if leaf not in counts))
        if name in passes.columns
    ]
    extra = passes.with_columns(
        *(value.alias(name) for name, value in counts.items()),
        *(pl.lit(None, dtype=passes.schema[name]).alias(name) for name in nothing),
        pl.coalesce(of_pass.field("model"), "model").alias("model"),
        pl.format("{}#{}", "call_id", "@n").alias("call_id"),
        pl.lit("advisor").alias("operation"),
        pl.lit(0, dtype=pl.Int64).alias("request_count"),
    ).drop(ADVISORS, "@n")
    return pl.concat(
        [main.with_columns(pl.lit(1, dtype=pl.Int64).alias("request_count")), extra], how="diagonal"
    )
