"""CSV: one table of raw numbers, the unknown empty, and no cell that a spreadsheet takes for a formula."""

from __future__ import annotations

import csv as std
import io
import re

from llmtel.core.answers import FORMULA, Document, Value
from llmtel.render.rows import PRICE_BOOK, flat, price_book
from llmtel.render.text import visible

_FORMULA = re.compile(FORMULA)


def csv(document: Document) -> str:
    """The answer as CSV with a line of column ids; see `rows.flat` for how several tables become one.

    Where amounts of money are in it, the last column says at which prices.
    """
    table = flat(document)
    ids = [column.id for column in table.columns]
    book = price_book(document)
    text = io.StringIO()
    writer = std.writer(text, lineterminator="\n")
    writer.writerow(map(_cell, [*ids, *([PRICE_BOOK] if book else [])]))
    writer.writerows(
        [*(_cell(row.get(name)) for name in ids), *([book] if book else [])] for row in table.rows
    )
    return text.getvalue()


def _cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return repr(value)
    return f"'{visible(value)}" if _FORMULA.match(value) else visible(value)
