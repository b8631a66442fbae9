"""Token counts to disjoint leaves, for every provider that reports totals with details.

The counts of an OpenAI-shaped body overlap, and vendors disagree on how: whether the input includes the
cache, whether the output includes the reasoning. A total, where there is one, tells (`leaves`). See OpenAI's
CompletionUsage (platform.openai.com/docs/api-reference/chat/object) for the shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from llmtel.core.schema import LEAVES

UNKNOWN = pl.lit(None, dtype=pl.Int64)


@dataclass(frozen=True)
class Counts:
    """The counts of a usage object as expressions; None for what a format never has."""

    input: pl.Expr
    output: pl.Expr
    cache_read: pl.Expr | None = None
    cache_write: pl.Expr | None = None
    cache_write_1h: pl.Expr | None = None
    reasoning: pl.Expr | None = None
    input_audio: pl.Expr | None = None
    output_audio: pl.Expr | None = None
    total: pl.Expr | None = None


def _known(expression: pl.Expr | None) -> pl.Expr:
    return pl.lit(0, dtype=pl.Int64) if expression is None else expression.fill_null(0)


def leaves(counts: Counts) -> dict[str, pl.Expr]:
    """The leaves, and `price_reason`, of an overlapping usage.

    In order: total = input + output: both are totals, details are parts of them. total = input + output +
    cache: the input excludes the cache. total = input + output + reasoning: the reasoning comes on top. A
    larger total: the rest is hidden reasoning. More cache than input: the input excludes the cache. A leaf
    that would still be negative makes all leaves unknown, and the price reason `invalid_usage`.
    """
    if counts.total is None and all(
        part is None for part in (counts.reasoning, counts.input_audio, counts.output_audio)
    ):
        return _leaves_of_cache(counts)
    return _solved(counts)


def _leaves_of_cache(counts: Counts) -> dict[str, pl.Expr]:
    """The leaves where only the cache can overlap: no total to test, and nothing that may turn negative."""
    found = {
        "cache_read": counts.cache_read,
        "cache_write_5m": counts.cache_write,
        "cache_write_1h": counts.cache_write_1h,
    }
    known = {name: value for name, value in found.items() if value is not None}
    uncached = counts.input
    if known:
        cached = (
            pl.sum_horizontal(known.values()) if len(known) > 1 else next(iter(known.values())).fill_null(0)
        )
        uncached = pl.when(cached > counts.input).then(counts.input).otherwise(counts.input - cached)
    return {"input_uncached": uncached, **known, "output_text": counts.output}


def _solved(counts: Counts) -> dict[str, pl.Expr]:
    p, c = counts.input, counts.output
    cr, cw = _known(counts.cache_read), _known(counts.cache_write) + _known(counts.cache_write_1h)
    r, ai, ao = _known(counts.reasoning), _known(counts.input_audio), _known(counts.output_audio)
    total = UNKNOWN if counts.total is None else counts.total
    rest = total - p.fill_null(0) - c.fill_null(0)
    plain = (rest == 0).fill_null(value=False)
    cached_apart = ~plain & (rest == cr + cw).fill_null(value=False) & (cr + cw > 0)
    reasoned_apart = ~plain & ~cached_apart & (rest == r).fill_null(value=False) & (r > 0)
    hidden = pl.when((rest > 0) & ~cached_apart & ~reasoned_apart).then(rest).otherwise(0)
    exclusive = cached_apart | (~plain & (cr + cw > p).fill_null(value=False))
    audio = pl.when((cr + ai > p) & ~exclusive & (ai > 0)).then(p - cr).otherwise(ai)
    uncached = p - pl.when(exclusive).then(0).otherwise(cr + cw) - audio
    text = c - pl.when(reasoned_apart).then(0).otherwise(r) - ao
    invalid = ((uncached < 0) | (audio < 0) | (text < 0)).fill_null(value=False)
    reasoning = UNKNOWN if counts.reasoning is None else counts.reasoning
    found = {
        "input_uncached": uncached,
        "cache_read": counts.cache_read,
        "cache_write_5m": counts.cache_write,
        "cache_write_1h": counts.cache_write_1h,
        "input_audio": None
        if counts.input_audio is None
        else pl.when(counts.input_audio.is_not_null()).then(audio),
        "output_text": text,
        "reasoning": pl.when(hidden > 0).then(r + hidden).otherwise(reasoning),
        "output_audio": counts.output_audio,
    }
    checked = {name: pl.when(~invalid).then(found[name]) for name in LEAVES if found[name] is not None}
    return {**checked, "price_reason": pl.when(invalid).then(pl.lit("invalid_usage"))}
