"""The table of rollups: what days leave behind when their calls expire (`query.rollup`), one file a day.

A day is read from it only where the calls have no such day, so that to make a rollup changes no answer and a
process that is killed before the calls go does no harm: the next one puts a new rollup in the place of it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import polars as pl
from msgspec import Struct

from llmtel.query.rollup import BY, packed, rolled, states, unpacked
from llmtel.store.actions import Written
from llmtel.store.folder import Where, at
from llmtel.store.kinds import Kind
from llmtel.store.location import LOG, Folder, private
from llmtel.store.making import created
from llmtel.store.rows import calls_of
from llmtel.store.swap import accepted
from llmtel.store.table import Table, opened, readable

ROLLUPS = "rollups"
_UNREAD = frozenset({
    "call_id", "response_id", "file", "line", "user", "session", "trace", "prompt", "prompt_version", "tags",
})  # fmt: skip
"""Stored fields that are in no rollup, nor in a price."""
_HOUR = timedelta(hours=1)


class Prices(Struct, frozen=True):
    """How calls get their costs, and the SHA-256 of the price book, which stays beside the costs."""

    priced: Callable[[pl.DataFrame], pl.DataFrame]
    book: str


class Made(Struct, frozen=True):
    """Rollups that were made: days, the calls in them, cells and bytes on disk."""

    days: int
    calls: int
    cells: int
    size: int


def kind() -> Kind:
    """The table of cells."""
    return Kind(ROLLUPS, states().stored, ("ts", *BY))


def has_any(folder: Folder) -> bool:
    """Whether a store has a table of rollups."""
    return LOG in folder.names(ROLLUPS)


def table(calls: Table) -> Table:
    """The table of rollups beside the calls, made where there is none, encrypted as they are."""
    return (
        opened(calls.folder, kind()) if has_any(calls.folder) else created(calls.folder, calls.key_id, kind())
    )


def tables(place: Where) -> list[Table]:
    """All tables of a store: the calls, and the rollups where there are any."""
    calls = opened(place)
    return [calls, *([opened(calls.folder, kind())] if has_any(calls.folder) else [])]


def roll_up(place: Where, prices: Prices, since: date | None = None, until: date | None = None) -> Made:
    """Make the rollups of the days of the calls from `since` until before `until`, or make them anew."""
    folder = at(place)

    def work() -> Made:
        calls = opened(folder)
        chosen = calls.files.filter(pl.col("day").is_not_null())
        if since is not None:
            chosen = chosen.filter(pl.col("day") >= since)
        if until is not None:
            chosen = chosen.filter(pl.col("day") < until)
        return replaced(calls, chosen, prices)

    with private(), folder.lock():
        return accepted(work)


def replaced(calls: Table, files: pl.DataFrame, prices: Prices | None) -> Made:
    """Put rollups of the days of some files of the calls in the place of those that are there.

    Without `prices` none is put there, and those that are there go. Raises `Refused`.
    """
    if files.is_empty() or (prices is None and not has_any(calls.folder)):
        return Made(0, 0, 0, 0)
    target = table(calls)
    written: list[Written] = []
    try:
        if prices is not None:
            for part in files.partition_by("day"):
                written += target.write(_cells(calls, part, prices))
    except BaseException:
        target.discard(written)
        raise
    old = target.files.filter(pl.col("day").is_in(files["day"].unique().implode()))["path"]
    if written or old.len():
        target.commit(written, old)
    return Made(
        len(written),
        int(files["rows"].sum()) if written else 0,
        sum(one.rows for one in written),
        sum(one.size for one in written),
    )


def _cells(calls: Table, files: pl.DataFrame, prices: Prices) -> pl.DataFrame:
    """The cells of a day."""
    return packed(rolled(prices.priced(calls_of(calls, files, _UNREAD)), prices.book))


def cells(calls: Table, since: datetime | None = None, until: datetime | None = None) -> pl.DataFrame | None:
    """The cells of the days that the calls no longer have, of hours that reach into a range of time.

    None where the store has no rollups.
    """
    if not has_any(calls.folder):
        return None
    target = opened(calls.folder, kind())
    files = target.files.filter(~pl.col("day").is_in(calls.files["day"].drop_nulls().unique().implode()))
    if since is not None:
        files = files.filter(pl.col("last") > since - _HOUR)
    if until is not None:
        files = files.filter(pl.col("first") < until)
    with readable(calls.folder):
        found = target.plain(files).collect()
    inside = pl.lit(value=True) if since is None else pl.col("ts") > since - _HOUR
    inside &= pl.lit(value=True) if until is None else pl.col("ts") < until
    return unpacked(found.filter(inside))
