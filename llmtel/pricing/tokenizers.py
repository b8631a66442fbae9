"""Which tokenizer a model's texts are counted with: what its entry in the book names."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from llmtel.pricing.entries import Book
from llmtel.pricing.match import find
from llmtel.tokens.counting import Tokenizer

OTHER = "other"
"""The entry of the book for models that name no tokenizer, or that it does not know."""


def name_of(book: Book, provider: str | None, model: str | None) -> str:
    """The name of a model's tokenizer in the book; provider and model as logged."""
    entry = find(book, provider, model).model
    return entry.tokenizer if entry is not None and entry.tokenizer is not None else OTHER


def tokenizer_of(book: Book) -> Callable[[str | None, str | None], Tokenizer]:
    """A function from a provider and a model, as logged, to how the model's texts are counted."""

    @cache
    def found(provider: str | None, model: str | None) -> Tokenizer:
        return book.tokenizers[name_of(book, provider, model)]

    return found
