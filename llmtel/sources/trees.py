"""Trees of spans: which of them are calls, where those above repeat what those below them used."""

from __future__ import annotations

import polars as pl


def leaves_of(rows: pl.DataFrame, candidate: pl.Expr, trace: str, span: str, parent: str) -> pl.Series:
    """Whether each row is a candidate with no candidate below it, in its own trace and file (`@segment`).

    `trace`, `span` and `parent` are columns of ids. Parents may come after their children; a span without an
    id is below nothing known, and spans that are each other's parents are not followed round and round.
    """
    nodes = rows.select(
        "@segment",
        pl.col(trace).alias("trace"),
        pl.col(span).alias("span"),
        pl.col(parent).alias("parent"),
        candidate.fill_null(value=False).alias("@candidate"),
    )
    key = ["@segment", "trace", "span"]
    up = [pl.col("@segment"), pl.col("trace"), pl.col("parent").alias("span")]
    own = nodes.filter(pl.col("parent").is_null() | (pl.col("parent") != pl.col("span")))
    above = own.filter("@candidate").select(up).drop_nulls("span").unique()
    if above.is_empty():
        return nodes["@candidate"].alias("@call")
    covering = above.clear()
    while above.height:
        covering = pl.concat([covering, above])
        higher = own.join(above, on=key, how="semi", nulls_equal=True).select(up)
        above = higher.drop_nulls("span").unique().join(covering, on=key, how="anti", nulls_equal=True)
    covered = covering.with_columns(pl.lit(value=True).alias("@covered"))
    marked = nodes.join(covered, on=key, how="left", nulls_equal=True, maintain_order="left")
    return marked.select((pl.col("@candidate") & pl.col("@covered").is_null()).alias("@call")).to_series()
