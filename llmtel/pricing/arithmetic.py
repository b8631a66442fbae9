"""The dot product: a call's counts times the rates of its card, or the reason why there is no cost."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import polars as pl
from msgspec import Struct

from llmtel.core.schema import INPUT_LEAVES, LEAVES, OUTPUT_LEAVES
from llmtel.pricing.rates import Card

INVALID = "invalid_usage"
"""The one reason that a format gives: its counts contradict each other."""

_NO_USAGE = "no_usage"

_RATES = {**{leaf: f"rate_{leaf}" for leaf in LEAVES}, "web_searches": "search_fee"}
"""The column of `table` that prices each count of a call."""

_TIMEOUTS = (408, 504)
_FIRST_FAILURE = 400


def table(cards: Sequence[Card]) -> pl.DataFrame:
    """Rate cards as columns, a row each: USD per token of each leaf, fees, and words (null: none)."""
    rates = {f"rate_{leaf}": [_float(card.rates.get(leaf)) for card in cards] for leaf in LEAVES}
    fees = {
        "search_fee": [_float(card.search_fee) for card in cards],
        "request_fee": [_float(card.request_fee) for card in cards],
    }
    assumed = {f"assumed_{leaf}": [leaf in card.assumed for card in cards] for leaf in INPUT_LEAVES}
    words = {
        "reason": [card.reason for card in cards],
        "id": [card.price_id for card in cards],
        "flags": [",".join(card.flags) or None for card in cards],
        "flags_if_assumed": [",".join((*card.flags, "assumed_cache_rate")) for card in cards],
    }
    dtypes = {**dict.fromkeys((*rates, *fees), pl.Float64), **dict.fromkeys(assumed, pl.Boolean)}
    schema = {**dtypes, **dict.fromkeys(words, pl.String)}
    # Words of many calls are as categories a quarter of the size.
    found = pl.DataFrame({**rates, **fees, **assumed, **words}, schema=schema)
    return found.with_columns(pl.col("id", "flags", "flags_if_assumed").cast(pl.Categorical))


class Extent(Struct, frozen=True):
    """What is true of all of some calls, and need not be asked of each.

    Some of them have any of `counts`; those that are `whole` are known of each call, and 0 or more.
    `in_full`: each has counts of input and of output. `is_told`: a format says of some why they have no cost.
    """

    counts: tuple[str, ...]
    whole: frozenset[str]
    in_full: bool
    is_told: bool

    @classmethod
    def of(cls, calls: pl.DataFrame) -> Extent:
        """The extent of calls as `cost.typed` makes them."""
        most, least, lacks, told = (
            calls.select(looks).row(0, named=True)
            for looks in (
                pl.col(*_RATES).max(),
                pl.col(*_RATES).min(),
                pl.col(*_RATES).null_count(),
                pl.col("price_reason").count(),
            )
        )
        counts = tuple(name for name in _RATES if (most[name] or 0) > 0)
        return cls(
            counts=counts,
            whole=frozenset(name for name in counts if least[name] >= 0 and not lacks[name]),
            in_full=all(any(not lacks[leaf] for leaf in side) for side in (INPUT_LEAVES, OUTPUT_LEAVES)),
            is_told=bool(told["price_reason"]),
        )


class Bill(Struct, frozen=True):
    """How calls become costs, made for all of some calls and applied to each piece of them."""

    not_billed: pl.Expr
    reason: pl.Expr
    costs: tuple[pl.Expr, ...]

    @classmethod
    def of(cls, extent: Extent, cards: pl.DataFrame) -> Bill:
        """The bill of calls of some extent, whose column `card` numbers the rows of `cards` (`table`)."""
        given = (INVALID, _NO_USAGE, *(f"no_rate:{name}" for name in extent.counts))
        # Words as numbers: a chain of conditions over texts is three times as dear.
        words = pl.Enum(list(dict.fromkeys((*given, *cards["reason"].drop_nulls()))))
        cards = cards.with_columns(pl.col("reason").cast(words))
        free = pl.col("not_billed") & pl.col("reason").is_null()
        billed = ~pl.col("not_billed") & pl.col("reason").is_null()
        flags = pl.when(free).then(pl.lit("not_billed")).when(billed).then(_flags(cards, extent.counts))
        costs = {
            "cost_usd": pl.when(free).then(0.0).when(billed).then(_total(cards, extent)),
            "price_id": pl.when(billed).then(_of_card(cards, "id")),
            "price_reason": pl.col("reason").cast(pl.Categorical),
            "price_flags": flags,
        }
        return cls(
            not_billed=_not_billed(extent.counts).alias("not_billed"),
            reason=_reason(cards, extent, words).alias("reason"),
            costs=tuple(cost.alias(name) for name, cost in costs.items()),
        )

    def __call__(self, calls: pl.DataFrame) -> pl.DataFrame:
        """PRICED of calls: (calls, 4)."""
        return calls.with_columns(self.not_billed).with_columns(self.reason).select(self.costs)


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _of_card(cards: pl.DataFrame, name: str) -> pl.Expr:
    """A column of the rate cards, at each call's card."""
    return pl.lit(cards[name]).gather(pl.col("card"))


def _some(count: str) -> pl.Expr:
    """Whether a call has any of a count; a detail that was not counted apart is inside the others."""
    return (pl.col(count) > 0).fill_null(value=False)


def _known(leaves: Sequence[str]) -> pl.Expr:
    return pl.any_horizontal(pl.col(leaf).is_not_null() for leaf in leaves)


def _not_billed(counts: Sequence[str]) -> pl.Expr:
    """A refused call, which no provider bills; a timeout may have cost something."""
    http = pl.col("http_status")
    refused = ((http >= _FIRST_FAILURE) & ~http.is_in(_TIMEOUTS)).fill_null(value=False)
    answered = [_some(leaf) for leaf in OUTPUT_LEAVES if leaf in counts]
    return refused & ~pl.any_horizontal(answered) if answered else refused


def _reason(cards: pl.DataFrame, extent: Extent, words: pl.Enum) -> pl.Expr:
    """Why a call has no cost, one of `words`; null if it has one."""
    reason: pl.Expr = pl.lit(None, dtype=words)
    for lacks, word in reversed(_lacking(cards, extent, words)):
        reason = pl.when(~pl.col("not_billed") & lacks).then(word).otherwise(reason)
    if not extent.is_told:
        return reason
    given = (pl.col("price_reason") == INVALID).fill_null(value=False)
    return pl.when(given).then(pl.lit(INVALID, dtype=words)).otherwise(reason)


def _lacking(cards: pl.DataFrame, extent: Extent, words: pl.Enum) -> list[tuple[pl.Expr, pl.Expr]]:
    """What a billed call may lack for a cost, each with the reason, the first first."""
    has_input, has_output = _known(INPUT_LEAVES), _known(OUTPUT_LEAVES)
    no_usage = pl.lit(_NO_USAGE, dtype=words)
    # Half of a usage would bill the call in part; only embeddings have no output to count.
    half = ~has_input | (~has_output & (_of_card(cards, "rate_output_text") != 0))
    found = [] if extent.in_full else [(~has_input & ~has_output, no_usage)]
    if cards["reason"].count():
        unpriced = _of_card(cards, "reason")
        found.append((unpriced.is_not_null(), unpriced))
    for name in extent.counts:
        if cards[_RATES[name]].null_count():
            no_rate = _some(name) & _of_card(cards, _RATES[name]).is_null()
            found.append((no_rate, pl.lit(f"no_rate:{name}", dtype=words)))
    return found if extent.in_full else [*found, (half, no_usage)]


def _total(cards: pl.DataFrame, extent: Extent) -> pl.Expr:
    """The cost in USD; null if a count has no rate."""
    terms = [_term(cards, name, is_whole=name in extent.whole) for name in extent.counts]
    fees = pl.col("request_count").fill_null(0) * _of_card(cards, "request_fee")
    charged = [fees.fill_null(0.0)] if (cards["request_fee"] != 0).any() or not terms else []
    return pl.sum_horizontal(*terms, *charged, ignore_nulls=False)


def _term(cards: pl.DataFrame, name: str, *, is_whole: bool) -> pl.Expr:
    """What a count costs, at the rate of each call's card."""
    rates = cards[_RATES[name]]
    cost = pl.col(name) * _of_card(cards, rates.name)
    if is_whole and not rates.null_count():
        return cost
    # The condition keeps a missing rate from spoiling calls that have none of its tokens.
    return pl.when(_some(name)).then(cost).otherwise(0.0)


def _flags(cards: pl.DataFrame, counts: Sequence[str]) -> pl.Expr:
    """The remarks of the card, and whether a cache rate had to be assumed for tokens that the call has."""
    leaves = [leaf for leaf in INPUT_LEAVES if leaf in counts and cards[f"assumed_{leaf}"].any()]
    plain = _of_card(cards, "flags")
    if not leaves:
        return plain
    assumed = pl.any_horizontal(_some(leaf) & _of_card(cards, f"assumed_{leaf}") for leaf in leaves)
    return pl.when(assumed).then(_of_card(cards, "flags_if_assumed")).otherwise(plain)
