"""Whether a store is whole: every live file is there, is what was written, and no call stands twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import polars as pl

from llmtel.core.schema import VAGUE
from llmtel.sources.identity import resolved
from llmtel.store import second
from llmtel.store.columns import SOURCE
from llmtel.store.files import checksum, scanned
from llmtel.store.folder import Where
from llmtel.store.rollups import tables
from llmtel.store.table import Table, readable

_OURS = re.compile("/[0-9a-f]{32}(?:-k[0-9a-f]{16})?-([0-9a-f]{32})[.]parquet$")
_NAMES = {"llmtel_source": SOURCE, "llmtel_vague": VAGUE}
_NEEDED = ("call_id", "response_id", "ts", "request_count", "format", *_NAMES)


def faults(place: Where) -> list[str]:
    """What is wrong with the data files of a store, each with its file; empty where all is well.

    Each file is read twice, by Polars and by Arrow. Raises `UnreadableInput` where the log cannot be read,
    and `UsageError` where a key or pyarrow is missing.
    """
    second.refuse_missing()
    calls, *others = tables(place)
    for table in (calls, *others):
        for key in table.files["key"].unique():
            table.secret(key)
    bad = dict(_bad_files(calls))
    whole = calls.files.filter(~pl.col("path").is_in(list(bad)))
    beside = [f"{table.at(path)}: {why}" for table in others for path, why in _bad_files(table)]
    return [*(f"{path}: {why}" for path, why in bad.items()), *_twice(calls, whole), *beside]


def orphans(place: Where) -> list[str]:
    """Data files that the last version does not name: of versions before, and what a kill leaves behind."""
    return [path for table in tables(place) for path in _orphans(table)]


def _orphans(table: Table) -> list[str]:
    live, folder = set(table.files["path"]), table.folder
    days = [name for name in folder.names(table.kind.name) if name.startswith("day=")]
    there = [f"{day}/{name}" for day in days for name in folder.names(f"{table.kind.name}/{day}")]
    return [path for path in there if path not in live]


def _bad_files(table: Table) -> Iterator[tuple[str, str]]:
    for path, day, rows, size, key in table.files.select("path", "day", "rows", "size", "key").iter_rows():
        found = table.folder.size(table.at(path))
        if found is None:
            yield path, "it is missing"
        elif found != size:
            yield path, f"{found:,} bytes, where the log says {size:,}"
        else:
            data = table.folder.read(table.at(path))
            if not _is_as_written(path, data):
                yield path, "its bytes are not those that were written"
            elif (why := _wrong(data, table, key, day, rows)) is not None:
                yield path, why


def _is_as_written(path: str, data: bytes) -> bool:
    """Whether the checksum in a file's name is that of its bytes; files of other tools have none."""
    told = _OURS.search(path)
    return told is None or checksum(data) == told[1]


def _wrong(data: bytes, table: Table, key: str, day: object, rows: int | None) -> str | None:
    secret, schema = table.secret(key), table.kind.schema
    try:
        frame = scanned(data, secret, None).cast({pl.Categorical: pl.String}).collect()
    except pl.exceptions.PolarsError as error:
        return f"it cannot be read: {str(error).splitlines()[0][:100]}"
    if frame.height != rows:
        return f"{frame.height:,} rows, where the log says {'nothing' if rows is None else f'{rows:,}'}"
    if any(frame.schema[name] != dtype for name, dtype in schema.items() if name in frame.schema):
        return "its columns have other types"
    if not _all_on(frame["ts"], day):
        return "calls of other days are in it"
    return second.difference(data, secret, frame.select(name for name in schema if name in frame.schema))


def _all_on(times: pl.Series, day: object) -> bool:
    """Whether all times lie on a day; None is the day of calls without a time."""
    days = times.dt.date()
    if day is None:
        return days.null_count() == days.len()
    return not days.has_nulls() and bool((days == day).all())


def _twice(table: Table, files: pl.DataFrame) -> Iterator[str]:
    """Calls that stand twice on equal or adjacent days, a day at a time."""
    for day in files["day"].unique().sort():
        near = [day] if day is None else [day, day + timedelta(days=1)]
        part = files.filter(pl.col("day").is_in(near, nulls_equal=True))
        with readable(table.folder):
            rows = table.plain(part).select(_NEEDED).collect().rename(_NAMES)
        found = resolved(rows.with_columns(pl.lit(0, dtype=pl.UInt32).alias("@file")))
        if found.dropped:
            yield f"day {day or 'unknown'}: {found.dropped:,} calls stand twice"
