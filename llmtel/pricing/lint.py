"""What is wrong with a price file, or looks like slips that have happened to price tables, with file:line.

Errors are what the book refuses; all of a file are told, not the first. Warnings are what it reads, though it
is rarely meant: a cache rate of ten times the usual, a tier cheaper than its base, an old date.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import Literal

from msgspec import Struct

from llmtel.core.errors import ConfigError
from llmtel.document import Document, Place
from llmtel.pricing import loader
from llmtel.pricing.entries import Mode, Model, Price, Rates
from llmtel.pricing.loader import Layer

STALE_BOOK = 60
STALE_MODEL = 180
"""Days after which numbers are to be looked at again."""

_READ_RATIOS = {Decimal(text) for text in ("0.05", "0.1", "0.25", "0.5")}
_READ_RATIOS_OF = ("openai", "anthropic", "google")
_WRITE_RATIOS = {"cache_write_5m": Decimal("1.25"), "cache_write_1h": Decimal(2)}
_ROUNDED = Decimal("0.015")
"""How far a ratio may be off because a rate was rounded to cents."""
_MODE_RANGE = (Decimal("0.3"), Decimal(3))


class Remark(Struct, frozen=True):
    """One thing about a price file: how grave, where (file:line), what, and a stable word for its kind."""

    level: Literal["error", "warning", "info"]
    kind: str
    where: str
    text: str


def mistakes(document: Document) -> list[Remark]:
    """Everything in a file that the book refuses."""
    found = dict.fromkeys(_refusals(document))
    return [Remark("error", "refused", *_parted(text)) for text in found]


def _refusals(document: Document) -> Iterator[str]:
    """What each entry alone is refused for, then what the whole is."""
    for check in _pieces(document.top):
        yield from _refused(check)
    yield from _refused(lambda: loader.parse(document))


def _pieces(top: Place) -> Iterator[Callable[[], object]]:
    """A check for each provider and model of a file; what is no mapping is for the check of the whole."""
    sections = {name: place for name, place in top.items().items() if isinstance(place.value, dict)}
    if "providers" in sections:
        for name, entry in sections["providers"].items().items():
            yield partial(loader.provider_alone, name, entry)
    if "models" in sections:
        for provider, place in sections["models"].items().items():
            models = place.items() if isinstance(place.value, dict) else {}
            taken = {name.lower() for name in models}
            for name, entry in models.items():
                yield partial(loader.model_alone, provider, name, entry)
                # Names are compared across models, also where one of these is refused.
                for other in _names(entry):
                    yield partial(other.unique, taken, f"among the names of {provider}")


def _names(model: Place) -> Iterator[Place]:
    """The other names of a model, as far as they are a list."""
    keys = model.items() if isinstance(model.value, dict) else {}
    if "names" in keys and isinstance(keys["names"].value, list):
        yield from keys["names"].entries()


def _refused(check: Callable[[], object]) -> Iterator[str]:
    try:
        check()
    except ConfigError as error:
        yield str(error)


def _parted(text: str) -> tuple[str, str]:
    """File and line of a message, and what it says."""
    where, _, said = text.partition(": ")
    return where, said


def warnings(layer: Layer, today: date) -> list[Remark]:
    """What a layer says that is rarely meant."""
    found = list(_old_book(layer, today))
    for models in layer.models.values():
        for model in models.values():
            found += _about_model(model, today)
    return found


def _old_book(layer: Layer, today: date) -> Iterator[Remark]:
    if layer.as_of is not None and (age := (today - layer.as_of).days) > STALE_BOOK:
        where = layer.as_of_at.where() if layer.as_of_at else layer.name
        yield Remark("warning", "stale_book", where, f"as_of is {layer.as_of}, {age} days ago")


def _about_model(model: Model, today: date) -> Iterator[Remark]:
    if model.checked is not None and (age := (today - model.checked).days) > STALE_MODEL:
        yield _remark(model, model.at, "stale_model", f"last checked on {model.checked}, {age} days ago")
    for price in model.prices:
        for kind, text in (*_about_cache(model, price), *_about_tiers(model, price), *_about_modes(price)):
            yield _remark(model, price.at, kind, text)
        if price.single:
            yield _remark(model, price.at, "single_source", "found in one data set only", "info")
        if price.unconfirmed:
            parts = ", ".join(price.unconfirmed)
            yield _remark(model, price.at, "unconfirmed", f"in fewer than two data sets: {parts}", "info")
    for before, after in pairwise(model.prices):
        if _same(before, after):
            text = f"the row of {after.start} says what the row before it says"
            yield _remark(model, after.at, "equal_rows", text)


def _remark(
    model: Model, at: Place | None, kind: str, text: str, level: Literal["warning", "info"] = "warning"
) -> Remark:
    return Remark(level, kind, at.where() if at else "?", f"{model.provider}/{model.id}: {text}")


def _about_cache(model: Model, price: Price) -> Iterator[tuple[str, str]]:
    rates, plain = price.rates, price.rates["input"]
    if not plain:
        return
    if model.provider in _READ_RATIOS_OF and "cache_read" in rates:
        ratio = rates["cache_read"] / plain
        if not _near(ratio, _READ_RATIOS):
            usual = ", ".join(str(r) for r in sorted(_READ_RATIOS))
            yield "cache_ratio", f"cache_read is {ratio.normalize():.3g} of input; usual: {usual}"
    if model.provider == "anthropic":
        for name, usual_ratio in _WRITE_RATIOS.items():
            if name in rates and not _near(rates[name] / plain, {usual_ratio}):
                yield "cache_ratio", f"{name} is {rates[name] / plain:.3g} of input; usual: {usual_ratio}"
    if 0 < rates["output"] < plain:
        yield "output_below_input", f"output {rates['output']} is cheaper than input {plain}"


def _near(ratio: Decimal, usual: set[Decimal]) -> bool:
    return any(abs(ratio - one) <= _ROUNDED * one for one in usual)


def _about_tiers(model: Model, price: Price) -> Iterator[tuple[str, str]]:
    before: Rates = price.rates
    for tier in price.tiers:
        above = f"the tier above {tier.threshold:,}"
        if model.context is not None and tier.threshold >= model.context:
            yield "tier_above_context", f"{above} is never reached: the context is {model.context:,}"
        cheaper = [name for name, rate in tier.rates.items() if rate < before.get(name, Decimal(0))]
        if cheaper:
            yield "cheaper_tier", f"{above} is cheaper than what is below it: {', '.join(cheaper)}"
        lacks = [name for name in price.rates if not name.endswith("_per_1k") and name not in tier.rates]
        if lacks:
            yield "partial_tier", f"{above} takes from the row: {', '.join(lacks)}"
        before = {**before, **tier.rates}


def _about_modes(price: Price) -> Iterator[tuple[str, str]]:
    for name, mode in price.modes.items():
        if mode.factor is not None and not _MODE_RANGE[0] <= mode.factor <= _MODE_RANGE[1]:
            yield "odd_mode", f"{name} × {mode.factor} is outside {_MODE_RANGE[0]}–{_MODE_RANGE[1]}"
        if mode.factor is None and price.tiers and not mode.above:
            yield "mode_without_tier", f"{name} has no rates for long contexts, so such calls have no price"


def _same(before: Price, after: Price) -> bool:
    def said(price: Price) -> tuple[object, ...]:
        modes: Sequence[tuple[str, Mode]] = sorted(price.modes.items())
        return (price.rates, price.tiers, price.off_peak, modes)

    return said(before) == said(after)
