"""Files to calls: batches of lines of one format, worked on side by side, their results in order.

A thread reads and joins lines into batches (small files share one, a large file has many); a few others
decode and map them, which Polars does outside Python's lock. Only a few batches are under way at a time, so
memory stays bounded.
"""

from __future__ import annotations

import os
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Queue

import polars as pl
from msgspec import Struct, field

from llmtel.core.account import Account, Note, Reject
from llmtel.sources import memory, native
from llmtel.sources.counted import Counting
from llmtel.sources.detect import Verdict, of_one_family
from llmtel.sources.files import Inputs
from llmtel.sources.formats import sources
from llmtel.sources.items import Item, Mishap, Seen
from llmtel.sources.openings import open_files
from llmtel.sources.plan import Plan
from llmtel.sources.take import Taken, mapped, take
from llmtel.sources.usage import INPUT_TOTAL_ONLY
from llmtel.sources.values import CUT
from llmtel.sources.wishes import Wishes

Progress = Callable[[int], None]
"""Is told the bytes of the files, as they lie on the disk, that were read so far."""
Outcome = Mishap | Seen
_NO_WISHES = Wishes()
_WAITING = 1
"""Batches that are read ahead."""
_CELLS = 4_000_000
"""Decoded values that are mapped together: enough that the fixed cost of the many expressions is small, few
enough that memory stays bounded (about 270,000 flat calls, 110,000 of the wider lines of transcripts)."""
_CORES = os.cpu_count() or 1
_WORKERS = min(8, _CORES) if native.is_there() else min(4, max(1, _CORES // 2))
"""Batches under work side by side; without the machine code each uses several cores by itself."""
REMARKS = {
    "utc": "{n} {time has|times have} no offset and {was|were} read as UTC",
    "cut": CUT,
    "secret": "{n} {record was|records were} logged with an API key itself: it was dropped; "
    "better log its id",
    "input_total_only": INPUT_TOTAL_ONLY,
    "usage_mismatch": "{n} {record has|records have} token counts that contradict each other or their total",
}
"""What is said of calls of any format."""


class Calls(Struct):
    """What was read: frames of calls (with `@file`, the file's number), the account, rejects and notes.

    `unclaimed` are the named files that open well and that no format claims.
    """

    frames: list[pl.DataFrame] = field(default_factory=list)
    account: Account = field(default_factory=Account)
    rejects: list[Reject] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    unclaimed: list[Mishap] = field(default_factory=list)


def read_calls(
    inputs: Inputs,
    input_format: str | None = None,
    wishes: Wishes = _NO_WISHES,
    progress: Progress | None = None,
    counting: Counting | None = None,
) -> Calls:
    """The calls of all files, and what became of the rest. Raises `UnknownName` for an unknown format."""
    memory.reuse()
    result = Calls()
    for path, why in inputs.unreadable:
        _add_mishap(Mishap(path, why, Account(files_rejected=1)), result)
    remarks: Counter[tuple[str, str]] = Counter()
    items = _prefetched(open_files(inputs, input_format, wishes))
    with ThreadPoolExecutor(_WORKERS) as pool:
        for done in _Works(pool, inputs.files, counting).results(items):
            if isinstance(done, Mishap):
                _add_mishap(done, result)
            elif isinstance(done, Seen):
                _add_seen(done, result)
            else:
                _add_taken(done, result)
                remarks.update(done.remarks)
                if progress is not None and done.consumed:
                    progress(done.consumed)
    result.notes += _remarked(remarks)
    return result


class _Works(Struct):
    """Batches decoded side by side, and their rows mapped together; what comes of them comes in order.

    `under_way` are the results to come, `rows` the decoded rows of `plan` that wait to be mapped.
    """

    pool: ThreadPoolExecutor
    paths: list[str]
    counting: Counting | None = None
    under_way: deque[Future[Taken] | Outcome] = field(default_factory=deque)
    rows: list[pl.DataFrame] = field(default_factory=list)
    plan: Plan | None = None

    def results(self, items: Iterable[Item]) -> Iterator[Taken | Outcome]:
        """The items in their order, with what each batch gave in place of the batch, and the mapped rows."""
        for item in items:
            if isinstance(item, Mishap | Seen):
                self.under_way.append(item)
            else:
                self.under_way.append(self.pool.submit(take, item, self.counting))
            while sum(isinstance(one, Future) for one in self.under_way) > _WORKERS:
                yield self._next()
        while self.under_way:
            yield self._next()
        self._map_waiting()
        while self.under_way:
            yield self._next()

    def _next(self) -> Taken | Outcome:
        first = self.under_way.popleft()
        done = first.result() if isinstance(first, Future) else first
        if isinstance(done, Taken) and done.raw is not None:
            if done.plan is not self.plan:
                self._map_waiting()
                self.plan = done.plan
            self.rows.append(done.raw)
            if sum(frame.height * frame.width for frame in self.rows) >= _CELLS:
                self._map_waiting()
        return done

    def _map_waiting(self) -> None:
        if self.rows and self.plan is not None:
            self.under_way.append(self.pool.submit(mapped, self.rows, self.plan, self.paths))
            self.rows = []


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


def _add_taken(taken: Taken, result: Calls) -> None:
    result.frames += taken.frames
    result.account.add(taken.account)
    result.rejects += taken.rejects


def _add_seen(seen: Seen, result: Calls) -> None:
    result.seen.append(seen)
    later = int(seen.unfinished)
    result.account.add(Account(files=1, bytes=seen.bytes, lines=later, records=later, unfinished=later))
    decisions = seen.plan.source.decisions if seen.plan is not None else ()
    result.notes += [Note("unit", f"{seen.path}: {decision}", file=seen.path) for decision in decisions]
    result.notes += [Note("map", f"{seen.path}: {words}", file=seen.path) for _, words in seen.absent]
    if seen.verdict is not None and not seen.verdict.forced and seen.format is not None:
        result.notes += _minorities(seen.path, seen.format, seen.verdict)


def _minorities(path: str, name: str, verdict: Verdict) -> list[Note]:
    """Notes on the records of a file that another format claims."""
    return [
        Note(
            "minority",
            f"{path}: read as {name}; {count} of its first {verdict.asked} records "
            f"{'looks' if count == 1 else 'look'} like {other}",
            count,
            path,
        )
        for other, count in verdict.claims.items()
        if not of_one_family(other, name)
    ]


def _add_mishap(mishap: Mishap, result: Calls) -> None:
    result.account.add(mishap.account)
    if not mishap.reason:
        return
    if mishap.records:
        result.unclaimed.append(mishap)
    result.notes.append(Note("file_rejected", f"{mishap.path}: {mishap.reason}", file=mishap.path))


def _remarked(remarks: Counter[tuple[str, str]]) -> list[Note]:
    """Remarks as notes: the same remark of several formats is one."""
    counts: Counter[str] = Counter()
    texts = dict(REMARKS)
    for (name, remark), count in remarks.items():
        counts[remark] += count
        texts |= {key: declared.text for key, declared in sources()[name].remarks.items()}
    return [Note.of(remark, texts[remark], count) for remark, count in sorted(counts.items())]
