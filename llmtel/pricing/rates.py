"""One rate card: what each leaf of a call costs, once its day, size, hour, mode and place are known.

The order matters and is fixed: row of the day, tier of the whole request, off-peak hours, mode, and last the
factors of geography and region. All in Decimal; the card is what the frame multiplies with.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from msgspec import Struct, field

from llmtel.pricing.contracts import Discount, discount_on
from llmtel.pricing.entries import RATE_OF_LEAF, TOKEN_RATES, Mode, Price, Rates, Tier
from llmtel.pricing.match import Match

_MILLION = Decimal(1_000_000)
_THOUSAND = Decimal(1_000)
_CACHE_LEAVES = ("cache_read", "cache_write_5m", "cache_write_1h")


class Circumstances(Struct, frozen=True):
    """What a rate card depends on beside the model; None is unknown.

    `day` is the UTC day, `input_tokens` the whole input of the request, `minute` the minute of the UTC day at
    which it started, `mode` batch, flex, priority, fast, another tier that the log names, or None for
    standard. A `bucket` stands for many requests, whose sizes are not known.
    """

    day: date | None = None
    input_tokens: int = 0
    minute: int | None = None
    mode: str | None = None
    region: str | None = None
    bucket: bool = False


class Card(Struct, frozen=True):
    """USD per token by leaf (a leaf without a rate is absent), or the `reason` why there are none.

    `assumed` are the cache leaves billed at a rate that is not theirs. Fees are USD per search and per
    request. `row` is the row of the book, and `steps` say what was done to its rates, in words and in order.
    """

    rates: Rates = field(default_factory=dict)
    assumed: frozenset[str] = frozenset()
    search_fee: Decimal | None = None
    request_fee: Decimal = Decimal(0)
    price_id: str | None = None
    flags: tuple[str, ...] = ()
    reason: str | None = None
    row: Price | None = None
    steps: tuple[str, ...] = ()


def card(
    match: Match, call: Circumstances, *, inclusive: bool = False, discounts: Sequence[Discount] = ()
) -> Card:
    """The rate card of a model in these circumstances; `inclusive` tiers start at their threshold."""
    if match.model is None:
        return Card(reason=match.reason)
    price = _row(match.model.prices, call.day)
    if isinstance(price, str):
        return Card(reason=price)
    tier = None if call.bucket else _tier(price.tiers, call.input_tokens, inclusive=inclusive)
    rates: Rates = {**price.rates, **(price.tiers[tier].rates if tier is not None else {})}
    off_peak = price.off_peak is not None and call.minute is not None and price.off_peak.holds(call.minute)
    if price.off_peak is not None and off_peak:
        rates = {**rates, **price.off_peak.rates}
    if call.mode is not None:
        mode = price.modes.get(call.mode)
        if mode is None or (tier is not None and mode.factor is None and not mode.above):
            above = _above(price, tier, inclusive=inclusive)
            return Card(reason=f"no_rate:{call.mode}", row=price, steps=(above,) if above else ())
        rates = _in_mode(rates, mode, tier)
    region = match.model.region_factor.get(call.region or "", Decimal(1))
    factor = match.geo * region
    seller = match.provider.id if match.provider else match.model.provider
    discount = discount_on(discounts, seller, match.model.id, call.day)
    paid = discount.factor if discount else Decimal(1)
    flags = {
        call.mode or "": call.mode is not None,
        "tier": tier is not None,
        "off_peak": off_peak,
        "fallback": match.fallback,
        "geo": factor != 1,
        "single_source": price.single,
        "untiered_bucket": call.bucket and bool(price.tiers),
        "discount": discount is not None,
    }
    words = {
        _above(price, tier, inclusive=inclusive): tier is not None,
        "off-peak hours": off_peak,
        f"{call.mode}: {_by_mode(price, call.mode)}": call.mode is not None,
        f"geography × {match.geo}": match.geo != 1,
        f"region {call.region} × {region}": region != 1,
        f"your discount: {discount.percent if discount else 0} % off": discount is not None,
    }
    search_fee = rates.get("web_search_per_1k")
    since = f"@{price.start}" if price.start else ""
    return Card(
        rates={leaf: rate * factor * paid / _MILLION for leaf, rate in _of_leaves(rates).items()},
        assumed=frozenset(leaf for leaf in _CACHE_LEAVES if leaf not in rates),
        search_fee=None if search_fee is None else search_fee * paid / _THOUSAND,
        request_fee=rates.get("request_per_1k", Decimal(0)) * paid / _THOUSAND,
        price_id=f"{match.model.provider}/{match.model.id}{since}",
        flags=tuple(flag for flag, holds in flags.items() if holds),
        row=price,
        steps=tuple(word for word, holds in words.items() if holds),
    )


def _above(price: Price, tier: int | None, *, inclusive: bool) -> str:
    """What a tier is, in words."""
    if tier is None:
        return ""
    more = "at least" if inclusive else "more than"
    return f"long context: {more} {price.tiers[tier].threshold:,} input tokens, for the whole request"


def _by_mode(price: Price, mode: str | None) -> str:
    found = price.modes.get(mode or "")
    return "its own rates" if found is None or found.factor is None else f"× {found.factor}"


def effective(tier: Tier, *, inclusive: bool) -> int:
    """The largest input that does not yet reach a tier."""
    return tier.threshold - 1 if inclusive else tier.threshold


def _row(prices: tuple[Price, ...], day: date | None) -> Price | str:
    """The row that holds on a day, or the reason why there is none."""
    if day is None:
        return prices[0] if len(prices) == 1 else "no_time"
    held = [price for price in prices if price.start is None or price.start <= day]
    return held[-1] if held else "no_price_on_day"


def _tier(tiers: tuple[Tier, ...], tokens: int, *, inclusive: bool) -> int | None:
    """The highest tier that the whole input exceeds."""
    reached = [i for i, tier in enumerate(tiers) if tokens > effective(tier, inclusive=inclusive)]
    return reached[-1] if reached else None


def _in_mode(rates: Rates, mode: Mode, tier: int | None) -> Rates:
    """The rates under a mode: all token rates times a factor, or some of them replaced."""
    if mode.factor is not None:
        return {name: rate * mode.factor if name in TOKEN_RATES else rate for name, rate in rates.items()}
    return {**rates, **(mode.rates if tier is None else mode.above[tier])}


def _of_leaves(rates: Rates) -> Rates:
    """The rate of every leaf that has one; a missing cache rate is the input's, reasoning the output's."""
    short = rates.get("cache_write_5m", rates["input"])
    assumed = {
        "cache_read": rates["input"],
        "cache_write_5m": short,
        "cache_write_1h": short,
        "reasoning": rates["output"],
    }
    known = {**assumed, **rates}
    return {leaf: known[name] for leaf, name in RATE_OF_LEAF.items() if name in known}
