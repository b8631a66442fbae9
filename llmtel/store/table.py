"""The Delta table: a snapshot of it, files written beside it, and the one commit that changes it.

Polars writes and reads the Parquet files, `deltalake` only commits. A commit is a compare-and-swap: it is
refused when anybody has committed since the snapshot.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import polars as pl

from llmtel.core.errors import LlmtelError, UnreadableInput, UsageError
from llmtel.core.schema import SCHEMA_VERSION
from llmtel.sources.parquet import PARQUET_KEY
from llmtel.store.columns import SCHEMA, to_file

if TYPE_CHECKING:
    from deltalake import DeltaTable
    from deltalake.transaction import AddAction, RemoveAction

VERSION = 1
"""Version of the stored columns (`llmtel.schema` of the table)."""
CALLS, LOG = "calls", "_delta_log"
UNKNOWN_DAY = "__HIVE_DEFAULT_PARTITION__"
_PATH = re.compile(rf"day=(\d{{4}}-\d\d-\d\d|{UNKNOWN_DAY})/[A-Za-z0-9._-]+\.parquet")
_STATS = "%Y-%m-%dT%H:%M:%S.%fZ"


class Refused(Exception):
    """Somebody else has committed since the snapshot; nothing was changed."""


@contextmanager
def private() -> Iterator[None]:
    """Files made inside are for their owner alone: 0600, folders 0700."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def readable(folder: Path) -> Iterator[None]:
    """Data files are read inside. Raises `UnreadableInput` for one that is missing or damaged."""
    try:
        yield
    except (FileNotFoundError, pl.exceptions.ComputeError) as error:
        words = str(error).splitlines()[0][:200]
        raise UnreadableInput(
            f"{folder}: a data file of the store cannot be read: {words}\n"
            f"which are bad: llmtel store verify {folder}"
        ) from error


def delta() -> type[DeltaTable]:
    """The class of deltalake. Raises `UsageError` where it is not installed."""
    try:
        from deltalake import DeltaTable  # noqa: PLC0415 (128 MB that only a store needs)
    except ImportError:
        raise UsageError("a store needs deltalake: pip install 'llmtel[store]'") from None
    return DeltaTable


def place(path: str | Path) -> Path | None:
    """The store that a path is: its folder, or that of its table; None where it is no store."""
    at = Path(path)
    if (at / CALLS / LOG).is_dir():
        return at
    return at.parent if at.name == CALLS and (at / LOG).is_dir() else None


@dataclass(frozen=True)
class Kind:
    """What a table holds: its folder in the store, the columns of its data files, and their order.

    A time `ts` is among the columns: its day is the partition.
    """

    name: str
    schema: pl.Schema
    order: tuple[str, ...]


KEPT_CALLS = Kind(CALLS, SCHEMA, ("ts", "line"))


@dataclass(frozen=True)
class Written:
    """A data file that was written and is in no commit yet."""

    path: str
    day: date | None
    rows: int
    size: int
    first: datetime | None
    last: datetime | None


class Table:
    """A snapshot of a table of the store at `folder`."""

    def __init__(self, folder: Path, table: DeltaTable, kind: Kind = KEPT_CALLS) -> None:
        self.folder = folder
        self.kind = kind
        self.delta = table
        self.version = table.version()
        self.id = str(table.metadata().id)

    @cached_property
    def files(self) -> pl.DataFrame:
        """The live data files: `path`, `day`, `rows`, `size`, `first`, `last` (times of calls).

        Raises `UnreadableInput` for a path that leads out of the table.
        """
        found = pl.DataFrame(self.delta.get_add_actions(flatten=True))
        schema: dict[str, pl.DataType | type[pl.DataType]] = {
            "path": pl.String, "partition.day": pl.Date, "num_records": pl.Int64, "size_bytes": pl.Int64,
            "min.ts": pl.Datetime("us", "UTC"), "max.ts": pl.Datetime("us", "UTC"),
        }  # fmt: skip
        files = found.select(
            (pl.col(name) if name in found.columns else pl.lit(None)).cast(dtype).alias(new)
            for (name, dtype), new in zip(
                schema.items(), ("path", "day", "rows", "size", "first", "last"), strict=True
            )
        )
        for path in files["path"]:
            if not _PATH.fullmatch(path):
                raise UnreadableInput(f"{self.folder}: its log names {path!r}, which is no file of a store")
        return files.sort("day", "path", nulls_last=True)

    def uri(self, path: str) -> str:
        """The data file at a path of the log."""
        return str(self.folder / self.kind.name / path)

    def scan(self, files: pl.DataFrame) -> pl.LazyFrame:
        """The rows of some of `files`, with `@path` and the ordinal `@at` in their file."""
        if files.is_empty():
            return pl.LazyFrame(schema={"@at": pl.UInt32, **self.kind.schema, "@path": pl.String})
        uris = [self.uri(path) for path in files["path"]]
        starts = pl.DataFrame(
            {"@uri": uris, "@path": files["path"], "@start": files["rows"].cum_sum() - files["rows"]},
            schema_overrides={"@start": pl.UInt32},
        )
        found = self._scanned(uris, row_index_name="@at", include_file_paths="@uri")
        return (
            found.join(starts.lazy(), on="@uri", how="left")
            .with_columns(pl.col("@at") - pl.col("@start"))
            .drop("@uri", "@start")
        )

    def rows(
        self, path: str, at: pl.Series | None = None, *, without: pl.Series | None = None
    ) -> pl.DataFrame:
        """The rows of a file, with their ordinal `@at`: all, some, or those that are not among some."""
        found = self._scanned([self.uri(path)], row_index_name="@at")
        if at is not None:
            found = found.filter(pl.col("@at").is_in(at.implode()))
        if without is not None:
            found = found.filter(~pl.col("@at").is_in(without.implode()))
        return found.collect()

    def write(self, calls: pl.DataFrame) -> list[Written]:
        """Write rows (`columns.rows`) to new files, one a day, each synced to the disk."""
        order = calls.select(pl.arg_sort_by(self.kind.order, nulls_last=True)).to_series()
        # Logs are mostly in order, and to gather so many columns costs more than to sort.
        ordered = calls if order.is_sorted() else calls[order]
        days = ordered.select(pl.col("ts").dt.date().rle().alias("run")).unnest("run")
        starts = days["len"].cum_sum() - days["len"]
        return [
            self._write_day(day, ordered.slice(start, length))
            for start, length, day in zip(starts, days["len"], days["value"], strict=True)
        ]

    def _write_day(self, day: date | None, calls: pl.DataFrame) -> Written:
        folder = f"day={UNKNOWN_DAY if day is None else day}"
        root = self.folder / self.kind.name
        (root / folder).mkdir(exist_ok=True)
        beside = root / folder / f".{uuid4().hex}"
        frame = to_file(calls).select(self.kind.schema.names())
        try:
            with beside.open("w+b") as file:
                frame.write_parquet(file, compression="zstd", metadata={PARQUET_KEY: str(SCHEMA_VERSION)})
                file.flush()
                os.fsync(file.fileno())
                file.seek(0)
                digest = checksum(file)
            path = f"{folder}/{uuid4().hex}-{digest}.parquet"
            beside.replace(root / path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        first, last = frame.select(a=pl.col("ts").min(), b=pl.col("ts").max()).row(0)
        return Written(path, day, frame.height, (root / path).stat().st_size, first, last)

    def commit(
        self,
        added: Sequence[Written],
        removed: Iterable[str] = (),
        states: Mapping[str, int] | None = None,
        *,
        changes: bool = True,
    ) -> None:
        """Put files in place of others, and states of the ledger, in one commit.

        `changes`: other calls than before are in the table. Raises `Refused` when somebody else was first;
        then the new files are gone.
        """
        from deltalake.exceptions import CommitFailedError  # noqa: PLC0415 (as `delta`)
        from deltalake.transaction import CommitProperties, Transaction  # noqa: PLC0415

        actions: list[AddAction | RemoveAction] = [_add(one, changes=changes) for one in added]
        gone = self.files.filter(pl.col("path").is_in(list(removed)))
        actions += [_remove(*row, changes=changes) for row in gone.select("path", "size", "day").iter_rows()]
        told = [Transaction(name, version) for name, version in (states or {}).items()]
        try:
            self.delta.create_write_transaction(
                actions,
                mode="append",
                schema=self.delta.schema(),
                partition_by=["day"],
                commit_properties=CommitProperties(max_commit_retries=0, app_transactions=told),
            )
        except CommitFailedError as error:
            self.discard(added)
            raise Refused from error
        except BaseException:
            if self._is_newest():  # an interrupt may come when the commit is made already
                self.discard(added)
            raise

    def _scanned(self, uris: list[str], **options: Any) -> pl.LazyFrame:  # noqa: ANN401 (options of Polars)
        """Data files, columns that are not in them null."""
        return pl.scan_parquet(
            uris,
            schema=self.kind.schema,
            missing_columns="insert",
            hive_partitioning=False,
            glob=False,
            **options,
        )

    def _is_newest(self) -> bool:
        """Whether nothing was committed since the snapshot; false where that cannot be told."""
        try:
            return opened(self.folder, self.kind).version == self.version
        except LlmtelError:
            return False

    def discard(self, written: Iterable[Written]) -> None:
        """Delete files that no commit has."""
        for one in written:
            Path(self.uri(one.path)).unlink(missing_ok=True)


def checksum(file: object) -> str:
    """The BLAKE2b-128 of an open file, from where it stands."""
    digest = blake2b(digest_size=16)
    while block := file.read(1 << 20):  # type: ignore[attr-defined]  # any binary file
        digest.update(block)
    return digest.hexdigest()


def _partition(day: date | None) -> dict[str, str | None]:
    return {"day": None if day is None else str(day)}


def _add(one: Written, *, changes: bool) -> AddAction:
    from deltalake.transaction import AddAction  # noqa: PLC0415 (as `delta`)

    stats: dict[str, object] = {"numRecords": one.rows}
    if one.first is not None and one.last is not None:
        stats |= {
            "minValues": {"ts": one.first.strftime(_STATS)},
            "maxValues": {"ts": one.last.strftime(_STATS)},
        }
    now = int(time.time() * 1000)
    return AddAction(one.path, one.size, _partition(one.day), now, changes, json.dumps(stats))


def _remove(path: str, size: int, day: date | None, *, changes: bool) -> RemoveAction:
    from deltalake.transaction import RemoveAction  # noqa: PLC0415 (as `delta`)

    now = int(time.time() * 1000)
    return RemoveAction(path, changes, now, size=size, partition_values=_partition(day))


def opened(folder: Path, kind: Kind = KEPT_CALLS) -> Table:
    """The newest snapshot of a table of a store.

    Raises `UnreadableInput` for a damaged log and `UsageError` for a store of a later llmtel.
    """
    table = delta()
    from deltalake.exceptions import DeltaError  # noqa: PLC0415 (as `delta`)

    try:
        found = Table(folder, table(str(folder / kind.name)), kind)
        known = found.delta.metadata().configuration.get("llmtel.schema", "")
    except DeltaError as error:
        words = str(error).splitlines()[0][:200]
        raise UnreadableInput(f"{folder}: the log of the store cannot be read: {words}") from error
    if not known.isdecimal():
        raise UsageError(f"{folder}: a Delta table that llmtel did not make")
    if int(known) > VERSION:
        raise UsageError(
            f"{folder}: a store of a newer llmtel (schema {known}, this one knows {VERSION}); update llmtel"
        )
    return found


def made(folder: Path) -> Table:
    """The store at `folder`, made where there is none. Raises `UsageError` for a folder of other things."""
    if place(folder) is not None:
        return opened(folder)
    delta()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        others = sorted(one.name for one in folder.iterdir() if one.name != "lock")
        if others:
            raise UsageError(
                f"--store {folder}: the folder has other things in it ({others[0]}); name a new one"
            )
        (folder / CALLS).mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(f"--store {folder}: cannot make it: {(error.strerror or '').lower()}") from error
    return created(folder)


def created(folder: Path, kind: Kind = KEPT_CALLS) -> Table:
    """A table that was not there before, in the store at `folder`."""
    delta().create(
        str(folder / kind.name),
        schema=pl.Schema({**kind.schema, "day": pl.Date()}),
        partition_by=["day"],
        configuration={"delta.dataSkippingStatsColumns": "ts", "llmtel.schema": str(VERSION)},
        raise_if_key_not_exists=False,
    )
    return opened(folder, kind)


def today() -> date:
    """The day it is, UTC."""
    return datetime.now(UTC).date()
