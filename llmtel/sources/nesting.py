"""Nested exports: their lines are opened in Python, piece by piece, while the piece before is decoded.

Opening holds Python's lock and decoding does not, so that two cores have work. What a source can read at
once is not opened at all.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, compress

import orjson
import polars as pl
from msgspec import Struct, field

from llmtel.sources.counted import RecordOf, records_of_lines
from llmtel.sources.decode import Decoded, decode, joined, lines_in, pieces
from llmtel.sources.plan import Plan
from llmtel.sources.source import Record, Source

_PIECE = 4 << 20
"""Bytes that are opened before they are decoded: few enough that both go on side by side, enough that the
fixed cost of a query over many columns is small."""
_MISSES = 2
"""Pieces that cannot be read at once before no more are tried."""

_BLANKS_AND_BOM = b" \t\r\xef\xbb\xbf"
Finish = Callable[[Decoded, RecordOf], Decoded]


class _Part(Struct):
    """Some lines of a batch, the place of each, and whether their records may be read at once."""

    lines: bytes
    places: Sequence[int]
    regular: bool


def decode_nested(data: bytes, plan: Plan, finish: Finish) -> Decoded:
    """The records in complete lines, decoded; their `row` is the place of the line that they came from.

    `finish` is given what was decoded of a piece, with places among the piece's records, and these.
    """
    decoder = _Decoder(plan, finish)
    begins = decoder.begins()
    first, under_way, regular = 0, [], list[_Part]()
    with ThreadPoolExecutor(2 if begins else 1) as pool:
        for piece in pieces(data, _PIECE):
            parts = _parts_of(piece, first, decoder.begins())
            first = max(part.places[-1] for part in parts) + 1
            regular += [part for part in parts if part.regular]
            if sum(len(part.lines) for part in regular) >= _PIECE:
                under_way.append(pool.submit(decoder.at_once, regular))
                regular = []
            for part in parts:
                if not part.regular:
                    lines, numbers = lines_of_nested(part.lines, plan.source)
                    under_way.append(pool.submit(decoder.opened, lines, numbers, part.places))
        if regular:
            under_way.append(pool.submit(decoder.at_once, regular))
        whole = joined([part.result() for part in under_way], plan)
    if not whole.raw["row"].is_sorted():
        whole.raw = whole.raw.sort("row", maintain_order=True)
        whole.rejects.sort()
    whole.raw = whole.raw.rechunk()  # a mapping reads a column many times
    return whole


def _parts_of(piece: bytes, first: int, begins: tuple[bytes, ...]) -> list[_Part]:
    """The lines that have one of some beginnings, and the others. Their places count from `first` on."""
    lines = lines_in(piece)
    places = range(first, first + len(lines))
    regular = [line.startswith(begins) for line in lines] if begins else []
    if not any(regular) or all(regular):
        return [_Part(piece, places, any(regular))]
    others = [not one for one in regular]
    return [
        _Part(b"\n".join(compress(lines, these)) + b"\n", list(compress(places, these)), these is regular)
        for these in (regular, others)
    ]


class _Decoder(Struct):
    """Decodes parts of a batch; `missed` are those of which the records could not be read at once."""

    plan: Plan
    finish: Finish
    missed: list[_Part] = field(default_factory=list)

    def begins(self) -> tuple[bytes, ...]:
        """How lines begin whose records may be read at once; none where that fails."""
        reader = self.plan.source.at_once
        return reader.begins if reader is not None and len(self.missed) < _MISSES else ()

    def at_once(self, parts: list[_Part]) -> Decoded:
        """Lines whose records are read at once, or opened where that cannot be."""
        part = _Part(
            b"".join(part.lines for part in parts), list(chain(*(part.places for part in parts))), True
        )
        source = self.plan.source
        found = None if source.at_once is None else source.at_once.columns(part.lines, self.plan.columns)
        if found is None:
            self.missed.append(part)
            return self.opened(*lines_of_nested(part.lines, source), part.places)
        number = pl.int_range(pl.len(), dtype=pl.UInt32).alias("row")
        whole = Decoded(found.select(number, *self.plan.widened(found.columns)), found.height)
        return _placed(
            self.finish(whole, _records_of(part.lines, found["row"], source)), found["row"], part.places
        )

    def opened(self, lines: bytes, numbers: list[int], places: Sequence[int]) -> Decoded:
        """Lines of single records, each from the line of a number."""
        part = self.finish(decode(lines, self.plan, len(numbers)), records_of_lines(lines))
        return _placed(part, pl.Series(numbers, dtype=pl.UInt32), places)


def _placed(part: Decoded, numbers: pl.Series, places: Sequence[int]) -> Decoded:
    """Decoded records with the places of the lines that they came from, by their numbers."""
    at = pl.Series("row", places, dtype=pl.UInt32).gather(numbers)
    part.raw = part.raw.with_columns(at.gather(part.raw["row"]))
    part.rejects = [(at[row], reason) for row, reason in part.rejects]
    return part


def _records_of(data: bytes, numbers: pl.Series, source: Source) -> RecordOf:
    """The records of lines that were read at once, each in the line of its number.

    A line is opened when one of its records is asked for, and kept for the next.
    """
    lines: list[bytes] = []
    line_of: list[int] = []
    kept: dict[int, list[Record]] = {}

    def record(place: int) -> Record:
        if not lines:  # most spans are not asked for
            lines.extend(lines_in(data))
            line_of.extend(numbers)
        number = line_of[place]
        if number not in kept:
            kept.clear()
            kept[number] = list(_records_in(lines[number], source))
        return kept[number][place - bisect_left(line_of, number)]

    return record


def lines_of_nested(block: bytes, source: Source) -> tuple[bytes, list[int]]:
    """Lines of nested exports as lines of single records; and the number of the line that each came from.

    Bad lines stay as they are, and so do lines without any of the words `nested` of the source, where it has
    some; a line without records becomes an empty object.
    """
    # as one buffer: kept apart, the many small texts would take half of the time
    out, numbers = bytearray(), list[int]()
    words = [re.escape(word.encode()) for word in source.nested]
    nested = re.compile(b"|".join(words)).search if words else bool
    for number, text in enumerate(lines_in(block)):
        if nested(text):
            count = _add_records(text, source, out)
            numbers += [number] * count if count > 1 else (number,)
        else:
            out += text + b"\n"
            numbers.append(number)
    return bytes(out if block.endswith(b"\n") else out[:-1]), numbers


def _add_records(text: bytes, source: Source, out: bytearray) -> int:
    """Add the records of a line to `out`, each with its end. Returns how many lines these are."""
    start, count = len(out), 0
    try:
        for record in _records_in(text, source):
            out += orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
            count += 1
    except (orjson.JSONDecodeError, RecursionError, TypeError, AttributeError, KeyError, ValueError):
        out[start:] = text + b"\n"
        return 1
    if not count:
        out += b"{}\n"
    return count or 1


def inside(objects: Sequence[Record], source: Source) -> list[Record]:
    """The records inside some objects of a source, as its mapping sees them."""
    lines = b"".join(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE) for one in objects)
    return [orjson.loads(line) for line in lines_in(lines_of_nested(lines, source)[0])] if lines else []


def _records_in(text: bytes, source: Source) -> Iterable[Record]:
    """The records in a line."""
    record = orjson.loads(text.strip(_BLANKS_AND_BOM))
    return source.records(record) if source.records is not None else (record,)
