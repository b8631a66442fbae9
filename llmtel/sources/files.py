# ruff: noqa: PTH111, PTH112, PTH114, PTH116, PTH118, PTH207 (a path is shown as given; Path would change it)
"""Inputs to files, files to bytes: paths, folders, globs, stdin; gzip and zstandard, told by first bytes."""

from __future__ import annotations

import gzip
import io
import os
import stat
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from glob import glob, has_magic
from pathlib import Path
from typing import Any, BinaryIO, cast

import zstandard
from msgspec import Struct, field

from llmtel.core.errors import UsageError

STDIN = "-"
GZIP, ZSTD, PARQUET, SQLITE = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1", b"SQLite format 3\x00"
ZIP = b"PK\x03\x04"
_MOST_EXPANSION, _FREE_EXPANSION = 1000, 256 << 20
"""Compressed data may grow by this factor (logs seldom reach 30), and to so many bytes at any factor."""

_LEAST_READ = 1 << 16


class Undecodable(Exception):
    """A file that cannot be opened or decoded; the message says why."""


class Unclaimed(Undecodable):
    """A file that opens well and that no format claims: its first `records`. In a folder that is no fault."""

    def __init__(self, message: str, records: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(message)
        self.records = records


class Mark(Struct, frozen=True):
    """A place in a file: after so many bytes and so many lines."""

    offset: int = 0
    lines: int = 0


class Span(Struct, frozen=True):
    """Complete lines of a file: from a mark up to the end of the last of them, in bytes."""

    start: Mark
    end: int


class Ended(Struct, frozen=True):
    """How far a file was read, and whether from its mark on (`resumed`) or from its beginning.

    `lines`: its records stand in lines, so that it grows at its end.
    """

    mark: Mark
    resumed: bool = False
    lines: bool = False


class Inputs(Struct):
    """The files of some arguments: `named` ones must be readable, found ones may be skipped.

    `skipped` are (why, path) of what a walk left out, `unreadable` (path, why) of folders it could not enter;
    `sizes` the bytes of each file, 0 where it is not known.

    With `begun` reading goes on at the marks of files whose lines stand alone, no further than their last
    complete line, and with `picked` nothing but these lines of them is read; `ended` tells how far each file
    was read.
    """

    files: list[str] = field(default_factory=list)
    named: set[str] = field(default_factory=set)
    sizes: dict[str, int] = field(default_factory=dict)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    begun: Mapping[str, Mark] | None = None
    picked: Mapping[str, Sequence[Span]] = field(default_factory=dict)
    ended: dict[str, Ended] = field(default_factory=dict)


def expand(arguments: Sequence[str]) -> Inputs:
    """The files that some arguments name: each once, in the order given, folders sorted by name.

    Raises `UsageError` for a path that does not exist, a glob that matches nothing, and a store.
    """
    inputs, seen = Inputs(), set[tuple[int, int]]()
    for argument in arguments:
        if argument == STDIN:
            _take(inputs, STDIN, None, seen, named=True)
            continue
        for path in _paths(argument):
            if os.path.isdir(path):
                if _is_store(path):
                    raise UsageError(
                        f"{path}: it is a store; llmtel store export {path} -o FILE makes a log of it"
                    )
                _walk(inputs, path, seen)
            else:
                _take(inputs, path, _stat(path), seen, named=True)
    return inputs


def _paths(argument: str) -> list[str]:
    if os.path.lexists(argument):
        return [argument]
    if not has_magic(argument):
        msg = f"{argument}: no such file or folder"
        raise UsageError(msg)
    found = sorted(glob(os.path.expanduser(argument), recursive=True))
    if not found:
        msg = f"{argument}: nothing matches this pattern"
        raise UsageError(msg)
    return found


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None


def _walk(inputs: Inputs, folder: str, seen: set[tuple[int, int]]) -> None:
    """The regular files below a folder. Hidden ones, links to folders, pipes and devices are skipped."""

    def unreadable(error: OSError) -> None:
        inputs.unreadable.append((str(error.filename), f"{error.strerror or error}".lower()))

    for here, folders, names in os.walk(folder, onerror=unreadable):
        passed_by = {name: why for name in sorted(folders) if (why := _why_not_entered(here, name))}
        inputs.skipped += [(why, os.path.join(here, name)) for name, why in passed_by.items()]
        folders[:] = sorted(set(folders) - passed_by.keys())
        for name in sorted(names):
            path = os.path.join(here, name)
            status = _stat(path)
            if name.startswith("."):
                inputs.skipped.append(("hidden", path))
            elif status is not None and not stat.S_ISREG(status.st_mode):
                inputs.skipped.append(("not a file", path))
            else:
                _take(inputs, path, status, seen, named=False)


def _why_not_entered(here: str, name: str) -> str | None:
    if os.path.islink(os.path.join(here, name)):
        return "a link to a folder"
    if _is_store(os.path.join(here, name)):
        return "a store, which is asked alone"
    return "hidden" if name.startswith(".") else None


def _is_store(folder: str) -> bool:
    """Whether a folder is a store of llmtel: only its log tells which of the files in it are live."""
    return os.path.isdir(os.path.join(folder, "calls", "_delta_log"))


def _take(
    inputs: Inputs, path: str, status: os.stat_result | None, seen: set[tuple[int, int]], *, named: bool
) -> None:
    if status is not None and stat.S_ISREG(status.st_mode):
        identity = (status.st_dev, status.st_ino)
        if identity in seen:
            inputs.skipped.append(("the same file again", path))
            return
        seen.add(identity)
    elif path in inputs.files:
        return
    inputs.files.append(path)
    inputs.sizes[path] = 0 if status is None else status.st_size
    if named:
        inputs.named.add(path)


class Stream(Struct):
    """A file being read: `source` gives its decoded bytes (`expanded` so far), `raw` is the file itself.

    What can be decoded before a fault is given first; the fault is raised by the next reading.
    """

    source: BinaryIO
    raw: BinaryIO
    expanded: int = 0
    fault: Undecodable | None = None

    @property
    def consumed(self) -> int:
        """Bytes of the file, as it lies on the disk, that were read so far."""
        return self.raw.tell() if self.raw.seekable() else self.expanded

    def read(self, size: int) -> bytes:
        """Up to `size` decoded bytes; b"" at the end. Raises `Undecodable`."""
        if self.fault is not None:
            raise self.fault
        parts, left = [], size
        try:
            while left > 0 and (part := self._some(left)):
                parts.append(part)
                left -= len(part)
        except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
            self.fault = Undecodable(_why(error))
            if not parts:
                raise self.fault from error
        block = b"".join(parts) if len(parts) != 1 else parts[0]
        self.expanded += len(block)
        most = max(_FREE_EXPANSION, _MOST_EXPANSION * self.consumed)
        if self.source is not self.raw and self.expanded > most:
            msg = f"expands beyond the limit of {_MOST_EXPANSION} times its size"
            raise Undecodable(msg)
        return block

    def _some(self, most: int) -> bytes:
        """At most so many bytes; of compressed data few at a time: a fault does not take them along."""
        if self.source is self.raw:
            return self.source.read(most)
        return bytes(self.source.read1(most))  # type: ignore[attr-defined]  # all have it


def open_stream(path: str) -> Stream:
    """A file, opened and decompressed by what its first bytes say. Raises `Undecodable`."""
    try:
        file = sys.stdin.buffer if path == STDIN else Path(path).open("rb")  # noqa: SIM115 (closed by the reader)
        raw = cast("BinaryIO", file if isinstance(file, io.BufferedReader) else io.BufferedReader(file))
        head = raw.peek(64)[:64]  # type: ignore[attr-defined]  # it is buffered
    except OSError as error:
        raise Undecodable(_why(error)) from error
    if head.startswith(GZIP):
        return Stream(cast("BinaryIO", gzip.GzipFile(fileobj=raw)), raw)
    if head.startswith(ZSTD):
        reader = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
        return Stream(cast("BinaryIO", reader), raw)
    return Stream(raw, raw)


def _why(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "permission denied"
    if isinstance(error, FileNotFoundError):
        return "it is gone"
    if isinstance(error, EOFError):
        return "cut off: the compressed data ends too early"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return f"damaged: {error}"


def blocks(stream: Stream, size: int, first: bytes = b"") -> Iterator[bytes]:
    """Blocks of complete lines, about `size` bytes each; the last may lack a newline.

    `first` is what was read of the stream already. Raises `Undecodable` after what could be decoded has been
    given.
    """
    if stream.source is stream.raw and stream.raw.seekable():
        return _blocks_of_file(stream.raw, size, stream.raw.tell() - len(first))
    return _blocks_of_stream(stream, size, first)


def _blocks_of_stream(stream: Stream, size: int, first: bytes) -> Iterator[bytes]:
    parts, held = [first], len(first)  # a long line is joined once, not again with every block of it
    while block := _until_fault(stream, max(size - held, _LEAST_READ)):
        end = block.rfind(b"\n") + 1
        if end:
            yield b"".join([*parts, block[:end]])
            parts, held = [], 0
        parts.append(block[end:])
        held += len(parts[-1])
    if rest := b"".join(parts):
        yield rest
    if stream.fault is not None:
        raise stream.fault


def _blocks_of_file(file: BinaryIO, size: int, start: int) -> Iterator[bytes]:
    """Blocks of a plain file: where each ends is looked up before it is read, and none is copied."""
    while True:
        file.seek(start + size)
        file.readline()
        end = file.tell()
        file.seek(start)
        block = file.read(end - start)
        if not block:
            return
        start += len(block)
        yield block


def _until_fault(stream: Stream, size: int) -> bytes:
    try:
        return stream.read(size)
    except Undecodable as fault:
        stream.fault = fault
        return b""
