"""`llmtel privacy`: what a store holds of people, and who may read it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from llmtel.cli import options as o
from llmtel.cli.stores import Dir, place
from llmtel.core.errors import Exit, UsageError

if TYPE_CHECKING:
    from llmtel.store.census import Census


def check(
    folder: Dir = None,
    store: o.Store = None,
    share: o.Share = False,
    format_: o.Format = o.OutputFormat.TABLE,
    output: o.Output = None,
    config: o.Config = None,
) -> int:
    """Every column of a store with its class, where ids could be, who may read it, what is encrypted.

    Exit code 3 where something is wrong; each fault is named, and no value is shown.
    """
    from llmtel.cli.output import write
    from llmtel.reports import shared_store
    from llmtel.reports.privacy import Looked, checked
    from llmtel.store.census import census, faults

    if folder is not None and store is not None:
        raise UsageError(f"{folder} and --store {store}: one store at a time; leave one out")
    at = place(folder or store, config)
    found = census(at)
    wrong = faults(found)
    looked = Looked(
        store=str(at),
        columns=[asdict(held) | {"column": held.name} for held in found.columns],
        users=found.users,
        user_keys=found.user_keys,
        access=None if found.access is None else asdict(found.access),
        files_by_key=found.keys,
        faults=wrong,
        mend=_mend(str(at), found),
        locked=found.locked,
    )
    write(shared_store.looked(looked) if share else checked(looked), format_, output)
    return Exit.VIOLATED if wrong else Exit.OK


def _mend(at: str, found: Census) -> str | None:
    """The command that closes a store to others, where it is open."""
    access = found.access
    is_open = access is not None and bool(access.open_files or access.open_folders)
    return f"chmod -R go= {shlex.quote(at)}" if is_open else None
