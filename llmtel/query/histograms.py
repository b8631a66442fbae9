"""Histograms of many groups at once: values fall into log buckets (`stats.histogram`), which add up.

A bucket's number is ⌈log2(x)·2^scale⌉ − 1; `ZERO` holds values that are 0. A quantile is that at rank
⌊q(n − 1)⌋, off by at most `ERROR` of its value.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from llmtel.query.lower import Quantile
from llmtel.stats.buckets import SCALE, base, relative_error

ERROR = relative_error()
ZERO = -(2**15)
"""Stands for the bucket of zeros beside the numbered ones; no value has it."""
LISTS = {"buckets": pl.List(pl.Int32), "counts": pl.List(pl.Float64)}
"""The columns of a histogram in one row: numbers of buckets, and how much is in each."""
ENDS = ("zeros", "low", "high")
"""And beside them how many zeros, the smallest and the largest value."""
_NOISE = 1e-9
_BUCKETED = ("bucket", "n", "low", "high")

Keys = Sequence[str]


def bucketed(rows: pl.LazyFrame, column: str, weight: str | None, keys: Keys) -> pl.LazyFrame:
    """What is in each bucket of each group: `keys`, `bucket`, `n`, and the ends of its values."""
    value = pl.col(column).cast(pl.Float64)
    number = ((value.log(2) * 2**SCALE).ceil() - 1).cast(pl.Int32)
    n = pl.lit(1.0) if weight is None else pl.col(weight).cast(pl.Float64)
    known = rows.select(
        *keys, pl.when(value > 0).then(number).otherwise(ZERO).alias("bucket"), n.alias("n"), value.alias("v")
    ).filter(pl.col("v").is_not_null(), pl.col("n") > 0)
    return known.group_by(*keys, "bucket").agg(
        pl.col("n").sum(), low=pl.col("v").min(), high=pl.col("v").max()
    )


def spread(rows: pl.LazyFrame, column: str, weight: str | None, keys: Keys, name: str) -> pl.LazyFrame:
    """The histogram of each group in one row: `keys`, and LISTS and ENDS with `name` before them."""
    numbered = pl.col("bucket") != ZERO
    state = {
        "buckets": pl.col("bucket").filter(numbered),
        "counts": pl.col("n").filter(numbered),
        "zeros": pl.col("n").filter(~numbered).sum(),
        "low": pl.col("low").min(),
        "high": pl.col("high").max(),
    }
    found = bucketed(rows, column, weight, keys).sort("bucket").group_by(keys)
    return found.agg(expr.alias(f"{name}_{end}") for end, expr in state.items())


def unpacked(cells: pl.LazyFrame, keys: Keys, name: str) -> pl.LazyFrame:
    """What is in each bucket of each group, of histograms in rows (`spread`)."""
    lists, zeros = (f"{name}_buckets", f"{name}_counts"), f"{name}_zeros"
    ends = [pl.col(f"{name}_{end}").alias(end) for end in ("low", "high")]
    numbered = (
        cells.select(*keys, pl.col(lists[0]).alias("bucket"), pl.col(lists[1]).alias("n"), *ends)
        .filter(pl.col("bucket").list.len() > 0)
        .explode("bucket", "n")
    )
    zero = cells.filter(pl.col(zeros) > 0).select(
        *keys, pl.lit(ZERO, pl.Int32).alias("bucket"), pl.col(zeros).alias("n"), *ends
    )
    return pl.concat([numbered, zero])


def quantiles(parts: Sequence[pl.LazyFrame], keys: Keys, wanted: Sequence[Quantile]) -> pl.LazyFrame:
    """The quantiles of each group of what several `parts` have in buckets; without keys one row."""
    together = pl.concat([part.select(*keys, *_BUCKETED) for part in parts], how="vertical_relaxed")
    sums = together.group_by(*keys, "bucket").agg(
        pl.col("n").sum(), pl.col("low").min(), pl.col("high").max()
    ).sort("bucket")  # fmt: skip
    found = [_quantile(q.at).alias(q.name) for q in wanted]
    return sums.group_by(keys).agg(found) if keys else sums.select(found)


def _quantile(at: float) -> pl.Expr:
    n, bucket = pl.col("n"), pl.col("bucket")
    rank = ((n.sum() - 1).clip(0) * at + _NOISE).floor()
    place = bucket.filter(n.cum_sum() > rank).first()
    value = (2.0 ** ((place + 1) * 2.0**-SCALE)) * (2 / (1 + base()))
    shown = pl.when(place == ZERO).then(0.0).otherwise(value)
    return shown.clip(pl.col("low").min(), pl.col("high").max())
