"""Attributes of OpenTelemetry as flat dictionaries of plain values.

https://opentelemetry.io/docs/specs/otlp/ (JSON encoding): integers may be texts, attributes are lists of keys
and typed values. Here names have `_` for their dots.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from llmtel.sources.nested import object_in

_NESTED = frozenset({dict, list})
TOO_LARGE = 2**63
"""What begins where the signed integers of 64 bits end."""
DIGITS = len(str(TOO_LARGE))
"""Numbers of fewer digits are not too large."""
LONGEST = 4096
"""Characters of an attribute's text that are kept."""
_MOST_NAMES = 4096
"""Names of attributes that are remembered."""


def value_of(value: object) -> Any:  # noqa: ANN401 (any JSON value)
    """A typed attribute value as a plain one."""
    if not isinstance(value, dict):
        return value
    if "stringValue" in value:
        return value["stringValue"]
    if "intValue" in value:
        return number_of(value["intValue"])
    if "doubleValue" in value:
        return number_of(value["doubleValue"])
    if "boolValue" in value:
        return value["boolValue"]
    if "arrayValue" in value:
        items = object_in(value, "arrayValue").get("values")
        return [value_of(item) for item in items] if isinstance(items, list) else []
    if "kvlistValue" in value:
        return attributes(object_in(value, "kvlistValue").get("values"))
    return None


def number_of(value: object) -> object:
    """A number that may be written as a text; the text itself when it is none, or too large for JSON."""
    if not isinstance(value, str):
        return value
    if len(value) < DIGITS and value.isdecimal():
        return int(value)
    for reader in (float,) if "." in value else (int, float):
        try:
            number = reader(value)
        except ValueError:
            continue
        if abs(number) < TOO_LARGE:
            return number
    return value


def attributes(found: object) -> dict[str, Any]:
    """Attributes as a flat dictionary, whether they are a list of keys and values or a dictionary already."""
    if isinstance(found, list):
        return _flat(_listed(found))
    if isinstance(found, dict):
        return {_NAMES[key]: value for key, value in _flat(found).items()}
    return {}


def _listed(found: list[Any]) -> dict[str, Any]:
    """The values of a list of keys and typed values, by their names. Most are texts, or else numbers."""
    named = {}
    for item in found:
        try:
            key, value = item["key"], item["value"]
            plain = value["stringValue"] if "stringValue" in value else value_of(value)
        except (KeyError, TypeError):  # it lacks one of them, or is something else
            if not isinstance(item, dict):
                continue
            key, plain = item.get("key"), value_of(item.get("value"))
        if key is not None:
            named[_NAMES[str(key)]] = plain
    return named


def _flat(found: dict[Any, Any]) -> dict[Any, Any]:
    """Attributes without objects, and of lists the first value where it is plain."""
    if _NESTED.isdisjoint(map(type, found.values())):
        return found
    return {key: _first(value) for key, value in found.items() if not isinstance(value, dict)}


def _first(value: object) -> object:
    """The first of several plain values."""
    if isinstance(value, list):
        value = value[0] if value else None
        return None if isinstance(value, (dict, list)) else value
    return value


class _Names(dict[str, str]):
    """Names of attributes with `_` for their dots, by their keys: a log has few, and each many times."""

    def __missing__(self, key: str) -> str:
        name = key.replace(".", "_")
        if len(self) < _MOST_NAMES:
            self[key] = name
        return name


_NAMES = _Names()


def short(found: dict[str, Any]) -> dict[str, Any]:
    """Attributes with texts as they are, but short: prompts and answers in attributes are never read."""
    long = [key for key, value in found.items() if type(value) is str and len(value) > LONGEST]
    return found | {key: found[key][:LONGEST] for key in long} if long else found


def attributes_of_event(found: object, numbers: Container[str]) -> dict[str, Any]:
    """The attributes of a log event, short; `numbers` are names of those that are numbers, though texts.

    An event is little else than attributes: all is done in one go.
    """
    given = _listed(found) if isinstance(found, list) else found if isinstance(found, dict) else {}
    told = {}
    for key, value in given.items():
        name, plain, kind = _NAMES[key], value, type(value)
        if kind is list:
            plain = _first(value)
            kind = type(plain)
        if kind is str:
            if name not in numbers:
                told[name] = plain if len(plain) <= LONGEST else plain[:LONGEST]
            else:  # most are short, and their digits alone
                digits = len(plain) < DIGITS and plain.isdecimal()
                told[name] = int(plain) if digits else number_of(plain)
        elif kind is not dict:
            told[name] = plain
    return told
