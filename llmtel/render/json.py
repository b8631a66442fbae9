"""JSON and JSON lines: the stable form for machines, with raw numbers that are never rounded."""

from __future__ import annotations

import json as std
import re
from collections.abc import Sequence
from typing import Any

from llmtel.core.answers import Column, Document, Finding, Table
from llmtel.render.rows import PRICE_BOOK, jsonable, price_book, raw

# In JSON these stand only within strings, where an escape means the same and leaves a terminal alone.
_HOSTILE = re.compile(
    "[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\ufff9-\ufffb]"
)

_ENCODER = std.JSONEncoder(ensure_ascii=False, allow_nan=False)


def json(document: Document) -> str:
    """The document as one JSON object, a row a line.

    Its keys are `schema`, those of the document's `meta`, `tables` (the total first) and `findings`.
    """
    members = [("schema", _text(document.schema)), *((k, _text(v)) for k, v in document.meta.items())]
    members.append(("tables", _array([_table(table) for table in document.tables])))
    members.append(("findings", _array([_text(_finding(f)) for f in document.findings])))
    return _object(members) + "\n"


def jsonl(document: Document) -> str:
    """One row a line, each with the dimensions (`by`) of its table; the total first.

    Where amounts of money are in it, each says at which prices.
    """
    book = price_book(document)
    prices = {PRICE_BOOK: book} if book else {}
    lines = [
        dumped({"by": table.by, **raw(table, row), **prices})
        for table in document.tables
        for row in table.rows
    ]
    return "".join(f"{line}\n" for line in lines)


def meaning(document: Document, columns: Sequence[Column]) -> dict[str, str]:
    """What a table's file says about itself: the document's keys and the columns, each as JSON."""
    keys = {"schema": document.schema, **document.meta, "columns": {c.id: _column(c) for c in columns}}
    return {name: _text(value) for name, value in keys.items()}


def _table(table: Table) -> str:
    members = {
        "by": _text(table.by),
        "metrics": _text(table.metrics),
        "columns": _text({column.id: _column(column) for column in table.columns}),
        "rows": _array([dumped(raw(table, row)) for row in table.rows]),
    }
    if table.least is not None:
        members["least_people"] = _text(table.least)
    if table.n:
        members["n"] = _array([_text(counts) for counts in table.n])
    return _object(list(members.items()))


def _column(column: Column) -> dict[str, Any]:
    """What a column means; what does not apply to it is left out."""
    meaning = {
        "kind": column.kind,
        "label": column.label,
        "help": column.help,
        "unit": column.unit and column.unit.name,
        "better": column.better,
        "method": column.method,
        "rel_error": column.rel_error,
        "known": column.known,
        "null": "none" if column.null == "none" else None,
    }
    return {name: value for name, value in meaning.items() if value is not None}


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "level": finding.level,
        "kind": finding.kind,
        "text": finding.text,
        "figure": finding.figure,
        "command": finding.command,
        "money": finding.money,
        "calls": finding.calls,
        "evidence": finding.evidence,
    }


def _text(value: Any) -> str:  # noqa: ANN401 (any JSON value)
    return dumped(jsonable(value))


def dumped(value: Any) -> str:  # noqa: ANN401 (any JSON value)
    """Plain data as JSON on one line, with what could harm a terminal escaped."""
    text = _ENCODER.encode(value)
    return _HOSTILE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _array(items: list[str]) -> str:
    return "[\n" + ",\n".join(items) + "\n]" if items else "[]"


def _object(members: list[tuple[str, str]]) -> str:
    return "{\n" + ",\n".join(f"{_text(name)}: {value}" for name, value in members) + "\n}"
