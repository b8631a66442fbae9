"""One record at a time: the exact reading of what the typed decode cannot tell apart."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

import msgspec

from llmtel.sources.plan import Plan
from llmtel.sources.raw import Kind, RawColumn, Step
from llmtel.sources.source import lookup

_LARGEST = 2**63 - 1
UNREADABLE = object()
"""What a converter returns for a value that was there and cannot be used."""

Converted = tuple[Any, bool]
"""The value as wanted (or UNREADABLE), and whether it was read from another type."""


def _text(value: object) -> Converted:
    if isinstance(value, str):
        return value, False
    if isinstance(value, bool):
        return ("true" if value else "false"), False
    if isinstance(value, int | float):
        return f"{value:.17g}" if isinstance(value, float) else str(value), False
    return UNREADABLE, False


def _count(value: object) -> Converted:
    if isinstance(value, bool):
        return UNREADABLE, False
    if isinstance(value, int):
        return (value, False) if abs(value) <= _LARGEST else (UNREADABLE, False)
    number, coerced = _number(value)
    if isinstance(number, float) and number.is_integer() and abs(number) <= _LARGEST:
        return int(number), True
    return (None if number is None else UNREADABLE), coerced


def _number(value: object) -> Converted:
    if isinstance(value, bool):
        return UNREADABLE, False
    if isinstance(value, int | float):
        return float(value), False
    if isinstance(value, str):
        return numeral(value), True
    return UNREADABLE, False


def numeral(text: str) -> object:
    """The number that a text is, None when it is empty, UNREADABLE when it is none."""
    if not text.strip():
        return None
    try:
        number = float(text) if "_" not in text else math.nan
    except ValueError:
        return UNREADABLE
    return number if math.isfinite(number) else UNREADABLE


def _bool(value: object) -> Converted:
    if isinstance(value, bool):
        return value, False
    known = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False, "-1": False}
    word = str(value).strip().lower() if isinstance(value, str | int) else ""
    if isinstance(value, str) and not word:
        return None, False
    return (known[word], True) if word in known else (UNREADABLE, False)


CONVERTERS: dict[Kind, Callable[[object], Converted]] = {
    "str": _text, "time": _text, "count": _count, "code": _count, "number": _number, "bool": _bool,
}  # fmt: skip


def _items(value: object, column: RawColumn) -> Converted:
    if not isinstance(value, list):
        return UNREADABLE, False
    rows, coerced = [], False
    for element in value:
        row: dict[str, Any] = {}
        for steps, kind in column.items:
            found = lookup(element, steps)
            converted, changed = (None, False) if found is None else CONVERTERS[kind](found)
            place = row.setdefault(steps[0], {}) if len(steps) > 1 else row
            place[steps[-1]] = None if converted is UNREADABLE else converted
            coerced |= changed
        rows.append(row)
    return rows, coerced


def project(
    record: dict[str, Any], columns: tuple[RawColumn, ...], objects: frozenset[tuple[Step, ...]] = frozenset()
) -> dict[str, Any]:
    """A raw row: each column's value, and the names of those that were coerced or unreadable.

    `objects` are steps that may lead to an object or a list as well: one there is nothing unreadable.
    """
    row: dict[str, Any] = {"coerced": [], "unreadable": []}
    for column in columns:
        value = lookup(record, column.steps)
        if value is None or (isinstance(value, dict | list) and column.steps in objects):
            continue
        converted, changed = _items(value, column) if column.items else CONVERTERS[column.kind](value)
        if converted is UNREADABLE:
            row["unreadable"].append(column.name)
            continue
        row[column.name] = converted
        if changed and converted is not None:
            row["coerced"].append(column.name)
    return row


def conforms(
    record: dict[str, object], text: bytes, plan: Plan, suspicious: re.Pattern[bytes] | None
) -> bool:
    """Whether the typed decode reads this record rightly."""
    if suspicious is not None and suspicious.search(text):
        return False
    return _takes(plan, record) or _takes(plan, _first_of_each(text))


def _takes(plan: Plan, record: object) -> bool:
    if plan.checker is None:
        return False
    try:
        msgspec.convert(record, plan.checker, strict=True)
    except (msgspec.ValidationError, OverflowError):
        return False
    return True


def _first_of_each(text: bytes) -> object:
    """The object with the first value of a repeated key, as the typed decode has it (orjson: the last)."""

    def first(pairs: list[tuple[str, object]]) -> dict[str, object]:
        return dict(reversed(pairs))

    try:
        return json.loads(text, object_pairs_hook=first)
    except (ValueError, RecursionError):
        return None
