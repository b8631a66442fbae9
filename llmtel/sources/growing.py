"""Files that grow: the part between a mark and the last complete line, as blocks of lines."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

import orjson
from msgspec import Struct

from llmtel.sources.files import Mark
from llmtel.sources.newlines import line_count

_STEP = 1 << 16


class Window(Struct):
    """The lines of `file` from `start` up to `end`; `unfinished` says that a line without its end follows.

    `lines` are those before `end`, once all blocks were given.
    """

    file: BinaryIO
    start: Mark
    end: int
    unfinished: bool
    lines: int = 0

    @property
    def mark(self) -> Mark:
        """The place behind it."""
        return Mark(self.end, self.lines)

    def blocks(self, size: int) -> Iterator[bytes]:
        """Blocks of complete lines of about `size` bytes."""
        at, self.lines = self.start.offset, self.start.lines
        while at < self.end:
            self.file.seek(min(at + size, self.end))
            self.file.readline()
            end = min(self.file.tell(), self.end)
            self.file.seek(at)
            block = self.file.read(end - at)
            if not block:  # truncated while it was read
                self.end = at
                return
            at += len(block)
            self.lines += line_count(block) - (not block.endswith(b"\n"))
            yield block


def window(file: BinaryIO, start: Mark) -> Window:
    """What of a file of lines has come since `start` and is complete.

    A last line without its line end is complete when it is an object: none is the beginning of another.
    """
    size = os.fstat(file.fileno()).st_size
    after = _after_last_line(file, start.offset, size)
    file.seek(after)
    tail = file.read(size - after).strip(b" \t\r\n\x00")
    whole = not tail or _is_object(tail)
    return Window(file, start, size if whole else after, unfinished=not whole)


def _after_last_line(file: BinaryIO, start: int, size: int) -> int:
    """Where the last line begins that has no end, `size` where there is none."""
    end = size
    while end > start:
        begin = max(start, end - _STEP)
        file.seek(begin)
        found = file.read(end - begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return start


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(orjson.loads(text.removeprefix(b"\xef\xbb\xbf")), dict)
    except (orjson.JSONDecodeError, RecursionError):
        return False
