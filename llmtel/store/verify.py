"""Whether a store is whole: every live file is there, is what was written, and no call stands twice."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import PurePosixPath

import polars as pl

from llmtel.sources.identity import VAGUE, resolved
from llmtel.store.columns import SCHEMA, SOURCE
from llmtel.store.folder import CALLS, Where, at
from llmtel.store.table import Table, checksum, opened

_NAMES = {"llmtel_source": SOURCE, "llmtel_vague": VAGUE}
_NEEDED = ("call_id", "response_id", "ts", "request_count", "format", *_NAMES)


def faults(place: Where) -> list[str]:
    """What is wrong with the data files of a store, each with its file; empty where all is well.

    Raises `UnreadableInput` where the log cannot be read.
    """
    table = opened(place)
    bad = dict(_bad_files(table))
    whole = table.files.filter(~pl.col("path").is_in(list(bad)))
    return [*(f"{path}: {why}" for path, why in bad.items()), *_twice(table, whole)]


def orphans(place: Where) -> list[str]:
    """Data files that no version of the last week names: what a kill leaves behind. They do no harm."""
    folder = at(place)
    live = set(opened(folder).files["path"])
    days = [name for name in folder.names(CALLS) if name.startswith("day=")]
    there = [f"{day}/{name}" for day in days for name in folder.names(f"{CALLS}/{day}")]
    return [path for path in there if path not in live]


def _bad_files(table: Table) -> Iterator[tuple[str, str]]:
    for path, day, rows, size in table.files.select("path", "day", "rows", "size").iter_rows():
        found = table.folder.size(table.at(path))
        if found is None:
            yield path, "it is missing"
        elif found != size:
            yield path, f"{found:,} bytes, where the log says {size:,}"
        else:
            data = table.folder.read(table.at(path))
            if not _is_as_written(path, data):
                yield path, "its bytes are not those that were written"
            elif (why := _wrong(data, day, rows)) is not None:
                yield path, why


def _is_as_written(path: str, data: bytes) -> bool:
    """Whether the checksum in a file's name is that of its bytes; files of other tools have none."""
    stem = PurePosixPath(path).stem
    return len(stem) != len("-") + 64 or checksum(data) == stem.rpartition("-")[2]


def _wrong(data: bytes, day: object, rows: int) -> str | None:
    try:
        frame = pl.read_parquet(data, columns=["ts"], hive_partitioning=False)
        schema = pl.read_parquet_schema(io.BytesIO(data))
    except pl.exceptions.PolarsError as error:
        return f"it cannot be read: {str(error).splitlines()[0][:100]}"
    if frame.height != rows:
        return f"{frame.height:,} rows, where the log says {rows:,}"
    if any(schema[name] != dtype for name, dtype in SCHEMA.items() if name in schema):
        return "its columns have other types"
    if not _all_on(frame["ts"], day):
        return "calls of other days are in it"
    return None


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
        rows = table.plain(part).select(_NEEDED).collect().rename(_NAMES)
        found = resolved(rows.with_columns(pl.lit(0, dtype=pl.UInt32).alias("@file")))
        if found.dropped:
            yield f"day {day or 'unknown'}: {found.dropped:,} calls stand twice"
