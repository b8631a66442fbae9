"""What caching saved or would have saved, and what a batch would save: the same calls, priced otherwise.

All three are differences of costs at the book's rates, so they are known where both costs are.
"""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from llmtel.pricing import cost
from llmtel.pricing.entries import Book

LIFETIME_MIN = 5
LEAST_PREFIX = 1024
"""A cached prefix lives this long, and must be this large (OpenAI's and Anthropic's documented defaults)."""

_CACHED = ("cache_read", "cache_write_5m", "cache_write_1h")
_TEXT = ("input_uncached", *_CACHED)


def with_savings(
    calls: pl.DataFrame, book: Book, wanted: Collection[str], deferrable: pl.Expr | None = None
) -> pl.DataFrame:
    """Priced calls with those fields of `wanted` that are savings, in USD.

    `deferrable` tells the calls that could wait for a batch.
    """
    if "saved_by_cache" in wanted:
        known = pl.any_horizontal(pl.col(leaf).is_not_null() for leaf in _CACHED)
        more = _cost(_uncached(calls), book) - calls["cost_computed"]
        calls = calls.with_columns(saved_by_cache=pl.when(known).then(more))
    if "savable_by_cache" in wanted:
        # Of a call without a session nobody knows what came before it.
        known = pl.col("session").is_not_null() & pl.col("ts").is_not_null()
        less = calls["cost_computed"] - _cost(_cached(calls), book)
        calls = calls.with_columns(savable_by_cache=pl.when(known).then(less))
    if "savable_by_batch" in wanted and deferrable is not None:
        in_batch = calls.with_columns(batch=pl.lit(value=True))
        less = calls["cost_computed"] - _cost(in_batch, book)
        calls = calls.with_columns(savable_by_batch=pl.when(deferrable).then(less))
    return calls


def _cost(calls: pl.DataFrame, book: Book) -> pl.Series:
    return cost.priced(calls, book, "computed")["cost_usd"]


def _uncached(calls: pl.DataFrame) -> pl.DataFrame:
    """The calls as if no cache had been there: all of its tokens as plain input."""
    return calls.with_columns(
        input_uncached=pl.sum_horizontal(_TEXT), **{leaf: pl.lit(0, pl.Int64) for leaf in _CACHED}
    )


def _cached(calls: pl.DataFrame) -> pl.DataFrame:
    """The calls as if each had read from a cache what the call before it in its session had sent too.

    A conversation grows by its turns: the smaller of two inputs that follow one another is what they share.
    What the next call reads, this one has to write. What was read or written is not taken away.
    """
    size, read = pl.sum_horizontal(_TEXT), pl.col("cache_read").fill_null(0)
    order = calls.select("session", "provider", "model", "ts", *_TEXT).with_row_index("row")
    turns = order.sort("session", "ts", "row").with_columns(size=size, read=read)
    thread = ["session", "provider", "model"]
    soon = pl.col("ts").diff().over(thread) <= pl.duration(minutes=LIFETIME_MIN)
    common = pl.min_horizontal("size", pl.col("size").shift(1).over(thread))
    common = pl.when(soon & (common >= LEAST_PREFIX)).then(common).otherwise(0)
    turns = turns.with_columns(could=pl.max_horizontal(common, "read"))
    gained = (pl.col("could") - pl.col("read")).shift(-1).over(thread).fill_null(0)
    kept_1h = pl.col("cache_write_1h").fill_null(0)
    room = pl.col("size") - pl.col("could") - kept_1h
    short = pl.col("cache_write_5m").fill_null(0) + gained
    turns = turns.with_columns(
        could=pl.min_horizontal("could", pl.max_horizontal("read", pl.col("size") - kept_1h)),
        write=pl.min_horizontal(short, pl.max_horizontal(room, 0)),
    ).with_columns(kept=kept_1h)
    done = turns.sort("row").select(
        input_uncached=pl.col("size") - pl.col("could") - pl.col("write") - pl.col("kept"),
        cache_read="could",
        cache_write_5m="write",
    )
    known = pl.col("input_uncached").is_not_null()
    leaves = [
        pl.when(known).then(done[name].cast(pl.Int64)).otherwise(pl.col(name)).alias(name)
        for name in done.columns
    ]
    return calls.with_columns(leaves)
