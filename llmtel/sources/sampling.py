"""Records that stand for a file: some of its lines, from which its format and its mapping are chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import orjson

from llmtel.sources.source import Record

_FEW = 10
"""Lines that are asked first: where they all say the same, no more are."""
_FIRST, _SPREAD = 50, 400
"""Items from the beginning, and about as many spread over the rest."""
_HEAD, _SMALL = 1 << 18, 1 << 20
"""Bytes of a block that are cut into lines: its head, or all of it when it is small."""
_BOM = b"\xef\xbb\xbf"

T = TypeVar("T")


def spread(items: Sequence[T]) -> list[T]:
    """The first items, and others evenly from the rest."""
    step = max(1, len(items) // _SPREAD)
    return [*items[:_FIRST], *items[_FIRST::step]]


def objects(lines: Sequence[bytes]) -> list[Record]:
    """Objects among some lines: the first, and others spread over them. Bad lines are left to the reader."""
    found: list[Record] = []
    for line in spread([line for line in lines if line.strip()]):
        try:
            record = orjson.loads(line.strip().removeprefix(_BOM))
        except (orjson.JSONDecodeError, RecursionError):
            continue
        if isinstance(record, dict):
            found.append(record)
    return found


def first_lines(data: bytes) -> list[bytes]:
    """The first few lines of a block."""
    lines: list[bytes] = []
    start = 0
    while len(lines) < _FEW and start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        lines.append(data[start:end])
        start = end + 1
    return lines


def lines_across(data: bytes) -> list[bytes]:
    """Complete lines from the beginning of a block and from places evenly spread over it."""
    if len(data) <= _SMALL:
        return data.split(b"\n")
    lines = data[:_HEAD].split(b"\n")[:-1]
    for at in range(_HEAD, len(data), max(1, len(data) // _SPREAD)):
        start = data.find(b"\n", at) + 1
        end = data.find(b"\n", start)
        if 0 < start < end:
            lines.append(data[start:end])
    return lines or [data.split(b"\n", 1)[0]]
