"""A table as words: what people see in each column, before it is laid out as text or as Markdown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

from msgspec import Struct

from llmtel.core.answers import HELD_BACK, Column, Document, Row, Table, Value
from llmtel.core.units import COUNT, UNKNOWN
from llmtel.render.text import clip, visible, width

NO_VALUE = "–"
"""A text that is not there."""
HELD_BACK_SIGN = "…"
"""A number that is not shown because another would follow from it."""
NULL_KEYS = {"unknown": "(unknown)", "none": "(none)"}
"""What stands for a missing value of a dimension, by what it means."""
MADE_UP = frozenset({"", "other", *NULL_KEYS.values()})
LONGEST = 240
"""Cells of a text from a log that are shown; the rest is an ellipsis."""


class Strip(Struct, frozen=True, dict=True):
    """A column ready to be seen: its head, one visible text a row, and whether it holds numbers.

    `key` marks what names the rows. `shares` are the parts of the whole (0 … 1) where the column may be drawn
    as bars.
    """

    id: str
    head: str
    cells: tuple[str, ...]
    numeric: bool = False
    key: bool = False
    shares: tuple[float | None, ...] | None = None

    @cached_property
    def widest(self) -> int:
        """Cells of the widest value."""
        return max(map(width, self.cells), default=0)

    @cached_property
    def longest_word(self) -> int:
        """Cells of the widest word of any value."""
        return max((width(word) for cell in self.cells for word in cell.split()), default=0)


def heading(table: Table) -> str:
    """The title of a table, or nothing where the heads of its dimensions say the same."""
    said = {", ".join(table.by).casefold(), " × ".join(table.by).casefold()}
    return "" if table.title.casefold() in said else visible(table.title)


def opening(document: Document) -> str:
    """The title of a document, or nothing where its first block says the same."""
    first = document.blocks[0] if document.blocks else None
    same = isinstance(first, Table) and heading(first).casefold() == visible(document.title).casefold()
    return "" if same else visible(document.title)


def strips(table: Table) -> list[Strip]:
    """The columns of `table`, as people see them."""
    return [_strip(column, table) for column in table.columns]


def _strip(column: Column, table: Table) -> Strip:
    values = [row.get(column.id) for row in table.rows]
    if column.kind == "dimension" or column.id in table.by:
        cells = tuple(key(row, column, table.by) for row in table.rows)
        return Strip(column.id, _key_head(column, table), cells, key=True)
    if column.unit is None:
        numeric = any(is_number(v) for v in values) and all(v is None or is_number(v) for v in values)
        texts = _with_reasons(table, values, [plain(v) for v in values])
        return Strip(column.id, visible(column.label), texts, numeric=numeric)
    numbers = tuple(number(value) for value in values)
    shares = numbers if column.id == table.bar else None
    cells = _with_reasons(table, values, column.unit.column(numbers))
    return Strip(column.id, unit_head(column), cells, numeric=True, shares=shares)


def _with_reasons(table: Table, values: Sequence[Value], cells: Sequence[str]) -> tuple[str, ...]:
    """The cells, where a row has no value the sign of why: "<5", or "…" for one that is held back."""
    reasons = [
        None if v is not None else r.get("suppressed") for v, r in zip(values, table.rows, strict=True)
    ]
    return tuple(
        cell if why is None else HELD_BACK_SIGN if why == HELD_BACK else str(why)
        for cell, why in zip(cells, reasons, strict=True)
    )


def unit_head(column: Column) -> str:
    """The label with the unit of the numbers below it: "p95 s"."""
    label = visible(column.label)
    symbol = column.unit.head if column.unit else ""
    return label if not symbol or symbol in label else f"{label} {symbol}"


def _key_head(column: Column, table: Table) -> str:
    head = visible(column.label).upper()
    shown = sum(not row.get("pooled") for row in table.rows)
    if table.distinct is None or table.distinct <= shown or len(table.by) > 1:
        return head
    return f"{head}  top {COUNT.show(shown)} of {COUNT.show(table.distinct)}"


def key(row: Row, column: Column, by: Sequence[str]) -> str:
    """What names a row: the value of a dimension, "(unknown)" or "(none)", or, for the tail, "other (N)".

    A value that looks like one of these, or like nothing, is quoted.
    """
    if row.get("pooled"):
        count = number(row.get("pooled_count"))
        words = "other" if count is None else f"other ({COUNT.show(count)})"
        return words if column.id == by[0] else ""
    value = row.get(column.id)
    if value is None:
        return NULL_KEYS[column.null]
    text = plain(value)
    special = text in {NO_VALUE, *MADE_UP} or text.startswith("other (") or text != text.strip()
    return f'"{text}"' if special else text


def plain(value: Value) -> str:
    """A value without a unit, made visible."""
    if value is None:
        return NO_VALUE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else UNKNOWN
    return clip(visible(str(value)), LONGEST)


def is_number(value: Value) -> bool:
    """Whether a value is a number (a truth is none)."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def number(value: Value) -> float | None:
    """The value where it is a finite number; None otherwise."""
    return value if isinstance(value, int | float) and math.isfinite(value) else None
