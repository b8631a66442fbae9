"""New calls and those that the store has: which rows go, which come.

A call that stands in several files is stored once, with all its copies beside it (`COPIES`), so that the
choice among them is the same in whatever order they come: it is made anew, of all of them, by the rules that
hold for logs (`sources.identity`).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from functools import partial

import polars as pl
from msgspec import Struct

from llmtel.sources.identity import resolved, vague
from llmtel.store.columns import (
    COPIES,
    FROZEN,
    IDS,
    SCHEMA,
    SOURCE,
    from_file,
    frozen,
    keyed,
    packed,
    rows,
    unpacked,
)
from llmtel.store.horizon import first_kept, in_time
from llmtel.store.table import Table, readable

_APART = (SOURCE, "format", "call_id", "response_id")
"""Copies that are alike in these are told by the preferred one alone; any other is kept."""
_IDS = ("call_id", "response_id")
_CALL = pl.col("request_count").fill_null(1) > 0


class Change(Struct, frozen=True):
    """Rows to add, and those to remove: of each file (`path`) by their ordinals (`at`).

    `calls` is by how many calls the store grows; `expired` others are of days before `first_kept`.
    """

    added: pl.DataFrame
    removed: dict[str, pl.Series]
    calls: int
    expired: int
    first_kept: date | None


def merged(new: pl.DataFrame, void: Collection[str], table: Table) -> Change:
    """The change that calls of the reader (with `SOURCE`) make.

    `void` are the sources whose stored rows are read anew and hold no longer.
    """
    first = first_kept(table)
    new, expired = in_time(new, first)
    fresh = rows(vague(new)) if new.height else rows(new)
    with readable(table.folder):
        stored = _stored(fresh, void, table)
    old = from_file(stored.drop("@path", "@at"))
    pieces = unpacked(old).filter(~pl.col(SOURCE).is_in(list(void)))
    result = _chosen(pl.concat([pieces, fresh]))
    grows = int(result.select(_CALL.sum()).item()) - int(old.select(_CALL.sum()).item())
    stays, added = _unchanged(old, result)
    gone = stored.filter(~stays).select("@path", "@at")
    removed = {str(path): part["@at"] for (path,), part in gone.partition_by("@path", as_dict=True).items()}
    return Change(frozen(added, None), removed, grows, expired, first)


def _chosen(copies: pl.DataFrame) -> pl.DataFrame:
    """One row for each call, where it has several copies with these beside it."""
    with_files = copies.with_columns(pl.col(SOURCE).cast(pl.Categorical).to_physical().alias("@file"))
    pieces = resolved(with_files, _APART).kept
    found = resolved(pieces.drop(COPIES, IDS))
    kept = found.kept.drop("@file")
    if found.groups.is_empty():
        return rows(kept)
    members = pieces.drop("@file").with_row_index("@row").join(found.groups, on="@row", how="inner")
    several = packed(members.drop("@row"), by="@kept")
    ordinals = pl.Series("@row", range(pieces.height), dtype=pl.UInt32)
    lost = found.groups.filter(pl.col("@row") != pl.col("@kept"))["@row"]
    numbered = kept.with_columns(ordinals.filter(~ordinals.is_in(lost.implode())))
    return rows(numbered.join(several, left_on="@row", right_on="@kept", how="left"))


def _unchanged(old: pl.DataFrame, result: pl.DataFrame) -> tuple[pl.Series, pl.DataFrame]:
    """Which stored rows are among the result as they are, and the other rows of the result.

    Equal rows (records without an id, of one line) are told apart by their ordinal among each other. What a
    row cost when it was written makes it no other one.
    """
    if old.is_empty():
        return pl.Series(dtype=pl.Boolean), result
    every = [name for name in result.columns if name not in FROZEN]
    one, other = (
        frame.with_columns(pl.int_range(pl.len()).over(every).alias("@nth")).with_row_index("@row")
        for frame in (old, result)
    )
    same = one.join(other, on=[*every, "@nth"], how="inner", nulls_equal=True, suffix="@result")
    stays = one["@row"].is_in(same["@row"].implode())
    return stays, result.filter(~other["@row"].is_in(same["@row@result"].implode()))


def _stored(fresh: pl.DataFrame, void: Collection[str], table: Table) -> pl.DataFrame:
    """The stored rows that a new one may be a copy of, or whose source is void; with `@path` and `@at`."""
    near = _near(fresh)
    days = pl.Series([day in near for day in table.files["day"]], dtype=pl.Boolean)
    files = table.files.filter(days)
    known = [name for name in _IDS if fresh[name].null_count() < fresh.height] if files.height else []
    places = [table.places(files, partial(_with_ids, fresh=fresh, name=name)) for name in known]
    if void:
        of_void = pl.col("llmtel_source").is_in(list(void))
        of_void |= pl.col("llmtel_copies").str.contains_any(list(void)).fill_null(value=False)
        places.append(table.places(table.files, lambda rows: rows.filter(of_void)))
    none = pl.DataFrame(schema={"@path": pl.String, "@at": pl.UInt32})
    found = pl.concat([none, *pl.collect_all(places)]).unique().sort("@path", "@at")
    parts = [
        table.rows(str(path), part["@at"]).with_columns(pl.lit(path).alias("@path"))
        for (path,), part in found.partition_by("@path", as_dict=True).items()
    ]
    empty = pl.DataFrame(schema={"@at": pl.UInt32, **SCHEMA, "@path": pl.String})
    return pl.concat([empty, *parts])


def _with_ids(stored: pl.LazyFrame, fresh: pl.DataFrame, name: str) -> pl.LazyFrame:
    """The stored rows (their `@row`) that have an id of the new ones, where it is a key in both."""
    ids = fresh.filter(keyed(name))[name].unique()
    own = stored.filter(keyed(name, "llmtel_vague")).select("@row", name)
    copied = stored.filter(pl.col("llmtel_ids").is_not_null()).select(
        "@row", pl.col("llmtel_ids").str.split("\n").alias(name)
    )
    every = copied.explode(name).filter(pl.col(name).str.starts_with(name[0]))
    both = pl.concat([own, every.with_columns(pl.col(name).str.slice(1))])
    return both.filter(pl.col(name).is_in(ids.implode())).select("@row")


def _near(fresh: pl.DataFrame) -> set[date | None]:
    """The days of some rows and their neighbours; None for rows without a time."""
    days = fresh["ts"].dt.date().unique()
    near = {day + timedelta(days=n) for day in days.drop_nulls() for n in (-1, 0, 1)}
    return {*near, None} if days.null_count() else set(near)
