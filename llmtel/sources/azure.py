"""Entries of Azure's diagnostic logs as records, with the JSON that stands in their texts opened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from llmtel.sources.source import Record


def _opened(value: object) -> dict[str, Any]:
    """An object, or the object that a text is; of a stream's events the last one, which has the usage."""
    if isinstance(value, str):
        events = [line for line in value.splitlines() if line.startswith("data: {")]
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
        properties = {key[:1].lower() + key[1:]: value for key, value in given.items()}
        body = _opened(properties.get("backendResponseBody"))
        kept = {key: value for key, value in properties.items() if not key.endswith(("Body", "Messages"))}
        yield {**entry, "properties": kept, "body": body}
