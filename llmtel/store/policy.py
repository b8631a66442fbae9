"""What a store keeps of people: names, keyed pseudonyms, or no users at all.

It is settled when the store is made and stands in the table's properties: the ids of the keys, never a key.

Users, sessions and traces are replaced before a call meets those of the store, so that no file of it ever has
a name; under one key equal ones stay equal, and so every count and every group stays what it was. The ids of
calls and responses stay as they are logged: they name a request at the provider and no person, and the same
call must be known again after the key was changed. One with an address in it is replaced too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import orjson
import polars as pl
from msgspec import Struct

from llmtel.core.errors import UsageError
from llmtel.core.schema import FIELDS
from llmtel.privacy.pseudonyms import Pseudonyms
from llmtel.privacy.users import USERS, Users
from llmtel.store.columns import COPIES, IDS, packed, pieces
from llmtel.store.table import Table

_USERS, _KEY_IDS = "llmtel.users", "llmtel.user_key_ids"
PREFIXES = {name: f"{name[0]}_" for name, field in FIELDS.items() if field.privacy == "personal"}
"""Fields that point at people, with the beginnings of their pseudonyms."""
_IDS = ("call_id", "response_id")
_ADDRESS = "@"


class Kept(Struct, frozen=True):
    """How a store keeps users, and under which keys: their ids, that in use the last one."""

    users: Users
    key_ids: tuple[str, ...] = ()

    @classmethod
    def of(cls, table: Table) -> Kept:
        """What the properties of a table say; names are kept where they say nothing. Raises `UsageError`."""
        said = table.properties.get(_USERS, "plain")
        if said not in USERS:
            raise UsageError(f"{table.folder}: users are kept as {said!r}, of a newer llmtel; update llmtel")
        return cls(USERS[USERS.index(said)], tuple(table.properties.get(_KEY_IDS, "").split()))

    @property
    def properties(self) -> dict[str, str]:
        """The properties of a table that say so."""
        return {_USERS: self.users, _KEY_IDS: " ".join(self.key_ids)}

    def under(self, users: Users, key_id: str | None) -> Kept:
        """The same store from now on: users kept so, under that key."""
        before = tuple(one for one in self.key_ids if one != key_id)
        return Kept(users, before if key_id is None else (*before, key_id))


class Policy(Struct, frozen=True):
    """What becomes of calls before they are stored; `tags` are the extra keys that may be (None: all).

    `freeze` makes of rows that are added those with their costs (`columns.frozen`), where these are stored.
    """

    users: Users = "plain"
    pseudonyms: Pseudonyms | None = None
    tags: frozenset[str] | None = None
    freeze: Callable[[pl.DataFrame], pl.DataFrame] | None = None

    @property
    def kept(self) -> Kept:
        """How a new store says it."""
        return Kept(self.users, (self.pseudonyms.key_id,) if self.pseudonyms else ())

    def refuse_other(self, table: Table) -> None:
        """Raise `UsageError` for a store whose users are kept otherwise."""
        there, mine = Kept.of(table), self.kept
        if (there.users, there.key_ids[-1:]) != (mine.users, mine.key_ids):
            raise UsageError(f"{table.folder}: how it keeps users has changed just now; try again")

    def applied(self, calls: pl.DataFrame) -> pl.DataFrame:
        """Calls (of the reader or of the store) with what may be stored."""
        if self.tags is not None and "tags" in calls.columns:
            calls = calls.with_columns(_only(calls["tags"], self.tags))
        if self.pseudonyms is None:
            return calls
        if self.users == "drop" and "user" in calls.columns:
            calls = calls.with_columns(pl.lit(None, dtype=pl.String).alias("user"))
        made = [
            self.pseudonyms.settled(calls[name], prefix)
            for name, prefix in PREFIXES.items()
            if name in calls.columns
        ]
        return calls.with_columns(*made, *self._addresses(calls))

    def _addresses(self, calls: pl.DataFrame) -> list[pl.Series]:
        """The columns of ids in which there are addresses, with pseudonyms in their place."""
        found = []
        for name in _IDS if self.pseudonyms else ():
            ids = calls[name] if name in calls.columns else pl.Series(name, [], dtype=pl.String)
            at = ids.str.contains(_ADDRESS, literal=True).fill_null(value=False)
            if self.pseudonyms and at.any():
                alone = ids.zip_with(at, pl.Series([None], dtype=pl.String))
                found.append(self.pseudonyms.settled(alone, "id_").zip_with(at, ids))
        return found

    def converted(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows of the store that were kept otherwise, with their copies."""
        rows = self.applied(rows)
        several = rows.filter(pl.col(COPIES).is_not_null()).with_row_index("@row")
        if several.is_empty():
            return rows
        again = packed(self.applied(pieces(several, "@row")), by="@row")
        repacked = several.drop(COPIES, IDS).join(again, on="@row", how="left").select(rows.columns)
        return pl.concat([rows.filter(pl.col(COPIES).is_null()), repacked])


PLAIN = Policy()
"""Everything as the logs have it."""


def names(field: str, values: Collection[str], keys: Collection[Pseudonyms]) -> Mapping[str, str]:
    """The pseudonyms of some values of a field, under each of some keys, with the value of each."""
    prefix = PREFIXES[field]
    return {key.one(value, prefix, vendors=False): value for value in values for key in keys}


def _only(tags: pl.Series, allowed: frozenset[str]) -> pl.Series:
    """Tags (JSON objects) without the keys that are not allowed; null where none is left."""
    distinct = tags.unique().drop_nulls()
    cut = [{k: v for k, v in orjson.loads(one).items() if k in allowed} for one in distinct]
    texts = [orjson.dumps(one).decode() if one else None for one in cut]
    return tags.replace_strict(distinct, pl.Series(texts, dtype=pl.String), default=None) if texts else tags
