"""What `llmtel privacy check` says of a store: columns and classes, who may read it, and what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from llmtel.core.answers import Column, Document, Line, Row, Table
from llmtel.core.units import COUNT
from llmtel.reports.context import TOOL

COLUMNS = (
    Column("column", "column", "Stored column", "dimension"),
    Column(
        "privacy", "class", "personal: points at people; internal: at the company; open: the rest", "field"
    ),
    Column("rows", "calls", "Calls that know it", "metric", COUNT),
    Column("distinct", "distinct", "Different values, of texts", "metric"),
    Column("secrets", "addresses, keys", "Values that look like addresses, cards or keys", "metric"),
    Column("ids", "ids", "Values that look like ids", "metric"),
    Column("pseudonyms", "pseudonyms", "Values that are pseudonyms of llmtel", "metric"),
)
CLASSES = ("personal", "internal", "open")
USERS = {
    "plain": "users, sessions and traces are kept as logged",
    "pseudonym": "users, sessions and traces are kept as pseudonyms",
    "drop": "users are not kept, sessions and traces as pseudonyms",
}


class Looked(Struct, frozen=True):
    """What was found: the columns as rows, and about files, keys and users what there is to say.

    `mend` is a command that closes the store to others, if that is needed; `locked` is why columns were not
    read.
    """

    store: str
    columns: Sequence[Row]
    users: str
    user_keys: Sequence[str]
    access: Mapping[str, int] | None
    files_by_key: Mapping[str, int]
    faults: Sequence[str]
    mend: str | None
    locked: str | None


def checked(found: Looked) -> Document:
    """The answer, for people and for machines; columns that no call knows are for machines alone."""
    rows = sorted(found.columns, key=lambda row: CLASSES.index(str(row["privacy"])))
    metrics = tuple(column.id for column in COLUMNS if column.kind == "metric")
    table = Table(("column",), metrics, COLUMNS, rows, title="stored columns")
    known = [row for row in rows if row["rows"] != 0]
    shown = Table(("column",), metrics, COLUMNS, known, title="stored columns")
    head = [verdict(found.store, len(found.faults), is_locked=found.locked is not None)]
    head += [Line(fault, grave=True) for fault in found.faults]
    head += [Line(found.mend, name="mend it")] if found.mend else []
    head.append(Line(_users(found), name="people"))
    tail = [Line(_access(found.access), name="files"), Line(_encryption(found), name="encryption")]
    tail += [Line(found.locked, grave=True)] if found.locked else []
    return Document("llmtel.privacy_check/1", "Privacy", (*head, shown, *tail), (table,), meta=_meta(found))


def verdict(store: str, faults: int, *, is_locked: bool) -> Line:
    """Whether something is wrong with a store, as far as it could be looked into."""
    things = "thing is" if faults == 1 else "things are"
    said = f"{faults:,} {things} wrong" if faults else "nothing is wrong"
    said += ", as far as it can be told without the key" if is_locked else ""
    return Line(f"{store}: {said}", grave=bool(faults))


def _users(found: Looked) -> str:
    keys = f", under {'the key' if len(found.user_keys) == 1 else 'the keys'} {', '.join(found.user_keys)}"
    return USERS[found.users] + (keys if found.user_keys else "")


def _access(access: Mapping[str, int] | None) -> str:
    if access is None:
        return "in an object store: who may read it is settled there"
    closed = not (access["open_files"] or access["open_folders"])
    whose = "are their owner's alone" if closed else "are not all their owner's alone"
    return f"{access['files']:,} files and {access['folders']:,} folders {whose}"


def _encryption(found: Looked) -> str:
    plain = found.files_by_key.get("", 0)
    told = [f"{n:,} data files under the key {key}" for key, n in found.files_by_key.items() if key]
    told += [f"{plain:,} data files in plain"] if plain or not told else []
    always = "; always in plain: days and sizes of data files, and the paths of logs and rejected records"
    return ", ".join(told) + always


def _meta(found: Looked) -> dict[str, Any]:
    return {
        "tool": TOOL,
        "store": found.store,
        "faults": list(found.faults),
        "mend": found.mend,
        "users": {"kept": found.users, "keys": list(found.user_keys)},
        "access": found.access,
        "data_files_by_key": {key or "plain": n for key, n in found.files_by_key.items()},
        "locked": found.locked,
    }
