"""The ledger: how far each log file was read, in the same commits as the calls that were read of it.

A file is known by its device, its inode and its first line, so that one that was renamed goes on and one that
only looks alike begins anew; a copy that took the place of a log goes on too (`places`). Its state is an app
transaction of the Delta log.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path

import orjson
import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from llmtel.sources.files import GZIP, SQLITE, STDIN, ZSTD, Ended, Inputs, Mark
from llmtel.store.location import CALLS, LOG
from llmtel.store.places import States, log_before
from llmtel.store.table import Table

_APP = "llmtel/1/"
_LINES = "/lines"
_FIRST = 4096
"""Bytes of a first line that are looked at."""
_BEGINNING = 64
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint\..*parquet|(\d{20})\.checkpoint\.parquet")


def states(table: Table) -> States:
    """The state of every app transaction at the snapshot: of the last checkpoint, and what follows."""
    log = f"{CALLS}/{LOG}"
    names = table.folder.names(log)
    checkpoints: dict[int, list[str]] = {}
    for name in names:
        if (found := _CHECKPOINT.fullmatch(name)) and int(found[1] or found[2]) <= table.version:
            checkpoints.setdefault(int(found[1] or found[2]), []).append(name)
    at = max(checkpoints, default=-1)
    known = States()
    for name in checkpoints.get(at, ()):
        told = (
            pl.scan_parquet(table.folder.uri(f"{log}/{name}"))
            .select(pl.col("txn").struct.unnest())
            .drop_nulls("appId")
        )
        known.update(told.select("appId", "version").collect().iter_rows())
    for version in range(at + 1, table.version + 1):
        known.update(_of_commit(table.folder.read(f"{log}/{version:020}.json")))
    return known


def _of_commit(commit: bytes) -> Iterator[tuple[str, int]]:
    for line in commit.split(b"\n"):
        if line.startswith(b'{"txn"'):
            told = orjson.loads(line)["txn"]
            yield told["appId"], told["version"]


class Known(Struct, frozen=True):
    """A file before it is read: its name in the ledger, its state there, and the one it has now.

    `identity` is what the name was made of. `generation` counts how often it was truncated and written anew.
    `mark` is where reading goes on; None where the file is not what it was. `new`: there is something to
    read, `before`: something was read.
    """

    name: str
    generation: int
    mark: Mark | None
    now: int
    new: bool = True
    before: bool = False
    identity: bytes = b""

    def of(self, table_id: str) -> Known:
        """The same file as a new store calls it."""
        return replace(self, name=_name(self.identity, table_id))

    def after(self, ended: Ended) -> tuple[str, dict[str, int], bool]:
        """What the file is called now that it was read, its states, and if its earlier rows are void."""
        rewritten = self.mark is None and ended.lines
        one = replace(self, generation=self.generation + 1) if rewritten else self
        offset = ended.mark.offset if ended.lines else self.now
        app = one.app
        void = self.before and not (ended.resumed or rewritten)
        return app, {app: offset, app + _LINES: ended.mark.lines} if offset else {}, void

    @property
    def app(self) -> str:
        """Its name with its generation, as in the log."""
        return _APP + self.name + (f"/{self.generation}" if self.generation else "")


def known(path: str, table_id: str, ledger: States) -> Known | None:
    """What the ledger says of a file; None where it is no file that opens (the reader will tell)."""
    if path == STDIN:
        return None
    try:
        with Path(path).open("rb") as file:
            status = os.fstat(file.fileno())
            head = file.read(_FIRST)
            identity = _identity(head, status)
            one = Known(_name(identity, table_id), 0, Mark(), status.st_size, identity=identity)
            while replace(one, generation=one.generation + 1).app in ledger:
                one = replace(one, generation=one.generation + 1)
            if head.startswith(SQLITE):
                one = replace(one, now=_changed(path))
            if one.app not in ledger and (app := log_before(path, status.st_size, table_id, ledger)):
                name, _, generation = app.removeprefix(_APP).partition("/")
                one = replace(one, name=name, generation=int(generation or 0))
            if (offset := ledger.get(one.app)) is None:
                return one
            same = one.now >= offset and (head.startswith(SQLITE) or _ends_line(file, offset, one.now))
            mark = Mark(offset, ledger.get(one.app + _LINES, 0)) if same else None
            return replace(one, mark=mark, new=one.now != offset, before=True)
    except OSError:
        return None


def _name(identity: bytes, table_id: str) -> str:
    """A file's name in the ledger, different in every store."""
    return blake2b(identity, digest_size=16, key=table_id.encode()[:64]).hexdigest()


def _identity(head: bytes, status: os.stat_result) -> bytes:
    """By what a file is known: its device, its inode and its beginning.

    The beginning of a file of lines is its first line, of others a few bytes, which stay as the file grows.
    """
    if head.startswith(SQLITE):
        line = head[: len(SQLITE)]
    elif head.startswith((GZIP, ZSTD, b"[")):
        line = head[:_BEGINNING]
    else:
        line = head.split(b"\n", 1)[0]
    return f"{status.st_dev}/{status.st_ino}/".encode() + line


def _changed(path: str) -> int:
    """When a database was last written, ns: its size may stay the same."""
    times = [os.stat(path).st_mtime_ns]  # noqa: PTH116 (paths are texts here)
    log = Path(path + "-wal")
    return max([*times, log.stat().st_mtime_ns] if log.exists() else times)


def _ends_line(file: object, offset: int, size: int) -> bool:
    """Whether the part that was read still ends where a line ends."""
    if not 0 < offset < size:
        return True
    file.seek(offset - 1)  # type: ignore[attr-defined]  # any binary file
    return b"\n" in file.read(2)  # type: ignore[attr-defined]  # as above


def only_new(inputs: Inputs, found: Mapping[str, Known]) -> Inputs:
    """The inputs without the files of which everything was read."""
    fresh = [path for path in inputs.files if path not in found or found[path].new]
    return Inputs(
        fresh,
        inputs.named,
        {path: inputs.sizes[path] for path in fresh},
        inputs.skipped,
        inputs.unreadable,
        begun={path: found[path].mark or Mark() for path in fresh if path in found},
    )
