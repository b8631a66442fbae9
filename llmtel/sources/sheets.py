"""Sheets: tables of texts, made of a CSV or of a Parquet file that llmtel did not write."""

from __future__ import annotations

import codecs
import csv

import polars as pl
from msgspec import Struct, field

from llmtel.sources import layout
from llmtel.sources.aliases import CONTAINERS, normalised
from llmtel.sources.nested import opened
from llmtel.sources.newlines import line_count
from llmtel.sources.sampling import spread
from llmtel.sources.source import Record

_CELL = r'(?:"(?:[^"\r]|""|\r\n)*"|[^"\r\n{0}]*)'
_QUOTED = rf"^(?:{_CELL}(?:{{0}}|\r?\n))*{_CELL}$"
"""A CSV in which every quote opens or closes a cell, or stands twice inside one, and every carriage return
stands before a line feed; `{0}` separates."""


class Sheet(Struct, frozen=True):
    """A table of texts, the line that each row ends on, (line, reason) of rows that do not fit, all lines."""

    table: pl.DataFrame
    places: pl.Series
    lines: int
    bad: list[tuple[int, str]] = field(default_factory=list)

    def sample(self) -> list[Record]:
        """The first rows and some spread over the rest; of a table without rows, one row of empty cells."""
        rows = self.table[spread(range(self.table.height))].to_dicts()
        return [_opened(row) for row in rows] or [dict.fromkeys(self.table.columns, "")]


def _opened(row: Record) -> Record:
    """A row with the objects that stand in its cells as JSON, where facts are looked for inside them."""
    inside = {name: opened(cell) for name, cell in row.items() if normalised(name) in CONTAINERS}
    return {**row, **{name: value for name, value in inside.items() if isinstance(value, dict)}}


def of_csv(data: bytes) -> Sheet:
    """A CSV or TSV. One whose quotes stand around whole cells is cut, many times as fast as it is parsed."""
    return _of_regular_csv(data) or _of_parsed_csv(data)


def _of_parsed_csv(data: bytes) -> Sheet:
    """A CSV with whatever quotes."""
    header, rows, places, bad = layout.rows_of_csv(data)
    cells = zip(*rows, strict=True) if rows else ((),) * len(header)
    columns = dict(zip(header, cells, strict=True))
    table = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    return Sheet(table, pl.Series(places, dtype=pl.UInt32), line_count(data), bad)


def _of_regular_csv(data: bytes) -> Sheet | None:
    """A CSV that Polars reads as Python does, no row short and no quote out of place; None for another."""
    if b"\0" in data:
        return None
    try:
        text = data.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError:
        return None
    text = text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")
    separator = layout.separator_of(text)
    quoted = '"' in text
    if quoted and not pl.Series([text]).str.contains(_QUOTED.format(separator))[0]:
        return None
    if not quoted and "\r" in text and text.count("\r") != text.count("\r\n"):
        return None
    try:
        cells = pl.read_csv(
            f"{text}\n".encode(),  # without an end of line a separator too many goes unseen
            has_header=False,
            infer_schema=False,
            empty_string_is_null=False,
            separator=separator,
        )
    except pl.exceptions.PolarsError:
        return None
    wide, high = cells.width - 1, cells.height - 1
    lines = line_count(data)
    ends = lines - 1  # the last line has none in the text
    # with an end for each row and no more, none is inside
    broken = ends != high
    inside = {
        mark: _count_inside(cells, mark, quoted=quoted and asked)
        for mark, asked in ((separator, True), ("\n", broken))
    }
    if not wide or text.count(separator) != inside[separator].sum() + wide * (high + 1):
        return None
    if ends != inside["\n"].sum() + high:
        return None
    return _with_header(cells, inside["\n"], lines)


def _count_inside(cells: pl.DataFrame, mark: str, *, quoted: bool) -> pl.Series:
    """How often a mark stands inside the cells of each row: in quotes alone."""
    if not quoted:
        return pl.zeros(cells.height, pl.UInt32, eager=True)
    counts = pl.sum_horizontal(pl.all().str.count_matches(mark, literal=True))
    return cells.select(counts.alias("inside")).to_series()


def _with_header(cells: pl.DataFrame, breaks: pl.Series, lines: int) -> Sheet | None:
    """The sheet of cells whose first row names the columns; `breaks` of lines are inside each row."""
    header = [name.strip() for name in cells.row(0)]
    longest = cells.select(pl.max_horizontal(pl.all().str.len_bytes().max())).item()
    if not any(header) or len(set(header)) != len(header) or longest > csv.field_size_limit():
        return None
    places = pl.int_range(1, cells.height + 1, dtype=pl.UInt32, eager=True) + breaks.cum_sum()
    table = cells.slice(1).rename(dict(zip(cells.columns, header, strict=True)))
    return Sheet(table, places[1:], lines)


def of_frame(frame: pl.DataFrame) -> Sheet:
    """A frame as the CSV of it would be; structs as JSON, and of lists and bytes nothing."""
    table = frame.select(_as_text(name, dtype) for name, dtype in frame.schema.items())
    return Sheet(table, pl.int_range(1, table.height + 1, dtype=pl.UInt32, eager=True), table.height)


def _as_text(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        return column.dt.to_string("iso:strict")
    if isinstance(dtype, pl.Struct):
        return column.struct.json_encode()
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
        return pl.lit(None, dtype=pl.String).alias(name)
    return column.cast(pl.String)
