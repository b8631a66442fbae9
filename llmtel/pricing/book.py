"""The price book: the packaged file, and on top of it the user's; later layers win, whole entries at a time.

Order: the packaged book, `llmtel/pricing.yaml` in the user's folder of configuration ($XDG_CONFIG_HOME, else
~/.config), `$LLMTEL_PRICING`, `--pricing` files, `--price` options. There is no implicit file of the working
directory: an answer must not depend on where it was asked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from llmtel.core.errors import ConfigError, UsageError
from llmtel.document import Document, Place
from llmtel.pricing import loader, match
from llmtel.pricing.contracts import Term
from llmtel.pricing.entries import Book, Model, Name, Provider
from llmtel.pricing.loader import Layer

__all__ = ["Book", "document", "layer", "load", "merged", "shown", "standing", "user_file"]

_USER_FILE = Path("llmtel", "pricing.yaml")
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
        *(layer(str(path), path) for path in extra),
        *(option for text in prices for option in _priced(text)),
    ]
    return merged([*standing(), *given], given)


def standing() -> list[Layer]:
    """The layers of every run: the packaged book, and the files of this user."""
    return [_packaged(), *(layer(name, path) for name, path in _own_files())]


def user_file() -> Path:
    """The price file of this user, which need not exist (XDG Base Directory Specification 0.8)."""
    folder = os.environ.get("XDG_CONFIG_HOME", "")
    # The specification: a path that is not absolute is to be ignored.
    return (Path(folder) if Path(folder).is_absolute() else Path.home() / ".config") / _USER_FILE


def shown(path: Path) -> str:
    """A path for people: what is in the home begins with ~."""
    home = Path.home()
    return f"~/{path.relative_to(home).as_posix()}" if path.is_relative_to(home) else str(path)


def _own_files() -> Iterator[tuple[str, Path]]:
    """The user's files for every run, each with its name for people."""
    own = user_file()
    if os.path.isfile(own):  # noqa: PTH113 (a closed home has none)
        yield shown(own), own
    named = os.environ.get(_VARIABLE)
    if named:
        yield named, Path(named)


@cache
def _packaged() -> Layer:
    """The file that came with the program: beside this module once installed, at the top of a checkout."""
    installed = Path(__file__).with_name("pricing.yaml")
    return layer(
        "pricing.yaml", installed if installed.is_file() else Path(__file__).parents[2] / "pricing.yaml"
    )


def layer(name: str, path: Path) -> Layer:
    """The price file at `path` as a layer, called `name` in messages. Raises `ConfigError`."""
    return loader.parse(document(name, path))


def document(name: str, path: Path) -> Document:
    """The price file at `path`, called `name` in messages. Raises `ConfigError`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read the price file {name}: {error.strerror}") from error
    return Document(name, content)


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


def merged(layers: Sequence[Layer], given: Sequence[Layer]) -> Book:
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
        tokenizers={name: one for layer in layers for name, one in layer.tokenizers.items()},
    )
    _check(layers, book)
    return replace(
        book,
        discounts=_agreed(book, [layer.discounts for layer in layers]),
        credits=_agreed(book, [layer.credits for layer in layers]),
    )


T = TypeVar("T", bound=Term)


def _agreed(book: Book, layers: Sequence[tuple[T, ...] | None]) -> tuple[T, ...]:
    """The terms of the last layer that has any, which replace those of the layers before, by provider id."""
    terms = next((found for found in reversed(layers) if found is not None), ())
    return tuple(replace(term, provider=_provider_id(book, term)) for term in terms)


def _provider_id(book: Book, term: Term) -> str:
    found = book.spellings.get(term.provider.lower())
    if found is None:
        term.at.fail(f"there is no provider {term.provider!r}; known: {', '.join(book.providers)}")
    return found


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
    tokenizers = sorted(book.tokenizers)
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
