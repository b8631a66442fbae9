"""What a store says of itself to others (`--share`): not where it is, and no numbers of few people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from msgspec.structs import replace

from llmtel.core.account import Reject
from llmtel.core.answers import Column, Document, Line, Table
from llmtel.reports import keeping
from llmtel.reports.privacy import Looked, checked, verdict
from llmtel.reports.sealing import sealed
from llmtel.reports.sharing import Sharing
from llmtel.reports.trust import in_calls

NAME = "the store"
_FIGURES = (
    "calls", "days", "files", "size", "version", "rejects", "first", "last", "users", "encrypted",
    "rolled_up", "rollups",
)  # fmt: skip
_MOST_REASONS = 20


def info(
    persons: pl.DataFrame,
    figures: Mapping[str, Any],
    formats: Sequence[tuple[str, int, int]],
    sharing: Sharing,
) -> Document:
    """As `keeping.info`, of calls whose user, session and format are `persons`.

    Raises `UsageError` where all of them are of too few people.
    """
    full = keeping.info(NAME, {**figures, "encrypted": bool(figures["keys"])}, formats)
    whole = Table((), (), (), [{}])
    (_, *tables), _ = sharing.guarded(sharing.masked(persons), (whole, *full.tables), (), "UTC")
    blocks = [block for block in full.blocks if not isinstance(block, Table)]
    days = {name: full.meta[name] and full.meta[name][: len("2026-11-13")] for name in ("first", "last")}
    document = replace(full, blocks=(*blocks, *tables), tables=tuple(tables), meta={**full.meta, **days})
    return sealed(document, sharing, _FIGURES)


def verified(faults: int, orphans: int, files: int) -> Document:
    """How many faults a store has; where they are is for those who have it."""
    said = f"{faults:,} {'fault' if faults == 1 else 'faults'}" if faults else "whole"
    lines = (Line(f"{NAME}: {said} · {in_calls(files, 'data file')} looked at", grave=bool(faults)),)
    meta = {"files": files, "wrong": faults, "orphans": orphans}
    return sealed(Document("llmtel.store_verify/1", "Verify", lines, meta=meta), Sharing(), meta)


def rejected(rejects: Sequence[Reject]) -> Document:
    """How many records were rejected and why: of whom they are nobody knows, so no reason has a number."""
    reasons = sorted({one.reason for one in rejects})
    table = Table(
        by=("reason",),
        metrics=(),
        columns=(Column("reason", "reason", "Why it is no record", "dimension"),),
        rows=[{"reason": reason} for reason in Sharing().safe(reasons)[:_MOST_REASONS]],
        least=Sharing().k,
    )
    lines = (Line(f"{NAME}: {in_calls(len(rejects), 'rejected record')}"),)
    blocks = (*lines, table) if rejects else lines
    meta = {"records": len(rejects)}
    return sealed(Document("llmtel.store_rejects/1", "Rejects", blocks, (table,), meta=meta), Sharing(), meta)


def retried(read: int, calls: int, still: Sequence[Reject], lost: Sequence[Reject]) -> Document:
    """As `keeping.retried`, without the records."""
    full = keeping.retried(NAME, read, calls, still, lost)
    return sealed(replace(full, blocks=tuple(one for one in full.blocks if isinstance(one, Line))), Sharing())


def looked(found: Looked) -> Document:
    """Columns and their classes, how people are kept and who may read it; of values nothing."""
    # Faults, and where the key was looked for, name files.
    full = checked(replace(found, store=NAME, mend=None, faults=(), locked=None))
    head = verdict(NAME, len(found.faults), is_locked=found.locked is not None)
    blocks = [_without_numbers(one) if isinstance(one, Table) else one for one in full.blocks[1:]]
    tables = tuple(map(_without_numbers, full.tables))
    meta = {**full.meta, "wrong": len(found.faults)}
    return sealed(
        replace(full, blocks=(head, *blocks), tables=tables, meta=meta),
        Sharing(),
        ("wrong", "access", "data_files_by_key"),
    )


def _without_numbers(table: Table) -> Table:
    """The names of the columns, and their classes."""
    columns = tuple(column for column in table.columns if column.kind != "metric")
    rows = [{column.id: row[column.id] for column in columns} for row in table.rows]
    return replace(table, metrics=(), columns=columns, rows=rows, least=Sharing().k)
