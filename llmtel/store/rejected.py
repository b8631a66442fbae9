"""Rejected records of a store: where they are and why, never their bytes."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from llmtel.core.account import Reject
from llmtel.store.folder import Where, noted
from llmtel.store.location import Folder

FILE = "rejects.jsonl"


class Entry(Struct, frozen=True):
    """A rejected record: `source` is its file's name in the ledger, `file` the file as it was given.

    `path` is the file wherever one stands (None: standard input). `offset` and `length` are the bytes of its
    line, without its end; None where the file is not one of lines.
    """

    source: str
    file: str
    path: str | None
    line: int
    offset: int | None
    length: int | None
    reason: str

    @property
    def reject(self) -> Reject:
        """It as the reader tells it."""
        return Reject(self.file, self.line, self.reason)


def keep(folder: Folder, entries: Sequence[Entry], void: Collection[str]) -> None:
    """Note rejected records of some inputs.

    Earlier ones of the sources that are `void` go. It is done before the commit: a record that is found
    again, after a kill, stands there twice.
    """
    if void:
        before = listed(folder)
        rest = [one for one in before if one.source not in void]
        if len(rest) < len(before):
            put(folder, [*rest, *entries])
            return
    if entries:
        folder.append(FILE, _lines(entries))


def put(folder: Folder, entries: Iterable[Entry]) -> None:
    """Write the whole list anew."""
    folder.replace(FILE, _lines(entries))


def listed(place: Where) -> list[Entry]:
    """The rejected records of a store, each once, in the order of files and lines."""
    entries = (_entry(told) for told in noted(place, FILE))
    found = {(one.source, one.line): one for one in entries if one is not None}
    return sorted(found.values(), key=lambda one: (one.file, one.line))


def kept(place: Where) -> list[Reject]:
    """The same as the reader tells them."""
    return [one.reject for one in listed(place)]


def _entry(told: Mapping[str, Any]) -> Entry | None:
    """The entry that a line of the list is; None for any other object."""
    texts = all(isinstance(told.get(name), str) for name in ("source", "file", "reason"))
    if not texts or not isinstance(told.get("line"), int):
        return None
    values: dict[str, Any] = {name: told.get(name) for name in Entry.__struct_fields__}
    return Entry(**values)


def _lines(entries: Iterable[Entry]) -> str:
    return "".join(json.dumps(asdict(one)) + "\n" for one in entries)
