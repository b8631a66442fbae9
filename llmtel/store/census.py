"""What a store holds of people and secrets: its columns by class, what is in them, who may read it.

Values are counted by what they look like, and never leave this module.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import polars as pl
from msgspec import Struct

from llmtel.core.errors import UsageError
from llmtel.core.schema import FIELDS, Privacy
from llmtel.privacy.redact import redacted
from llmtel.privacy.rules import REDACTIONS
from llmtel.store.columns import SCHEMA
from llmtel.store.folder import Where
from llmtel.store.local import Local
from llmtel.store.location import CALLS
from llmtel.store.policy import Kept
from llmtel.store.rollups import tables
from llmtel.store.table import Table, readable

_BESIDE: dict[str, Privacy] = {
    "llmtel_source": "internal",
    "llmtel_ids": "internal",
    "llmtel_copies": "personal",
    "book": "internal",
}
"""Classes of the columns that are no fields; the others are open."""
_ADDRESS = '[^"]@'
"""An address in an id. Not a key of the copies in JSON, such as "@source"."""
_IDS = ("call_id", "response_id", "llmtel_ids", "llmtel_source", "llmtel_copies")
"""Columns in which ids are, as they should be: there are as many values as calls."""
_UUID = "[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"
_ID = rf"^(?:{_UUID}|[0-9A-Fa-f]{{16,}}|[0-9]{{8,}}|[0-9A-HJKMNP-TV-Z]{{26}})$"
"""UUIDs, hashes, long numbers, ULIDs."""
_PSEUDONYM = r"^[a-z]+_[0-9a-f]{36}$"
_SURE = tuple(rule for rule in REDACTIONS.values() if rule.anywhere)


class Held(Struct, frozen=True):
    """A stored column: its class, the rows that know it, and its distinct values by what they look like.

    One of the rollups has `rollups.` before its name.

    `secrets` look like addresses, cards or keys, `ids` like ids, `pseudonyms` are pseudonyms of llmtel. They
    are None where the key of the store is not at hand, or the values are numbers.
    """

    name: str
    privacy: Privacy
    rows: int | None = None
    distinct: int | None = None
    secrets: int | None = None
    ids: int | None = None
    pseudonyms: int | None = None


class Access(Struct, frozen=True):
    """Files and folders of a store, and how many of them others may read or write."""

    files: int
    folders: int
    open_files: int
    open_folders: int


class Census(Struct, frozen=True):
    """All of it.

    `users` is how the store keeps people (`plain`, `pseudonym`, `drop`), `user_keys` the ids of the keys of
    their pseudonyms. `keys` are the data files by the id of their key ("": plain), `key_id` that of new ones;
    `locked` says which is missing.
    """

    users: str
    user_keys: tuple[str, ...]
    columns: tuple[Held, ...]
    access: Access | None
    keys: dict[str, int]
    key_id: str
    locked: str | None


def census(place: Where) -> Census:
    """Look at a store; a column at a time is in memory."""
    table, *others = tables(place)
    names = [(table, name) for name in SCHEMA] + [(one, name) for one in others for name in one.kind.schema]
    locked = None
    try:
        with readable(table.folder):
            held = tuple(_held(one, name) for one, name in names)
    except UsageError as error:
        locked = str(error)
        held = tuple(Held(_called(one, name), _class(name)) for one, name in names)
    counts = pl.concat(one.files for one in (table, *others)).group_by("key").len().sort("key")
    kept = Kept.of(table)
    access = _access(Path(table.folder.name)) if isinstance(table.folder, Local) else None
    return Census(
        users=kept.users,
        user_keys=kept.key_ids,
        columns=held,
        access=access,
        keys=dict(counts.iter_rows()),
        key_id=table.key_id,
        locked=locked,
    )


def _class(name: str) -> Privacy:
    return FIELDS[name].privacy if name in FIELDS else _BESIDE.get(name, "open")


def _called(table: Table, name: str) -> str:
    return name if table.kind.name == CALLS else f"{table.kind.name}.{name}"


def _held(table: Table, name: str) -> Held:
    column = table.plain(table.files).select(name)
    if table.kind.schema[name] != pl.String:
        rows = column.select(pl.col(name).count()).collect().item()
        return Held(_called(table, name), _class(name), rows)
    counts = column.group_by(name).len().collect(engine="streaming").filter(pl.col(name).is_not_null())
    values = counts[name].cast(pl.String)
    looks = {
        "secrets": values.str.contains(_ADDRESS) if name in _IDS else _secret(values),
        "ids": values.str.contains(_ID),
        "pseudonyms": values.str.contains(_PSEUDONYM),
    }
    return Held(
        _called(table, name),
        _class(name),
        int(counts["len"].sum()),
        len(values),
        **{what: int(which.sum() or 0) for what, which in looks.items()},
    )


def _secret(values: pl.Series) -> pl.Series:
    return redacted(values, _SURE)[0] != values


def _access(folder: Path) -> Access:
    """The files under a folder, and the folder, by kind and by whether others may touch them."""
    found = [(path.is_dir(), _is_open(path)) for path in _all(folder) if not path.is_symlink()]
    return Access(
        files=sum(not is_dir for is_dir, _ in found),
        folders=sum(is_dir for is_dir, _ in found),
        open_files=sum(not is_dir and others for is_dir, others in found),
        open_folders=sum(is_dir and others for is_dir, others in found),
    )


def _all(folder: Path) -> Iterator[Path]:
    yield folder
    yield from folder.rglob("*")


def _is_open(path: Path) -> bool:
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def faults(found: Census) -> list[str]:
    """What is wrong, in words."""
    wrong = [fault for held in found.columns for fault in _about(held, found.users)]
    if found.access is not None and (found.access.open_files or found.access.open_folders):
        wrong.append(
            f"others may read or write {found.access.open_files:,} files and "
            f"{found.access.open_folders:,} folders of it"
        )
    plain = found.keys.get("", 0)
    if found.key_id and plain:
        wrong.append(f"{plain:,} data files are not encrypted, though the store is")
    return wrong


def _about(held: Held, users: str) -> Iterator[str]:
    some = f"of {held.distinct:,} values" if held.distinct is not None else ""
    if held.secrets and held.privacy != "personal":
        yield f"{held.name} ({held.privacy}): {held.secrets:,} {some} look like addresses or keys"
    if held.ids and held.privacy == "open":
        yield f"{held.name} (open): {held.ids:,} {some} look like ids"
    if held.privacy != "personal" or users == "plain" or held.distinct is None:
        return
    if held.name == "llmtel_copies":
        if held.secrets:
            yield f"{held.name} (personal): {held.secrets:,} {some} have an address in them"
    elif held.name == "user" and users == "drop" and held.rows:
        yield f"user: {held.rows:,} rows have one, though the store keeps none"
    elif (names := held.distinct - (held.pseudonyms or 0)) > 0:
        yield f"{held.name} (personal): {names:,} {some} are no pseudonyms, though the store keeps those"
