"""Lines to raw rows: fast when all is well, exact when it is not.

Machine code decodes regular lines, and the few others are looked at one by one. Where it was not built, or
many lines are not regular, a batch of plain lines is decoded in one query of Polars. A query that fails is
cut into pieces, and these again; a small piece that fails is looked at line by line. What becomes of a line
depends on the line alone, so all ways agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import orjson
import polars as pl
from msgspec import Struct, field

from llmtel.sources import native
from llmtel.sources.escapes import half_a_character
from llmtel.sources.faults import parsed
from llmtel.sources.newlines import COMPRESSED, line_count
from llmtel.sources.plan import Plan
from llmtel.sources.present import narrowed
from llmtel.sources.project import conforms, project

PIECE = 256 << 10
"""Bytes, about, of a piece that is looked at line by line."""
_PIECES = 8
"""Pieces that a batch which fails is cut into, and each of them that fails again."""
_MISSES = 2
"""Pieces beside each other that may fail before the others are taken to fail as well."""
_BLANK = b" \t\r\n\x0b\x0c"


class Decoded(Struct):
    """The records of a batch as `raw` rows (`row`: the line's place in it, from 0), and the fate of the rest.

    Where a value was coerced or unreadable, `raw` has columns of these names too: lists of raw column names.
    """

    raw: pl.DataFrame
    lines: int = 0
    other: int = 0
    blank: int = 0
    rejects: list[tuple[int, str]] = field(default_factory=list)


def _raw_schema(plan: Plan) -> dict[str, pl.DataType | type[pl.DataType]]:
    return {"row": pl.UInt32, **plan.schema}


def _projected(rows: list[dict[str, object]], plan: Plan) -> pl.DataFrame:
    names = pl.List(pl.String)
    return pl.DataFrame(rows, schema={**_raw_schema(plan), "coerced": names, "unreadable": names})


def decode(data: bytes, plan: Plan, count: int | None = None) -> Decoded:
    """Decode complete lines of JSON, `count` of them if that is known. Never raises on any bytes."""
    regular = plan.compiled.decode(data) if plan.compiled is not None else None
    return _with_odd_lines(regular, plan) if regular is not None else decode_by_query(data, plan, count)


def _with_odd_lines(regular: native.Regular, plan: Plan) -> Decoded:
    raw = regular.raw.select("row", *plan.of_values(regular.raw.columns))
    decoded = Decoded(raw, regular.lines, regular.other)
    if regular.odd:
        decoded = joined([decoded, _decode_each(regular.odd, plan, 0)], plan)
        decoded.raw = decoded.raw.sort("row")
    return decoded


def decode_by_query(data: bytes, plan: Plan, count: int | None = None) -> Decoded:
    """The same as `decode`, by Polars alone: where there is no machine code, or too many lines are odd."""
    narrow = narrowed(data, plan)
    decoded = _decode(data, narrow, count)
    if narrow is not plan:
        of_values = [name for name in ("coerced", "unreadable") if name in decoded.raw.columns]
        decoded.raw = decoded.raw.select("row", *plan.widened(narrow.schema), *of_values)
    return decoded


def _decode(data: bytes, plan: Plan, count: int | None) -> Decoded:
    decoded = _decode_query(data, plan, count)
    if decoded is not None:
        return decoded
    return _by_pieces(data, plan, len(data) // _PIECES)


def _by_pieces(data: bytes, plan: Plan, size: int) -> Decoded:
    """Lines of which some fail: those pieces that fail are cut again, the smallest read line by line."""
    parts: list[Decoded] = []
    start = first = misses = 0
    smallest = size < 2 * PIECE
    while start < len(data):
        if misses < _MISSES:
            piece = next(pieces(data, size, start))
            part = _decode_query(piece, plan)
        else:
            piece = data[start:] if smallest else next(pieces(data, size, start))
            part = None
        if part is None:
            misses += 1
            part = decode_slowly(piece, plan) if smallest else _by_pieces(piece, plan, size // _PIECES)
        parts.append(_moved(part, first))
        first += part.lines
        start += len(piece)
    return joined(parts, plan)


def decode_slowly(data: bytes, plan: Plan) -> Decoded:
    """The same as `decode`, looking at every line."""
    lines = lines_in(data)
    return _decode_each(list(enumerate(lines)), plan, len(lines))


def lines_in(data: bytes) -> list[bytes]:
    """The lines of a text without their ends; the last may have none."""
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return lines


def joined(parts: list[Decoded], plan: Plan) -> Decoded:
    """Several parts of a batch as one."""
    whole = Decoded(
        pl.concat([part.raw for part in parts], how="diagonal")
        if parts
        else pl.DataFrame(schema=_raw_schema(plan))
    )
    for part in parts:
        whole.lines += part.lines
        whole.other += part.other
        whole.blank += part.blank
        whole.rejects += part.rejects
    return whole


def pieces(data: bytes, size: int, start: int = 0) -> Iterator[bytes]:
    """Complete lines from `start` on, in parts of at least `size` bytes, but for the last."""
    while start < len(data):
        end = data.find(b"\n", start + size) + 1 or len(data)
        yield data[start:end]
        start = end


def _moved(part: Decoded, first: int) -> Decoded:
    part.raw = part.raw.with_columns(pl.col("row") + pl.lit(first, dtype=pl.UInt32))
    part.rejects = [(row + first, reason) for row, reason in part.rejects]
    return part


def _decode_query(data: bytes, plan: Plan, count: int | None = None) -> Decoded | None:
    """The batch in one query; None when a line of it fails."""
    if data.startswith(COMPRESSED):
        return None
    if not data:
        return Decoded(pl.DataFrame(schema=_raw_schema(plan)))
    if count is None:
        count = line_count(data)
    line = pl.col("line")
    lines = pl.scan_lines(data, row_index_name="row")
    plain = line.str.starts_with("{")
    marked = plan.has_marker()
    if marked is not None:
        plain &= line.str.ends_with("}")
        lines = lines.filter(marked | ~plain)
    if b"\\" in data:
        plain &= ~half_a_character(line)
    if plan.suspicious:
        plain &= ~line.str.contains(plan.suspicious)
    query = lines.select(
        pl.col("row").cast(pl.UInt32),
        pl.when(plain).then(line).str.json_decode(plan.dtype).alias("record"),
        pl.when(~plain).then(line).alias("odd"),
    )
    try:
        # unpacking a struct of many chunks costs more than decoding it: one chunk first
        frame = query.collect(engine="streaming").rechunk().select("row", "odd", *plan.unpacked)
    except pl.exceptions.PolarsError:
        return None
    frame = _with_booleans_odd(frame, data, plan)
    return _with_odd_ones(frame, Decoded(frame, count, count - frame.height), plan)


def _with_booleans_odd(frame: pl.DataFrame, data: bytes, plan: Plan) -> pl.DataFrame:
    """The rows of a query; where a number was decoded from a boolean, with the line as odd.

    Such a number is 0 or 1, and few lines have one: theirs are looked for again in the batch.
    """
    if plan.zero_or_one is None:
        return frame
    doubtful = frame["row"].filter(frame.select(plan.zero_or_one).to_series())
    if doubtful.is_empty():
        return frame
    line = pl.col("line")
    lines = pl.scan_lines(data, row_index_name="row").with_columns(pl.col("row").cast(pl.UInt32))
    boolean = lines.filter(pl.col("row").is_in(doubtful.implode()), line.str.contains(plan.boolean_numbers))
    found = boolean.collect()
    if found.is_empty():
        return frame
    joined_ = frame.join(found, on="row", how="left", maintain_order="left")
    return joined_.with_columns(pl.coalesce("odd", "line").alias("odd")).drop("line")


def _with_odd_ones(frame: pl.DataFrame, decoded: Decoded, plan: Plan) -> Decoded:
    """The rows of a query, those lines that were not plain looked at one by one."""
    odd = frame.filter(pl.col("odd").is_not_null()).select("row", "odd")
    decoded.raw = (frame.filter(pl.col("odd").is_null()) if odd.height else frame).drop("odd")
    if odd.height:
        decoded = joined(
            [decoded, _decode_each([(row, text.encode()) for row, text in odd.iter_rows()], plan, 0)], plan
        )
        decoded.raw = decoded.raw.sort("row")
    return decoded


def _decode_each(lines: list[tuple[int, bytes]], plan: Plan, count: int) -> Decoded:
    """Lines one by one, each with its place in the batch."""
    decoded = Decoded(pl.DataFrame(schema=_raw_schema(plan)), count)
    patterns = [pattern for pattern in (plan.suspicious, plan.boolean_numbers) if pattern]
    suspicious = re.compile("|".join(patterns).encode()) if patterns else None
    markers = [marker.encode() for marker in plan.source.markers]
    plain: list[tuple[int, bytes]] = []
    rows = []
    for row, line in lines:
        text = line.strip(_BLANK).removeprefix(b"\xef\xbb\xbf").strip(_BLANK)
        if not text:
            decoded.blank += 1
            continue
        if (
            markers
            and text[:1] == b"{"
            and text[-1:] == b"}"
            and not any(marker in text for marker in markers)
        ):
            decoded.other += 1
            continue
        record = parsed(text)
        if isinstance(record, str):
            decoded.rejects.append((row, record))
        elif conforms(record, text, plan, suspicious):
            plain.append((row, text))
        else:
            rows.append({"row": row, **project(record, plan.columns, plan.objects)})
    parts = [decoded, _typed(plain, plan)]
    if rows:
        parts.append(Decoded(_projected(rows, plan)))
    whole = joined(parts, plan)
    whole.raw = whole.raw.sort("row")
    return whole


def _typed(lines: list[tuple[int, bytes]], plan: Plan) -> Decoded:
    """Lines that conform, through the typed decode. A failure halves them until it is one line."""
    empty = Decoded(pl.DataFrame(schema=_raw_schema(plan)))
    if not lines:
        return empty
    frame = pl.DataFrame(
        {"row": [row for row, _ in lines], "line": [line.decode() for _, line in lines]},
        schema={"row": pl.UInt32, "line": pl.String},
    )
    try:
        raw = frame.select("row", pl.col("line").str.json_decode(plan.dtype).alias("record")).select(
            "row", *plan.unpacked
        )
    except pl.exceptions.PolarsError:
        if len(lines) > 1:
            middle = len(lines) // 2
            return joined([_typed(lines[:middle], plan), _typed(lines[middle:], plan)], plan)
        row, line = lines[0]
        empty.raw = _projected(
            [{"row": row, **project(orjson.loads(line), plan.columns, plan.objects)}], plan
        )
        return empty
    return Decoded(raw)
