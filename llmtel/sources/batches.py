"""Batches: lines of one format, of several small files or a part of a large one, that know their places."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from pathlib import Path

import polars as pl
from msgspec import Struct, field

from llmtel.sources.files import STDIN
from llmtel.sources.newlines import line_count
from llmtel.sources.plan import Plan
from llmtel.sources.raw import PATH, STEM

SIZE = 16 << 20
"""Bytes of a batch: enough that a query's fixed cost is small, few enough that memory stays bounded."""


def _stem(path: str) -> str | None:
    """A file's name without its extension and that of its compression; None for what has no name."""
    return None if path == STDIN else Path(path.removesuffix(".gz").removesuffix(".zst")).stem


def _path(path: str) -> str:
    return path.replace("\\", "/")


_OF_FILES = {STEM: _stem, PATH: _path}
"""What mappings may ask of the file that a row is from, made of its path."""


class FrameBatch(Struct, frozen=True):
    """The calls of a Parquet file that llmtel wrote."""

    frame: pl.DataFrame
    file: int


class _Placed(Struct):
    """Rows that know their files, in segments, one a part of a file.

    `starts` are the first rows of the segments, `files` (as numbers of `paths`) and `firsts` their files and
    first lines. A row is a line: records that were in one line have the same. `consumed` are the bytes of
    all files read when the last lines came.
    """

    plan: Plan
    paths: list[str]
    starts: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    firsts: list[int] = field(default_factory=list)
    lines: int = 0
    consumed: int = 0

    def locate(self, row: int) -> tuple[str, int]:
        """The file and line of a row."""
        segment = bisect_right(self.starts, row) - 1
        return self.paths[self.files[segment]], self.line(row, segment)

    def line(self, row: int, segment: int) -> int:
        """The line of a row of a segment."""
        return row - self.starts[segment] + self.firsts[segment]

    def placed(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Raw rows with `@file` (the file's number), `line`, `@segment` (the ordinal of the part).

        And `STEM` and `PATH` where the mapping asks for them.
        """
        if len(self.starts) == 1:
            return rows.with_columns(
                pl.lit(0, dtype=pl.UInt32).alias("@segment"),
                pl.lit(self.files[0], dtype=pl.UInt32).alias("@file"),
                *(pl.lit(told[0]).alias(name) for name, told in self._of_files().items()),
                line=pl.col("row").cast(pl.Int64) + (self.firsts[0] - self.starts[0]),
            )
        segments = pl.DataFrame(
            {
                "@segment": range(len(self.starts)),
                "@start": self.starts,
                "@file": self.files,
                "@first": self.firsts,
            },
            schema={"@segment": pl.UInt32, "@start": pl.UInt32, "@file": pl.UInt32, "@first": pl.Int64},
        ).with_columns(self._of_files().values())
        rows = rows.sort("row", maintain_order=True).join_asof(segments, left_on="row", right_on="@start")
        line = pl.col("row").cast(pl.Int64) - pl.col("@start") + pl.col("@first")
        return rows.with_columns(line.alias("line")).drop("@start", "@first")

    def _of_files(self) -> dict[str, pl.Series]:
        """What the mapping asks of the file of each segment."""
        return {
            name: pl.Series(name, [_OF_FILES[name](self.paths[file]) for file in self.files], dtype=pl.String)
            for name in sorted(self.plan.of_files)
        }


class Batch(_Placed, dict=True):
    """Complete lines of JSON. `finals` are rows of last lines without a newline."""

    parts: list[bytes] = field(default_factory=list)
    finals: set[int] = field(default_factory=set)
    size: int = 0

    @cached_property
    def data(self) -> bytes:
        """All lines."""
        return b"".join(self.parts) if len(self.parts) != 1 else self.parts[0]

    def add(self, data: bytes, file: int, first: int) -> int:
        """Lines of a file, from its line `first` on. Returns how many."""
        count = line_count(data)
        self.starts.append(self.lines)
        self.files.append(file)
        self.firsts.append(first)
        if data and not data.endswith(b"\n"):
            data += b"\n"
            self.finals.add(self.lines + count - 1)
        self.lines += count
        self.size += len(data)
        self.parts.append(data)
        return count


class CsvBatch(_Placed):
    """Rows of a table of texts, with the line each ends on, and those that do not fit the header."""

    table: pl.DataFrame = field(default_factory=pl.DataFrame)
    places: pl.Series = field(default_factory=pl.Series)
    bad: list[tuple[int, str]] = field(default_factory=list)
    finals: frozenset[int] = frozenset()

    @property
    def records(self) -> int:
        """Records: rows, also those that do not fit."""
        return self.table.height + len(self.bad)
