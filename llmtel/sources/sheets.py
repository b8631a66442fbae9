"""Sheets: tables of texts, made of a CSV or of a Parquet file that llmtel did not write."""

from __future__ import annotations

import codecs
import csv
from dataclasses import dataclass, field

import polars as pl

from llmtel.sources import layout
from llmtel.sources.sampling import spread
from llmtel.sources.source import Record

_CELL_ENDS, _ROW_ENDS = "\x1f", "\x1e"
"""What Unicode has for the ends of cells and rows, put where a CSV has them outside of quotes."""
_NO_TEXT = (b"\0", _CELL_ENDS.encode(), _ROW_ENDS.encode())


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
    """A CSV or TSV. One whose quotes stand around whole cells is cut, many times as fast as it is parsed."""
    return _of_regular_csv(data) or _of_parsed_csv(data)


def _of_parsed_csv(data: bytes) -> Sheet:
    """A CSV with whatever quotes."""
    header, rows, places, bad = layout.rows_of_csv(data)
    cells = zip(*rows, strict=True) if rows else ((),) * len(header)
    columns = dict(zip(header, cells, strict=True))
    table = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    return Sheet(table, places, _lines_of(data), bad)


def _lines_of(data: bytes) -> int:
    return data.count(b"\n") + (not data.endswith(b"\n"))


def _of_regular_csv(data: bytes) -> Sheet | None:
    """A CSV in which every quote opens or closes a cell, or stands twice inside one; None for another."""
    if any(byte in data for byte in _NO_TEXT) or data.count(b"\r") != data.count(b"\r\n"):
        return None
    text = data.removeprefix(codecs.BOM_UTF8).decode(errors="replace").removesuffix("\n")
    parted = _parted(text, layout.separator_of(text))
    first, *rest = (parted or "").split(_ROW_ENDS)
    header = [_bare(name).strip() for name in first.removesuffix("\r").split(_CELL_ENDS)]
    if not first.strip() or len(set(header)) != len(header):
        return None
    rows = pl.DataFrame({"row": rest}, schema={"row": pl.String})
    if (rows["row"].str.len_bytes() > csv.field_size_limit()).any():
        return None
    return _cut(rows, header, first.count("\n") + 1, _lines_of(data))


def _parted(text: str, separator: str) -> str | None:
    """A CSV with `_CELL_ENDS` and `_ROW_ENDS` where it says so; None where a quote is out of place."""
    ends = str.maketrans({separator: _CELL_ENDS, "\n": _ROW_ENDS})
    parts = text.split('"')
    outside = [part.translate(ends) if part else part for part in parts[::2]]
    closes, opens = (_CELL_ENDS, _ROW_ENDS, "\r"), (_CELL_ENDS, _ROW_ENDS)
    in_place = (
        len(parts) % 2 == 1
        and all(not part or part[-1] in opens for part in outside[:-1])
        and all(not part or part[0] in closes for part in outside[1:])
    )
    parts[::2] = outside
    return '"'.join(parts) if in_place else None


def _bare(cell: str) -> str:
    """A cell without its quotes."""
    return cell[1:-1].replace('""', '"') if cell.startswith('"') else cell


def _cut(parted: pl.DataFrame, header: list[str], above: int, lines: int) -> Sheet:
    """The sheet of parted rows, which has so many lines, some of them (the header's) `above` these."""
    row = pl.col("row")
    counted = parted.select(
        row.str.strip_suffix("\r"),
        fields=row.str.count_matches(_CELL_ENDS, literal=True) + 1,
        number=(row.str.count_matches("\n", literal=True) + 1).cum_sum() + above,
    )
    fits = (pl.col("fields") == len(header)) & (row != "")
    rows, others = counted.filter(fits), counted.filter(~fits)
    cells = rows.select(row.str.split_exact(_CELL_ENDS, len(header) - 1).struct.rename_fields(header))
    table = cells.unnest("row")
    quoted = [name for name in header if table[name].str.starts_with('"').any()]
    bad = [
        (number, layout.misfit(fields, len(header)) if text else "")
        for text, fields, number in others.iter_rows()
    ]
    return Sheet(table.with_columns(map(_without_quotes, quoted)), rows["number"].to_list(), lines, bad)


def _without_quotes(name: str) -> pl.Expr:
    cell = pl.col(name)
    inside = cell.str.strip_prefix('"').str.strip_suffix('"').str.replace_all('""', '"', literal=True)
    return pl.when(cell.str.starts_with('"')).then(inside).otherwise(cell)


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
