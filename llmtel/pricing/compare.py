"""The book beside another data set: which rates differ on a day, and what to write where they do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase

from msgspec import Struct

from llmtel.pricing.describe import effective
from llmtel.pricing.entries import TOKEN_RATES, Book, Model, Price, Rates
from llmtel.pricing.foreign import Quote
from llmtel.pricing.match import find
from llmtel.pricing.rates import effective as reached

Stanza = dict[str, object]
"""A model as a price file has it."""

_MANTISSA = Decimal("0.000001")
_RATES_OF_SOME = ("above", "off_peak")
"""What a row says of some of its calls, which without it would cost what all others do."""


class Difference(Struct, frozen=True):
    """A rate of a model (provider/model) in the book, and elsewhere; None where one does not have it.

    `tier` is the threshold of the tier that it is of, None for the plain rate.
    """

    model: str
    rate: str
    mine: Decimal | None
    theirs: Decimal | None
    tier: int | None = None

    def row(self) -> Mapping[str, str | float | None]:
        """The difference as a plain row."""
        change = float(self.theirs / self.mine - 1) if self.mine and self.theirs is not None else None
        return {
            "model": self.model,
            "rate_name": self.rate if self.tier is None else f"{self.rate} above {self.tier:,}",
            "mine": None if self.mine is None else float(self.mine),
            "theirs": None if self.theirs is None else float(self.theirs),
            "change": change,
        }


class Comparison(Struct, frozen=True):
    """Models of the book that a data set has too (`same` and `changed`), and those that only it has."""

    compared: int
    changed: Mapping[str, tuple[Difference, ...]]
    missing: tuple[Quote, ...]
    models: Mapping[str, tuple[Model, Quote]]


def compared(book: Book, quotes: Iterable[Quote], day: date, only: Sequence[str] = ()) -> Comparison:
    """The book on `day` beside `quotes`; `only` are patterns of provider/model."""
    met: dict[str, tuple[Model, Quote]] = {}
    missing: list[Quote] = []
    for quote in quotes:
        model = _own(book, quote)
        if model is not None:
            name = f"{model.provider}/{model.id}"
            if _wanted(name, only) and (name not in met or quote.model.lower() == model.id.lower()):
                met[name] = (model, quote)
        elif quote.provider.lower() in book.spellings and _wanted(f"{quote.provider}/{quote.model}", only):
            missing.append(quote)
    changed = {}
    for name, (model, quote) in met.items():
        price = effective(model.prices, day)
        inclusive = book.providers[model.provider].tier_inclusive
        if price is not None and (found := tuple(_differences(name, price, quote, inclusive=inclusive))):
            changed[name] = found
    return Comparison(len(met), changed, tuple(missing), met)


def _own(book: Book, quote: Quote) -> Model | None:
    """The model of the provider itself that a quote is about."""
    match = find(book, quote.provider, quote.model)
    return match.model if match.model is not None and not match.fallback and match.geo == 1 else None


def proposed(comparison: Comparison, book: Book, day: date, source: str) -> dict[tuple[str, str], Stanza]:
    """What to write into a price file, by provider and id: models with a new row, no past one changed.

    Rates of modes that were written out are those of the old row, so they are left out of the new one: such
    calls have no price until somebody has looked it up. Calls of long contexts or off-peak hours would then
    cost what all others do, so their rates are the data set's, else the old ones, as unconfirmed.
    """
    found: dict[tuple[str, str], Stanza] = {}
    for name, differences in comparison.changed.items():
        model, quote = comparison.models[name]
        changes = {d.rate: d.theirs for d in differences if d.tier is None and d.theirs is not None}
        if changes:
            found[model.provider, model.id] = _with_row(model, changes, day, _tiers(quote))
    for quote in comparison.missing:
        provider = book.spellings[quote.provider.lower()]
        row = {**quote.rates, **_tiers(quote), "confidence": "single"}
        if {"input", "output"} <= quote.rates.keys():
            found[provider, quote.model] = {"checked": day, "source": source, "prices": [row]}
    return found


def _tiers(quote: Quote) -> Stanza:
    """The rates for long contexts that a data set has, as a row has them."""
    above = [{"input_tokens": Decimal(t), **rates} for t, rates in sorted(quote.tiers.items())]
    return {"above": above} if above else {}


def _with_row(model: Model, changes: Rates, day: date, tiers: Stanza) -> Stanza:
    data = model.at.value if model.at else None
    price = effective(model.prices, day)
    row = price.at.value if price and price.at else None
    if not isinstance(data, dict) or not isinstance(row, dict):
        msg = f"{model.provider}/{model.id} was not read from a file"
        raise TypeError(msg)
    kept = {
        k: v for k, v in row.items() if not isinstance(v, dict | list) and k not in {"from", "confidence"}
    }
    old = {name: row[name] for name in _RATES_OF_SOME if name in row and name not in tiers}
    doubts = {"unconfirmed": list(old)} if old else {}
    new = {"from": day, **kept, **changes, **tiers, **old, "confidence": "single", **doubts}
    rows = [old for old in data["prices"] if old.get("from") != day]
    return {**data, "checked": day, "prices": [*rows, new]}


def _wanted(name: str, only: Sequence[str]) -> bool:
    return not only or any(fnmatchcase(name.lower(), pattern.lower()) for pattern in only)


def _differences(name: str, price: Price, quote: Quote, *, inclusive: bool) -> Iterator[Difference]:
    yield from _apart(name, price.rates, quote.rates, None)
    mine = {reached(tier, inclusive=inclusive): tier.rates for tier in price.tiers}
    for threshold, rates in quote.tiers.items():
        yield from _apart(name, mine.get(threshold, {}), rates, threshold)


def _apart(name: str, mine: Rates, theirs: Rates, tier: int | None) -> Iterator[Difference]:
    """The rates that differ; what only the book has is no difference, data sets leave much out."""
    for rate in TOKEN_RATES:
        here, there = mine.get(rate), theirs.get(rate)
        if there is None or (here is not None and abs(here - there) < _MANTISSA):
            continue
        # A rate of its own that equals what would be assumed changes no cost.
        assumed = {"reasoning": mine.get("output"), "cache_write_1h": mine.get("cache_write_5m")}
        if here is None and there == assumed.get(rate, mine.get("input")):
            continue
        yield Difference(name, rate, here, there, tier)
