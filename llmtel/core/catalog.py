"""Named things in the order they were declared; a wrong name suggests the right ones."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Protocol, TypeVar

from llmtel.core.errors import UnknownName


class Named(Protocol):
    """Anything with a name that is its id, its word on the command line and its key in JSON."""

    @property
    def name(self) -> str:
        """The name."""
        ...


T = TypeVar("T", bound=Named)

MOST = 6
"""Names that a wrong one may have meant."""


class Catalog(dict[str, T]):
    """Declared things by name. Looking up an unknown name raises `UnknownName` with a suggestion."""

    def __init__(self, kind: str, items: Iterable[T]) -> None:
        self.kind = kind
        super().__init__()
        for item in items:
            if item.name in self:
                msg = f"two {kind}s are called {item.name!r}"
                raise ValueError(msg)
            self[item.name] = item

    def __missing__(self, name: str) -> T:
        raise UnknownName(self.unknown(name))

    def unknown(self, name: str) -> str:
        """The sentence for a name that is not here."""
        return unknown(self.kind, name, self)


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """The sentence for a name that is none of `known`: what was meant, or, where nothing is near, all."""
    names = tuple(known)
    near = suggestions(name, names)
    *first, last = near or ("",)
    meant = f"{', '.join(first)} or {last}" if first else last
    hint = f"Did you mean {meant}?" if near else f"Known: {', '.join(names)}."
    return f"there is no {kind} {name!r}. {hint}"


def suggestions(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """What a wrong name may have meant: the known names that say it and more, else the one spelled like it.

    A name says another when each word of that begins a word of its own, in any order: p95_latency says "p95",
    "latency" and "latency-p95". Those that say least beside it come first, and at most `MOST` are given.
    """
    names = tuple(known)
    asked = _words(name)
    saying = [n for n in names if asked and all(any(w.startswith(a) for w in _words(n)) for a in asked)]
    if saying:
        return tuple(sorted(saying, key=lambda n: len(_words(n)))[:MOST])
    return tuple(get_close_matches(name.lower(), names, n=1, cutoff=0.6))


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W_]+", name.lower())
