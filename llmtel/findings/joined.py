"""What came together: tables joined to calls, and one call found in logs of several formats."""

from __future__ import annotations

from collections.abc import Sequence

from llmtel.core.account import Note, Unmatched
from llmtel.core.answers import Finding
from llmtel.core.units import COUNT
from llmtel.findings.command import Command
from llmtel.findings.words import listing

SEVERAL = "several_formats"
"""Kind of the reader's note on calls in several formats."""
MOST = 20
"""Values that are given as evidence."""


def unmatched(tables: Sequence[Unmatched], command: Command) -> list[Finding]:
    """For each joined table the values of its key that it does not have, and their calls."""
    return [_missing(table, command) for table in tables if table.values]


def several_formats(notes: Sequence[Note], command: Command) -> list[Finding]:
    """Calls that a gateway and a tracing tool have both logged, which count once."""
    return [
        Finding(
            level="info",
            kind=SEVERAL,
            figure=COUNT.show(note.count),
            text=note.text.replace(f": {note.count:,};", ":"),
            command=command.paste(by="format", metrics="calls,cost"),
            calls=float(note.count),
        )
        for note in notes
        if note.kind == SEVERAL
    ]


def _missing(table: Unmatched, command: Command) -> Finding:
    calls = sum(table.values.values())
    names = listing([f"{value} {COUNT.show(n)}" for value, n in table.values.items()])
    noun = table.field if len(table.values) == 1 else f"{table.field}s"
    return Finding(
        level="warning",
        kind="unmatched",
        figure=COUNT.show(calls),
        text=f"{'call is' if calls == 1 else 'calls are'} of {COUNT.show(len(table.values))} {noun} that "
        f"{table.file} does not have: {names}",
        command=command.paste(where=[f"tags.{table.column}="], by=table.field, metrics="calls,cost"),
        calls=float(calls),
        evidence={
            "file": table.file,
            "field": table.field,
            "calls": calls,
            "keyless_calls": table.keyless,
            "values": len(table.values),
            "missing": dict(list(table.values.items())[:MOST]),
        },
    )
