"""What a store says of itself: its numbers, its faults, and what was done to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llmtel.core.account import Reject
from llmtel.core.answers import Column, Document, Line, Table
from llmtel.core.units import COUNT
from llmtel.findings.words import several
from llmtel.reports.context import TOOL


def info(name: str, figures: Mapping[str, Any], formats: Sequence[tuple[str, int, int]]) -> Document:
    """The numbers of the store at `name`; `formats` are calls and log files by format."""
    table = Table(
        by=("format",),
        metrics=("calls", "logs"),
        columns=(
            Column("format", "format", "Format the calls were read from", "dimension"),
            Column("calls", "calls", "Calls", "metric", COUNT),
            Column("logs", "log files", "Log files that the calls came from", "metric", COUNT),
        ),
        rows=[{"format": of, "calls": calls, "logs": logs} for of, calls, logs in formats],
    )
    span = f" · {figures['first']:%-d %b %Y} – {figures['last']:%-d %b %Y}" if figures["first"] else ""
    counted = "rows" if figures["locked"] else "calls"
    keys = " and ".join(figures["keys"])
    lines = (
        Line(f"{name} · {figures['calls']:,} {counted} · {figures['days']:,} days{span}"),
        Line(f"{figures['files']:,} data files, {figures['size']:,} bytes · version {figures['version']:,}"),
        *([Line(_rolled_up(figures))] if figures["rollups"] else ()),
        Line(_were_rejected(figures["rejects"])),
        Line(f"encrypted with the key {keys}" if keys else "not encrypted"),
        Line(_people(figures["users"], figures["key_ids"], figures["keys_missing"])),
        *([Line(figures["locked"], grave=True)] if figures["locked"] else ()),
    )
    told = {
        key: value.isoformat() if key in ("first", "last") and value else value
        for key, value in figures.items()
    }
    blocks = (*lines, table) if formats else lines
    return _document("store", "Store", blocks, (table,), {"store": name, **told})


def _were_rejected(n: int) -> str:
    return f"{_counted(n, 'record')} {'was' if n == 1 else 'were'} rejected when it took them"


def _rolled_up(figures: Mapping[str, Any]) -> str:
    """How many more days are in rollups."""
    return f"{figures['rolled_up']:,} more days in rollups, of {figures['rollups']:,} bytes in all"


def _people(users: str, key_ids: Sequence[str], missing: Sequence[str]) -> str:
    """How users are kept, and under which keys."""
    how = {"plain": "kept by name", "pseudonym": "kept as pseudonyms", "drop": "not kept"}[users]
    keys = ", ".join(f"{one} (not at hand)" if one in missing else one for one in key_ids)
    return f"users are {how}" + (f", under the key{'s' if len(key_ids) > 1 else ''} {keys}" if keys else "")


def verified(name: str, faults: Sequence[str], orphans: int, files: int) -> Document:
    """Whether the store at `name` is whole, and every fault of it."""
    said = "whole" if not faults else _counted(len(faults), "fault")
    lines = [Line(f"{name}: {said} · {_counted(files, 'data file')} looked at", grave=bool(faults))]
    lines += [Line(fault, grave=True) for fault in faults]
    if orphans:
        lines.append(
            Line(
                f"{_counted(orphans, 'file')} no version needs: llmtel store compact {name} drops what is old"
            )
        )
    meta = {"store": name, "files": files, "faults": list(faults), "orphans": orphans}
    return _document("store_verify", "Verify", tuple(lines), (), meta)


def done(name: str, what: str, *texts: str, **figures: int | str) -> Document:
    """What was done to the store at `name`, in sentences and in numbers."""
    lines = tuple(map(Line, texts))
    return _document(f"store_{what}", what.capitalize(), lines, (), {"store": name, **figures})


def rejected(name: str, rejects: Sequence[Reject]) -> Document:
    """Where records were rejected, and why."""
    table = _table_of(rejects)
    head = Line(f"{name}: {_counted(len(rejects), 'rejected record')}")
    return _document(
        "store_rejects", "Rejects", (head, table) if rejects else (head,), (table,), {"store": name}
    )


def retried(name: str, read: int, calls: int, still: Sequence[Reject], lost: Sequence[Reject]) -> Document:
    """What became of the rejected records that were read again."""
    head = Line(f"{name}: of the rejected records {read:,} can be read now: {_counted(calls, 'more call')}")
    said: list[Line | Table] = [head]
    for words, rejects in (("rejected still", still), ("could not be read again", lost)):
        if rejects:
            said += [Line(f"{len(rejects):,} {words}"), _table_of(rejects)]
    figures = {"read": read, "calls": calls, "still": len(still), "lost": len(lost)}
    return _document("store_retry", "Rejects again", tuple(said), (), {"store": name, **figures})


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {several(n, noun)}"


def _table_of(rejects: Sequence[Reject]) -> Table:
    return Table(
        by=("file", "line"),
        metrics=("reason",),
        columns=(
            Column("file", "file", "Log file", "dimension"),
            Column("line", "line", "Line, or ordinal of the record", "dimension", COUNT),
            Column("reason", "reason", "Why it is no record", "metric"),
        ),
        rows=[{"file": one.file, "line": one.line, "reason": one.reason} for one in rejects],
    )


def _document(
    schema: str,
    title: str,
    blocks: tuple[Line | Table, ...],
    tables: tuple[Table, ...],
    meta: Mapping[str, Any],
) -> Document:
    return Document(f"llmtel.{schema}/1", title, blocks, tables, meta={"tool": TOOL, **meta})
