"""Prices that were given for this run and price none of its calls: most likely a name is misspelled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import polars as pl

from llmtel.core.catalog import suggestions
from llmtel.pricing.entries import Book, Name
from llmtel.pricing.match import find


def unused(calls: pl.DataFrame, book: Book) -> tuple[str, ...]:
    """A sentence for each price file and `--price` of this run whose models are those of none of `calls`."""
    if not book.given:
        return ()
    pairs = calls.select(pl.col("provider", "model").cast(pl.String)).unique().rows()
    logged = sorted({model for _, model in pairs if model})
    met = frozenset(_names(book, pairs))
    return tuple(
        _sentence(layer, names, logged) for layer, names in book.given.items() if names.isdisjoint(met)
    )


def _names(book: Book, pairs: Iterable[tuple[str | None, str | None]]) -> Iterator[Name]:
    """What calls name: the model as logged, and the one that it leads to."""
    for provider, name in pairs:
        model = find(book, provider, name).model
        if name:
            yield "", name.strip().lower()
        if model:
            yield model.provider, model.id.lower()


def _sentence(layer: str, names: frozenset[Name], logged: Sequence[str]) -> str:
    if len(names) > 1:
        return f"{layer}: no call is of any of its models"
    ((_, name),) = names
    near = suggestions(name.rpartition("/")[2], logged)
    return f"{layer}: no call is of this model" + (f"; there is {', '.join(near)}" if near else "")
