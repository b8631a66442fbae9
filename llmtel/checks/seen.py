"""Which prompts, models and variants a side has, so that what is new can be named when a number has moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from llmtel.query.lower import completed

Seen = Mapping[str, Sequence[str]]

_VERSIONED = (
    pl.when(pl.col("prompt").is_not_null() & pl.col("prompt_version").is_not_null())
    .then(pl.format("{}@{}", pl.col("prompt").cast(pl.String), pl.col("prompt_version").cast(pl.String)))
    .otherwise(pl.coalesce(pl.col("prompt_version").cast(pl.String), pl.col("prompt").cast(pl.String)))
)
_NAMES = {"prompt": _VERSIONED, "model": pl.col("model"), "variant": pl.col("variant")}
SEEN_BY = ("prompt", "prompt_version", "model", "variant")
_MOST = 200
"""With more values nothing is new in a way that says something."""


def seen(calls: pl.DataFrame) -> Seen:
    """The known values by name, in order; a name with none, or with too many, is left out."""
    frame = completed(calls, SEEN_BY)
    found = {}
    for name, value in _NAMES.items():
        values = frame.select(value.cast(pl.String).alias(name))[name].drop_nulls().unique().sort()
        if 0 < len(values) <= _MOST:
            found[name] = values.to_list()
    return found


def first_seen(before: Seen, after: Seen) -> list[tuple[str, list[str], list[str]]]:
    """By name, the values that only `after` has, and those that only `before` had; names of both sides."""
    return [
        (name, sorted(new), sorted({*before[name]} - {*after[name]}))
        for name in after
        if name in before and (new := {*after[name]} - {*before[name]})
    ]
