"""Rejected records of a store: where they are and why, never their bytes."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from llmtel.core.account import Reject
from llmtel.sources.files import STDIN, Inputs, Mark, Span
from llmtel.store.folder import Where, noted
from llmtel.store.location import Folder

FILE = "rejects.jsonl"
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Entry:
    """A rejected record: `source` is its file's name in the ledger, `file` the file as it was given.

    `path` is the file wherever one stands (None: standard input). `offset` and `length` are the bytes of its
    line, without its end; None where the file is not one of lines.
    """

    source: str
    file: str
    path: str | None
    line: int
    offset: int | None
    length: int | None
    reason: str

    @property
    def reject(self) -> Reject:
        """It as the reader tells it."""
        return Reject(self.file, self.line, self.reason)

    @property
    def span(self) -> Span | None:
        """Its line in the file."""
        if self.offset is None or self.length is None:
            return None
        return Span(Mark(self.offset, self.line - 1), self.offset + self.length)


def keep(
    folder: Folder, rejects: Sequence[Reject], names: Mapping[str, str], inputs: Inputs, void: Collection[str]
) -> None:
    """Note rejected records of some inputs; `names` are those of the ledger for their files.

    Earlier ones of the sources that are `void` go. It is done before the commit: a record that is found
    again, after a kill, stands there twice.
    """
    entries = list(_entries(rejects, names, inputs))
    if void:
        before = listed(folder)
        rest = [one for one in before if one.source not in void]
        if len(rest) < len(before):
            put(folder, [*rest, *entries])
            return
    if entries:
        folder.append(FILE, _lines(entries))


def put(folder: Folder, entries: Iterable[Entry]) -> None:
    """Write the whole list anew."""
    folder.replace(FILE, _lines(entries))


def listed(place: Where) -> list[Entry]:
    """The rejected records of a store, each once, in the order of files and lines."""
    entries = (_entry(told) for told in noted(place, FILE))
    found = {(one.source, one.line): one for one in entries if one is not None}
    return sorted(found.values(), key=lambda one: (one.file, one.line))


def kept(place: Where) -> list[Reject]:
    """The same as the reader tells them."""
    return [one.reject for one in listed(place)]


def _entry(told: Mapping[str, Any]) -> Entry | None:
    """The entry that a line of the list is; None for any other object."""
    texts = all(isinstance(told.get(name), str) for name in ("source", "file", "reason"))
    if not texts or not isinstance(told.get("line"), int):
        return None
    values: dict[str, Any] = {name: told.get(name) for name in Entry.__dataclass_fields__}
    return Entry(**values)


def _lines(entries: Iterable[Entry]) -> str:
    return "".join(json.dumps(asdict(one)) + "\n" for one in entries)


def _entries(rejects: Sequence[Reject], names: Mapping[str, str], inputs: Inputs) -> Iterator[Entry]:
    by_file: dict[str, list[Reject]] = {}
    for one in rejects:
        by_file.setdefault(one.file, []).append(one)
    for file, several in by_file.items():
        path = None if file == STDIN else os.path.abspath(file)  # noqa: PTH100 (a link stays one)
        spans: dict[int, tuple[int, int]] = {}
        if path is not None and file in inputs.ended and inputs.ended[file].lines:
            begun = (inputs.begun or {}).get(file) if inputs.ended[file].resumed else None
            spans = _spans(path, begun or Mark(), {one.line for one in several})
        for one in several:
            offset, length = spans.get(one.line, (None, None))
            yield Entry(names[file], file, path, one.line, offset, length, one.reason)


def _spans(path: str, begun: Mark, lines: Collection[int]) -> dict[int, tuple[int, int]]:
    """Where lines of a file lie (offset, length), counted from a mark on; without those that are gone."""
    found = {}
    wanted = sorted(lines, reverse=True)
    try:
        with Path(path).open("rb") as file:
            offset, line = begun.offset, begun.lines + 1
            file.seek(offset)
            while wanted and (block := file.read(_BLOCK) + file.readline()):
                ends = block.count(b"\n")
                start, here = 0, line
                while wanted and wanted[-1] < line + ends + (not block.endswith(b"\n")):
                    start = _skipped(block, start, wanted[-1] - here)
                    here = wanted.pop()
                    end = block.find(b"\n", start)
                    found[here] = offset + start, (len(block) if end < 0 else end) - start
                offset, line = offset + len(block), line + ends
    except OSError:
        return {}
    return found


def _skipped(block: bytes, start: int, lines: int) -> int:
    """The place so many lines further."""
    for _ in range(lines):
        start = block.find(b"\n", start) + 1
    return start
