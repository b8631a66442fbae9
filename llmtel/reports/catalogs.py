"""`llmtel list`: the catalogs as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec.structs import replace

from llmtel.core.answers import Column, Document, Row, Table
from llmtel.core.schema import FIELDS
from llmtel.privacy.rules import REDACTIONS
from llmtel.query.dimensions import DIMENSIONS
from llmtel.query.metrics import METRICS
from llmtel.reports.context import TOOL

TYPES: Mapping[str, str] = {
    "String": "text",
    "Int64": "integer",
    "Float64": "number",
    "Boolean": "flag",
    "Datetime": "time",
}
"""Types of columns in the words of those who fill them."""
UNITS: Mapping[str, str] = {"US dollars": "USD", "milliseconds": "ms", "tokens per second": "tokens/s"}
"""Short words for units, where people know them."""
HEADS: Mapping[str, str] = {
    "name": "Word on the command line, and key in JSON",
    "unit": "Unit",
    "better": "Which way is better",
    "type": "Type",
    "null": "What a missing value means",
    "privacy": "What it points at",
    "help": "What it is",
    "evidence": "What the reading rests on",
    "link": "Where its makers define it",
    "mark": "What stands in its place",
    "where": "Where it is looked for",
}


def metrics() -> Document:
    """Every number that can be asked for."""
    rows = [
        {"name": m.name, "unit": m.unit.name, "better": m.better or "", "help": m.help}
        for m in METRICS.values()
    ]
    for_people = [{**row, "unit": UNITS.get(row["unit"], row["unit"])} for row in rows]
    return _document("metrics", ("name", "unit", "better", "help"), rows, for_people)


def dimensions() -> Document:
    """Every way to split."""
    rows = [{"name": d.name, "help": d.help} for d in DIMENSIONS.values()]
    rows.append({"name": "tags.KEY", "help": "An extra key of the log, e.g. tags.team"})
    return _document("dimensions", ("name", "help"), rows)


def fields() -> Document:
    """Every column of a call."""
    rows = [
        {
            "name": f.name,
            "type": TYPES[str(f.dtype.base_type())],
            "null": f.null,
            "privacy": f.privacy,
            "help": f.help,
        }
        for f in FIELDS.values()
    ]
    return _document("fields", ("name", "type", "null", "privacy", "help"), rows)


def formats(known: Iterable[tuple[str, str, str, str]]) -> Document:
    """Every format of a log, given as name, evidence, help and link."""
    ids = ("name", "evidence", "help", "link")
    return _document("formats", ids, [dict(zip(ids, one, strict=True)) for one in known])


def redactions() -> Document:
    """Every rule of what is replaced in logs that are shared."""
    rows = [
        {"name": r.name, "mark": r.mark, "where": "everywhere" if r.anywhere else "in texts", "help": r.help}
        for r in REDACTIONS.values()
    ]
    return _document("redactions", ("name", "mark", "where", "help"), rows)


CATALOGS: Mapping[str, Callable[[], Document]] = {
    "metrics": metrics,
    "dimensions": dimensions,
    "fields": fields,
    "redactions": redactions,
}
"""The catalogs that stand in the program, by name; formats are given."""


def _document(
    what: str, ids: Sequence[str], rows: Sequence[Row], for_people: Sequence[Row] | None = None
) -> Document:
    columns = tuple(Column(name, name, HEADS[name], kind="field") for name in ids)
    table = Table((), (), columns, rows, title=what)
    return Document(
        schema="llmtel.list/1",
        title=what,
        blocks=(table if for_people is None else replace(table, rows=for_people),),
        tables=(table,),
        meta={"tool": TOOL},
    )
