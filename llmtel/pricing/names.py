"""One name for one model, whoever writes it: a log, a bill, a gateway, or a person ("Claude Opus 4.6")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial

import polars as pl

from llmtel.pricing.entries import Book
from llmtel.pricing.match import find

_MAKER = re.compile(r"^(?:[a-z]+\.)+(?=[a-z])")
"""`us.anthropic.` before a name of Amazon's; `gpt-4.` is none, since it has a digit."""
_EDITION = re.compile(r"-v\d+(?::\d+)?$|@\d+$|-(?:20\d\d-\d\d-\d\d|20\d{6})$|\[1m\]$")
"""What follows a model's name: a version of Amazon's, a date, Claude Code's long context."""


def unified(calls: pl.DataFrame, book: Book) -> pl.DataFrame:
    """`calls` with the price book's ids as `provider` and the plain name of the model as `model`.

    Editions of a model (dates) have one name, since a log often has the name that was asked for and a bill
    the one that answered. A provider that the book does not know is null; a model that it does not know keeps
    its own name, in small letters.
    """
    pairs = calls.select(pl.col("provider", "model").cast(pl.String)).unique()
    known = _known(book)
    found = pl.DataFrame(
        [(*pair, *_unified(book, known, *pair)) for pair in pairs.iter_rows()],
        schema=dict.fromkeys(("provider", "model", "provider_id", "plain"), pl.String),
        orient="row",
    )
    joined = calls.with_columns(pl.col("provider", "model").cast(pl.String)).join(
        found, on=["provider", "model"], how="left", nulls_equal=True, maintain_order="left"
    )
    return joined.with_columns(provider=pl.col("provider_id"), model=pl.col("plain")).drop(
        "provider_id", "plain"
    )


def unified_sides(calls: pl.DataFrame, bill: pl.DataFrame, book: Book) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Both sides with one name for one model. A call whose log names no provider may be any bill's.

    Its maker is its provider only where the bill does not have the model: a cloud bills other makers' models.
    """
    ours, theirs = unified(calls, book), unified(bill, book)
    anyones = calls["provider"].is_null() & ours["model"].is_in(theirs["model"].drop_nulls().implode())
    return ours.with_columns(provider=pl.when(~anyones).then(pl.col("provider"))), theirs


def _unified(
    book: Book, known: Mapping[tuple[str, ...], str], provider: str | None, model: str | None
) -> tuple[str | None, str | None]:
    match = find(book, provider, model)
    owner = match.provider or (book.providers[match.model.provider] if match.model else None)
    if not model:
        return owner.id if owner else None, None
    name = match.model.id if match.model else model
    plain = known.get(_words(name), _plain(name))
    if owner is None and not provider and (vendor := find(book, None, plain).model) is not None:
        return vendor.provider, plain
    return owner.id if owner else None, plain


def _known(book: Book) -> dict[tuple[str, ...], str]:
    """The plain names of all models of the book, by their words."""
    ids = (model.id for names in book.names.values() for model in names.values())
    return {_words(name): _plain(name) for name in sorted(ids, key=len, reverse=True)}


def _plain(name: str) -> str:
    """A name in small letters without its maker, date and edition."""
    text = name.strip().lower().rpartition("/")[2]
    edition = partial(_EDITION.sub, "")
    return edition(edition(_MAKER.sub("", text))) or name


def _words(name: str) -> tuple[str, ...]:
    """What a name has in common with its other spellings: its words and numbers, in any order."""
    return tuple(sorted(re.findall(r"[a-z]+|\d+", _plain(name))))
