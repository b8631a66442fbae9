"""Sheets: tables of texts, made of a CSV or of a Parquet file that llmtel did not write."""

from __future__ import annotations

import codecs
import csv
from dataclasses import dataclass, field

import polars as pl

from llmtel.sources import layout
from llmtel.sources.sampling import spread
from llmtel.sources.source import Record


@dataclass(frozen=True)
class Sheet:
    """A table of texts, the line that each row ends on, (line, reason) of rows that do not fit, all lines."""

    table: pl.DataFrame
    places: list[int]
    lines: int
    bad: list[tuple[int, str]] = field(default_factory=list)

    def sample(self) -> list[Record]:
        """The first rows and some spread over the rest; of a table without rows, one row of empty cells."""
        rows = self.table[spread(range(self.table.height))].to_dicts()
        return list(rows) or [dict.fromkeys(self.table.columns, "")]


def of_csv(data: bytes) -> Sheet:
    """A CSV or TSV. One without quotes is cut at its separators, ten times as fast as it is parsed."""
    return _of_plain_csv(data) or _of_parsed_csv(data)


def _of_parsed_csv(data: bytes) -> Sheet:
    """A CSV with whatever quotes."""
    header, rows, places, bad = layout.rows_of_csv(data)
    cells = zip(*rows, strict=True) if rows else ((),) * len(header)
    columns = dict(zip(header, cells, strict=True))
    table = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    return Sheet(table, places, data.count(b"\n") + (not data.endswith(b"\n")), bad)


def _of_plain_csv(data: bytes) -> Sheet | None:
    """A CSV in which every line is a row and every separator separates; None for another."""
    if b'"' in data or b"\0" in data or data.count(b"\r") != data.count(b"\r\n"):
        return None
    text = data.removeprefix(codecs.BOM_UTF8).decode(errors="replace").removesuffix("\n")
    first, newline, rest = text.partition("\n")
    header = [name.strip() for name in first.split(layout.separator_of(text))]
    if not first.strip() or len(set(header)) != len(header):
        return None
    separator, cell = layout.separator_of(text), pl.col("line")
    lines = pl.DataFrame({"line": rest.split("\n") if newline else []}, schema={"line": pl.String})
    if (lines["line"].str.len_bytes() > csv.field_size_limit()).any():
        return None
    counted = lines.select(
        cell.str.strip_suffix("\r"), fields=cell.str.count_matches(separator, literal=True) + 1
    ).with_row_index("number", offset=2)
    fits = (pl.col("fields") == len(header)) & (cell != "")
    rows, rest_of_them = counted.filter(fits), counted.filter(~fits)
    cells = rows.select(cell.str.split_exact(separator, len(header) - 1).struct.rename_fields(header))
    bad = [
        (number, layout.misfit(fields, len(header)) if line else "")
        for number, line, fields in rest_of_them.iter_rows()
    ]
    return Sheet(cells.unnest("line"), rows["number"].to_list(), counted.height + 1, bad)


def of_frame(frame: pl.DataFrame) -> Sheet:
    """A frame as the CSV of it would be; structs as JSON, and of lists and bytes nothing."""
    table = frame.select(_as_text(name, dtype) for name, dtype in frame.schema.items())
    return Sheet(table, list(range(1, table.height + 1)), table.height)


def _as_text(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        return column.dt.to_string("iso:strict")
    if isinstance(dtype, pl.Struct):
        return column.struct.json_encode()
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
        return pl.lit(None, dtype=pl.String).alias(name)
    return column.cast(pl.String)
