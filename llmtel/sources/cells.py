"""Cells of a table (CSV, Parquet) as raw columns: every value is text, and is read as the mapping wants.

A cell may hold an object or a list as JSON: a path leads into it as it does in a record.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from llmtel.sources.plan import Plan
from llmtel.sources.raw import Kind, RawColumn

_YES, _NO = ("true", "1", "yes", "t", "y"), ("false", "0", "no", "f", "n")
_LARGEST = float(2**63)
_NOTHING = ("", "NULL")
"""What stands in a cell without a number; a database's export writes the word."""
_COUNT = r'"[^"\\\x00-\x1f]*": ?(?:0|[1-9][0-9]{0,17})'
_COUNTS = rf"^\{{(?:{_COUNT}(?:, ?{_COUNT})*)?\}}$"
"""An object of counts, as usage mostly is."""
_GROUPED = r"^-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?$"
"""Thousands with commas, as in money: a comma elsewhere is no part of a number."""


def raw_rows(table: pl.DataFrame, numbers: pl.Series, plan: Plan) -> pl.DataFrame:
    """The raw columns of a plan from a table of texts, with `row` (`numbers`) and maybe `unreadable`."""
    columns: list[pl.Series | pl.Expr] = [numbers.alias("row")]
    faults = []
    texts = _texts(table, plan.columns)
    for column in plan.columns:
        if column.name not in texts.columns:
            columns.append(pl.lit(None, dtype=column.dtype).alias(column.name))
            continue
        text = texts[column.name]
        value = _read(text, column.kind)
        if value.null_count() > text.null_count():
            fault = value.is_null() & text.is_not_null() & ~text.str.strip_chars().is_in(_NOTHING)
            faults += [pl.when(fault).then(pl.lit(column.name))] if fault.any() else []
        columns.append(value.alias(column.name))
    frame = pl.select(columns)
    return (
        frame.with_columns(pl.concat_list(faults).list.drop_nulls().alias("unreadable")) if faults else frame
    )


def _texts(table: pl.DataFrame, columns: Sequence[RawColumn]) -> pl.DataFrame:
    """The texts of raw columns: cells of their own, or what stands at their paths in cells that hold JSON.

    All are looked up in one query, so that every core has some; those that are nowhere are left out.
    """
    names = set(table.columns)
    own = {column: ".".join(map(str, column.steps)) for column in columns}
    inside = [column for column, name in own.items() if name not in names and f"{column.steps[0]}" in names]
    cells = table.select(pl.col({f"{column.steps[0]}" for column in inside}))
    escaped = {name for name in cells.columns if cells[name].str.contains("\\u", literal=True).any()}
    may_hold = table.select(_may_hold(column, escaped).alias(f"@{column.name}") for column in inside)
    held = [column for column in inside if may_hold[f"@{column.name}"].any()]
    counts = cells.select(pl.all().str.contains(_COUNTS).name.prefix("@counts "))
    of_counts = {name for name in cells.columns if counts[f"@counts {name}"].any()}
    return pl.concat([table, may_hold, counts], how="horizontal").select(
        *(pl.col(name).alias(column.name) for column, name in own.items() if name in names),
        *(_at_path(column, of_counts).alias(column.name) for column in held),
    )


def _at_path(column: RawColumn, of_counts: set[str]) -> pl.Expr:
    """What stands at a path, in cells that may have it: to look for it costs many times as much as to ask.

    What an object of counts has once is told by a pattern, in a third of the time; `of_counts` are columns
    with such objects.
    """
    name, *inner = column.steps
    cell, may = pl.col(f"{name}"), pl.col(f"@{column.name}")
    path = "$" + "".join(f"[{step}]" if isinstance(step, int) else f"['{step}']" for step in inner)
    if name not in of_counts or len(inner) != 1 or isinstance(inner[0], int):
        return pl.when(may).then(cell).str.json_path_match(path)
    once = pl.col(f"@counts {name}") & (cell.str.count_matches(f'"{inner[0]}":', literal=True) == 1)
    count = pl.when(once).then(cell).str.extract(f'"{re.escape(inner[0])}": ?([0-9]+)')
    return count.fill_null(pl.when(may & ~once).then(cell).str.json_path_match(path))


def _may_hold(column: RawColumn, escaped: set[str]) -> pl.Expr:
    """Whether cells may have the key that a path ends with: most mappings have many names for one fact.

    In `escaped` cells it may be written otherwise.
    """
    name, key = f"{column.steps[0]}", column.steps[-1]
    if isinstance(key, int):
        return pl.col(name).str.contains("[", literal=True)
    if name in escaped or not key.isascii() or '"' in key or "\\" in key:
        return pl.col(name).is_not_null()
    return pl.col(name).str.contains(f'"{key}"', literal=True)


def _read(text: pl.Series, kind: Kind) -> pl.Series:
    if kind in ("str", "time"):
        return text.replace("", None) if (text == "").any() else text
    if kind == "bool":
        word = text.str.strip_chars().str.to_lowercase()
        return pl.select(pl.when(word.is_in(_YES)).then(True).when(word.is_in(_NO)).then(False)).to_series()
    wanted = pl.Float64 if kind == "number" else pl.Int64
    plain = text.cast(wanted, strict=False)
    if kind == "number":
        plain = pl.select(pl.when(plain.is_finite()).then(plain)).to_series()
    rest = (plain.is_null() & text.is_not_null() & (text != "")).arg_true()
    if rest.is_empty():
        return plain
    return plain.scatter(rest, _dressed(text.gather(rest), kind))


def _dressed(text: pl.Series, kind: Kind) -> pl.Series:
    """Numbers that people and spreadsheets have made more readable: `$1,234.50`, ` 12 `, `3.0`."""
    cell = text.str.strip_chars().str.replace(r"^(-?)\$", "$1")
    grouped = cell.str.contains(_GROUPED)
    plain = pl.select(pl.when(grouped).then(cell.str.replace_all(",", "")).otherwise(cell)).to_series()
    number = plain.cast(pl.Float64, strict=False)
    usable = number.is_finite()
    if kind != "number":
        usable &= (number == number.floor()) & (number.abs() < _LARGEST)
    known = pl.select(pl.when(usable).then(number)).to_series()
    if kind == "number":
        return known
    return text.str.strip_chars().cast(pl.Int64, strict=False).fill_null(known.cast(pl.Int64, strict=False))
