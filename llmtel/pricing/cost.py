"""Calls and prices to costs: a rate card for each distinct circumstance, one join, a dot product over leaves.

A cost that is not known is null and `price_reason` says why; it is never 0. Costs are unrounded Float64 USD.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from llmtel.core.schema import FIELDS, FROZEN, LEAVES, PRICED
from llmtel.pricing import arithmetic
from llmtel.pricing.entries import Book
from llmtel.pricing.keys import NAME, Grid, numbered, of_each
from llmtel.pricing.match import Match, find
from llmtel.pricing.rates import Card, Circumstances, card

CostSource = Literal["auto", "computed", "logged"]
APART = "billed_apart"
"""Why a bucket of usage has no cost: the provider's bill, in rows of its own, has it."""
LOWER_BOUND = "reasoning_unknown"
"""The flag of a cost that leaves hidden reasoning out, because the tokens were counted from the texts."""

_NEEDED = (
    "ts", "provider", "model", "service_tier", "batch", "region", "request_count", "grain", "web_searches",
    "http_status", "cost_logged", "price_reason", "token_source", *LEAVES,
)  # fmt: skip
_BUCKET = pl.col("grain").eq_missing(pl.lit("bucket"))
_CATEGORIES = {"provider", "model", "service_tier", "region", "grain", "token_source", "price_reason"}


def priced(calls: pl.DataFrame, book: Book, source: CostSource = "auto") -> pl.DataFrame:
    """`calls` with `cost_usd`, `cost_computed`, `price_id`, `price_reason`, `price_flags`, in the same order.

    `source` says whose costs count (`cost_usd`): `computed` the book's, `logged` the log's, `auto` the
    book's, but the log's where the provider is one whose price depends on the route, or where the book has
    none and the log's is above 0. A cost from the log has the flag `logged`. The book's is kept as
    `cost_computed` whichever counts. A frame that has costs already is priced anew; with `auto` those that
    were stored with their calls (`frozen`) stay.
    """
    rows = typed(calls)
    costs = _booked(rows, book, or_logged=source == "auto")
    if source == "logged":
        costs = costs.with_columns(_logged(rows).get_columns())
    if source == "auto" and (held := frozen(calls)).any():
        costs = costs.select(
            pl.when(held).then(calls[name]).otherwise(pl.col(name)).alias(name) for name in PRICED
        )
    return calls.with_columns(costs.get_columns())


def frozen(calls: pl.DataFrame) -> pl.Series:
    """Which calls have a cost, or the reason why there is none, that was stored with them."""
    flags = calls["price_flags"] if "price_flags" in calls.columns else pl.Series([], dtype=pl.String)
    told = [text for text in flags.drop_nulls().unique() if FROZEN in text.split(",")]
    return flags.is_in(told).fill_null(value=False) if told else pl.repeat(False, calls.height, eager=True)


def is_stated(calls: pl.DataFrame) -> bool:
    """Whether every known cost of priced calls is one that the log states, and there is one."""
    stated = pl.col("cost_usd").is_not_null() & (pl.col("price_flags") == "logged").fill_null(value=False)
    known, logged = calls.select(pl.col("cost_usd").count(), stated.sum().alias("logged")).row(0)
    return bool(0 < known == logged)


def typed(calls: pl.DataFrame) -> pl.DataFrame:
    """The columns that pricing looks at, missing ones null, texts as categories (they are joined on)."""
    types = {name: pl.Categorical() if name in _CATEGORIES else FIELDS[name].dtype for name in _NEEDED}
    return calls.select(
        (pl.col(name) if name in calls.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in types.items()
    )


def _booked(calls: pl.DataFrame, book: Book, *, or_logged: bool) -> pl.DataFrame:
    """The costs at the book's rates, or where it says so those of the log."""
    found, index = carded(calls, book)
    cards = arithmetic.table([card for _, card in found])
    bill = arithmetic.Bill.of(arithmetic.Extent.of(calls), cards)
    # A column of one value has no pieces, and one like it makes all others lie in one.
    pieces = of_each(calls.with_columns(index), lambda piece: pl.DataFrame(bill(piece).get_columns()))
    costs = pl.concat(pieces, rechunk=calls.n_chunks() == 1)
    costs = _bounded(calls, costs.with_columns(cost_computed="cost_usd"), found, index)
    if not or_logged or calls["cost_logged"].null_count() == calls.height:
        return costs
    prefers = pl.Series(
        "prefers", [m.provider is not None and m.provider.prefer_logged for m, _ in found], pl.Boolean
    )
    return _or_logged(calls, costs.with_columns(prefers.gather(index)))


def _bounded(
    calls: pl.DataFrame, costs: pl.DataFrame, found: list[tuple[Match, Card]], index: pl.Series
) -> pl.DataFrame:
    """The costs, with a flag on those of counted answers whose model may have hidden a part of its own.

    What a model thinks is billed as output and is in no text, so such a cost is a lower bound.
    """
    counted = calls.select(pl.col("token_source").ne("logged").fill_null(value=False)).to_series()
    if not counted.any():
        return costs
    reasons = pl.Series([m.model is not None and m.model.reasons for m, _ in found], dtype=pl.Boolean)
    bound = counted & reasons.gather(index) & costs["price_id"].is_not_null()
    flags = pl.concat_str("price_flags", pl.lit(LOWER_BOUND), separator=",", ignore_nulls=True)
    return costs.with_columns(price_flags=pl.when(bound).then(flags).otherwise("price_flags"))


def carded(calls: pl.DataFrame, book: Book) -> tuple[list[tuple[Match, Card]], pl.Series]:
    """The distinct rate cards of calls (as `typed` makes them), and for each call the number of its card."""
    names, name = numbered(of_each(calls, lambda piece: piece.select("provider", "model")))
    matches = [find(book, *pair) for pair in names.iter_rows()]
    grid = Grid.of(matches, book)
    columns = grid.keys(calls)
    keys = of_each(calls.with_columns(name.alias(NAME)), lambda piece: piece.select(columns))
    if len(columns) == 1:
        distinct, index = pl.DataFrame({NAME: range(len(matches))}), name
    else:
        distinct, index = numbered(keys)
    found = []
    for key in distinct.iter_rows(named=True):
        match = matches[key[NAME]]
        found.append((match, _card_of(book, match, grid.circumstances(key))))
    return found, index.alias("card")


def _card_of(book: Book, match: Match, call: Circumstances) -> Card:
    """The rate card of a call, with the discounts of the book."""
    inclusive = match.model is not None and book.providers[match.model.provider].tier_inclusive
    return card(match, call, inclusive=inclusive, discounts=book.discounts)


def _usable(logged: pl.Expr) -> pl.Expr:
    """Whether a log's cost is a price at all: a finite number, 0 or more; on a bill a credit is one too."""
    return (logged.is_finite() & ((logged >= 0) | _BUCKET)).fill_null(value=False)


def _or_logged(calls: pl.DataFrame, costs: pl.DataFrame) -> pl.DataFrame:
    """The book's costs, or the log's where it is preferred (`prefers`) or the only one."""
    logged = calls["cost_logged"].alias("logged")
    tokens = calls.select(
        tokens=pl.any_horizontal((pl.col(leaf) > 0).fill_null(value=False) for leaf in LEAVES)
    )
    # Gateways write 0 for models they do not know, so a 0 beside tokens says nothing.
    trusted = _usable(pl.col("logged")) & ((pl.col("logged") > 0) | ~pl.col("tokens"))
    trusted |= _usable(pl.col("logged")) & (pl.col("logged") < 0)
    silent = pl.col("cost_usd").is_null() & (pl.col("logged") != 0)
    use = trusted & (pl.col("prefers") | silent)
    apart = _billed_apart(calls)
    none = use | pl.col("apart")
    return costs.with_columns(logged, tokens["tokens"], calls["grain"], apart.alias("apart")).select(
        "cost_computed",
        cost_usd=pl.when(use).then("logged").when(~pl.col("apart")).then("cost_usd"),
        price_id=pl.when(~none).then("price_id"),
        price_reason=pl.when(pl.col("apart")).then(pl.lit(APART)).when(~use).then("price_reason"),
        price_flags=pl.when(use).then(pl.lit("logged")).when(~pl.col("apart")).then("price_flags"),
    )


def _billed_apart(calls: pl.DataFrame) -> pl.Series:
    """Buckets of usage whose cost stands in other rows: their provider bills that day in rows of cost alone.

    The usage priced by the book and the bill are the same money, so only the bill counts.
    """
    if not (calls["grain"] == "bucket").any():
        return pl.Series([False]).new_from_index(0, calls.height)
    no_tokens = pl.all_horizontal(pl.col(leaf).is_null() for leaf in LEAVES)
    billed = (_BUCKET & pl.col("cost_logged").is_not_null() & no_tokens).alias("billed")
    usage = (_BUCKET & pl.col("cost_logged").is_null()).alias("usage")
    rows = calls.select("provider", pl.col("ts").dt.date().alias("day"), billed, usage)
    if not rows["billed"].any() or not rows["usage"].any():
        return pl.Series([False]).new_from_index(0, calls.height)
    return rows.select(pl.col("usage") & pl.col("billed").any().over("provider", "day")).to_series()


def _logged(calls: pl.DataFrame) -> pl.DataFrame:
    """The costs that the log states, and no others."""
    usable = _usable(pl.col("cost_logged"))
    return calls.select(
        cost_usd=pl.when(usable).then("cost_logged"),
        price_id=pl.lit(None, dtype=pl.String),
        price_reason=pl.when(~usable).then(pl.lit("no_logged_cost")),
        price_flags=pl.when(usable).then(pl.lit("logged")),
    )
