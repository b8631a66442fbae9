"""`llmtel inspect`: how each file was read, a few calls as they came out, and what was not understood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
from msgspec import Struct, field
from msgspec.structs import asdict

from llmtel.core.account import Account, Note, Reject
from llmtel.core.answers import Column, Document, Line, Table, Value
from llmtel.core.schema import FIELDS
from llmtel.core.units import COUNT
from llmtel.findings.words import listing
from llmtel.reports import trust
from llmtel.reports.context import TOOL, input_meta, remarks_meta
from llmtel.reports.tables import are_buckets

SAMPLES = 3
MOST_PATHS = 4
DERIVED = ("format", "file", "grain", "request_count", "token_source")
"""Fields that say nothing about a log, for they are the same in every call of it."""
FIELD = Column("field", "field", "Field of the call", "field")


class Look(Struct, frozen=True):
    """How one file is read: its format and why, the paths of each field, decisions, keys nobody reads.

    `marks` are the ways in which its records show that they are of the format, `perhaps` the fields that no
    call knows, each with the path of an unread key that looks like it, and why. With `inside` the paths of
    the mapping are those of records that were found inside the file's own.
    """

    file: str
    format: str
    why: str
    mapping: Mapping[str, Sequence[str]]
    marks: Sequence[str] = ()
    decisions: Sequence[str] = ()
    unread: Sequence[str] = ()
    perhaps: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    inside: bool = False


def inspection(
    looks: Sequence[Look],
    calls: pl.DataFrame,
    account: Account,
    rejects: Sequence[Reject],
    notes: Sequence[Note],
) -> Document:
    """The looks, `SAMPLES` calls beside each other, and the account."""
    tables = [_mapping(look) for look in looks if look.mapping]
    if len(calls):
        tables.append(_samples(calls))
    return Document(
        schema="llmtel.inspect/1",
        title="Inspection",
        blocks=(
            *(line for look in looks for line in _in_words(look)),
            *tables,
            Line(f"{trust.files(account)} · {trust.records(account)}"),
            *_values(account),
            *trust.remarks(notes, rejects),
        ),
        tables=tuple(tables),
        meta={
            "tool": TOOL,
            "files": [asdict(look) for look in looks],
            "input": input_meta(account),
            **remarks_meta(rejects, notes),
        },
    )


def _in_words(look: Look) -> list[Line]:
    name = "standard input" if look.file == "-" else look.file
    return [
        Line(f"{name} is {look.format}: {look.why}"),
        *([Line("; or ".join(look.marks), name="known by")] if look.marks else []),
        *(Line(decision, name="decided") for decision in look.decisions),
        *([Line(", ".join(look.unread), name="not read")] if look.unread else []),
        *(
            Line(f"--map {name}={path}  ({why})", name="perhaps")
            for name, (path, why) in look.perhaps.items()
        ),
    ]


def _mapping(look: Look) -> Table:
    rows = [
        {"field": name, "read_from": listing(look.mapping[name], MOST_PATHS)}
        for name in FIELDS
        if look.mapping.get(name)
    ]
    where = f"the records inside {look.file}" if look.inside else look.file
    read_from = Column("read_from", "read from", "Paths in a record that it is made of", "field")
    return Table((), (), (FIELD, read_from), rows, title=f"mapping of {where}")


def _samples(calls: pl.DataFrame) -> Table:
    """The first calls, a column each: every field that one of them knows."""
    sample = calls.head(SAMPLES)
    derived = set(DERIVED) - ({"request_count"} if are_buckets(calls) else set())
    names = [
        n for n in FIELDS if n not in derived and n in sample.columns and sample[n].null_count() < len(sample)
    ]
    shown = sample.select(_words(name) for name in names)
    columns = tuple(
        Column(f"call_{i + 1}", f"call {i + 1}", "A call as it was read", "field") for i in range(len(sample))
    )
    rows: list[dict[str, Value]] = [
        {"field": name, **{f"call_{i + 1}": value for i, value in enumerate(shown[name])}} for name in names
    ]
    return Table(
        (), (), (FIELD, *columns), rows, title=f"first {'call' if len(sample) == 1 else 'calls'} as read"
    )


def _words(name: str) -> pl.Expr:
    column = pl.col(name)
    return column.dt.to_string("%Y-%m-%dT%H:%M:%S%.3fZ") if name == "ts" else column.cast(pl.String)


def _values(account: Account) -> list[Line]:
    """Values that were there and were not what they should be, by field."""
    told = (("unreadable", account.unreadable, True), ("read from another type", account.coerced, False))
    return [
        Line(
            ", ".join(f"{field} {COUNT.show(n)}" for field, n in sorted(counts.items())),
            name=words,
            grave=grave,
        )
        for words, counts, grave in told
        if counts
    ]
