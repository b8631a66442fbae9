"""Allocation: a bill shared out among features (or users, …) by what their calls cost at list prices."""

from __future__ import annotations

import polars as pl

from llmtel.query.dimensions import dimension
from llmtel.query.lower import IS_CALL, SAMPLE
from llmtel.query.reconciliation import NANO, Reconciliation


def allocated(found: Reconciliation, name: str) -> tuple[pl.DataFrame, int | None]:
    """The bill by the dimension `name`, and the remainder that belongs to none of its values.

    (groups, 4): the dimension, `calls`, `cost_computed` and `cost_billed`, money in nano-dollars. In each
    cell what is billed, without what is not in our logs, is shared by computed cost; shares are rounded so
    that they and the remainder add up to the bill exactly. Where nothing is known of what was billed, shares
    and remainder are unknown. Raises `UnknownName`.
    """
    split = dimension(name)
    cost = (pl.col("cost_usd") * SAMPLE * NANO).round().cast(pl.Int64)
    keyed = found.calls.with_columns(
        pl.col("ts").dt.date().alias("day"), split.value("UTC").cast(pl.String).alias("@group")
    )
    groups = keyed.group_by(*found.by, "@group").agg(
        SAMPLE.filter(IS_CALL).sum().round().cast(pl.Int64).alias("calls"),
        cost.sum().alias("@cost"),
        cost.count().alias("@priced"),
    )
    due = found.cells.select(*found.by, (pl.col("cost_billed") - pl.col("not_in_logs")).alias("@due"))
    shared = groups.join(due, on=found.by, how="left", nulls_equal=True).sort(
        *found.by, "@group", nulls_last=True
    )
    whole = pl.col("@cost").sum().over(found.by)
    upto = pl.when(whole > 0).then(pl.col("@cost").cum_sum().over(found.by) / whole)
    ends = (pl.col("@due") * upto).round().cast(pl.Int64)
    part = ends - ends.shift(1).over(found.by).fill_null(0)
    shares = (
        shared.with_columns(part.alias("@part"))
        .group_by("@group")
        .agg(
            pl.col("calls").sum(),
            pl.when(pl.col("@priced").sum() > 0).then(pl.col("@cost").sum()).alias("cost_computed"),
            pl.when((pl.col("@priced").sum() > 0) & (pl.col("@part").count() > 0))
            .then(pl.col("@part").sum())
            .alias("cost_billed"),
        )
        .sort("cost_billed", "@group", descending=[True, False], nulls_last=True)
        .rename({"@group": name})
    )
    billed = found.cells["cost_billed"].drop_nulls()
    return shares, int(billed.sum()) - int(shares["cost_billed"].sum()) if billed.len() else None
