"""Which log stood at a path: a copy that took its place (rsync, mv) goes on, and is no log of its own.

What tells is a hash of the last bytes that were read. It is the state of an app transaction of the Delta log
too, in the same commit, under the path and the log's name in the ledger.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

_AT = "llmtel/1/at/"
_LOOKED_AT = 4096
"""Bytes before the place where reading ended that are looked at."""


class States(dict[str, int]):
    """The states of app transactions by their names."""

    @cached_property
    def by_place(self) -> Mapping[str, Mapping[str, int]]:
        """By place the names of the logs that stood there, with the hashes of their ends."""
        found: dict[str, dict[str, int]] = {}
        for name, state in self.items():
            if name.startswith(_AT):
                place, _, app = name.removeprefix(_AT).partition("/")
                found.setdefault(place, {})[app] = state
        return found


def noted(path: str, app: str, offset: int, table_id: str) -> Iterator[tuple[str, int]]:
    """The state that says: here stood the log `app`, of which so many bytes were read."""
    if offset and (end := _end(path, offset, table_id)) is not None:
        yield f"{_AT}{_place(path, table_id)}/{app}", end


def log_before(path: str, size: int, table_id: str, states: States) -> str | None:
    """The log that stood here before a file of so many bytes that has all that was read of it; None: none."""
    for app, end in states.by_place.get(_place(path, table_id), {}).items():
        offset = states.get(app, 0)
        if 0 < offset <= size and _end(path, offset, table_id) == end:
            return app
    return None


def _place(path: str, table_id: str) -> str:
    """A path, named differently in every store."""
    at = os.path.abspath(path)  # noqa: PTH100 (a link stays one)
    return blake2b(os.fsencode(at), digest_size=16, key=table_id.encode()[:64]).hexdigest()


def _end(path: str, offset: int, table_id: str) -> int | None:
    """A hash of 63 bits of the bytes before a place in a file; None where it has no such place."""
    start = max(offset - _LOOKED_AT, 0)
    try:
        with Path(path).open("rb") as file:
            file.seek(start)
            end = file.read(offset - start)
    except (OSError, OverflowError):
        return None
    if len(end) < offset - start:
        return None
    hashed = blake2b(end, digest_size=8, key=table_id.encode()[:64]).digest()
    return int.from_bytes(hashed, "big") >> 1
