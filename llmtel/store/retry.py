"""Rejected records read again from their files: what can be read now is taken and leaves the list."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from llmtel.core.account import Reject
from llmtel.sources.files import Inputs, Span
from llmtel.store import ledger as ledgers
from llmtel.store import rejected
from llmtel.store.columns import SOURCE
from llmtel.store.folder import Where, at
from llmtel.store.ingest import Arrival, commit, with_sources
from llmtel.store.ledger import Known
from llmtel.store.location import private
from llmtel.store.merge import Change, merged
from llmtel.store.policy import PLAIN, Policy
from llmtel.store.rejected import Entry
from llmtel.store.rejecting import span_of
from llmtel.store.table import Refused, Table, opened, readable

_TRIES = 100


class Retried(Struct, frozen=True):
    """What became of the rejected records: `read` could be, which gave so many more `calls`.

    `still` are rejected again, each for the reason of now; `lost` cannot be read, each for its reason.
    """

    read: int
    calls: int
    still: tuple[Reject, ...]
    lost: tuple[Reject, ...]


class _Found(Struct):
    """Where the files of rejected records are now: their states by path, and their records."""

    known: dict[str, Known]
    entries: dict[str, list[Entry]]
    lost: list[tuple[Entry, str]]


def retry(
    place: Where, read: Callable[[Inputs], Arrival], near: Sequence[str] = (), policy: Policy = PLAIN
) -> Retried:
    """Read the rejected records of the store at `place` again.

    `read` reads inputs; `near` are more files among which one that was renamed may be, `policy` says what
    is kept of people. Of a file whose lines stand alone these lines are read, any other as a whole, in place
    of what was read of it.
    """
    folder = at(place)
    with private(), folder.lock():
        for _ in range(_TRIES):
            table = opened(folder)
            entries = rejected.listed(folder)
            found = _found(table, entries, near)
            lost = tuple(replace(one.reject, reason=why) for one, why in found.lost)
            if not found.known:
                return Retried(0, 0, (), lost)
            try:
                calls, still = _again(table, found, read, policy)
            except Refused:
                time.sleep(random.uniform(0, 0.05))  # noqa: S311 (as in `ingest`)
                continue
            away = [one for one, _ in found.lost]
            rejected.put(folder, [*still, *away])
            told = tuple(one.reject for one in still)
            return Retried(len(entries) - len(still) - len(away), calls, told, lost)
    raise Refused


def _found(table: Table, entries: list[Entry], near: Sequence[str]) -> _Found:
    states = ledgers.states(table)
    paths = dict.fromkeys(one.path for one in entries if one.path is not None)
    here = dict.fromkeys(one.file for one in entries if one.path is not None)
    places: dict[str, tuple[str, Known]] = {}
    beside = (one for path in paths for one in _beside(path))
    for path in dict.fromkeys((*here, *paths, *near, *beside)):
        if (known := ledgers.known(path, table.id, states)) is not None:
            places.setdefault(known.app, (path, known))
    found = _Found({}, {}, [])
    for one in entries:
        if one.source not in places:
            found.lost.append((one, _why_lost(one)))
        elif (span := span_of(one)) is not None and not _is_line(places[one.source][0], span):
            found.lost.append((one, "its file has changed"))
        else:
            path, known = places[one.source]
            found.known[path] = known
            found.entries.setdefault(path, []).append(one)
    return found


def _why_lost(entry: Entry) -> str:
    if entry.path is None:
        return "it came from standard input"
    return "its file is another one now" if Path(entry.path).exists() else "its file is gone"


def _beside(path: str) -> Iterator[str]:
    """Files that one may be after its rotation: app.log.1 for app.log."""
    at = Path(path)
    try:
        return iter(sorted(str(one) for one in at.parent.iterdir() if one.name.startswith(at.name)))
    except OSError:
        return iter(())


def _is_line(path: str, span: Span) -> bool:
    """Whether a line of a file still begins and ends where it did."""
    try:
        with Path(path).open("rb") as file:
            file.seek(max(span.start.offset - 1, 0))
            before = file.read(1) if span.start.offset else b"\n"
            file.seek(span.end)
            return before == b"\n" and file.read(1) in {b"\n", b""}
    except OSError:
        return False


def _again(
    table: Table, found: _Found, read: Callable[[Inputs], Arrival], policy: Policy
) -> tuple[int, list[Entry]]:
    """Read the records and commit what they give: by how many calls the store grows, and what is left."""
    inputs = Inputs(
        list(found.known),
        sizes={path: Path(path).stat().st_size for path in found.known},
        begun={},
        picked={path: spans for path, several in found.entries.items() if (spans := _spans(several))},
    )
    arrival = read(inputs)
    left = list(_left(found, arrival.rejects, inputs))
    change, states = _change(table, policy, found, inputs, arrival, left)
    commit(table, change, states, policy)
    return change.calls, left


def _change(
    table: Table,
    policy: Policy,
    found: _Found,
    inputs: Inputs,
    arrival: Arrival,
    left: Sequence[Entry],
) -> tuple[Change, dict[str, int]]:
    """What the lines that were picked add, and what files that were read as a whole replace.

    A file of which nothing more could be read than before stays as it is.
    """
    names: list[str] = []
    states: dict[str, int] = {}
    void: set[str] = set()
    takes: list[bool] = []
    for path in inputs.files:
        ended, name = inputs.ended.get(path), found.known[path].app
        better = ended is not None and len(found.entries[path]) > sum(one.source == name for one in left)
        if better and ended is not None and not ended.resumed:
            name, state, _ = found.known[path].after(ended)
            states |= state
            void.add(name)
        names.append(name)
        takes.append(better)
    calls = with_sources(arrival.calls, names, table, policy)
    if calls.height:
        files = pl.Series([found.entries[path][0].file for path in inputs.files], dtype=pl.Categorical)
        calls = calls.filter(pl.Series(takes).gather(calls["@file"]))
        calls = calls.with_columns(files.gather(calls["@file"]).alias("file"))
        calls = _without_stored(calls, table, set(names) - void)
    return merged(calls, void, table), states


def _without_stored(calls: pl.DataFrame, table: Table, names: Collection[str]) -> pl.DataFrame:
    """Calls without those that no id tells and whose lines the store has: a kill came after their commit."""
    stored = table.plain(table.files).filter(pl.col("llmtel_source").is_in(list(names)))
    with readable(table.folder):
        lines = stored.select(pl.col("llmtel_source").alias(SOURCE), "line").unique().collect()
    ids = [name for name in ("call_id", "response_id") if name in calls.columns]
    idless = pl.all_horizontal(pl.lit(True), *(pl.col(name).is_null() for name in ids))
    rest = calls.filter(idless).join(lines, on=[SOURCE, "line"], how="anti")
    return pl.concat([calls.filter(~idless), rest])


def _spans(entries: Sequence[Entry]) -> list[Span]:
    """The lines of entries, where all are known."""
    spans = [span for one in entries if (span := span_of(one)) is not None]
    return spans if len(spans) == len(entries) else []


def _left(found: _Found, rejects: Sequence[Reject], inputs: Inputs) -> Iterator[Entry]:
    """The entries that are rejected again, with the reason of now, and those of files that do not open."""
    reasons = {(one.file, one.line): one.reason for one in rejects}
    for path, several in found.entries.items():
        for one in several:
            if (reason := reasons.get((path, one.line))) is not None:
                yield replace(one, reason=reason)
            elif path not in inputs.ended:
                yield one
