"""Opening files: what each one is, which format it has, and its records as batches of lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from msgspec import Struct, field
from msgspec.structs import replace

from llmtel.core.account import Account
from llmtel.sources import databases, layout, maps, parquet, sheets
from llmtel.sources.batches import SIZE, Batch, CsvBatch, FrameBatch
from llmtel.sources.detect import Tied, Verdict, source_of, unclaimed, verdict_on
from llmtel.sources.files import (
    Ended,
    Inputs,
    Mark,
    Stream,
    Unclaimed,
    Undecodable,
    blocks,
    open_stream,
)
from llmtel.sources.formats import sources
from llmtel.sources.growing import window
from llmtel.sources.items import Item, Mishap, Seen
from llmtel.sources.maps import Mapped
from llmtel.sources.nesting import inside
from llmtel.sources.plan import Plan
from llmtel.sources.sampling import first_lines, lines_across, objects
from llmtel.sources.sheets import Sheet
from llmtel.sources.source import Record, Source
from llmtel.sources.wishes import Wishes

_HEAD = 4 << 20
"""Bytes by which a file is judged."""
OWN = "parquet"
"""What calls that llmtel wrote have been read as: they are of their own format."""


class Opener(Struct):
    """Walks through the files of a run, of whatever formats; `wanted` overrides what they look like.

    `plans` are those made so far, `pending` the batch that may take more lines, `done` the bytes of the
    files behind.
    """

    inputs: Inputs
    wanted: Source | None = None
    wishes: Wishes = field(default_factory=Wishes)
    plans: dict[str, Plan] = field(default_factory=dict)
    pending: Batch | None = None
    done: int = 0

    def items(self) -> Iterator[Item]:
        """Batches of all files, and what happened to each file. Small files of one format share batches."""
        for number, path in enumerate(self.inputs.files):
            seen = False
            size = self.inputs.sizes.get(path, 0)
            try:
                for item in self._file(number, path):
                    seen = seen or isinstance(item, Seen)
                    yield item
            except Undecodable as error:
                if isinstance(error, Unclaimed) and path not in self.inputs.named:
                    self.inputs.skipped.append(("no format claims it", path))
                    continue
                if seen:  # what could be decoded was read, and is not to be read again
                    self.inputs.ended.setdefault(path, Ended(Mark(size)))
                unseen = Account() if seen else Account(files=1, bytes=size)
                records = error.records if isinstance(error, Unclaimed) else ()
                yield Mishap(path, str(error), replace(unseen, files_rejected=1), records)
            self.done += size
        if self.pending is not None:
            yield self.pending

    def _file(self, number: int, path: str) -> Iterator[Item]:
        stream = open_stream(path)
        with stream.raw:
            first = stream.read(_HEAD)
            kind = layout.kind_of(first)
            if kind == "sqlite":
                yield from self._database(number, path, stream, first)
            elif kind == "parquet":
                yield from self._parquet(number, path, first + _rest(stream))
            elif kind == "empty":
                yield _empty(path, first + _rest(stream))
            elif kind == "csv":
                data = first + _rest(stream)
                yield from self._sheet(number, path, len(data), sheets.of_csv(data))
            elif kind == "text":
                msg = "no format claims it: text that is neither JSON nor CSV"
                raise Unclaimed(msg)
            else:
                yield from self._lines(number, path, stream, first, kind)
            if path not in self.inputs.ended and stream.raw.seekable():
                self.inputs.ended[path] = Ended(
                    Mark(stream.raw.tell()), lines=kind == "jsonl" and stream.source is stream.raw
                )

    def _sheet(self, number: int, path: str, size: int, sheet: Sheet) -> Iterator[Item]:
        """A table of texts: of a CSV, or of a Parquet file."""
        self._refuse_other_layout("csv")
        sample = sheet.sample()
        verdict = self._verdict(path, sample, "csv")
        if verdict.source is None:
            words = unclaimed(path, sample, "a table with the columns", sheet.table.columns)
            raise Unclaimed(words, sample)
        plan, absent = self._plan(path, verdict.source, sample)
        yield Seen(path, number, plan.source.name, size, plan, verdict, absent, self._kept(sample))
        yield CsvBatch(
            plan, self.inputs.files, [0], [number], [0], sheet.lines, self.done + size,
            table=sheet.table, places=sheet.places, bad=sheet.bad,
        )  # fmt: skip

    def _parquet(self, number: int, path: str, data: bytes) -> Iterator[Item]:
        """Calls that llmtel wrote, or a table of somebody else's."""
        frame, own = parquet.opened(data)
        if not own:
            yield from self._sheet(number, path, len(data), sheets.of_frame(frame))
            return
        yield Seen(path, number, OWN, len(data))
        yield FrameBatch(frame, number)

    def _lines(
        self, number: int, path: str, stream: Stream, first: bytes, kind: layout.Kind
    ) -> Iterator[Item]:
        self._refuse_other_layout("json")
        whole = kind != "jsonl"
        first = first + _rest(stream) if whole else _to_a_line_break(first, stream)
        if whole and not (lines := layout.as_lines(first, kind)).strip():
            yield _empty(path, first)  # an array of nothing
            return
        first = lines if whole else first
        verdict, sample = self._judged(path, first)
        if verdict.source is None and (pages := layout.lines_of_pages(first)):
            verdict, inside = self._judged(path, pages)
            if verdict.source is not None or len(sample) == 1:
                whole, sample = True, inside
                first = layout.lines_of_pages(first + _rest(stream))
        if not sample and (fault := layout.fault_of(first, kind)):
            msg = f"no format claims it: not JSON to its end: {fault}"
            raise Unclaimed(msg)
        if verdict.source is None:
            keys = sorted({key for record in sample[:5] for key in record})
            what = f"JSON objects {'with the keys' if keys else 'without any key'}"
            raise Unclaimed(unclaimed(path, sample, what, keys), sample)
        plan, absent = self._plan(path, verdict.source, sample)
        size = self.inputs.sizes.get(path, 0) or len(first)
        seen = Seen(path, number, plan.source.name, size, plan, verdict, absent, self._kept(sample))
        if self.inputs.begun is not None and not whole and _stands_alone(plan.source, stream):
            yield from (self._picked if path in self.inputs.picked else self._grown)(seen, plan, stream)
            return
        yield seen
        if plan.source.whole and not whole:
            whole, first = True, first + _rest(stream)
        parts = [first] if whole else blocks(stream, SIZE, first)
        yield from self._batches(number, plan, parts, stream)

    def _grown(self, seen: Seen, plan: Plan, stream: Stream) -> Iterator[Item]:
        """What has come since the mark of a file, up to its last complete line."""
        begun = self.inputs.begun or {}
        part = window(stream.raw, begun.get(seen.path, Mark()))
        yield replace(seen, bytes=part.end - part.start.offset, unfinished=part.unfinished)
        yield from self._batches(seen.file, plan, part.blocks(SIZE), stream, part.start.lines + 1)
        self.inputs.ended[seen.path] = Ended(part.mark, resumed=part.start.offset > 0, lines=True)

    def _picked(self, seen: Seen, plan: Plan, stream: Stream) -> Iterator[Item]:
        """The lines of a file that are wanted."""
        spans = self.inputs.picked[seen.path]
        yield replace(seen, bytes=sum(span.end - span.start.offset for span in spans))
        for span in spans:
            stream.raw.seek(span.start.offset)
            lines = stream.raw.read(span.end - span.start.offset) + b"\n"
            yield from self._batches(seen.file, plan, [lines], stream, span.start.lines + 1)
        last = spans[-1]
        self.inputs.ended[seen.path] = Ended(Mark(last.end, last.start.lines + 1), resumed=True, lines=True)

    def _database(self, number: int, path: str, stream: Stream, first: bytes) -> Iterator[Item]:
        """The rows of the tables that a format knows, as lines of it."""
        with databases.opened(path, first, stream) as database:
            source = database.source
            if self.wanted is not None and self.wanted is not source:
                msg = f"--input-format {self.wanted.name}: this is a database of {source.name}"
                raise Undecodable(msg)
            parts = database.blocks(SIZE)
            rows = next(parts)
            sample = objects(first_lines(rows))
            plan, absent = self._plan(path, source, sample)
            verdict = replace(verdict_on(sample, "json", self.wanted), source=source)
            size = self.inputs.sizes.get(path, 0) or len(first)
            yield Seen(path, number, source.name, size, plan, verdict, absent, self._kept(sample))
            yield from self._batches(number, plan, chain([rows], parts), stream)

    def _batches(
        self, number: int, plan: Plan, parts: Iterable[bytes], stream: Stream, line: int = 1
    ) -> Iterator[Item]:
        """The batches that blocks of a file's lines, from `line` on, fill; the last may take more lines."""
        for block in parts:
            batch = self._batch_for(plan, len(block))
            if batch is not self.pending and self.pending is not None:
                yield self.pending
            self.pending = batch
            line += batch.add(block, number, line)
            batch.consumed = self.done + stream.consumed
            if batch.size >= SIZE:
                yield batch
                self.pending = None

    def _refuse_other_layout(self, found: str) -> None:
        """Raise when the format that was asked for is of another layout than the file."""
        wanted, names = self.wanted, {"csv": "CSV", "json": "JSON"}
        if wanted is not None and wanted.layout != found:
            msg = f"--input-format {wanted.name} reads {names[wanted.layout]}; this is {names[found]}"
            raise Undecodable(msg)

    def _kept(self, sample: Sequence[Record]) -> Sequence[Record]:
        return sample if self.wishes.samples else ()

    def _batch_for(self, plan: Plan, size: int) -> Batch:
        """The pending batch if it is of the same plan and has room, else a new one."""
        waiting = self.pending
        if waiting is not None and waiting.plan is plan and waiting.size + size <= SIZE + (SIZE >> 2):
            return waiting
        return Batch(plan, self.inputs.files)

    def _judged(self, path: str, data: bytes) -> tuple[Verdict, list[Record]]:
        """The format of some lines, and the records it was judged on: few where these agree, else many."""
        sample = objects(first_lines(data))
        try:
            verdict = self._verdict(path, sample, "json")
        except Tied:
            pass  # more records may tell
        else:
            if verdict.unanimous and verdict.source is not None and verdict.source.bind is None:
                return verdict, sample
        sample = objects(lines_across(data))
        return self._verdict(path, sample, "json"), sample

    def _verdict(self, path: str, sample: Sequence[Record], kind: str) -> Verdict:
        """What the file is; if no format claims it, an application's log where mapped fields make it one."""
        if self.wanted is not None:
            return verdict_on(sample, kind, self.wanted)
        verdict = source_of(sample, kind)
        if verdict.source is not None or not self.wishes.rules:
            return verdict
        plain = sources()["generic" if kind == "json" else "generic_csv"]
        count = maps.claims(self.wishes.of(path, plain), sample[: verdict.asked])
        return replace(verdict, source=plain, claims=Counter({plain.name: count})) if count else verdict

    def _plan(
        self, path: str, source: Source, sample: Sequence[Record]
    ) -> tuple[Plan, tuple[tuple[Mapped, str], ...]]:
        """The plan for a file, and what is mapped in vain; files whose mappings are the same share a plan."""
        wanted = self.wishes.of(path, source)
        if source.bind is None and not wanted and source.name in self.plans:
            return self.plans[source.name], ()
        bound = source.bind(sample, source) if source.bind is not None else source
        shape = self.wishes.shape(wanted)
        records = inside(sample, bound) if wanted and bound.records is not None else sample
        bound = shape(bound, records)
        key = bound.name
        if source.bind is not None or wanted:
            mapping = sorted((name, str(value)) for name, value in bound.calls.items())
            key += f"{bound.decisions}{mapping}"
        absent = tuple((one, maps.missing_words(one, records)) for one in maps.absent(wanted, records))
        return self.plans.setdefault(key, Plan(bound, shape)), absent


def _stands_alone(source: Source, stream: Stream) -> bool:
    """Whether what is appended to a file can be read without what is before it."""
    plain = stream.source is stream.raw and stream.raw.seekable()
    return plain and not source.whole and source.copies is None


def _rest(stream: Stream) -> bytes:
    return b"".join(iter(lambda: stream.read(SIZE), b""))


def _to_a_line_break(first: bytes, stream: Stream) -> bytes:
    """The first block with more of its line, if it has no end of one: a document in a line may be large."""
    parts = [first]
    while b"\n" not in parts[-1] and (block := stream.read(SIZE)):
        parts.append(block)
    return b"".join(parts)


def _empty(path: str, data: bytes) -> Mishap:
    lines = data.count(b"\n")
    return Mishap(path, "", Account(files=1, bytes=len(data), lines=lines, records=lines, blank=lines))


def open_files(inputs: Inputs, input_format: str | None, wishes: Wishes) -> Iterator[Item]:
    """The batches of all inputs. Raises `UnknownName` for a format that does not exist."""
    wanted = sources()[input_format] if input_format is not None else None
    return Opener(inputs, wanted, wishes).items()
