"""A price in one line, as the entries of a price file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

from llmtel.core.errors import UsageError
from llmtel.pricing.entries import Book

CUSTOM = "custom"
"""The provider of models that were given none."""

Entry = tuple[tuple[str, ...], object]
_PRICE = re.compile(r"\s*(?:([^=/\s]+)/)?([^=]+?)\s*=\s*\$?([\d.]+)\s*/\s*\$?([\d.]+)\s*", re.ASCII)


def entries(book: Book, text: str, more: Mapping[str, str], start: date | None) -> list[Entry]:
    """Where to write what, for `[PROVIDER/]MODEL=INPUT/OUTPUT`; `more` are further rates by name.

    A first part of the name that is no provider of the book is a part of the name. Raises `UsageError`.
    """
    match = _PRICE.fullmatch(text)
    if match is None:
        raise UsageError(f"a price is PROVIDER/MODEL=INPUT/OUTPUT, e.g. openai/gpt-9=1.25/10, not {text!r}")
    vendor, name = match[1], match[2]
    provider = book.spellings.get((vendor or "").lower())
    if vendor and provider is None:
        name = f"{vendor}/{name}"
    rates = {"input": match[3], "output": match[4], **more}
    row = {**({"from": start} if start else {}), **{key: _rate(value) for key, value in rates.items()}}
    if provider is not None:
        name, model = _with_row(book, provider, name, row, start)
        return [(("models", provider, name), model)]
    known: list[Entry] = [(("providers", CUSTOM), {"aliases": [CUSTOM]})]
    known = [] if CUSTOM in book.providers else known
    name, model = _with_row(book, CUSTOM, name, row, start)
    return [*known, (("models", CUSTOM, name), model), (("aliases", name), f"{CUSTOM}/{name}")]


def _rate(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise UsageError(f"{text!r} is no rate; rates are USD per million tokens, e.g. 1.25") from error


def _with_row(
    book: Book, provider: str, name: str, row: Mapping[str, object], start: date | None
) -> tuple[str, Mapping[str, object]]:
    """The id and entry of a model: a new one, or the one that there is with a further row."""
    model = book.names.get(provider, {}).get(name.lower())
    if model is None or model.at is None or not isinstance(model.at.value, dict):
        return name, {"prices": [dict(row)]}
    last = model.prices[-1].start
    if start is None or (last is not None and start <= last):
        since = f" since {last}" if last else ""
        raise UsageError(
            f"{provider}/{model.id} has a price{since}; a new one needs a later day it holds from: --from DAY"
        )
    return model.id, {**model.at.value, "prices": [*model.at.value["prices"], dict(row)]}
