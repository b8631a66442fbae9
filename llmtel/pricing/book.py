"""The price book: the packaged file, and on top of it the user's; later layers win, whole entries at a time.

Order: the packaged book, `~/.config/llmtel/pricing.yaml`, `$LLMTEL_PRICING`, `--pricing` files, `--price`
options. There is no implicit file of the working directory: an answer must not depend on where it was asked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from hashlib import sha256
from pathlib import Path

from llmtel.core.errors import ConfigError, UsageError
from llmtel.pricing import loader, match
from llmtel.pricing.document import Document, Place
from llmtel.pricing.entries import Book, Model, Name, Provider
from llmtel.pricing.loader import Layer

__all__ = ["Book", "load"]

_USER_FILE = Path(".config", "llmtel", "pricing.yaml")
_VARIABLE = "LLMTEL_PRICING"
_OPTION = "--price"
_NUMBER = r"\s*\$?(\d+(?:\.\d+)?|\.\d+)\s*"
# A comma ends a price; one before it is part of the name.
_PRICE = re.compile(rf"\s*(\S.*?)\s*={_NUMBER}/{_NUMBER}(?:,|$)", re.ASCII | re.DOTALL)


def load(extra: Sequence[Path] = (), prices: Sequence[str] = ()) -> Book:
    """The book of this run.

    `extra` are price files, in order; `prices` are texts like "acme-7b=0.2/0.6", USD per million input and
    output tokens, or several with commas between. Raises `ConfigError` with file and line, or `UsageError`
    for a text of `prices`.
    """
    given = [
        *(_read(str(path), path) for path in extra),
        *(layer for text in prices for layer in _priced(text)),
    ]
    standing = [_packaged(), *(_read(name, path) for name, path in _own_files())]
    return _merged([*standing, *given], given)


def _own_files() -> Iterator[tuple[str, Path]]:
    """The user's files for every run, each with its name for people."""
    home = Path.home() / _USER_FILE
    if home.is_file():
        yield f"~/{_USER_FILE.as_posix()}", home
    named = os.environ.get(_VARIABLE)
    if named:
        yield named, Path(named)


@cache
def _packaged() -> Layer:
    """The file that came with the program: beside this module once installed, at the top of a checkout."""
    installed = Path(__file__).with_name("pricing.yaml")
    return _read(
        "pricing.yaml", installed if installed.is_file() else Path(__file__).parents[2] / "pricing.yaml"
    )


def _read(name: str, path: Path) -> Layer:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read the price file {name}: {error.strerror}") from error
    return loader.parse(Document(name, content))


def _priced(text: str) -> Iterator[Layer]:
    """The layers of one `--price`. Raises `UsageError` where a part of it is no price."""
    end = 0
    while found := _PRICE.match(text, end):
        yield _option(found[0].strip(" ,"), found[1], Decimal(found[2]), Decimal(found[3]))
        end = found.end()
    if end < len(text) or not text:
        raise UsageError(
            f"{_OPTION} takes NAME=INPUT/OUTPUT in USD per million tokens, e.g. acme-7b=0.2/0.6, or several "
            f"with commas between, not {text[end:]!r}"
        )


def _option(text: str, name: str, input_: Decimal, output: Decimal) -> Layer:
    """A price of the command line: a model of its own, and an alias that leads every such name to it."""
    row = {"input": input_, "output": output}
    data = {
        "aliases": {name: f"{_OPTION}/{name}"},
        "providers": {_OPTION: {}},
        "models": {_OPTION: {name: {"prices": [row]}}},
    }
    return loader.parse(Document.of(f"{_OPTION} {text}", text.encode("utf-8", "replace"), data))


def _merged(layers: Sequence[Layer], given: Sequence[Layer]) -> Book:
    """The layers as one book; `given` are those of this run alone.

    Raises `ConfigError` for a reference of a layer that leads nowhere.
    """
    providers: dict[str, Provider] = {}
    models: dict[str, dict[str, Model]] = {}
    names: dict[str, dict[str, Model]] = {}
    for layer in layers:
        providers |= layer.providers
        for provider, entries in layer.models.items():
            _replace(models.setdefault(provider, {}), names.setdefault(provider, {}), entries)
    book = Book(
        as_of=next(layer.as_of for layer in layers if layer.as_of),
        sha256=sha256(b"".join(layer.content for layer in layers)).hexdigest(),
        layers=tuple(layer.name for layer in layers),
        providers=providers,
        spellings=_spellings(layers, providers),
        names=names,
        aliases={name: place.text() for layer in layers for name, place in layer.aliases.items()},
        given={layer.name: priced for layer in given if (priced := frozenset(_names(layer)))},
    )
    _check(layers, book)
    return book


def _names(layer: Layer) -> Iterator[Name]:
    """What a layer gives a price to; the model of an option is met by its alias alone."""
    yield from (("", name) for name in layer.aliases)
    for provider in layer.models.keys() - {_OPTION}:
        yield from ((provider, name.lower()) for name in layer.models[provider])


def _replace(models: dict[str, Model], names: dict[str, Model], entries: Mapping[str, Model]) -> None:
    """Put the models of a later layer in the place of those of the same id, with all their names."""
    for model in entries.values():
        old = models.get(model.id.lower())
        for name in (old.id, *old.names) if old else ():
            if names.get(name.lower()) is old:
                del names[name.lower()]
        models[model.id.lower()] = model
    for model in entries.values():
        names.update((name.lower(), model) for name in (model.id, *model.names))


def _spellings(layers: Sequence[Layer], providers: Mapping[str, Provider]) -> dict[str, str]:
    """Provider ids by spelling; an alias belongs to who claimed it last, an id always to itself."""
    order = {name: provider for layer in layers for name, provider in layer.providers.items()}
    found = {alias: name for name, provider in order.items() for alias in provider.aliases}
    return {**found, **{name.lower(): name for name in providers}}


def _check(layers: Sequence[Layer], book: Book) -> None:
    """Refuse what refers to nothing; the fall-backs first, since aliases may lead through them."""
    tokenizers = sorted(frozenset().union(*(layer.tokenizers for layer in layers)))
    # A circle is closed by the last layer that is part of it.
    for layer in reversed(layers):
        for place in layer.tokenizer_of:
            place.choice(tokenizers)
        for provider, place in layer.models_at.items():
            if provider not in book.providers:
                place.fail(f"there is no provider {provider!r}; known: {', '.join(book.providers)}")
        for name, entry in layer.providers.items():
            _check_fallbacks(layer.provider_at[name], entry, book)
    for layer in layers:
        for place in layer.aliases.values():
            _check_alias(place, book)


def _check_fallbacks(place: Place, provider: Provider, book: Book) -> None:
    for other in (*provider.falls_back_to, *provider.vendor_fallback.values()):
        if other not in book.providers:
            place.fail(f"falls back to {other!r}, which is no provider; known: {', '.join(book.providers)}")
    reached, waiting = set[str](), list(provider.falls_back_to)
    while waiting:
        other = waiting.pop()
        if other == provider.id:
            place.fail("falls back to itself")
        if other not in reached:
            reached.add(other)
            waiting += book.providers[other].falls_back_to if other in book.providers else ()


def _check_alias(place: Place, book: Book) -> None:
    found = match.target(book, place.text())
    if found.model is None:
        place.fail(f"leads nowhere: {place.text()!r} must be provider/model of the book")
