"""The Delta table: a snapshot of it, files written beside it, and the one commit that changes it.

Polars writes and reads the Parquet files, `deltalake` only commits. A commit is a compare-and-swap: it is
refused when anybody has committed since the snapshot.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from llmtel.core.errors import LlmtelError, UnreadableInput, UsageError
from llmtel.store.actions import Written, add, remove
from llmtel.store.columns import to_file
from llmtel.store.encryption import KEY_ID, Secret
from llmtel.store.files import encoded, key_of, name_of, scanned
from llmtel.store.folder import Where, at
from llmtel.store.kinds import KEPT_CALLS, Kind
from llmtel.store.location import LOG, Folder, on_disk, plain_words

if TYPE_CHECKING:
    from deltalake import DeltaTable
    from deltalake.transaction import AddAction, RemoveAction

VERSION = 1
"""Version of the stored columns (`llmtel.schema` of the table)."""
UNKNOWN_DAY = "__HIVE_DEFAULT_PARTITION__"
_AT_ONCE = 2
"""Days that are written side by side: Polars keeps not all cores busy with one."""
_PATH = re.compile(rf"day=(\d{{4}}-\d\d-\d\d|{UNKNOWN_DAY})/[A-Za-z0-9._-]+\.parquet")


class Refused(Exception):
    """Somebody else has committed since the snapshot; nothing was changed."""


@contextmanager
def readable(folder: Folder) -> Iterator[None]:
    """Data files are read inside. Raises `UnreadableInput` for one that is missing or damaged."""
    try:
        yield
    except (OSError, pl.exceptions.ComputeError) as error:
        words = plain_words(error)
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


class Table:
    """A snapshot of a table of the store at `folder`."""

    def __init__(self, folder: Folder, table: DeltaTable, kind: Kind = KEPT_CALLS) -> None:
        self.folder = folder
        self.kind = kind
        self.delta = table
        self.version = table.version()
        self.id = str(table.metadata().id)
        self.properties: Mapping[str, str] = table.metadata().configuration
        self.key_id = self.properties.get(KEY_ID) or ""

    @cached_property
    def files(self) -> pl.DataFrame:
        """The live data files: `path`, `day`, `rows`, `size`, `first`, `last` (times of calls) and `key`.

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
        return files.with_columns(pl.Series("key", map(key_of, files["path"]), pl.String)).sort(
            "day", "path", nulls_last=True
        )

    def uri(self, path: str) -> str:
        """The address of the data file at a path of the log."""
        return self.folder.uri(self.at(path))

    def at(self, path: str) -> str:
        """A data file's path in the store, by its path in the log."""
        return f"{self.kind.name}/{path}"

    def plain(self, files: pl.DataFrame, schema: pl.Schema | None = None) -> pl.LazyFrame:
        """The rows of some of `files`, day by day; a column that none of them has costs nothing.

        `schema`: that of the kind, or its `as_categories`, which files of earlier versions refuse when they
        are read (`pl.exceptions.SchemaError`).
        """
        schema = schema or self.kind.schema
        if files.is_empty():
            return pl.LazyFrame(schema=schema)
        self._refuse_other_sizes(files)
        return pl.concat(
            scanned([self.uri(path) for path in part["path"]], self.secret(key), schema)
            for key, part in _by_key(files)
        )

    def places(self, files: pl.DataFrame, pick: Callable[[pl.LazyFrame], pl.LazyFrame]) -> pl.LazyFrame:
        """Where the rows of some files stand that `pick` leaves: `@path`, and the ordinal `@at` in it.

        `pick` is given rows with a number, `@row`, and keeps that. To tell the files of all rows apart would
        take as long again as to read their ids.
        """
        if files.is_empty():
            return pl.LazyFrame(schema={"@path": pl.String, "@at": pl.UInt32})
        self._refuse_other_sizes(files)
        return pl.concat(self._places(key, part, pick) for key, part in _by_key(files))

    def _places(
        self, key: str, files: pl.DataFrame, pick: Callable[[pl.LazyFrame], pl.LazyFrame]
    ) -> pl.LazyFrame:
        """The places of rows in files that have one key."""
        uris = [self.uri(path) for path in files["path"]]
        rows = scanned(uris, self.secret(key), self.kind.schema, row_index_name="@row")
        starts = (files["rows"].cum_sum() - files["rows"]).cast(pl.UInt32)
        file = pl.lit(starts).search_sorted(pl.col("@row"), side="right") - 1
        return pick(rows).select(
            pl.lit(files["path"]).gather(file).alias("@path"),
            (pl.col("@row") - pl.lit(starts).gather(file)).alias("@at"),
        )

    def rows(
        self, path: str, at: pl.Series | None = None, *, without: pl.Series | None = None
    ) -> pl.DataFrame:
        """The rows of a file, with their ordinal `@at`: all, some, or those that are not among some."""
        found = scanned([self.uri(path)], self.secret(key_of(path)), self.kind.schema, row_index_name="@at")
        if at is not None:
            found = found.filter(pl.col("@at").is_in(at.implode()))
        if without is not None:
            found = found.filter(~pl.col("@at").is_in(without.implode()))
        with readable(self.folder):
            return found.collect()

    def write(self, calls: pl.DataFrame) -> list[Written]:
        """Write rows (`columns.rows`) to new files, one a day, each synced to the disk."""
        order = calls.select(pl.arg_sort_by(self.kind.order, nulls_last=True)).to_series()
        # Logs are mostly in order, and to gather so many columns costs more than to sort.
        ordered = calls if order.is_sorted() else calls[order]
        days = ordered.select(pl.col("ts").dt.date().rle().alias("run")).unnest("run")
        starts = days["len"].cum_sum() - days["len"]
        with ThreadPoolExecutor(_AT_ONCE) as pool, on_disk(self.folder):
            parts = [
                pool.submit(self._write_day, day, ordered.slice(start, length))
                for start, length, day in zip(starts, days["len"], days["value"], strict=True)
            ]
            try:
                return [part.result() for part in parts]
            except BaseException:
                pool.shutdown(cancel_futures=True)
                self.discard(part.result() for part in parts if not part.cancelled() and not part.exception())
                raise

    def _write_day(self, day: date | None, calls: pl.DataFrame) -> Written:
        frame = _known(to_file(calls).select(self.kind.schema.names()))
        repeated = [name for name in self.kind.repeated if name in frame.columns]
        data = encoded(frame.cast(dict.fromkeys(repeated, pl.Categorical())), self.secret(self.key_id))
        path = f"day={UNKNOWN_DAY if day is None else day}/{name_of(data, self.key_id)}"
        self.folder.write(self.at(path), data)
        first, last = frame.select(a=pl.col("ts").min(), b=pl.col("ts").max()).row(0)
        return Written(path, day, frame.height, len(data), first, last)

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

        actions: list[AddAction | RemoveAction] = [add(one, changes=changes) for one in added]
        gone = self.files.filter(pl.col("path").is_in(list(removed)))
        actions += [remove(*row, changes=changes) for row in gone.select("path", "size", "day").iter_rows()]
        told = [Transaction(name, version) for name, version in (states or {}).items()]
        try:
            with on_disk(self.folder):
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
            if self._surely_newest():  # an interrupt may come when the commit is made already
                self.discard(added)
            raise

    def secret(self, key: str) -> Secret | None:
        """The key with an id; None for plain files (""). Raises `UsageError` where it is not at hand."""
        return Secret(self.folder.ring.key(key, self.folder.name), self.id.encode()) if key else None

    def is_newest(self) -> bool:
        """Whether nothing was committed since the snapshot."""
        return self.folder.size(f"{self.kind.name}/{LOG}/{self.version + 1:020}.json") is None

    def _surely_newest(self) -> bool:
        """The same; false where it cannot be told."""
        try:
            return self.is_newest()
        except LlmtelError:
            return False

    def _refuse_other_sizes(self, files: pl.DataFrame) -> None:
        """Raise `UnreadableInput` for a file that is not what was written, where that costs no question.

        An encrypted file that another of its store took the place of would decrypt.
        """
        for path, size in files.select("path", "size").iter_rows() if self.folder.is_local else ():
            if self.folder.size(self.at(path)) != size:
                raise UnreadableInput(
                    f"{self.folder}: the data file {path} is missing, or is not the one that was written\n"
                    f"which are bad: llmtel store verify {self.folder}"
                )

    def discard(self, written: Iterable[Written]) -> None:
        """Delete files that no commit has."""
        for one in written:
            self.folder.delete(self.at(one.path))


def _by_key(files: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Files of the same key, mostly all of them; of several where a store is being written with another."""
    for (key,), part in files.partition_by("key", as_dict=True, maintain_order=True).items():
        yield str(key), part


def _known(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows without the columns of which nothing is known, which would cost every reader their nulls."""
    return rows.select(name for name in rows.columns if name == "ts" or rows[name].null_count() < rows.height)


def opened(place: Where, kind: Kind = KEPT_CALLS) -> Table:
    """The newest snapshot of a table of a store.

    Raises `UnreadableInput` for a damaged log and `UsageError` for a store of a later llmtel, and where there
    is none.
    """
    table = delta()
    from deltalake.exceptions import DeltaError, TableNotFoundError  # noqa: PLC0415 (as `delta`)

    folder = at(place)
    try:
        found = Table(folder, table(folder.uri(kind.name), storage_options=folder.options), kind)
        known = found.properties.get("llmtel.schema", "")
    except TableNotFoundError as error:
        raise UsageError(
            f"{folder}: there is no store; llmtel ingest LOGS --store {folder} makes one"
        ) from error
    except (DeltaError, OSError) as error:
        words = plain_words(error)
        if isinstance(error, OSError) and not folder.is_local:
            raise UsageError(f"{folder}: the store cannot be reached: {words}") from error
        raise UnreadableInput(f"{folder}: the log of the store cannot be read: {words}") from error
    if not known.isdecimal():
        raise UsageError(f"{folder}: a Delta table that llmtel did not make")
    if int(known) > VERSION:
        raise UsageError(
            f"{folder}: a store of a newer llmtel (schema {known}, this one knows {VERSION}); update llmtel"
        )
    return found
