"""Opening files: what each one is, which format it has, and its records as batches of lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import polars as pl

from llmtel.core.account import Account
from llmtel.core.schema import FIELDS, SCHEMA_VERSION
from llmtel.sources import layout, raw
from llmtel.sources.batches import SIZE, Batch, CsvBatch, FrameBatch
from llmtel.sources.detect import Verdict, source_of, verdict_on
from llmtel.sources.files import Inputs, Stream, Unclaimed, Undecodable, blocks, open_stream
from llmtel.sources.formats import sources
from llmtel.sources.plan import Plan
from llmtel.sources.source import Record, Source

_FEW = 10
"""Lines that are asked first: where they all say the same, no more are."""
_SAMPLE = 400
"""Records spread over the first block from which a mapping is chosen."""
PARQUET_KEY = "llmtel_schema"
"""Key of a Parquet file's metadata: the version of FIELDS it was written with."""


@dataclass(frozen=True)
class Mishap:
    """A file that could not be decoded, that nobody claims, or (no reason) that is empty."""

    path: str
    reason: str
    account: Account


@dataclass(frozen=True)
class Seen:
    """A file that is being read: its format, and what was decided for it."""

    path: str
    file: int
    format: str | None
    bytes: int = 0
    plan: Plan | None = None
    verdict: Verdict | None = None


Item = Batch | CsvBatch | FrameBatch | Mishap | Seen


@dataclass
class Opener:
    """Walks through the files of a run. `inputs.files` may be of any formats; `wanted` overrides their detection."""

    inputs: Inputs
    wanted: Source | None = None
    tags: tuple[str, ...] = ()
    plans: dict[str, Plan] = field(default_factory=dict)
    pending: Batch | None = None
    done: int = 0

    def items(self) -> Iterator[Item]:
        """Batches of all files, and what happened to each file. Batches of one format are joined across small files."""
        for number, path in enumerate(self.inputs.files):
            try:
                yield from self._file(number, path)
            except Undecodable as error:
                if isinstance(error, Unclaimed) and path not in self.inputs.named:
                    self.inputs.skipped.append(("no format claims it", path))
                    continue
                yield Mishap(
                    path, str(error), Account(files=1, files_rejected=1, bytes=self.inputs.sizes.get(path, 0))
                )
            self.done += self.inputs.sizes.get(path, 0)
        if self.pending is not None:
            yield self.pending

    def _file(self, number: int, path: str) -> Iterator[Item]:
        stream = open_stream(path)
        with stream.raw:
            first = stream.read(SIZE)
            kind = layout.kind_of(first)
            if kind == "parquet":
                yield from self._parquet(number, path, first + _rest(stream))
            elif kind == "empty":
                yield self._empty(number, path, first + _rest(stream))
            elif kind == "csv":
                yield from self._csv(number, path, first + _rest(stream))
            elif kind in ("binary", "text"):
                msg = "binary data, no log" if kind == "binary" else "text that is neither JSON nor CSV"
                raise Unclaimed(msg)
            else:
                yield from self._lines(number, path, stream, first, kind)

    def _empty(self, number: int, path: str, data: bytes) -> Item:
        lines = data.count(b"\n")
        account = Account(files=1, bytes=len(data), lines=lines, records=lines, blank=lines)
        return Mishap(path, "", account)

    def _parquet(self, number: int, path: str, data: bytes) -> Iterator[Item]:
        try:
            version = pl.read_parquet_metadata(data).get(PARQUET_KEY)
            frame = pl.read_parquet(data) if version is not None else None
        except pl.exceptions.PolarsError as error:
            msg = f"a damaged Parquet file: {str(error).splitlines()[0]}"
            raise Undecodable(msg) from error
        if frame is None or version is None:
            msg = "a Parquet file that llmtel did not write; export the calls as JSON lines or CSV"
            raise Undecodable(msg)
        if int(version) > SCHEMA_VERSION:
            msg = f"written by a newer llmtel (schema {version}, this one reads {SCHEMA_VERSION})"
            raise Undecodable(msg)
        yield Seen(path, number, "parquet", len(data))
        yield FrameBatch(frame.select(name for name in frame.columns if name in FIELDS), number)

    def _csv(self, number: int, path: str, data: bytes) -> Iterator[Item]:
        header, rows, places, bad = layout.rows_of_csv(data)
        sample = [dict(zip(header, row, strict=True)) for row in _spread(rows)]
        verdict = self._verdict(sample or [dict.fromkeys(header, "")], path, "csv")
        if verdict.source is None:
            raise Unclaimed(_unclaimed(sample, "CSV with the columns", header))
        plan = self._plan(verdict.source, sample)
        yield Seen(path, number, plan.source.name, len(data), plan, verdict)
        batch = CsvBatch(
            plan, self.inputs.files, [0], [number], [0], data.count(b"\n") + (not data.endswith(b"\n"))
        )
        batch.header, batch.rows, batch.places, batch.bad = header, rows, places, bad
        batch.consumed = self.done + len(data)
        yield batch

    def _lines(
        self, number: int, path: str, stream: Stream, first: bytes, kind: layout.Kind
    ) -> Iterator[Item]:
        whole = kind != "jsonl"
        if kind == "utf16":
            first, kind = layout.transcoded(first + _rest(stream)), "jsonl"
        if kind == "document":
            everything = first + _rest(stream)
            first = layout.lines_of_document(everything) or everything
        elif kind == "events":
            first = layout.lines_of_events(first + _rest(stream))
        sample = _records(_first_lines(first))
        verdict = self._verdict(sample, path, "json")
        if not verdict.unanimous or verdict.source is None or verdict.source.bind is not None:
            sample = _records(_lines_across(first))
            verdict = self._verdict(sample, path, "json")
        if verdict.source is None:
            raise Unclaimed(
                _unclaimed(
                    sample, "JSON objects with the keys", sorted({key for r in sample[:5] for key in r})
                )
            )
        plan = self._plan(verdict.source, sample)
        yield Seen(
            path, number, plan.source.name, self.inputs.sizes.get(path, 0) or len(first), plan, verdict
        )
        whole = whole or plan.source.whole
        if plan.source.whole and kind == "jsonl":
            first += _rest(stream)
        line = 1
        for block in [first] if whole else blocks(stream, SIZE, first):
            batch = self._batch_for(plan, len(block))
            if batch is not self.pending and self.pending is not None:
                yield self.pending
            self.pending = batch
            line += self._add(batch, block, number, line, stream)
            if batch.size >= SIZE:
                yield batch
                self.pending = None

    def _batch_for(self, plan: Plan, size: int) -> Batch:
        waiting = self.pending
        if waiting is not None and waiting.plan is plan and waiting.size + size <= SIZE + (SIZE >> 2):
            return waiting
        return Batch(plan, self.inputs.files)

    def _add(self, batch: Batch, block: bytes, number: int, line: int, stream: Stream) -> int:
        records = batch.plan.source.records
        before = batch.lines
        if records is None:
            batch.add(block, number, line)
        else:
            block, numbers = _exploded(block, records, line)
            batch.add(block, number, line)
            batch.numbers = (batch.numbers or []) + numbers
        batch.consumed = self.done + stream.consumed
        return batch.lines - before

    def _verdict(self, sample: Sequence[Record], path: str, kind: str) -> Verdict:
        if self.wanted is not None:
            return verdict_on(sample, kind, self.wanted)
        return source_of(sample, path, kind)

    def _plan(self, source: Source, sample: Sequence[Record]) -> Plan:
        """The plan for a file; files whose mappings are the same share one."""
        if source.bind is None and source.name in self.plans:
            return self.plans[source.name]
        bound = source.bind(sample, source) if source.bind is not None else source
        if self.tags:
            bound = replace(bound, calls={**bound.calls, "tags": _tags(self.tags)})
        mapping = (
            sorted((name, str(value)) for name, value in bound.calls.items())
            if source.bind is not None
            else ""
        )
        return self.plans.setdefault(f"{bound.name}{bound.decisions or ''}{mapping}", Plan(bound))


def _rest(stream: Stream) -> bytes:
    parts = []
    while block := stream.read(SIZE):
        parts.append(block)
    return b"".join(parts)


def _spread(items: Sequence[Any]) -> list[Any]:
    """The first items, and others evenly from the rest."""
    step = max(1, len(items) // _SAMPLE)
    return [*items[:50], *items[50::step]]


def _records(lines: Sequence[bytes]) -> list[Record]:
    """Objects among some lines: the first ones, and others spread over them. Bad lines are left to the reader."""
    found = []
    for line in _spread([line for line in lines if line.strip()]):
        try:
            record = orjson.loads(line.strip().removeprefix(b"\xef\xbb\xbf"))
        except (orjson.JSONDecodeError, RecursionError):
            continue
        if isinstance(record, dict):
            found.append(record)
    return found


def _first_lines(data: bytes) -> list[bytes]:
    lines: list[bytes] = []
    start = 0
    while len(lines) < _FEW and start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        lines.append(data[start:end])
        start = end + 1
    return lines


def _lines_across(data: bytes) -> list[bytes]:
    """Complete lines from the beginning of a block and from places evenly spread over it."""
    if len(data) <= 1 << 20:
        return data.split(b"\n")
    lines = data[: 1 << 18].split(b"\n")[:-1]
    for at in range(1 << 18, len(data), max(1, len(data) // _SAMPLE)):
        start = data.find(b"\n", at) + 1
        end = data.find(b"\n", start)
        if 0 < start < end:
            lines.append(data[start:end])
    return lines or [data.split(b"\n", 1)[0]]


def _exploded(block: bytes, records: Any, line: int) -> tuple[bytes, list[int]]:  # noqa: ANN401 (a source's callable)
    """Lines of nested exports as lines of single records, with the line each came from. Bad lines stay as they are."""
    out, numbers = [], []
    for offset, text in enumerate(block.removesuffix(b"\n").split(b"\n")):
        try:
            found = list(records(orjson.loads(text)))
        except (orjson.JSONDecodeError, RecursionError, TypeError, AttributeError, KeyError, ValueError):
            found = [None]
        inner = [text if record is None else orjson.dumps(record) for record in found] or [b"{}"]
        out += inner
        numbers += [line + offset] * len(inner)
    ending = b"\n" if block.endswith(b"\n") else b""
    return b"\n".join(out) + ending, numbers


def _tags(keys: tuple[str, ...]) -> pl.Expr:
    """The extra keys that were asked for, as a JSON object: from `tags`, `metadata` or the top of a record."""
    names = {key: raw.escaped(key) for key in keys}
    found = [
        pl.coalesce(raw.text(f"tags.{name}"), raw.text(f"metadata.{name}"), raw.text(name)).alias(key)
        for key, name in names.items()
    ]
    return pl.when(pl.any_horizontal(value.is_not_null() for value in found)).then(
        pl.struct(found).struct.json_encode()
    )


def _unclaimed(sample: Sequence[Record], what: str, names: Sequence[str]) -> str:
    if not sample:
        return "no line of it is a JSON object"
    shown = ", ".join(json.dumps(name)[1:-1] for name in names[:8])
    return (
        f"{what} {shown}{', …' if len(names) > 8 else ''}: no format claims them. A generic log needs a time"  # noqa: PLR2004
        " (timestamp, created_at, …) and one of model, tokens or latency; `llmtel list formats` shows the rest"
    )


def open_files(inputs: Inputs, input_format: str | None, tags: tuple[str, ...]) -> Iterator[Item]:
    """The batches of all inputs. Raises `UnknownName` for a format that does not exist."""
    wanted = sources()[input_format] if input_format is not None else None
    return Opener(inputs, wanted, tags).items()
