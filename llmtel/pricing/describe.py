"""The book in plain rows, for `pricing list` and `show`: rates in USD per million, the rest in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import pairwise

from llmtel.core.answers import Value
from llmtel.core.errors import UnknownName
from llmtel.pricing.entries import FEES, TOKEN_RATES, Book, Mode, Model, Price, Rates
from llmtel.pricing.match import find, suggestions, target
from llmtel.pricing.tokenizers import OTHER

Row = Mapping[str, Value]


def effective(prices: Sequence[Price], day: date) -> Price | None:
    """The row that holds on a UTC day."""
    held = [price for price in prices if price.start is None or price.start <= day]
    return held[-1] if held else None


def listed(book: Book, day: date, provider: str | None = None) -> list[Row]:
    """The models with the row that holds on `day`, by provider and id; those without one have no rates."""
    wanted = book.spellings.get(provider.strip().lower(), provider) if provider else None
    models = sorted(book.models(), key=lambda m: (list(book.providers).index(m.provider), m.id.lower()))
    return [
        {**_named(model), **_described(price, _until(model.prices, price)), **_origin(book, model, price)}
        for model in models
        if wanted in (None, model.provider)
        for price in [effective(model.prices, day)]
    ]


def shown(book: Book, model: Model, day: date) -> list[Row]:
    """Every row of a model, oldest first, each with what it is on `day`: past, effective or future."""
    now = effective(model.prices, day)
    return [
        {
            "when": "effective" if price is now else "future" if _later(price, day) else "past",
            **_described(price, _until(model.prices, price)),
            **_origin(book, model, price),
        }
        for price in model.prices
    ]


def _model_of(book: Book, text: str, provider: str | None = None) -> tuple[Model | None, tuple[str, ...]]:
    """The model that a person means by provider/model, or by a name as logs have it; else near names."""
    if provider is None and (known := target(book, text)).model is not None:
        return known.model, ()
    found = find(book, provider, text)
    return (found.model, ()) if found.model is not None else (None, suggestions(book, provider, text))


def model_meant(book: Book, name: str, provider: str | None = None) -> Model:
    """The model that a person names. Raises `UnknownName` with near names."""
    found, near = _model_of(book, name, provider)
    if found is None:
        hint = f"Near: {', '.join(near)}." if near else "All: llmtel pricing list."
        raise UnknownName(f"the book has no model {name!r}. {hint}")
    return found


def facts(book: Book, model: Model) -> dict[str, Value]:
    """What is true of a model on every day."""
    tokens = {
        "tokenizer": tokenizer_words(book, model.tokenizer or OTHER),
        "reasons": model.reasons or None,
        "any_date": model.any_date or None,
    }
    return {
        "model": f"{model.provider}/{model.id}",
        "names": ", ".join(model.names) or None,
        "source": model.source or book.providers[model.provider].source,
        "checked": model.checked.isoformat() if model.checked else None,
        "geo": None if model.geo == 1 else str(model.geo),
        "region_factor": ", ".join(f"{name} × {by}" for name, by in model.region_factor.items()) or None,
        **tokens,
    }


def tokenizer_words(book: Book, name: str) -> str:
    """How a family of models counts, and on what that rests, in words."""
    how = book.tokenizers[name]
    if how.exact:
        return f"{how.base}, the model's own encoding"
    basis = how.source or ("measured" if how.measured else "not measured")
    when = f", checked {how.checked}" if how.checked else ""
    return f"{name}: {how.base} × {how.factor:g} ({basis}{when})"


def confidence(price: Price) -> str:
    """How well a row is known: "single source", or which parts of it are not confirmed."""
    unsure = f"unconfirmed: {', '.join(price.unconfirmed)}" if price.unconfirmed else ""
    return "; ".join(filter(None, ("single source" if price.single else "", unsure)))


def _named(model: Model) -> Row:
    return {"provider": model.provider, "model": model.id}


def _later(price: Price, day: date) -> bool:
    return price.start is not None and price.start > day


def _until(prices: Sequence[Price], price: Price | None) -> date | None:
    """The first day on which a row no longer holds."""
    return next((after.start for before, after in pairwise(prices) if before is price), None)


def _described(price: Price | None, until: date | None) -> Row:
    rates: Rates = price.rates if price else {}
    return {
        "from": price.start.isoformat() if price and price.start else None,
        "until": until.isoformat() if until else None,
        **{name: float(rates[name]) if name in rates else None for name in (*TOKEN_RATES, *FEES)},
        "tiers": _joined(f"above {t.threshold:,}: {_words(t.rates)}" for t in price.tiers) if price else None,
        "modes": _joined(f"{name} {_mode(mode)}" for name, mode in price.modes.items()) if price else None,
        "off_peak": _off_peak(price) if price else None,
    }


def _origin(book: Book, model: Model, price: Price | None) -> Row:
    return {
        "confidence": (confidence(price) or None) if price else None,
        "checked": model.checked.isoformat() if model.checked else None,
        "source": model.source or book.providers[model.provider].source,
        "where": price.at.where() if price and price.at else None,
    }


def _joined(words: Iterable[str]) -> str | None:
    return "; ".join(words) or None


def _words(rates: Rates) -> str:
    return ", ".join(f"{name} {rate.normalize():f}" for name, rate in rates.items())


def _mode(mode: Mode) -> str:
    if mode.factor is not None:
        return f"× {mode.factor.normalize():f}"
    above = f" (long context: {'; '.join(map(_words, mode.above))})" if mode.above else ""
    return _words(mode.rates) + above


def _off_peak(price: Price) -> str | None:
    if price.off_peak is None:
        return None
    hours = ", ".join(f"{_clock(a)}-{_clock(b)}" for a, b in price.off_peak.windows)
    return f"{hours} UTC: {_words(price.off_peak.rates)}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
