"""Files to calls: batches of lines of one format, each decoded, mapped and accounted for.

A thread reads and joins lines into batches (small files share one, a large file has many); the caller's thread decodes
and maps them, which Polars does on all cores. At most two batches wait, so memory stays bounded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from queue import Queue

import orjson
import polars as pl

from llmtel.core.account import Account, Note, Reject
from llmtel.sources import cells
from llmtel.sources.batches import Batch, CsvBatch, FrameBatch
from llmtel.sources.decode import CUT_OFF, Decoded, decode, decode_slowly
from llmtel.sources.detect import claimant, of_one_family
from llmtel.sources.files import Inputs
from llmtel.sources.formats import sources
from llmtel.sources.mapping import Mapped, map_rows
from llmtel.sources.openings import Item, Mishap, Seen, open_files
from llmtel.sources.plan import Plan

Progress = Callable[[int], None]
_WAITING = 2
REMARKS = {
    "utc": "{n} times have no offset and were read as UTC",
    "cut": "{n} values were longer than 1,024 characters and were cut",
}


@dataclass
class Calls:
    """What was read: frames of calls (with `@file`, the file's number), the account, rejects and notes."""

    frames: list[pl.DataFrame] = field(default_factory=list)
    account: Account = field(default_factory=Account)
    rejects: list[Reject] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)


def read_calls(
    inputs: Inputs, input_format: str | None = None, tags: tuple[str, ...] = (), progress: Progress | None = None,
    *, slowly: bool = False,
) -> Calls:  # fmt: skip
    """The calls of all files. `slowly` looks at every line (the two ways agree; tests feed both)."""
    result = Calls()
    remarks: dict[str, tuple[int, str]] = {}
    for batch in _prefetched(open_files(inputs, input_format, tags)):
        if isinstance(batch, Mishap):
            _take_mishap(batch, result)
        elif isinstance(batch, Seen):
            _take_seen(batch, result)
        elif isinstance(batch, FrameBatch):
            _take_frame(batch, result)
        else:
            _take(batch, result, remarks, slowly=slowly)
            if progress is not None:
                progress(batch.consumed)
    result.notes += [Note(kind, text.replace("{n}", f"{count:,}"), count) for kind, (count, text) in remarks.items()]
    return result


def _prefetched(items: Iterator[Item]) -> Iterator[Item]:
    """The same items, made in a thread; at most `_WAITING` wait. An error of the thread is raised here."""
    queue: Queue[Item | BaseException | None] = Queue(_WAITING)
    stopped = threading.Event()

    def work() -> None:
        try:
            for item in items:
                queue.put(item)
                if stopped.is_set():
                    return
            queue.put(None)
        except BaseException as error:  # noqa: BLE001 (raised again by the caller)
            queue.put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        while (item := queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()


def _take_seen(seen: Seen, result: Calls) -> None:
    result.seen.append(seen)
    result.account.add(Account(files=1, bytes=seen.bytes))
    decisions = seen.plan.source.decisions if seen.plan is not None else ()
    result.notes += [Note("unit", f"{seen.path}: {decision}", file=seen.path) for decision in decisions]
    if seen.verdict is not None and not seen.verdict.forced and seen.format is not None:
        others = {name: count for name, count in seen.verdict.claims.items() if not of_one_family(name, seen.format)}
        for name, count in others.items():
            text = f"{seen.path}: read as {seen.format}; {count} of its first {seen.verdict.asked} records look like {name}"
            result.notes.append(Note("minority", text, count, seen.path))


def _take_mishap(mishap: Mishap, result: Calls) -> None:
    result.account.add(mishap.account)
    if not mishap.reason:
        return
    result.notes.append(Note("file_rejected", f"{mishap.path}: {mishap.reason}", file=mishap.path))


def _take_frame(batch: FrameBatch, result: Calls) -> None:
    calls = batch.frame.with_columns(pl.lit(batch.file, dtype=pl.UInt32).alias("@file"))
    result.account.add(Account(lines=calls.height, records=calls.height, calls=calls.height))
    result.frames.append(calls)


def _take(batch: Batch | CsvBatch, result: Calls, remarks: dict[str, tuple[int, str]], *, slowly: bool) -> None:
    """One batch: its lines decoded, mapped and accounted for."""
    decoded = _decoded(batch, slowly=slowly)
    source = batch.plan.source
    mapped = map_rows(batch.with_segments(decoded.raw) if source.whole else decoded.raw, source)
    parts = [(mapped, source.name)]
    other = mapped.other.len()
    if source.family is not None and other and isinstance(batch, Batch):
        parts += _dispatched(batch, mapped.other)
        other -= sum(part.kept for part, _ in parts[1:])
    account = Account(lines=batch.lines, records=batch.records)
    account.other = decoded.other + other
    account.blank = decoded.blank
    locate = batch.locate
    for row, reason in decoded.rejects:
        if reason == CUT_OFF and row in batch.finals:
            account.unfinished += 1
        else:
            result.rejects.append(Reject(*locate(row), reason))
    account.rejected = len(decoded.rejects) - account.unfinished
    for part, name in parts:
        account.rejected += len(part.rejects)
        result.rejects += [Reject(*locate(row), reason) for row, reason in part.rejects]
        account.calls += part.kept - len(part.rejects)
        account.coerced.update(part.coerced)
        account.unreadable.update(part.unreadable)
        _add_remarks(remarks, part, name)
        if part.calls.height:
            result.frames.append(batch.placed(part.calls, name))
    result.account.add(account)


def _decoded(batch: Batch | CsvBatch, *, slowly: bool) -> Decoded:
    if isinstance(batch, CsvBatch):
        raw = cells.raw_rows(batch.header, batch.rows, batch.places, batch.plan)
        blank = sum(not reason for _, reason in batch.bad)
        return Decoded(raw, batch.lines, blank=blank, rejects=[(row, reason) for row, reason in batch.bad if reason])
    return (decode_slowly if slowly else decode)(batch.data, batch.plan)


def _add_remarks(remarks: dict[str, tuple[int, str]], part: Mapped, name: str) -> None:
    texts = {key: remark.text for key, remark in sources()[name].remarks.items()} | REMARKS
    for key, count in part.remarks.items():
        before, _ = remarks.get(key, (0, ""))
        remarks[key] = before + count, texts[key]


def _dispatched(batch: Batch, rows: pl.Series) -> list[tuple[Mapped, str]]:
    """Records of a mixed file that the file's own format does not take, each read by the format that claims it."""
    lines = batch.data.split(b"\n")
    groups: dict[str, list[int]] = {}
    for row in rows.to_list():
        record = orjson.loads(lines[row].strip(b" \t\r\xef\xbb\xbf"))
        name = claimant(record)
        if name is not None and sources()[name].family == batch.plan.source.family:
            groups.setdefault(f"{name} {sources()[name].prefix_in(record)}", []).append(row)
    parts = []
    for key, members in groups.items():
        source = sources()[key.split(" ")[0]]
        records = [orjson.loads(lines[row].strip(b" \t\r\xef\xbb\xbf")) for row in members]
        plan = Plan(source.bind(records, source) if source.bind else source)
        decoded = decode_slowly(b"\n".join(lines[row] for row in members) + b"\n", plan)
        places = pl.Series("row", members, dtype=pl.UInt32)
        mapped = map_rows(decoded.raw.with_columns(places.gather(decoded.raw["row"]).alias("row")), plan.source)
        parts.append((mapped, source.name))
    return parts
