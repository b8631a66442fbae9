"""A store is made at its first ingest, once, however many begin at the same moment."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import polars as pl

from llmtel.core.errors import UsageError
from llmtel.store.encryption import KEY_ID
from llmtel.store.folder import Where, at
from llmtel.store.kinds import KEPT_CALLS, Kind
from llmtel.store.location import CALLS, LOCK, LOG, Folder, on_disk
from llmtel.store.table import VERSION, Refused, Table, delta, opened

_NONE: Mapping[str, str] = {}


def begun(folder: Folder) -> bool:
    """Whether there is a store, whose first commit was made."""
    return any(name.endswith(".json") for name in folder.names(f"{CALLS}/{LOG}"))


def made(
    place: Where,
    properties: Mapping[str, str] = _NONE,
    *,
    encrypted: bool = False,
    known: Table | None = None,
) -> Table:
    """The store at a place, made where there is none, with these properties and to be `encrypted`.

    A snapshot that is `known` need not be opened anew, and may not be the newest.

    Raises `UsageError` for a folder of other things, for a key that is not at hand, and for a plain store
    that should be encrypted.
    """
    folder = at(place)
    if not begun(folder):
        key = may_be_made(folder, encrypted=encrypted)
        folder.prepare()
        with folder.lock():
            if LOG not in folder.names(CALLS):
                with suppress(Refused):  # in an object store no lock keeps others from it
                    return created(folder, key, properties=properties)
    return _writable(known or opened(folder), encrypted=encrypted)


def may_be_made(folder: Folder, *, encrypted: bool) -> str:
    """The id of the key of a store that is to be made ("": plain). Raises `UsageError` as `made`."""
    _refuse_others(folder)
    delta()
    return folder.ring.first() if encrypted else ""


def _writable(table: Table, *, encrypted: bool) -> Table:
    """The store that is there, to be written to."""
    folder = table.folder
    if encrypted and not table.key_id:
        raise UsageError(f"--store {folder}: it is not encrypted, and should be: llmtel store rekey {folder}")
    table.secret(table.key_id)
    return table


def _refuse_others(folder: Folder) -> None:
    """Raise for a folder of other things; one in which somebody makes a store just now has none."""
    others = [name for name in folder.names() if name not in {LOCK, CALLS}]
    inside = folder.names(CALLS)
    if LOG not in inside and (others := others + inside):
        raise UsageError(f"--store {folder}: the folder has other things in it ({others[0]}); name a new one")


def created(
    folder: Folder, key: str, kind: Kind = KEPT_CALLS, properties: Mapping[str, str] = _NONE
) -> Table:
    """A table that was not there before, in the store at `folder`, with a key of an id ("": plain).

    Raises `Refused` where somebody else makes it at the same moment.
    """
    table = delta()
    from deltalake.exceptions import DeltaError  # noqa: PLC0415 (as `delta`)

    configuration = {
        "delta.dataSkippingStatsColumns": "ts",
        "llmtel.schema": str(VERSION),
        KEY_ID: key,
        **properties,
    }
    try:
        with on_disk(folder):
            table.create(
                folder.uri(kind.name),
                schema=pl.Schema({**kind.schema, "day": pl.Date()}),
                partition_by=["day"],
                configuration=configuration,
                raise_if_key_not_exists=False,
                storage_options=folder.options,
            )
    except DeltaError as error:
        if LOG in folder.names(kind.name):
            raise Refused from error
        raise
    return opened(folder, kind)
