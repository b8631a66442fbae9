"""A store written anew with another key, with its first one, or with none."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import polars as pl
from msgspec import Struct

from llmtel.privacy.keys import KeySource
from llmtel.store.actions import Written
from llmtel.store.audit import audit
from llmtel.store.encryption import KEY_ID, Ring
from llmtel.store.folder import Where, at
from llmtel.store.location import CALLS, private
from llmtel.store.rewrite import swept
from llmtel.store.rollups import tables
from llmtel.store.swap import accepted
from llmtel.store.table import Table, readable


class Rekeyed(Struct, frozen=True):
    """What was done: data files that were written anew, and the ids of the keys ("": none)."""

    files: int
    before: tuple[str, ...]
    after: str


def rekey(place: Where, to: KeySource | None) -> Rekeyed:
    """Write the data files of all tables with the key of a source, or plain with None, and sweep the old.

    The table says the new key first and its files follow: of a process that is killed in between, the next
    one does the rest, with both keys at hand. Raises `UsageError` for a key that is missing before anything
    is changed.
    """
    folder = at(place)
    if to is not None:
        folder = replace(folder, ring=Ring((to, *folder.ring.sources)))
    key = "" if to is None else folder.ring.first()
    with private(), folder.lock():
        here = tables(folder)
        before = tuple(sorted({one.key_id for one in here} | {k for one in here for k in one.files["key"]}))
        for table in here:
            for known in table.files["key"].unique():
                table.secret(known)
        for table in here:
            _note(table, f"{' '.join(before) or 'plain'} to {key or 'plain'}", key)
        for table in here:
            table.delta.alter.set_table_properties({KEY_ID: key}, raise_if_not_exists=False)
        files = sum(accepted(partial(_rewritten, index, folder, key)) for index in range(len(here)))
    swept(folder, 0)
    return Rekeyed(files, before, key)


def _note(table: Table, how: str, key: str) -> None:
    """A line of the audit for a table: a commit that names the new key, and one with the files, if any."""
    name = "" if table.kind.name == CALLS else f" {table.kind.name}"
    old = table.files.filter(pl.col("key") != key)
    audit(table.folder, f"rekey{name} {how}", int(old["rows"].sum()), table.version, 1 + bool(old.height))


def _rewritten(index: int, folder: Where, key: str) -> int:
    """Write the files of a table that have another key anew; how many there were. Raises `Refused`."""
    table = tables(folder)[index]
    old = table.files.filter(pl.col("key") != key)
    written: list[Written] = []
    try:
        with readable(table.folder):
            for part in old.partition_by("day") if old.height else ():
                rows = pl.concat(table.rows(path).drop("@at") for path in part["path"])
                written += table.write(rows)
    except BaseException:
        table.discard(written)
        raise
    if old.height:
        table.commit(written, old["path"], changes=False)
    return old.height
