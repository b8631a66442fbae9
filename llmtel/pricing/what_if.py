"""The same tokens at other prices: those of another model, or of another day."""

from __future__ import annotations

from datetime import date

import polars as pl

from llmtel.core.schema import PRICED
from llmtel.pricing import cost
from llmtel.pricing.entries import Book, Model


def repriced(calls: pl.DataFrame, book: Book, model: Model | None, day: date | None) -> pl.DataFrame:
    """Priced calls as they would be at the prices of `model`, of `day` (UTC), or both.

    Their cost so far is kept as `cost_actual`. The costs of logs say nothing of other prices, so all are the
    book's. The hour of the day stays: it may be one with prices of its own. Another model would count other
    tokens for the same text and give another answer; what is compared is the price alone.
    """
    imagined = calls
    if model is not None:
        imagined = imagined.with_columns(provider=pl.lit(model.provider), model=pl.lit(model.id), region=None)
    if day is not None:
        hour = (pl.col("ts") - pl.col("ts").dt.truncate("1d")).fill_null(pl.duration())
        imagined = imagined.with_columns(ts=pl.lit(day).cast(calls.schema["ts"]) + hour)
    costs = cost.priced(imagined, book, "computed").select(PRICED)
    return calls.with_columns(cost_actual="cost_usd").with_columns(costs.get_columns())
