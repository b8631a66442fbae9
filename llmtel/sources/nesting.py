"""Nested exports: their lines are opened in Python, piece by piece, while Polars decodes the piece before.

Opening holds Python's lock and decoding does not, so that two cores have work.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import orjson
import polars as pl

from llmtel.sources.decode import Decoded, decode, joined, pieces
from llmtel.sources.plan import Plan
from llmtel.sources.source import Record

_PIECE = 4 << 20
"""Bytes that are opened before they are decoded: few enough that both go on side by side, enough that the
fixed cost of a query over many columns is small."""

_BLANKS_AND_BOM = b" \t\r\xef\xbb\xbf"
Records = Callable[[Record], Iterable[Record]]
"""The records inside a decoded object."""


def decode_nested(
    data: bytes, plan: Plan, records: Records, finish: Callable[[Decoded, bytes], Decoded]
) -> Decoded:
    """The records in complete lines, decoded; their `row` is the place of the line that they came from.

    `finish` is given what was decoded of a piece, with places among the piece's records, and the records.
    """
    words = tuple(word.encode() for word in plan.source.nested)
    first, under_way = 0, []
    with ThreadPoolExecutor(1) as pool:
        for piece in pieces(data, _PIECE):
            lines, places = lines_of_nested(piece, records, first, words)
            under_way.append(pool.submit(_decoded, lines, places, plan, finish))
            first = places[-1] + 1
        whole = joined([part.result() for part in under_way], plan)
    whole.raw = whole.raw.rechunk()  # a mapping reads a column many times
    return whole


def _decoded(
    lines: bytes, places: list[int], plan: Plan, finish: Callable[[Decoded, bytes], Decoded]
) -> Decoded:
    part = finish(decode(lines, plan, len(places)), lines)
    part.raw = part.raw.with_columns(pl.Series("row", places, dtype=pl.UInt32).gather(part.raw["row"]))
    part.rejects = [(places[row], reason) for row, reason in part.rejects]
    return part


def lines_of_nested(
    block: bytes, records: Records, line: int, words: Sequence[bytes] = ()
) -> tuple[bytes, list[int]]:
    """Lines of nested exports, from `line` on, as lines of single records; and the line each came from.

    Bad lines stay as they are, and so do lines without any of the `words`, where there are words; a line
    without records becomes an empty object.
    """
    # as one buffer: kept apart, the many small texts would take half of the time
    out, numbers = bytearray(), list[int]()
    nested = re.compile(b"|".join(map(re.escape, words))).search if words else bool
    lines = block.split(b"\n")
    if not lines[-1]:
        lines.pop()
    for place, text in enumerate(lines, line):
        if nested(text):
            count = _add_records(text, records, out)
            numbers += [place] * count if count > 1 else (place,)
        else:
            out += text + b"\n"
            numbers.append(place)
    return bytes(out if block.endswith(b"\n") else out[:-1]), numbers


def _add_records(text: bytes, records: Records, out: bytearray) -> int:
    """Add the records of a line to `out`, each with its end. Returns how many lines these are."""
    start, count = len(out), 0
    try:
        for record in records(orjson.loads(text.strip(_BLANKS_AND_BOM))):
            out += orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
            count += 1
    except (orjson.JSONDecodeError, RecursionError, TypeError, AttributeError, KeyError, ValueError):
        out[start:] = text + b"\n"
        return 1
    if not count:
        out += b"{}\n"
    return count or 1
