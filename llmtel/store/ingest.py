"""Log files into the store: what is new of them, read, chosen among copies and committed, or started over."""

from __future__ import annotations

import random
import shlex
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from datetime import date
from typing import Generic, Protocol, TypeVar
from uuid import uuid4

import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from llmtel.core.account import Reject
from llmtel.core.errors import UsageError
from llmtel.sources.files import Inputs
from llmtel.store import ledger as ledgers
from llmtel.store import rejected, rejecting
from llmtel.store.actions import Written
from llmtel.store.audit import audit
from llmtel.store.columns import SOURCE, from_file
from llmtel.store.folder import Where, at
from llmtel.store.ledger import Known
from llmtel.store.location import on_disk, private
from llmtel.store.making import begun, made, may_be_made
from llmtel.store.merge import Change, merged
from llmtel.store.places import States, noted
from llmtel.store.policy import PLAIN, Policy
from llmtel.store.table import Refused, Table, opened

AT_ONCE = 256 << 20
"""Bytes of logs that are committed together."""
_MOST_TRIES = 1000


class Arrival(Protocol):
    """What was read of some inputs: calls with `@file`, copies and all, and the rejected records."""

    @property
    def calls(self) -> pl.DataFrame:
        """One row for each copy of a call."""

    @property
    def rejects(self) -> Sequence[Reject]:
        """What was no record."""


A = TypeVar("A", bound=Arrival)


class _Look(Struct, Generic[A], frozen=True):
    """What was `fresh` among some files, what the ledger says of them, and what was read, if there was."""

    fresh: Inputs
    found: Mapping[str, Known]
    arrival: A | None

    def of(self, table: Table) -> _Look[A]:
        """The same, as a store that was made since calls the files."""
        return replace(self, found={path: one.of(table.id) for path, one in self.found.items()})


class Ingested(Struct):
    """What an ingest did: `calls` more are in the store, `known` files had nothing new.

    `refused` commits came after somebody else's and were made again. `expired` calls came too late, for days
    before `first_kept`.
    """

    calls: int = 0
    expired: int = 0
    first_kept: date | None = None
    known: int = 0
    commits: int = 0
    refused: int = 0


def ingest(  # noqa: PLR0913 (each is a wish of some command, and has a default)
    place: Where,
    inputs: Inputs,
    read: Callable[[Inputs], A],
    told: Callable[[A], None] = lambda _: None,
    *,
    policy: Policy = PLAIN,
    at_once: int | None = AT_ONCE,
    locked: bool = True,
    encrypted: bool = False,
    snapshot: Table | None = None,
) -> Ingested:
    """Take what is new of some files into the store at `place`, which is made where there is none.

    `read` reads inputs, as often as it takes; `told` is given what was committed. `at_once` are the bytes
    that are read and committed together (None: all). `policy` says what is kept of people.
    `locked`: wait for other writers on this machine; without it commits are refused and made again.
    `encrypted`: a new store is, and one that is there must be. A `snapshot` of the store, where one is at
    hand, spares to open it. Raises `UsageError` where the store cannot be
    written.
    """
    done = Ingested()
    folder = at(place)
    with private():
        groups = list(_groups(inputs, at_once))
        look = None
        if is_new := not begun(folder):  # what cannot be read, or kept, makes no store
            may_be_made(folder, encrypted=encrypted)
            look = _look(None, groups[0], read)
            if look.arrival is not None:
                _refuse_buckets(look.arrival.calls)
        table = made(folder, policy.kept.properties, encrypted=encrypted, known=snapshot)
        if is_new:
            audit(folder, f"made; users: {' '.join((policy.users, *policy.kept.key_ids))}", 0, None)
        with folder.lock() if locked else nullcontext():
            for group in groups:
                _take(table, group, read, told, policy, done, look)
                look = None
    return done


def _groups(inputs: Inputs, at_once: int | None) -> Iterator[Inputs]:
    """The inputs in parts of about so many bytes."""
    files: list[str] = []
    size = 0
    for path in inputs.files:
        if files and at_once is not None and size + inputs.sizes[path] > at_once:
            yield _part(inputs, files)
            files, size = [], 0
        files.append(path)
        size += inputs.sizes[path]
    yield _part(inputs, files)


def _part(inputs: Inputs, files: list[str]) -> Inputs:
    first = not inputs.files or files[:1] == inputs.files[:1]
    return Inputs(
        files,
        inputs.named,
        {path: inputs.sizes[path] for path in files},
        inputs.skipped if first else [],
        inputs.unreadable if first else [],
    )


def _take(
    table: Table,
    inputs: Inputs,
    read: Callable[[Inputs], A],
    told: Callable[[A], None],
    policy: Policy,
    done: Ingested,
    look: _Look[A] | None = None,
) -> None:
    """Read and commit some files; from the beginning again while others commit in between.

    `table` is a snapshot, of which nobody knows whether it is the newest. A `look` at the files from before
    the store was made holds as long as nobody else put anything into it.
    """
    for _ in range(_MOST_TRIES):
        # To open the log takes a tenth of the time of a small batch.
        table = table if table.is_newest() else opened(table.folder)
        if look is not None and table.version:  # somebody else was the first to fill the store
            look = None
            done.refused += 1
        look = _look(table, inputs, read) if look is None else look.of(table)
        known = len(inputs.files) - len(look.fresh.files)
        if (arrival := look.arrival) is None:
            done.known += known
            return
        try:
            change = _committed(table, policy, arrival, look.fresh, look.found)
        except Refused:
            look = None
            done.refused += 1
            time.sleep(random.uniform(0, 0.05))  # noqa: S311 (so that the same two do not meet again)
            continue
        done.calls += change.calls
        done.expired += change.expired
        done.first_kept = change.first_kept
        done.known += known
        done.commits += 1
        told(arrival)
        return
    raise UsageError(f"--store {table.folder}: others write to it all the time; try again")


def _look(table: Table | None, inputs: Inputs, read: Callable[[Inputs], A]) -> _Look[A]:
    """Read what is new of some files since the snapshot; all of them where there is no store yet."""
    table_id, states = ("", States()) if table is None else (table.id, ledgers.states(table))
    found = {path: one for path in inputs.files if (one := ledgers.known(path, table_id, states)) is not None}
    fresh = ledgers.only_new(inputs, found)
    return _Look(fresh, found, read(fresh) if fresh.files or fresh.unreadable else None)


def _committed(
    table: Table, policy: Policy, arrival: Arrival, fresh: Inputs, found: Mapping[str, Known]
) -> Change:
    """Commit what was read; what it changes."""
    names, states, void = _sources(fresh, found, table.id)
    change = merged(with_sources(arrival.calls, names, table, policy), void, table)
    with on_disk(table.folder):
        found_bad = rejecting.entries(arrival.rejects, dict(zip(fresh.files, names, strict=True)), fresh)
        rejected.keep(table.folder, list(found_bad), void)
    commit(table, change, states, policy)
    return change


def _sources(
    fresh: Inputs, found: Mapping[str, Known], table_id: str
) -> tuple[list[str], dict[str, int], set[str]]:
    """The names of files that were read, their states, and those of them whose earlier rows are void."""
    names: list[str] = []
    states: dict[str, int] = {}
    void: set[str] = set()
    for path in fresh.files:
        name = uuid4().hex
        if path in fresh.ended and path in found:
            name, state, replaced = found[path].after(fresh.ended[path])
            states |= state | dict(noted(path, name, state.get(name, 0), table_id))
            void |= {name} if replaced else set()
        names.append(name)
    return names, states, void


def with_sources(calls: pl.DataFrame, names: list[str], table: Table, policy: Policy) -> pl.DataFrame:
    """Calls of the reader as a table may have them, with `SOURCE`, the names of their files.

    Raises `UsageError` for buckets, and where the table keeps people otherwise than the policy.
    """
    _refuse_buckets(calls)
    policy.refuse_other(table)
    if not calls.height:
        return calls
    by_file = pl.Series(names, dtype=pl.String).gather(calls["@file"])
    return policy.applied(calls).with_columns(by_file.alias(SOURCE))


def _refuse_buckets(calls: pl.DataFrame) -> None:
    buckets = calls.lazy().filter(pl.col("grain") == "bucket").select("file").collect()
    if buckets.height:
        name = str(buckets["file"][0])
        raise UsageError(
            f"{name} has a provider's sums over many calls, and a store keeps single calls: together every "
            "request would count twice. To compare them: llmtel reconcile --store DIR --with "
            + shlex.quote(name)
        )


def commit(table: Table, change: Change, states: Mapping[str, int], policy: Policy) -> None:
    """Put a change into the table, with states of the ledger. Raises `Refused`."""
    added = change.added
    if policy.freeze is not None and added.height:
        added = policy.freeze(added)
    rest = [from_file(table.rows(path, without=at).drop("@at")) for path, at in change.removed.items()]
    written: list[Written] = table.write(pl.concat([added, *rest])) if added.height or rest else []
    if written or change.removed or states:
        table.commit(written, change.removed, states)
