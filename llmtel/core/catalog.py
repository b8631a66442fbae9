"""Named things in the order they were declared; a wrong name suggests the right one."""

from __future__ import annotations

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
        near = get_close_matches(name, self, n=1, cutoff=0.6)
        hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(self)}."
        return f"there is no {self.kind} {name!r}. {hint}"
