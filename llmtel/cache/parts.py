"""The parts of a cache: what was read of some files together, and whether it still holds."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import asdict, replace

from llmtel.core.account import Account
from llmtel.pipeline import Gathered
from llmtel.sources.files import Inputs
from llmtel.store.ledger import Known, known
from llmtel.store.places import States

_LOOKED_AT = 1 << 16
"""Bytes before the end of what was read that must be the same in a file that grew."""
Grown = Mapping[str, tuple["File", Known]]
"""Files that grew: as they were, and where reading goes on."""


class File(Struct):
    """A file of a part: what it was when it was read, and how far that went.

    `states` are its states as the ledger of a store has them, `end` is the hash of the last bytes that were
    read. `tail` are the bytes of a last line that was
    left, and whether it was counted as unfinished; it is read again when the file grows.
    """

    path: str
    status: list[int]
    states: dict[str, int] = field(default_factory=dict)
    end: str = ""
    tail: tuple[int, int] = (0, 0)


class Part(Struct):
    """What was read of some files together; `name` is its file of calls, None where there are none."""

    name: str | None
    files: list[File]
    account: dict[str, Any]
    rejects: list[tuple[str, int, str]]
    notes: list[tuple[str, str, int, str | None, str]]
    seen: list[tuple[str, str | None, int, list[tuple[str, str, str]]]]
    skipped: list[tuple[str, str]]

    def told(self) -> dict[str, Any]:
        """The part as `of` takes it, which JSON can hold."""
        return {**asdict(self), "files": [asdict(one) for one in self.files]}

    @classmethod
    def of(cls, told: dict[str, Any]) -> Part:
        """A part as the index has it."""
        return cls(**{**told, "files": [File(**one) for one in told["files"]]})


def status_of(path: str) -> list[int] | None:
    """What tells whether a regular file has changed; None for anything else."""
    try:
        found = os.stat(path)  # noqa: PTH116 (paths are texts here)
    except OSError:
        return None
    beside = Path(path + "-wal")  # the newest changes of a database
    wal = beside.stat().st_mtime_ns if beside.exists() else 0
    told = [found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, wal]
    return told if stat.S_ISREG(found.st_mode) else None


def _newest(parts: Iterable[Part]) -> dict[str, File]:
    return {file.path: file for part in parts for file in part.files}


def still_good(parts: list[Part], status: dict[str, list[int]]) -> list[Part]:
    """The parts whose files are unchanged or only grew; a part that is read again takes its files along."""
    bad = {
        path
        for path, file in _newest(parts).items()
        if status.get(path) != file.status and _mark_of(file, status) is None
    }
    while True:
        kept = [part for part in parts if not any(file.path in bad for file in part.files)]
        more = {file.path for part in parts for file in part.files} - {f.path for p in kept for f in p.files}
        if more == bad:
            return kept
        bad = more


def _mark_of(file: File, status: dict[str, list[int]]) -> Known | None:
    """Where reading goes on in a file of lines that grew; None where it must be read as a whole."""
    if not file.states or file.path not in status or status[file.path][2] <= file.status[2]:
        return None
    found = known(file.path, "", States(file.states))
    same = found is not None and found.mark is not None and found.app in file.states
    return found if same and found and found.mark and _end(file.path, found.mark.offset) == file.end else None


def _end(path: str, offset: int) -> str:
    """The hash of the bytes before a place."""
    start = max(offset - _LOOKED_AT, 0)
    try:
        with Path(path).open("rb") as file:
            file.seek(start)
            return blake2b(file.read(offset - start), digest_size=16).hexdigest()
    except OSError:
        return ""


def grown(parts: list[Part], status: dict[str, list[int]]) -> Grown:
    """The files of some parts that grew since they were read."""
    files = _newest(parts)
    changed = {path: file for path, file in files.items() if status.get(path) != file.status}
    return {path: (file, at) for path, file in changed.items() if (at := _mark_of(file, status)) is not None}


def part_of(found: Gathered, group: Inputs, status: dict[str, list[int]], grown_files: Grown) -> Part:
    """A reading as a part. What an earlier part said of a file's end holds no longer."""
    account = replace(found.account, unreadable=Counter(), coerced=Counter())
    values = {"unreadable": dict(found.account.unreadable), "coerced": dict(found.account.coerced)}
    unfinished = {seen.path: int(seen.unfinished) for seen in found.seen}
    files = []
    for path in group.files:
        one = File(path, status.get(path, []))
        ended = group.ended.get(path)
        if ended is not None and ended.lines and path in status:
            at = grown_files[path][1] if path in grown_files else known(path, "", States())
            if at is not None:
                one.states, one.end = at.after(ended)[1], _end(path, ended.mark.offset)
                one.tail = (max(status[path][2] - ended.mark.offset, 0), unfinished.get(path, 0))
        account.bytes += one.tail[0]
        if path in grown_files:
            tail, left = grown_files[path][0].tail
            account.add(Account(files=-1, bytes=-tail, lines=-left, records=-left, unfinished=-left))
        files.append(one)
    return Part(
        None,
        files,
        {**asdict(account), **values},
        [(one.file, one.line, one.reason) for one in found.rejects],
        [(one.kind, one.text, one.count, one.file, one.said) for one in found.notes],
        [
            (s.path, s.format, s.bytes, [(m.field, m.path, words) for m, words in s.absent])
            for s in found.seen
        ],
        group.skipped,
    )
