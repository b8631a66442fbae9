"""What a store holds, in numbers."""

from __future__ import annotations

from datetime import datetime

import polars as pl
from msgspec import Struct

from llmtel.core.errors import UsageError
from llmtel.core.schema import FIELDS
from llmtel.store import rejected
from llmtel.store.folder import Where
from llmtel.store.policy import Kept
from llmtel.store.rollups import tables
from llmtel.store.rows import calls_of
from llmtel.store.table import Table, readable

_OF_PERSONS = ("user", "session", "format", "request_count")


class Facts(Struct, frozen=True):
    """`formats` are the calls of each format and the log files they came from; times are UTC.

    `keys` are the ids of the keys that the store is encrypted with. Where one is not at hand, `locked` says
    which, formats are not known, and `calls` are rows, also those that stand for no request of their own.
    `kept` is how users are kept. `rolled_up` are the days that are left in rollups only; all rollups have
    `rollups` bytes.
    """

    calls: int
    days: int
    files: int
    size: int
    version: int
    rejects: int
    first: datetime | None
    last: datetime | None
    formats: tuple[tuple[str, int, int], ...]
    keys: tuple[str, ...]
    locked: str | None
    kept: Kept
    rolled_up: int = 0
    rollups: int = 0


def facts(place: Where) -> Facts:
    """The numbers of a store; of its files only the columns that they need are read, none without a key."""
    table, *others = tables(place)
    files = table.files
    rolled = pl.concat([other.files for other in others]) if others else files.clear()
    counts, locked = None, None
    try:
        counts = _formats(table)
    except UsageError as error:
        locked = str(error)
    first, last = files.select(a=pl.col("first").min(), b=pl.col("last").max()).row(0)
    return Facts(
        calls=int((files["rows"] if counts is None else counts["len"]).sum()),
        days=files["day"].n_unique(),
        files=files.height,
        size=int(files["size"].sum()),
        version=table.version,
        rejects=len(rejected.kept(place)),
        first=first,
        last=last,
        formats=() if counts is None else tuple(counts.iter_rows()),
        keys=tuple(sorted({table.key_id, *files["key"]} - {""})),
        locked=locked,
        kept=Kept.of(table),
        rolled_up=len(set(rolled["day"]) - set(files["day"])),
        rollups=int(rolled["size"].sum()),
    )


def persons(place: Where) -> pl.DataFrame:
    """Whose the calls are that `Facts` counts: user, session and format of each. Raises `UsageError`."""
    table = tables(place)[0]
    calls = calls_of(table, table.files, [name for name in FIELDS if name not in _OF_PERSONS])
    return calls.filter(pl.col("request_count").fill_null(1) > 0)


def _formats(table: Table) -> pl.DataFrame:
    counts = (
        table.plain(table.files)
        .filter(pl.col("request_count").fill_null(1) > 0)
        .group_by("format")
        .agg(pl.len(), pl.col("llmtel_source").n_unique())
        .sort("len", "format", descending=[True, False])
        .select("format", "len", "llmtel_source")
    )
    with readable(table.folder):
        return counts.collect()
