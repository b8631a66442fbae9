"""Tables as plain rows for machines: raw numbers, null where unknown, and never a value that is no number."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from llmtel.core.answers import Column, Document, Row, Table, Value
from llmtel.core.units import USD

_MARKS = ("pooled", "pooled_count", "suppressed")


PRICE_BOOK = "price_book"
"""The column of `price_book`."""


class Flat(Struct, frozen=True):
    """One table with everything in it: the columns in order, and rows of values."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def raw(table: Table, row: Row) -> dict[str, Value]:
    """A row as machines get it: every column in order, and the marks of a pooled tail and of a hidden row."""
    values = {column.id: finite(row.get(column.id)) for column in table.columns}
    return values | {name: row[name] for name in _MARKS if row.get(name)}


def price_book(document: Document) -> str | None:
    """Which prices the amounts of money are at, "2026-11-23 sha256:…"; None where there are none.

    What has no place for a document's keys carries it in its rows. Costs that were frozen with their calls
    are at no price of the book.
    """
    prices = document.meta.get("pricing")
    money = any(
        c.unit is not None and c.unit.name.startswith(USD.name) for t in document.tables for c in t.columns
    )
    if not prices or not money:
        return None
    if prices.get("cost_source") == "frozen":
        return "frozen with the calls"
    frozen = f" (frozen with {prices['frozen']:,} of the calls)" if prices.get("frozen") else ""
    return f"{prices['as_of']} sha256:{prices['sha256']}{frozen}"


def finite(value: Value) -> Value:
    """The value, or None for a float that is no number."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def flat(document: Document) -> Flat:
    """The answer as one table.

    The total is left out beside a single other table; several tables stand below one another with a column
    `by` that says whose row it is.
    """
    tables = document.tables
    chosen = [table for table in tables if table.by] or list(tables[:1])
    if len(chosen) == 1:
        return Flat(_columns(chosen), tuple(raw(chosen[0], row) for row in chosen[0].rows))
    by = Column("by", "by", "Dimensions of the table that the row is of", kind="dimension")
    rows = [{"by": ",".join(table.by), **raw(table, row)} for table in tables for row in table.rows]
    return Flat((by, *_columns(tables)), tuple(rows))


def _columns(tables: Sequence[Table]) -> tuple[Column, ...]:
    """The columns of all tables, dimensions first, and the marks that a row has."""
    found = {column.id: column for table in tables for column in table.columns}
    first = [column for column in found.values() if column.kind == "dimension"]
    rest = [column for column in found.values() if column.kind != "dimension"]
    marks = [c for c in _MARKED if any(row.get(c.id) for table in tables for row in table.rows)]
    return (*first, *rest, *marks)


_MARKED = (
    Column("pooled", "pooled", "True for the tail of a table, which stands for several groups", kind="field"),
    Column("pooled_count", "pooled", "How many groups the tail stands for", kind="field"),
    Column("suppressed", "suppressed", "Why a row has no values: too few people, or held back", kind="field"),
)


def jsonable(value: Any) -> Any:  # noqa: ANN401 (any JSON value)
    """`value` with only what JSON has: dicts, lists, no NaN, and dates as ISO text."""
    match value:
        case str() | int() | None:
            return value
        case float():
            return finite(value)
        case date():
            return value.isoformat()
        case Struct():
            return jsonable(asdict(value))
        case Mapping():
            return {str(key): jsonable(item) for key, item in value.items()}
        case Sequence() | set() | frozenset():
            return [jsonable(item) for item in value]
    msg = f"{type(value).__name__} has no form in JSON"
    raise TypeError(msg)
