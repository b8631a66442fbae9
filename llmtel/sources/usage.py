"""Token counts to disjoint leaves, for every provider that reports totals with details.

The counts of an OpenAI-shaped body overlap, and vendors disagree on how: whether the input includes the
cache, whether the output includes the reasoning. A total, where there is one, tells (`leaves`). See OpenAI's
CompletionUsage (platform.openai.com/docs/api-reference/chat/object) for the shape.
"""

from __future__ import annotations

import polars as pl
from msgspec import Struct

from llmtel.core.schema import LEAVES
from llmtel.sources.steps import Steps

UNKNOWN = pl.lit(None, dtype=pl.Int64)
RECONCILED, MISMATCH = "@reconciled", "@mismatch"
"""Columns beside the leaves: whether the counts were read otherwise than by the plain rule (details are parts
of the totals), and whether they contradict each other."""

INPUT_TOTAL_ONLY = (
    "{n} {record does|records do} not say how much of the input was cached: "
    "{its|their} cost is an upper bound"
)


class Counts(Struct, frozen=True):
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


def leaves(**given: pl.Expr | None) -> dict[str, pl.Expr]:
    """The leaves of an overlapping usage (named as in `Counts`), `price_reason`, `@reconciled`, `@mismatch`.

    In order: total = input + output: both are totals, details are parts of them. total = input + output +
    cache: the input excludes the cache. total = input + output + reasoning: the reasoning comes on top; or
    both. A larger total: the rest is hidden reasoning. More cache than input: the input excludes the cache. A
    leaf that would still be negative makes all leaves unknown, and the price reason `invalid_usage`.
    """
    counts = Counts(**{name: count for name, count in given.items() if count is not None})
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
    if not known:
        return {"input_uncached": counts.input, "output_text": counts.output}
    cached = pl.sum_horizontal(known.values()) if len(known) > 1 else next(iter(known.values())).fill_null(0)
    apart = cached > counts.input
    uncached = pl.when(apart).then(counts.input).otherwise(counts.input - cached)
    return {"input_uncached": uncached, **known, "output_text": counts.output, RECONCILED: apart}


def _solved(counts: Counts) -> dict[str, pl.Expr]:
    step = Steps()
    p, c, r = step(counts.input), step(counts.output), step(_known(counts.reasoning))
    read = step(_known(counts.cache_read))
    cached = step(read + _known(counts.cache_write) + _known(counts.cache_write_1h))
    ai, ao = step(_known(counts.input_audio)), _known(counts.output_audio)
    rest = UNKNOWN if counts.total is None else step(counts.total - p - c)
    cached_apart, reasoned_apart = _apart(rest, p, cached, r, step)
    beside = pl.when(cached_apart).then(cached).otherwise(0) + pl.when(reasoned_apart).then(r).otherwise(0)
    hidden = step(pl.when(rest > beside).then(rest - beside).otherwise(0))
    overlapping = step((ai > 0) & ~cached_apart & (read + ai > p).fill_null(value=False))
    audio = step(pl.when(overlapping).then(p - read).otherwise(ai))
    uncached = step(p - pl.when(cached_apart).then(0).otherwise(cached) - audio)
    text = step(c - pl.when(reasoned_apart).then(0).otherwise(r) - ao)
    invalid = step(((uncached < 0) | (audio < 0) | (text < 0)).fill_null(value=False))
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
    return {
        **step,
        **checked,
        "price_reason": pl.when(invalid).then(pl.lit("invalid_usage")),
        RECONCILED: ~invalid & (cached_apart | reasoned_apart | (hidden > 0) | overlapping),
        MISMATCH: invalid | overlapping | (rest < 0).fill_null(value=False),
    }


def _apart(rest: pl.Expr, p: pl.Expr, cached: pl.Expr, r: pl.Expr, step: Steps) -> tuple[pl.Expr, pl.Expr]:
    """Whether the cache is beside the input, and the reasoning beside the output.

    `rest` is what the total has beyond input and output; null where a total or one of these is unknown.
    """
    plain = step((rest == 0).fill_null(value=False))
    cache_alone = step(~plain & (rest == cached).fill_null(value=False))
    reasoning_alone = step(~plain & ~cache_alone & (rest == r).fill_null(value=False))
    both = step(~plain & ~cache_alone & ~reasoning_alone & (rest == cached + r).fill_null(value=False))
    too_much = ~plain & (cached > p).fill_null(value=False)
    return step(cache_alone | both | too_much), step(reasoning_alone | both)
