"""What a price book holds: providers, models, and the dated rows of their prices.

All rates are Decimal USD per million tokens, and fees USD per thousand, as written in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from llmtel.document import Place
    from llmtel.pricing.contracts import Credit, Discount
    from llmtel.tokens.counting import Tokenizer

Rates = Mapping[str, Decimal]
Name = tuple[str, str]
"""Provider and id of a model in small letters; without a provider, the name of a model as logs have it."""

RATE_OF_LEAF = {
    "input_uncached": "input",
    "cache_read": "cache_read",
    "cache_write_5m": "cache_write_5m",
    "cache_write_1h": "cache_write_1h",
    "input_audio": "input_audio",
    "output_text": "output",
    "reasoning": "reasoning",
    "output_audio": "output_audio",
}
"""The rate that prices each leaf."""

TOKEN_RATES = tuple(RATE_OF_LEAF.values())
FEES = ("web_search_per_1k", "request_per_1k")
MODES = ("batch", "flex", "priority", "fast")


class Tier(Struct, frozen=True):
    """Rates of a whole request with more than `threshold` input tokens; the rest is the row's."""

    threshold: int
    rates: Rates


class OffPeak(Struct, frozen=True):
    """Rates of calls that start in one of `windows`: [start, end) in minutes of the UTC day."""

    windows: tuple[tuple[int, int], ...]
    rates: Rates

    def holds(self, minute: int) -> bool:
        """Whether `minute` of the day lies in a window."""
        return any(a <= minute < b if a < b else minute >= a or minute < b for a, b in self.windows)


class Mode(Struct, frozen=True):
    """Batch, flex, priority or fast: a factor on every token rate, or other rates by name.

    `above` has the rates of each tier of the row, in their order; without it, explicit rates know no long
    context.
    """

    factor: Decimal | None = None
    rates: Rates = field(default_factory=dict)
    above: tuple[Rates, ...] = ()


class Price(Struct, frozen=True):
    """What a model costs from `start` (UTC day, inclusive; None: since ever) until its next row.

    `single` says that its rates were found in one data set only, `unconfirmed` which parts of it rest on
    fewer than two; `at` is where it stands.
    """

    start: date | None
    rates: Rates
    tiers: tuple[Tier, ...] = ()
    off_peak: OffPeak | None = None
    modes: Mapping[str, Mode] = field(default_factory=dict)
    single: bool = False
    unconfirmed: tuple[str, ...] = ()
    at: Place | None = None


class Model(Struct, frozen=True):
    """A model of a provider: its canonical id, its other exact spellings, and its prices, oldest first.

    `geo` is its factor at a geography that the provider's `geo` marks as `model`; `region_factor` maps a
    call's region (in small letters) to a factor. With `any_date` its names followed by a date (of a snapshot)
    are its names too. `context` is its context window in tokens, `checked` the day its numbers were last
    compared, and `source` the page that has them.
    With `reasons` its answers may hide tokens that are billed.
    """

    provider: str
    id: str
    names: tuple[str, ...]
    prices: tuple[Price, ...]
    geo: Decimal = Decimal(1)
    region_factor: Rates = field(default_factory=dict)
    any_date: bool = False
    context: int | None = None
    tokenizer: str | None = None
    reasons: bool = False
    checked: date | None = None
    source: str | None = None
    at: Place | None = None


class Provider(Struct, frozen=True):
    """A provider and how its logs spell model names; texts that are compared with names are in small letters.

    `geo` maps a prefix of the name to a factor, None meaning the model's own `geo`.
    """

    id: str
    aliases: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    resource_names: bool = False
    geo: Mapping[str, Decimal | None] = field(default_factory=dict)
    rename: Mapping[str, str] = field(default_factory=dict)
    replace: Mapping[str, str] = field(default_factory=dict)
    falls_back_to: tuple[str, ...] = ()
    vendor_fallback: Mapping[str, str] = field(default_factory=dict)
    tier_inclusive: bool = False
    prefer_logged: bool = False
    source: str | None = None


class Book(Struct, frozen=True):
    """All layers as one: providers by id, models by provider and every one of their names, in small letters.

    `spellings` leads from what logs call a provider to its id; `aliases` from what users call a model to
    provider/model. `as_of` is the day the packaged book was last checked as a whole; `sha256` is over the
    bytes of the layers one after the other; `layers` are their names, the later ones winning. `given` says
    of the layers that this run alone has what they give a price to. `tokenizers` are by the names that models
    give. `discounts` and `credits` are what the
    user has agreed on with providers, beside the list prices.
    """

    as_of: date
    sha256: str
    layers: tuple[str, ...]
    providers: Mapping[str, Provider]
    spellings: Mapping[str, str]
    names: Mapping[str, Mapping[str, Model]]
    aliases: Mapping[str, str]
    given: Mapping[str, frozenset[Name]]
    tokenizers: Mapping[str, Tokenizer] = field(default_factory=dict)
    discounts: tuple[Discount, ...] = ()
    credits: tuple[Credit, ...] = ()

    def models(self) -> tuple[Model, ...]:
        """Every model once, in the order of the layers."""
        found = {id(m): m for names in self.names.values() for m in names.values()}
        return tuple(found.values())
