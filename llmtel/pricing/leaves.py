"""What each kind of token of a call cost: the terms of the dot product, not only their sum."""

from __future__ import annotations

import polars as pl

from llmtel.core.schema import LEAVES
from llmtel.pricing import arithmetic
from llmtel.pricing.cost import carded, typed
from llmtel.pricing.entries import Book

PREFIX = "cost:"
FEES = ("search_fee", "request_fee")


def rates(calls: pl.DataFrame, book: Book) -> pl.DataFrame:
    """The rates of each call, in its order: USD per token as `rate_LEAF`, and FEES; null where there is none.

    Two calls of one model may differ: in their day, size, hour, mode and region.
    """
    return _rates(typed(calls), book)


def _rates(rows: pl.DataFrame, book: Book) -> pl.DataFrame:
    found, index = carded(rows, book)
    cards = arithmetic.table([card for _, card in found])
    return cards.select(*(f"rate_{leaf}" for leaf in LEAVES), *FEES)[index]


def with_leaf_costs(calls: pl.DataFrame, book: Book) -> pl.DataFrame:
    """Priced `calls` with a column `cost:LEAF` for each kind of token: USD at the book's rates.

    Null where the call has no cost, or one that the log states, whose parts nobody knows. Fees are in no
    leaf, so the columns may add up to less than `cost_usd`.
    """
    rows = typed(calls)
    each = _rates(rows, book)
    booked = (pl.col("cost_usd") == pl.col("cost_computed")) & (pl.col("cost_usd") > 0)
    parts = {
        leaf: pl.lit(rows[leaf]).fill_null(0) * pl.lit(each[f"rate_{leaf}"]).fill_null(0) for leaf in LEAVES
    }
    return calls.with_columns(
        pl.when(booked).then(part).alias(f"{PREFIX}{leaf}") for leaf, part in parts.items()
    )
