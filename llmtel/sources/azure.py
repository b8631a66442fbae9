"""Entries of Azure's diagnostic logs as records, with the JSON that stands in their texts opened."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import orjson

from llmtel.sources.source import Record

_EVENT = "data: {"
_TEXTS = ("Body", "Messages")
"""Ends of the names of properties that hold texts."""


@lru_cache(1024)
def _name(key: str) -> str:
    """The name of a property with a small initial: a log has few, and each many times."""
    return key[:1].lower() + key[1:]


def _opened(value: object) -> dict[str, Any]:
    """An object, or the object that a text is; of a stream's events the last one, which has the usage."""
    if isinstance(value, str):
        if _EVENT in value:
            events = [line for line in value.splitlines() if line.startswith(_EVENT)]
            value = events[-1].removeprefix("data: ") if events else value
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return {}
    return value if isinstance(value, dict) else {}


def records(line: Record) -> Iterator[dict[str, Any]]:
    """The entries of a line (an event hub has several in one), their properties in small initials."""
    entries = line.get("records")
    for entry in entries if isinstance(entries, list) else [line]:
        if not isinstance(entry, dict):
            continue
        given = _opened(entry.get("properties"))
        properties = {_name(key): value for key, value in given.items()}
        body = _opened(properties.get("backendResponseBody"))
        for name in [name for name in properties if name.endswith(_TEXTS)]:
            del properties[name]
        yield {**entry, "properties": properties, "body": body}
