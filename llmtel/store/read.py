"""Calls of a store: only the days and the columns that a question needs."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import polars as pl
from msgspec import Struct

from llmtel.store import rollups
from llmtel.store.folder import Where
from llmtel.store.rows import calls_of
from llmtel.store.table import Table, opened


class Stored(Struct, frozen=True):
    """Calls of a store (all FIELDS, unpriced), and what they were read from.

    `size` are the bytes of the data files that were opened, `covered` the first and last time of all calls
    of the store. `cells` are the rollups of days whose calls have expired.
    """

    calls: pl.DataFrame
    files: int
    size: int
    covered: tuple[datetime | None, datetime | None]
    cells: pl.DataFrame | None = None


def stored(
    place: Where | Table,
    since: datetime | None = None,
    until: datetime | None = None,
    without: Collection[str] = (),
) -> Stored:
    """The calls of the days from `since` until just before `until`, and those without a time.

    They are those of a store, or of a snapshot of one.
    Fields in `without` are not read and null. Other calls of the first and the last day come along: who
    narrows to the moment does so with the rest of the conditions.
    """
    table = place if isinstance(place, Table) else opened(place)
    files = table.files
    covered = files.select(first=pl.col("first").min(), last=pl.col("last").max()).row(0)
    if since is not None:
        files = files.filter(pl.col("day").is_null() | (pl.col("last") >= since))
    if until is not None:
        files = files.filter(pl.col("day").is_null() | (pl.col("first") < until))
    calls = calls_of(table, files, without)
    cells = rollups.cells(table, since, until)
    return Stored(calls, files.height, int(files["size"].sum()), covered, cells)
