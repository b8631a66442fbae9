"""The JSON Schema of a file of rules, for editors; made of the declarations that the reader uses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llmtel.checks import keys
from llmtel.checks.keys import Entry

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(others: Iterable[str] = ()) -> dict[str, Any]:
    """The schema; `others` are keys that may stand beside those of the rules (in `llmtel.yaml`)."""
    level = _mapping(keys.LEVEL)
    check = _mapping(keys.CHECK, required=("metric",))
    check["properties"]["levels"] |= {"items": level, "minItems": 1}
    values: dict[str, dict[str, Any]] = {
        "version": {"const": 1},
        "checks": {"type": "array", "items": {"anyOf": [{"type": "string"}, check]}},
        "defaults": _mapping(keys.DEFAULTS),
        "baseline": _mapping(keys.BASELINE),
        "exempt": {
            "type": "array",
            "items": _mapping(keys.EXEMPTION, required=("check", "until", "reason")),
        },
    }
    properties = {name: {**values[name], "description": help_} for name, help_ in keys.TOP.items()}
    return {
        "$schema": _DRAFT,
        "title": "Rules of llmtel check",
        "type": "object",
        "properties": {**properties, **{name: {} for name in others}},
        "additionalProperties": False,
    }


def _mapping(entries: tuple[Entry, ...], required: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {entry.name: entry.as_schema() for entry in entries},
        "required": list(required),
        "additionalProperties": False,
    }
