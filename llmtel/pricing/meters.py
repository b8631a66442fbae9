"""What calls cost by day, model and meter: each kind of token is a meter, as on a provider's bill."""

from __future__ import annotations

from typing import Any

import polars as pl
from msgspec.structs import replace

from llmtel.core.schema import LEAVES
from llmtel.pricing import arithmetic, cost
from llmtel.pricing.entries import Book
from llmtel.pricing.match import Match
from llmtel.pricing.rates import Card

METERS = {
    "input_uncached": "input tokens",
    "cache_read": "cache read input tokens",
    "cache_write_5m": "cache write input tokens",
    "cache_write_1h": "cache write input tokens, 1 hour",
    "input_audio": "audio input tokens",
    "output_text": "output tokens",
    "reasoning": "reasoning output tokens",
    "output_audio": "audio output tokens",
    "web_searches": "web searches",
    "request_count": "requests",
}
LOGGED = "requests as logged"
"""The meter of calls whose cost is the log's, which does not say what it is for."""

_RATES = {
    **{leaf: f"rate_{leaf}" for leaf in LEAVES},
    "web_searches": "search_fee",
    "request_count": "request_fee",
}
_KEYS = ("day", "provider", "publisher", "model", "price_id", "region", "project", "meter")
WEIGHT = (
    pl.when(pl.col("sample_rate").is_between(0, 1, closed="right"))
    .then(1 / pl.col("sample_rate"))
    .otherwise(1.0)
)
"""How many calls a row of a sampled log stands for."""


def metered(calls: pl.DataFrame, book: Book) -> list[dict[str, Any]]:
    """The known costs of priced calls with a time, by day and meter.

    `quantity` of a meter at a `list_rate`, and at the `rate` that is paid after discounts, in USD each. Calls
    whose cost is the log's have the quantity of their requests and a cost, but no rate. The costs of all rows
    add up to that of the calls.
    """
    rows = cost.typed(calls)
    found, index = cost.carded(rows, replace(book, discounts=()))
    paid, at = cost.carded(rows, book)
    named = _named(found).select(pl.all().gather(index))
    base = calls.select(
        "cost_usd", "price_flags", day=pl.col("ts").dt.date(), region=pl.col("region").cast(pl.String),
        project=pl.col("project").cast(pl.String), weight=WEIGHT,
        requests=pl.col("request_count").fill_null(1),
    ).hstack(named)  # fmt: skip
    known = pl.col("cost_usd").is_not_null() & pl.col("day").is_not_null()
    flags = pl.col("price_flags").fill_null("")
    from_log = (flags == "logged") & known
    booked = known & (flags != "logged") & (flags != "not_billed")
    plain, less = _rates(found), _rates(paid)
    parts = [
        base.with_columns(
            quantity=rows[count],
            list_rate=plain[rate].gather(index),
            rate=less[rate].gather(at),
            meter=pl.lit(METERS[count]),
        )
        .filter(booked & (pl.col("quantity") > 0) & (pl.col("rate").is_not_null()))
        .filter((pl.col("meter") != METERS["request_count"]) | (pl.col("list_rate") > 0))
        for count, rate in _RATES.items()
    ]
    nothing = pl.lit(None, dtype=pl.Float64)
    parts.append(
        base.filter(from_log).with_columns(
            quantity=pl.col("requests"), list_rate=nothing, rate=nothing, meter=pl.lit(LOGGED)
        )
    )
    return _summed(pl.concat(parts, how="vertical_relaxed"))


def _rates(found: list[tuple[Match, Card]]) -> pl.DataFrame:
    return arithmetic.table([card for _, card in found])


def _named(found: list[tuple[Match, Card]]) -> pl.DataFrame:
    """Who sells and who makes the model of each card, and its row of the book."""
    schema = dict.fromkeys(("provider", "publisher", "model", "price_id"), pl.String)
    rows = [
        (
            match.provider.id if match.provider else None,
            match.model.provider if match.model else None,
            match.model.id if match.model else None,
            card.price_id,
        )
        for match, card in found
    ]
    return pl.DataFrame(rows, schema=schema, orient="row")


def _summed(parts: pl.DataFrame) -> list[dict[str, Any]]:
    amount = pl.col("quantity") * pl.col("weight")
    paid = pl.when(pl.col("rate").is_null()).then(pl.col("cost_usd") * pl.col("weight"))
    return (
        parts.group_by(*_KEYS, "list_rate", "rate")
        .agg(quantity=amount.sum(), logged=paid.sum())
        .with_columns(
            cost=pl.when(pl.col("rate").is_null())
            .then("logged")
            .otherwise(pl.col("quantity") * pl.col("rate")),
            list_cost=pl.when(pl.col("rate").is_null())
            .then("logged")
            .otherwise(pl.col("quantity") * pl.col("list_rate")),
        )
        .drop("logged")
        .sort(*_KEYS, "list_rate", nulls_last=True)
        .to_dicts()
    )
