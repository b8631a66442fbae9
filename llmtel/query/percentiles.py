"""Exact percentiles with linear interpolation, by group and with weights.

The rows are sorted by value once, for all tables and percentiles: what is left in a group is in order, and
finding a quantile there costs a fraction of a selection in each group anew (measured: 0.02 s instead of
0.15 s for a million calls and three percentiles).

Weighted: a row of weight w stands for w equal values. Among W = Σw values in order, counted from 0, a row
occupies the places from the weight before it to that plus w − 1; the quantile is the value at place p·(W −
1), on a straight line between rows. With whole weights this is the usual quantile (type 7) of the values
written out w times.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from llmtel.query.lower import Quantile


def known(rows: pl.DataFrame, column: str, weight: str | None, keys: Iterable[str]) -> pl.LazyFrame:
    """The rows with a known value (and a weight): `keys`, `column` and `weight`.

    They are looked for as often as they are asked for: that takes no time beside what is done with them, and
    to keep them takes memory.
    """
    has_weight = pl.lit(value=True) if weight is None else pl.col(weight) > 0
    wanted = [*keys, column, *([] if weight is None else [weight])]
    return rows.lazy().select(wanted).filter(pl.col(column).is_not_null() & has_weight)


def in_order(rows: pl.DataFrame, column: str, weight: str | None, keys: Iterable[str]) -> pl.DataFrame:
    """The rows with a known value, as `known`, in order of value."""
    return known(rows, column, weight, keys).collect().sort(column)


def percentiles(
    rows: pl.LazyFrame, keys: Sequence[str], wanted: Sequence[Quantile], counts: pl.DataFrame | None = None
) -> pl.LazyFrame:
    """One row a group with the quantiles that are wanted, of one column; without keys one row.

    `rows` are those of `known`; with weights in order of value. With `counts` (`counted`, by the keys or by
    more) it is faster where groups are few and have many rows; the answer is the same.
    """
    if wanted[0].weight is not None:
        placed = _placed(rows, keys, wanted[0].column, wanted[0].weight)
        aggs = [_weighted(q) for q in wanted]
        return placed.group_by(keys).agg(aggs) if keys else placed.select(aggs)
    if counts is not None:
        return _in_bins(rows, keys, wanted, counts)
    aggs = [pl.col(q.column).quantile(q.at, "linear").cast(pl.Float64).alias(q.name) for q in wanted]
    return rows.group_by(keys).agg(aggs) if keys else rows.select(aggs)


def counted(rows: pl.LazyFrame, keys: Sequence[str], column: str) -> pl.DataFrame:
    """How many values of each group of `rows` (those of `known`) are in each bin: keys, `bin` and `n`."""
    counts = _binned(rows, keys, column).group_by(*keys, "bin").agg(n=pl.len().cast(pl.Int64))
    return counts.collect(engine="streaming")


def _binned(rows: pl.LazyFrame, keys: Sequence[str], column: str) -> pl.LazyFrame:
    values = rows.select(*keys, pl.col(column).cast(pl.Float64).alias("value"))
    return values.with_columns(bin=_bin(pl.col("value")))


def _in_bins(
    rows: pl.LazyFrame, keys: Sequence[str], wanted: Sequence[Quantile], counts: pl.DataFrame
) -> pl.LazyFrame:
    """The quantiles of large groups, looked for only in the bins that have them.

    How many values of a group are in each bin tells in which its quantiles are; few rows have such a bin.
    """
    n = pl.col("n")
    ends = (
        counts.group_by(*keys, "bin")
        .agg(n.sum())
        .sort("bin")
        .with_columns(start=_over(n.cum_sum() - n, keys), places=_over(n.sum() - 1, keys))
    )
    inside = [pl.col("start").le(at) & (at < pl.col("start") + n) for q in wanted for at in _ends(q)]
    some = ends.filter(pl.any_horizontal(inside)).drop("n")
    values = (
        _binned(rows, keys, wanted[0].column)
        .filter(pl.col("bin").is_in(some["bin"].unique().implode()))
        .join(some.lazy(), on=[*keys, "bin"], nulls_equal=True)
        .group_by(*keys, "bin", "start", "places")
        .agg(pl.col("value").sort())
    )
    aggs = [_between(q).alias(q.name) for q in wanted]
    return values.group_by(keys).agg(aggs) if keys else values.select(aggs)


def _over(value: pl.Expr, keys: Sequence[str]) -> pl.Expr:
    return value.over(keys) if keys else value


def _bin(value: pl.Expr) -> pl.Expr:
    """A number that does not fall where values rise: the first bits of a float, 128 bins an octave."""
    positive = pl.when(value > 0).then(value).otherwise(0.0).cast(pl.Float32)
    return positive.reinterpret(dtype=pl.UInt32) // 2**16


def _ends(q: Quantile) -> tuple[pl.Expr, pl.Expr]:
    """The places, counted from 0, between which a quantile is among its group's values."""
    place = pl.col("places") * q.at
    return place.floor().cast(pl.Int64), place.ceil().cast(pl.Int64)


def _between(q: Quantile) -> pl.Expr:
    """A quantile, of a group's bins (each a row of `value`s in order, and where they `start`)."""
    # In other bins such a place is out of bounds: of the bins one has it.
    low, high = (_value_at(end - pl.col("start")).max() for end in _ends(q))
    place = (pl.col("places") * q.at).first()
    # Between two infinities there is no straight line.
    return pl.when(low == high).then(low).otherwise((place - place.floor()) * (high - low) + low)


def _value_at(index: pl.Expr) -> pl.Expr:
    return pl.when(index >= 0).then(pl.col("value").list.get(index, null_on_oob=True))


def _placed(rows: pl.LazyFrame, keys: Sequence[str], column: str, weight: str) -> pl.LazyFrame:
    """The rows with the place after their last, the weight of their group, and the next value in it."""
    columns = {
        "end": pl.col(weight).cast(pl.Float64).cum_sum(),
        "whole": pl.col(weight).cast(pl.Float64).sum(),
        "next": pl.col(column).shift(-1),
    }
    return rows.with_columns(**{name: _over(value, keys) for name, value in columns.items()})


def _weighted(q: Quantile) -> pl.Expr:
    """A quantile of placed rows: in the first row that ends beyond its place, and on the way to the next."""
    value, end, place = pl.col(q.column), pl.col("end"), (pl.col("whole") - 1) * q.at
    beyond = (place - (end - 1)).clip(0, 1)
    at_row = value + beyond * (pl.col("next").fill_null(value) - value)
    return pl.coalesce(at_row.filter(end > place).first(), value.last()).cast(pl.Float64).alias(q.name)
