"""Files replaced by others in one commit: what compacting, forgetting and expiring have in common."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection

import polars as pl
from msgspec import Struct

from llmtel.store.actions import Written
from llmtel.store.audit import audit
from llmtel.store.columns import COPIES, from_file, unpacked
from llmtel.store.folder import Where, at
from llmtel.store.location import on_disk, private
from llmtel.store.rollups import tables
from llmtel.store.swap import accepted
from llmtel.store.table import Table, opened, readable

_WEEK = 7 * 24


class Rewritten(Struct, frozen=True):
    """What became of a store: data files before and after, and how many rows went."""

    before: int
    after: int
    gone: int


def rewrite(
    place: Where,
    files: Callable[[Table], pl.DataFrame],
    change: Callable[[pl.DataFrame], pl.DataFrame],
    *,
    changes: bool = True,
    what: str | None = None,
) -> Rewritten:
    """Replace some of the live files, day by day, by what `change` makes of their rows; all in one commit.

    `changes` is false where the calls stay the same; `what` is noted in the audit before the commit, with
    the rows that go or, where none does, those that are written anew.
    """
    folder = at(place)

    def work() -> Rewritten:
        table = opened(folder)
        chosen = files(table)
        if chosen.is_empty():
            return Rewritten(table.files.height, table.files.height, 0)
        written: list[Written] = []
        try:
            for part in chosen.partition_by("day"):
                kept = change(pl.concat(from_file(table.rows(path).drop("@at")) for path in part["path"]))
                written += table.write(kept) if kept.height else []
            gone = int(chosen["rows"].sum()) - sum(one.rows for one in written)
            if what is not None:
                audit(folder, what, gone or int(chosen["rows"].sum()), table.version)
        except BaseException:
            table.discard(written)
            raise
        table.commit(written, chosen["path"], changes=changes)
        return Rewritten(table.files.height, table.files.height - chosen.height + len(written), gone)

    with private(), folder.lock():
        return accepted(work)


def compact(place: Where) -> Rewritten:
    """Make one file of each day that has several; files that nothing has named for a week go."""

    def crowded(table: Table) -> pl.DataFrame:
        return table.files.filter(pl.len().over("day") > 1)

    done = rewrite(place, crowded, lambda rows: rows, changes=False)
    folder = at(place)
    with private(), folder.lock(), on_disk(folder):
        opened(folder).delta.create_checkpoint()
    swept(folder, _WEEK)
    return done


def forget(place: Where, users: Collection[str]) -> Rewritten:
    """Drop the calls of a user, by all names there are, from the live files and from earlier versions.

    A line in the audit says when and how many, not whom.
    """
    named = sorted(users)

    def of_user(rows: pl.DataFrame) -> pl.DataFrame:
        ordinals = rows.with_row_index("@row")
        single = ordinals.filter(pl.col("user").is_in(named) & pl.col(COPIES).is_null())["@row"]
        several = ordinals.filter(pl.col(COPIES).is_not_null())
        members = [
            row for row, call in zip(several["@row"], several.drop("@row").iter_slices(1), strict=True)
            if call["user"].is_in(named).any() or unpacked(call)["user"].is_in(named).any()
        ]  # fmt: skip
        gone = pl.concat([single, pl.Series("@row", members, dtype=pl.UInt32)])
        return ordinals.filter(~pl.col("@row").is_in(gone.implode())).drop("@row")

    def with_user(table: Table) -> pl.DataFrame:
        quoted = [json.dumps(user, ensure_ascii=False) for user in named]
        told = pl.col("user").is_in(named) | pl.col("llmtel_copies").str.contains_any(quoted)
        with readable(table.folder):
            places = table.places(table.files, lambda rows: rows.filter(told))
            paths = places.select("@path").unique().collect()["@path"]
        return table.files.filter(pl.col("path").is_in(paths.implode()))

    done = rewrite(place, with_user, of_user, what="forget")
    swept(place, 0)
    return done


def swept(place: Where, hours: int) -> int:
    """Delete data files that no version needs, of the last `hours`; how many.

    In an object store where others may be writing those of a week stay: they may be in no commit yet.
    """
    folder = at(place)
    hours = max(hours, 0 if folder.alone else _WEEK)
    with private(), folder.lock():
        return sum(
            len(table.delta.vacuum(hours, dry_run=False, enforce_retention_duration=False, full=True))
            for table in tables(folder)
        )
