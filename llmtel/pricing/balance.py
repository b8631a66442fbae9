"""Credits used up: what the calls of a provider took from the amounts that the user has with it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import polars as pl
from msgspec import Struct

from llmtel.pricing.entries import Book
from llmtel.pricing.match import find
from llmtel.pricing.meters import WEIGHT


class Balance(Struct, frozen=True):
    """A credit in USD, how much of it these calls used, and its days."""

    provider: str
    usd: float
    used: float
    start: date | None
    end: date | None

    @property
    def left(self) -> float:
        """What is left of it."""
        return self.usd - self.used


def balances(calls: pl.DataFrame, book: Book) -> tuple[Balance, ...]:
    """What priced calls used of each credit: day by day, the credit that ends first before the others."""
    if not book.credits:
        return ()
    days = _by_day(calls, book)
    used = dict.fromkeys(range(len(book.credits)), Decimal(0))
    order = sorted(used, key=lambda i: (book.credits[i].end or date.max, i))
    for provider, day, spent in days:
        due = Decimal(spent)
        for i in order:
            credit = book.credits[i]
            if credit.provider == provider and credit.holds(day):
                taken = min(due, credit.usd - used[i])
                used[i] += taken
                due -= taken
    return tuple(
        Balance(c.provider, float(c.usd), float(used[i]), c.start, c.end) for i, c in enumerate(book.credits)
    )


def _by_day(calls: pl.DataFrame, book: Book) -> list[tuple[str, date | None, float]]:
    """Provider (by its id), UTC day and known cost, in order of the days."""
    sums = (
        calls.lazy()
        .group_by(pl.col("provider", "model").cast(pl.String), pl.col("ts").dt.date().alias("day"))
        .agg((pl.col("cost_usd") * WEIGHT).sum())
        .sort("day", "provider", "model", nulls_last=True)
        .collect()
    )
    found = []
    for provider, model, day, spent in sums.iter_rows():
        match = find(book, provider, model)
        if match.provider is not None and spent > 0:
            found.append((match.provider.id, day, spent))
    return found
