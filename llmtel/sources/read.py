"""Files to calls: batches of lines of one format, worked on side by side, their results put together in order.

A thread reads and joins lines into batches (small files share one, a large file has many); a few others decode and map
them, which Polars does outside Python's lock. Only a few batches are under way at a time, so memory stays bounded.
"""

from __future__ import annotations

import os
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from queue import Queue

import polars as pl

from llmtel.core.account import Account, Note, Reject
from llmtel.sources.detect import of_one_family
from llmtel.sources.files import Inputs
from llmtel.sources.formats import sources
from llmtel.sources.openings import Item, Mishap, Seen, open_files
from llmtel.sources.plan import Plan
from llmtel.sources.take import Taken, mapped, take

Progress = Callable[[int], None]
_WAITING = 2
_ROWS = 50_000
"""Decoded rows that are mapped together: enough that the fixed cost of the many expressions is small."""
_WORKERS = min(4, os.cpu_count() or 1)
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
    inputs: Inputs,
    input_format: str | None = None,
    tags: tuple[str, ...] = (),
    progress: Progress | None = None,
    *,
    slowly: bool = False,
) -> Calls:
    """The calls of all files. `slowly` looks at every line (the two ways agree; tests feed both)."""
    result = Calls()
    remarks: Counter[tuple[str, str]] = Counter()
    for item in _worked_on(_prefetched(open_files(inputs, input_format, tags)), inputs, slowly=slowly):
        if isinstance(item, Mishap):
            _add_mishap(item, result)
        elif isinstance(item, Seen):
            _add_seen(item, result)
        else:
            _add_taken(item, result)
            remarks.update(item.remarks)
            if progress is not None and item.consumed:
                progress(item.consumed)
    result.notes += _remarked(remarks)
    return result


def _worked_on(items: Iterator[Item], inputs: Inputs, *, slowly: bool) -> Iterator[Taken | Mishap | Seen]:
    """The items in order, with what each batch gave in place of the batch. As many are worked on as there are workers."""
    under_way: deque[Future[Taken] | Mishap | Seen] = deque()
    rows: list[pl.DataFrame] = []
    plan: Plan | None = None

    def mapping() -> list[Future[Taken]]:
        waiting, rows[:] = list(rows), []
        return [pool.submit(mapped, waiting, plan, inputs.files)] if waiting and plan is not None else []

    with ThreadPoolExecutor(_WORKERS) as pool:
        for item in chain(items, [None]):
            if item is not None:
                under_way.append(
                    item if isinstance(item, Mishap | Seen) else pool.submit(take, item, slowly=slowly)
                )
            while under_way and (
                item is None or sum(isinstance(one, Future) for one in under_way) > _WORKERS
            ):
                done = _finished(under_way.popleft())
                yield done
                if not isinstance(done, Taken) or done.raw is None:
                    continue
                if done.plan is not plan:
                    under_way.extend(mapping())
                    plan = done.plan
                rows.append(done.raw)
                if sum(frame.height for frame in rows) >= _ROWS:
                    under_way.extend(mapping())
        yield from (future.result() for future in mapping())


def _finished(item: Future[Taken] | Mishap | Seen) -> Taken | Mishap | Seen:
    return item.result() if isinstance(item, Future) else item


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
    result.account.add(Account(files=1, bytes=seen.bytes))
    decisions = seen.plan.source.decisions if seen.plan is not None else ()
    result.notes += [Note("unit", f"{seen.path}: {decision}", file=seen.path) for decision in decisions]
    if seen.verdict is not None and not seen.verdict.forced and seen.format is not None:
        others = {
            name: count for name, count in seen.verdict.claims.items() if not of_one_family(name, seen.format)
        }
        for name, count in others.items():
            text = f"{seen.path}: read as {seen.format}; {count} of its first {seen.verdict.asked} records look like {name}"
            result.notes.append(Note("minority", text, count, seen.path))


def _add_mishap(mishap: Mishap, result: Calls) -> None:
    result.account.add(mishap.account)
    if not mishap.reason:
        return
    result.notes.append(Note("file_rejected", f"{mishap.path}: {mishap.reason}", file=mishap.path))


def _remarked(remarks: Counter[tuple[str, str]]) -> list[Note]:
    """Remarks as notes: the same remark of several formats is one."""
    counts: Counter[str] = Counter()
    texts = dict(REMARKS)
    for (name, remark), count in remarks.items():
        counts[remark] += count
        texts |= {key: declared.text for key, declared in sources()[name].remarks.items()}
    return [
        Note(remark, texts[remark].replace("{n}", f"{count:,}"), count)
        for remark, count in sorted(counts.items())
    ]
