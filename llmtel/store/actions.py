"""The actions of a commit, as the Delta log has them: files that come and files that go."""

from __future__ import annotations

import json
import time
from datetime import date, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from deltalake.transaction import AddAction, RemoveAction

_STATS = "%Y-%m-%dT%H:%M:%S.%fZ"


class Written(Struct, frozen=True):
    """A data file that was written and is in no commit yet."""

    path: str
    day: date | None
    rows: int
    size: int
    first: datetime | None
    last: datetime | None


def add(one: Written, *, changes: bool) -> AddAction:
    """A file comes; `changes`: with rows that were not there before."""
    from deltalake.transaction import AddAction  # noqa: PLC0415 (128 MB that only a store needs)

    stats: dict[str, object] = {"numRecords": one.rows}
    if one.first is not None and one.last is not None:
        stats |= {
            "minValues": {"ts": one.first.strftime(_STATS)},
            "maxValues": {"ts": one.last.strftime(_STATS)},
        }
    now = int(time.time() * 1000)
    return AddAction(one.path, one.size, _partition(one.day), now, changes, json.dumps(stats))


def remove(path: str, size: int, day: date | None, *, changes: bool) -> RemoveAction:
    """A file goes; `changes`: with rows that are nowhere else now."""
    from deltalake.transaction import RemoveAction  # noqa: PLC0415 (as in `add`)

    now = int(time.time() * 1000)
    return RemoveAction(path, changes, now, size=size, partition_values=_partition(day))


def _partition(day: date | None) -> dict[str, str | None]:
    return {"day": None if day is None else str(day)}
