"""Where rejected records lie in their files, so that they can be read again."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from llmtel.core.account import Reject
from llmtel.sources.files import STDIN, Inputs, Mark, Span
from llmtel.store.rejected import Entry

_BLOCK = 1 << 20


def span_of(entry: Entry) -> Span | None:
    """The line of a rejected record in its file."""
    if entry.offset is None or entry.length is None:
        return None
    return Span(Mark(entry.offset, entry.line - 1), entry.offset + entry.length)


def entries(rejects: Sequence[Reject], names: Mapping[str, str], inputs: Inputs) -> Iterator[Entry]:
    """The rejected records of some inputs; `names` are those of the ledger for their files."""
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
