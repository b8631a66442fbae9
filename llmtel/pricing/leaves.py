"""What each kind of token of a call cost: the terms of the dot product, not only their sum."""

from __future__ import annotations

import polars as pl

from llmtel.core.schema import LEAVES
from llmtel.pricing import arithmetic
from llmtel.pricing.cost import carded, typed
from llmtel.pricing.entries import Book

PREFIX = "cost:"


def with_leaf_costs(calls: pl.DataFrame, book: Book) -> pl.DataFrame:
    """Priced `calls` with a column `cost:LEAF` for each kind of token: USD at the book's rates.

    Null where the call has no cost, or one that the log states, whose parts nobody knows. Fees are in no
    leaf, so the columns may add up to less than `cost_usd`.
    """
    rows = typed(calls)
    found, index = carded(rows, book)
    cards = arithmetic.table([card for _, card in found])
    booked = (pl.col("cost_usd") == pl.col("cost_computed")) & (pl.col("cost_usd") > 0)
    rates = {leaf: cards[f"rate_{leaf}"].gather(index) for leaf in LEAVES}
    parts = {
        leaf: pl.lit(rows[leaf]).fill_null(0) * pl.lit(rate).fill_null(0) for leaf, rate in rates.items()
    }
    return calls.with_columns(
        pl.when(booked).then(part).alias(f"{PREFIX}{leaf}") for leaf, part in parts.items()
    )
