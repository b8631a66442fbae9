"""Logs to logs that may be shared: each file read as ever, and written again without what must not leave."""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import polars as pl
import zstandard
from msgspec import Struct, field

from llmtel.core.errors import UnreadableInput, UsageError
from llmtel.core.schema import FIELDS
from llmtel.privacy.cells import redact_table
from llmtel.privacy.folders import make_private
from llmtel.privacy.lines import redact_lines
from llmtel.privacy.names import Names, plain
from llmtel.privacy.pseudonyms import Pseudonyms
from llmtel.privacy.redact import redacted
from llmtel.privacy.rules import Rule
from llmtel.privacy.values import Policy, Tally, Text
from llmtel.sources import databases, layout, raw, sheets
from llmtel.sources.files import GZIP, STDIN, ZSTD, Inputs, Stream, Undecodable, blocks, expand, open_stream
from llmtel.sources.items import Seen
from llmtel.sources.maps import Rule as MapRule
from llmtel.sources.openings import open_files
from llmtel.sources.outcome import JUDGED, TEXT, WORD
from llmtel.sources.source import Source
from llmtel.sources.steps import roots
from llmtel.sources.wishes import Wishes

_SAID = (TEXT, WORD, "error", "status", "finish_reason")
"""Fields that formats read from what may be sentences."""
_NAMES = (
    "model", "model_requested", "feature", "project", "branch", "agent", "environment", "prompt",
    "prompt_version", "variant", "case", "region", "tags",
)  # fmt: skip
"""Fields by whose values calls are split, so that these stay, whatever their keys are called."""
_WORKERS = min(4, (os.cpu_count() or 1) + 1)
"""Blocks under work side by side: one more than there are processors, for what Python does alone."""
_BLOCK = 4 << 20
"""Bytes of a block: its pieces take some thirty times as much."""
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


class Asked(Struct, frozen=True):
    """How logs are to be shared."""

    pseudonyms: Pseudonyms
    rules: tuple[Rule, ...]
    text: Text = "drop"
    input_format: str | None = None
    maps: tuple[MapRule, ...] = ()


class Copy(Struct, frozen=True):
    """What became of a file: its copy and format, or `why` there is none; and what was replaced in it."""

    file: str
    target: str | None
    format: str | None = None
    why: str = ""
    tally: Tally = field(default_factory=Tally)


def share(
    paths: Sequence[str], folder: Path, asked: Asked, progress: Callable[[int, int], None] | None = None
) -> list[Copy]:
    """Write a copy of each file of some paths into a folder, which is made (0700) if it is not there.

    No file is written over: a copy that is there already raises `UsageError`. Raises `UnreadableInput` where
    nothing could be copied.
    """
    if STDIN in paths:
        raise UsageError("standard input cannot be read twice: give a file")
    inputs = expand(paths)
    _make(folder)
    copies: list[Copy] = []
    done, total = 0, sum(inputs.sizes.values())
    taken: set[str] = set()
    for path in inputs.files:
        copies.append(_copied(path, folder, asked, taken))
        done += inputs.sizes.get(path, 0)
        if progress is not None:
            progress(done, total)
    copies += [Copy(path, None, why=why) for path, why in inputs.unreadable]
    if not any(copy.target for copy in copies):
        told = [f"{copy.file}: {copy.why}" for copy in copies] or [
            f"{path}: no files in it" for path in paths
        ]
        reasons = "\n".join(told)
        raise UnreadableInput(f"nothing could be copied:\n{reasons}")
    return copies


def _make(folder: Path) -> None:
    try:
        make_private(folder)
    except OSError as error:
        raise UsageError(f"cannot write to the folder {folder}: {error.strerror}") from error


def _copied(path: str, folder: Path, asked: Asked, taken: set[str]) -> Copy:
    """The copy of one file."""
    tally = Tally()
    try:
        source = _source_of(path, asked)
        policy = Policy(names_of(source), asked.pseudonyms, asked.rules, asked.text, JUDGED)
        stream = open_stream(path)
        with stream.raw:
            first = stream.read(_BLOCK)
            kind = layout.kind_of(first)
            parts = _parts(path, kind, stream, first, policy, tally)
            target = folder / _named(Path(path).name, kind, policy, taken)
            with _writer(target, path) as out:
                for part in parts:
                    out.write(part)
    except Undecodable as error:
        return Copy(path, None, why=str(error))
    return Copy(path, str(target), source.name if source else None, tally=tally)


def _source_of(path: str, asked: Asked) -> Source | None:
    """The format of a file as it is read; None for one that no format claims."""
    one = Inputs([path], {path}, {path: Path(path).stat().st_size if Path(path).exists() else 0})
    for item in open_files(one, asked.input_format, Wishes(asked.maps)):
        if isinstance(item, Seen):
            return item.plan.source if item.plan else None
    return None


def names_of(source: Source | None) -> Names:
    """What the reader of a format needs to know of a record, by names: persons, ids, sentences, the rest."""
    if source is None:
        return Names()
    fields = {name: _keys(source, name) for name in source.calls if name in FIELDS or name in _SAID}
    requests = {key for name in ("call_id", "response_id") for key in fields.get(name, ())}
    kept = {key for name in _NAMES for key in fields.get(name, ())}
    kept |= {
        key for name in ("provider", "operation", "service_tier") for key in fields.get(name, ())
    } - requests
    users = fields.get("user", set()) - kept
    ids = {key for name in ("session", "trace") for key in fields.get(name, ())} - kept - users
    read = {plain(key) for column in source.columns() for key, _ in column.leaves}
    marks = {plain(f"{raw.steps_of(path)[-1]}") for mark in source.marks for path in mark.values}
    ids |= {key for key in requests - kept - users if re.search(r"(?:^|_)(?:id|uuid)$", key)}
    said = {key for name in _SAID for key in fields.get(name, ())}
    told = {plain(key) for key in source.tells}
    return Names(
        read=frozenset(read | told | marks),
        named=frozenset(kept | told | (marks - ids - users)),
        said=frozenset(said),
        users=frozenset(users - told),
        ids=frozenset(ids - told),
    )


def _keys(source: Source, name: str) -> set[str]:
    """The keys, plain, that a field's texts are read from."""
    columns = [raw.parse(root) for root in roots(source.calls, name) if root[0] != "@"]
    return {plain(key) for column in columns for key, kind in column.leaves if kind in ("str", "count")}


def _parts(
    path: str, kind: layout.Kind, stream: Stream, first: bytes, policy: Policy, tally: Tally
) -> Iterator[bytes]:
    """The bytes of a copy. Raises `Undecodable` for what cannot be copied."""
    if kind in ("parquet", "text"):
        what = "a Parquet file" if kind == "parquet" else "text that is neither JSON nor CSV"
        raise Undecodable(f"not copied: {what}")
    if kind == "csv":
        yield _csv(first + _rest(stream), policy, tally)
        return
    if kind == "sqlite":
        with databases.opened(path, first, stream) as database:
            yield from _side_by_side(database.blocks(_BLOCK), policy, tally)
        return
    lines: Iterable[bytes] = blocks(stream, _BLOCK, first)
    if kind in ("document", "events", "utf16"):
        lines = (layout.as_lines(first + _rest(stream), kind),)
    yield from _side_by_side(lines, policy, tally)


def _side_by_side(parts: Iterable[bytes], policy: Policy, tally: Tally) -> Iterator[bytes]:
    """Blocks of lines, redacted by several threads at a time, in their order."""

    def work(block: bytes) -> tuple[bytes, Tally]:
        own = Tally()
        return redact_lines(block, policy, own), own

    under_way: deque[Future[tuple[bytes, Tally]]] = deque()
    with ThreadPoolExecutor(_WORKERS) as pool:
        for block in parts:
            under_way.append(pool.submit(work, block))
            if len(under_way) > _WORKERS:
                yield _done(under_way.popleft(), tally)
        while under_way:
            yield _done(under_way.popleft(), tally)


def _done(one: Future[tuple[bytes, Tally]], tally: Tally) -> bytes:
    data, counted = one.result()
    tally.take(counted.counts)
    return data


def _rest(stream: Stream) -> bytes:
    parts = []
    while block := stream.read(_BLOCK):
        parts.append(block)
    return b"".join(parts)


def _csv(data: bytes, policy: Policy, tally: Tally) -> bytes:
    """A CSV with its separator and heads; rows that do not fit these are left out."""
    sheet = sheets.of_csv(data)
    tally.add("line", sum(1 for _, why in sheet.bad if why))
    out = io.StringIO(newline="")
    separator = layout.separator_of(data[:_BLOCK].decode(errors="replace"))
    writer = csv.writer(out, delimiter=separator, lineterminator="\n")
    writer.writerow(sheet.table.columns)
    writer.writerows(redact_table(sheet.table, policy, tally).iter_rows())
    return out.getvalue().encode()


def _named(name: str, kind: layout.Kind, policy: Policy, taken: set[str]) -> str:
    """The name of a copy: that of the file, without ids and addresses, and once only."""
    name = _UUID.sub(lambda found: policy.pseudonyms.one(found[0]), name)
    name = str(redacted(pl.Series([name]), policy.sure)[0].item())
    if kind == "sqlite":
        name = f"{Path(name).stem}.jsonl"
    stem, dot, ends = name.partition(".")
    number = 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}{dot}{ends}"
    taken.add(name)
    return name


@contextmanager
def _writer(target: Path, path: str) -> Iterator[BinaryIO]:
    """A new file (0600), packed as the file at `path` is; taken away again when writing fails."""
    with Path(path).open("rb") as file:
        head = file.read(4)
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise UsageError(f"{target} is there already: choose another folder with -o") from error
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror}") from error
    done = False
    try:
        with os.fdopen(handle, "wb") as out, _packed(out, head) as packed:
            yield packed
        done = True
    finally:
        if not done:
            target.unlink(missing_ok=True)


@contextmanager
def _packed(out: BinaryIO, head: bytes) -> Iterator[BinaryIO]:
    if head.startswith(GZIP):
        with gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0) as packed:
            yield cast("BinaryIO", packed)
    elif head.startswith(ZSTD):
        with zstandard.ZstdCompressor().stream_writer(out, closefd=False) as packed:
            yield cast("BinaryIO", packed)
    else:
        yield out
