"""Pseudonyms as people see them: in tables and sentences of one answer each is as short as it can be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import fields, replace

from llmtel.core.answers import Document, Snippet
from llmtel.core.pseudonym import MADE, shortened

_WITHIN = re.compile(rf"\b{MADE.pattern}\b")
_AS_THEY_ARE = frozenset({"command", "columns", "unit", "n", "evidence", "cells", "data", "labels"})
"""Fields that are pasted, or are not shown."""


def for_people(document: Document) -> Document:
    """The document with the same beginning of a pseudonym, and "…", wherever people see it."""
    found: set[str] = set()
    shown = document.title, document.blocks, document.closing

    def look(text: str) -> str:
        found.update(_WITHIN.findall(text))
        return text

    _changed(shown, look)
    if not found:
        return document
    short = shortened(found)
    title, blocks, closing = _changed(
        shown, lambda text: _WITHIN.sub(lambda one: short.get(one[0], one[0]), text)
    )
    return replace(document, title=title, blocks=blocks, closing=closing)


def _changed(value: Any, change: Callable[[str], str]) -> Any:  # noqa: ANN401 (any part of a document)
    """A part of a document with the texts in it that are shown changed; what is to be copied is not."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, tuple | list):
        return tuple(_changed(one, change) for one in value)
    if isinstance(value, Mapping):
        return {name: _changed(one, change) for name, one in value.items()}
    if not isinstance(value, Struct) or isinstance(value, Snippet):
        return value
    parts = {one.name: getattr(value, one.name) for one in fields(value) if one.name not in _AS_THEY_ARE}
    return replace(value, **{name: _changed(part, change) for name, part in parts.items()})
