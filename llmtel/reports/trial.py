"""`llmtel formats test`: samples, what was read of them, and where that is not what was expected."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Literal

from msgspec import Struct

from llmtel.core.account import Account
from llmtel.core.answers import Column, Document, Line, Row, Table
from llmtel.reports import trust
from llmtel.reports.context import TOOL

CLOSE = 1e-9
"""Relative difference below which two numbers are the same."""
COLUMNS = (
    Column("file", "file", "The sample", "field"),
    Column("call", "call", "Ordinal of the call; none for the whole file", "field"),
    Column("name", "field", "Field of the call, or count of the account", "field"),
    Column("expected", "expected", "What the expectation says, as JSON", "field"),
    Column("read", "read", "What was read, as JSON", "field"),
)
State = Literal["met", "written", "none", "differs", "unread"]
STATES: Mapping[State, str] = {
    "met": "as expected",
    "written": "written as the expectation",
    "none": "no expectation beside it; --write makes one",
    "differs": "not as expected",
    "unread": "not read",
}


class Difference(Struct, frozen=True):
    """A value that is not as expected: of the call of this ordinal (None: of the whole file)."""

    call: int | None
    name: str
    expected: str
    read: str


class Trial(Struct, frozen=True):
    """One sample: its format and the package that brings it, the account, and what came of the comparison.

    `why` says why nothing of it could be read.
    """

    file: str
    format: str | None
    package: str | None
    account: Account
    state: State
    differences: tuple[Difference, ...] = ()
    why: str = ""


def differences(expected: Mapping[str, Any], read: Mapping[str, Any]) -> Iterator[Difference]:
    """Where two readings of a sample differ: format and counts first, then call by call, field by field."""
    whole = [{name: value for name, value in one.items() if name != "rows"} for one in (expected, read)]
    yield from _between(None, *whole)
    for n, pair in enumerate(zip_longest(expected["rows"], read["rows"]), 1):
        yield from _between(n, *(row or {} for row in pair))


def _between(call: int | None, expected: Mapping[str, Any], read: Mapping[str, Any]) -> Iterator[Difference]:
    for name in dict.fromkeys((*expected, *read)):
        left, right = expected.get(name), read.get(name)
        if not _same(left, right):
            yield Difference(call, name, json.dumps(left), json.dumps(right))


def _same(left: object, right: object) -> bool:
    if isinstance(left, float) or isinstance(right, float):
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        return numbers and math.isclose(left, right, rel_tol=CLOSE)  # type: ignore[arg-type]  # numbers, both
    return left == right and type(left) is type(right)


def trials(found: Sequence[Trial]) -> Document:
    """A line for every sample, and a table of all differences."""
    rows: list[Row] = [
        {"file": one.file, "call": d.call, "name": d.name, "expected": d.expected, "read": d.read}
        for one in found
        for d in one.differences
    ]
    table = Table((), (), COLUMNS, rows, title="differences")
    return Document(
        schema="llmtel.formats.test/1",
        title="Formats",
        blocks=(*map(_line, found), *([table] if rows else [])),
        tables=(table,),
        meta={
            "tool": TOOL,
            "files": [
                {
                    "file": one.file,
                    "format": one.format,
                    "package": one.package,
                    "records": one.account.records,
                    "calls": one.account.calls,
                    "state": one.state,
                    **({"why": one.why} if one.why else {}),
                }
                for one in found
            ],
        },
    )


def _line(one: Trial) -> Line:
    if one.state == "unread":
        return Line(f"{one.file}: {STATES[one.state]}", grave=True)
    brought = f" (package {one.package})" if one.package else ""
    said = (
        f"{one.file} is {one.format or 'empty'}{brought}: {trust.records(one.account)} · {STATES[one.state]}"
    )
    return Line(said, grave=one.state == "differs")
