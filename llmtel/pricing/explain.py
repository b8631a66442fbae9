"""Why a call costs what it costs: how its name matched, which row, what was done to its rates, leaf by leaf.

The rates are those of the same rate card that prices whole logs, so an explanation cannot tell another story
than the report; a test holds the sum of its leaves to the cost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
from msgspec import Struct

from llmtel.core.answers import Value
from llmtel.core.schema import LEAVES
from llmtel.pricing import cost
from llmtel.pricing.describe import confidence, tokenizer_words
from llmtel.pricing.entries import Book, Price
from llmtel.pricing.match import Match, suggestions
from llmtel.pricing.rates import Card
from llmtel.pricing.tokenizers import name_of

_MILLION = Decimal(1_000_000)
_THOUSAND = Decimal(1_000)
_REASONS = {
    "no_model": "the log has no name of a model",
    "unknown_provider": "the book has no such provider",
    "unknown_model": "the book has no model of this name",
    "ambiguous_model": "several vendors have a model of this name, and the log names no provider",
    "no_price_on_day": "the call is older than the first price of the model",
    "no_time": "the call has no time, and the model has had several prices",
    "no_usage": "the log does not say how many tokens there were",
    "invalid_usage": "the token counts of the log contradict each other",
    "no_logged_cost": "the log states no cost",
}


class Leaf(Struct, frozen=True):
    """A part of a call's cost: `count` things at `rate` USD per `per` of them; without a rate, no cost."""

    name: str
    count: int
    rate: Decimal | None
    per: int
    note: str = ""

    @property
    def usd(self) -> Decimal | None:
        """What it costs."""
        return None if self.rate is None else self.count * self.rate / self.per


class Explanation(Struct, frozen=True):
    """The cost of a call and its grounds.

    `cost`, `computed` and `logged` are in USD, None where unknown; `reason` says in words why there is no
    cost. `story` is pairs of a name and a sentence, in the order of pricing.
    """

    leaves: tuple[Leaf, ...]
    story: tuple[tuple[str, str], ...]
    cost: float | None
    computed: float | None
    logged: float | None
    reason: str | None
    flags: tuple[str, ...]
    price_id: str | None

    def rows(self) -> list[Mapping[str, Value]]:
        """The leaves as plain rows."""
        return [
            {
                "part": leaf.name,
                "count": leaf.count,
                "rate": None if leaf.rate is None else float(leaf.rate),
                "per": leaf.per,
                "cost": None if leaf.usd is None else float(leaf.usd),
                "note": leaf.note or None,
            }
            for leaf in self.leaves
        ]


def explained(call: pl.DataFrame, book: Book, source: cost.CostSource = "auto") -> Explanation:
    """Why `call` (one row) costs what it does."""
    answer = cost.priced(call, book, source).row(0, named=True)
    rows = cost.typed(call)
    (((match, card),), _) = cost.carded(rows, book)
    row = rows.row(0, named=True)
    flags = tuple(filter(None, (answer["price_flags"] or "").split(",")))
    free = "not_billed" in flags
    return Explanation(
        leaves=() if free or not card.rates else tuple(_leaves(row, card)),
        story=tuple(_story(book, row, match, card, answer)),
        cost=answer["cost_usd"],
        computed=answer["cost_computed"],
        logged=row["cost_logged"],
        reason=answer["price_reason"],
        flags=flags,
        price_id=answer["price_id"],
    )


def _leaves(row: Mapping[str, Any], card: Card) -> Iterator[Leaf]:
    million, thousand = int(_MILLION), int(_THOUSAND)
    for name in LEAVES:
        if row[name]:
            rate = card.rates.get(name)
            note = "no rate of its own: billed as plain input" if name in card.assumed else ""
            yield Leaf(name, row[name], None if rate is None else rate * _MILLION, million, note)
    if row["web_searches"]:
        fee = card.search_fee
        yield Leaf("web_searches", row["web_searches"], None if fee is None else fee * _THOUSAND, thousand)
    if row["request_count"] and card.request_fee:
        yield Leaf("requests", row["request_count"], card.request_fee * _THOUSAND, thousand)


def _story(
    book: Book, row: Mapping[str, Any], match: Match, card: Card, answer: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    named = f"{row['model'] or 'no model'} at {row['provider'] or 'no provider named'}"
    leads = f"{match.model.provider}/{match.model.id}" if match.model else _no_match(book, row, match)
    yield "model", " → ".join((named, *match.steps, leads))
    if card.row is not None and match.model is not None:
        yield "row", _row(match.model.prices, card.row, card)
        yield "source", _source(book, match)
        if doubts := confidence(card.row):
            yield "doubts", doubts
    yield from _counted(book, row, answer)
    for step in card.steps:
        yield "then", step
    if answer["price_reason"]:
        yield "no cost", reason_words(answer["price_reason"])
    if "not_billed" in (answer["price_flags"] or ""):
        yield "free", f"HTTP {row['http_status']} without an answer is not billed"
    if answer["price_flags"] == "logged":
        yield "taken", "the cost that the log states"


def _counted(book: Book, row: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """On what the tokens of a call rest that its log does not count."""
    how = {"tokenizer": "counted", "estimated": "estimated"}.get(row["token_source"] or "")
    if how is None:
        return
    yield (
        "tokens",
        f"{how} from the texts, {tokenizer_words(book, name_of(book, row['provider'], row['model']))}",
    )
    if cost.LOWER_BOUND in (answer["price_flags"] or ""):
        yield "tokens", "hidden reasoning of this model is billed and in no text: the cost is a lower bound"


def reason_words(reason: str) -> str:
    """A reason why a call has no cost, in words."""
    if reason.startswith("no_rate:"):
        return f"the row has no rate for {reason.removeprefix('no_rate:')}"
    return _REASONS.get(reason, reason)


def _no_match(book: Book, row: Mapping[str, Any], match: Match) -> str:
    near = suggestions(book, row["provider"], row["model"]) if row["model"] else ()
    meant = f" (near: {', '.join(near)})" if near else ""
    return f"nothing: {reason_words(match.reason or 'unknown_model')}{meant}"


def _row(prices: tuple[Price, ...], price: Price, card: Card) -> str:
    at = f" ({price.at.where()})" if price.at else ""
    return f"{card.price_id or 'a row'}{at}, holds {_span(prices, price)}"


def _span(prices: tuple[Price, ...], price: Price) -> str:
    """The days of a row, in words."""
    after = prices[prices.index(price) + 1 :]
    until: date | None = after[0].start if after else None
    return (
        f"{f'from {price.start}' if price.start else 'since ever'}{f' until {until}' if until else ''} (UTC)"
    )


def _source(book: Book, match: Match) -> str:
    model = match.model
    if model is None:
        return ""
    page = model.source or book.providers[model.provider].source or "no page given"
    return f"{page}{f', checked {model.checked}' if model.checked else ''}"
