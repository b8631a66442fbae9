"""`llmtel store rotate-key` and `llmtel store users`: people kept otherwise from now on."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from llmtel.cli import options as o
from llmtel.cli import stores
from llmtel.core.errors import UsageError


class Keeping(StrEnum):
    """What a store can be turned into."""

    PSEUDONYM = "pseudonym"
    DROP = "drop"


Keep = Annotated[
    Keeping,
    typer.Option("--keep", metavar="HOW", help="Users as pseudonyms (pseudonym), or not at all (drop)"),
]


def rotate_key(folder: stores.Dir = None, config: o.Config = None) -> None:
    """Give a store another key for the pseudonyms of users from now on.

    The key that the configuration names, else a new one; the old one stays at hand. What is stored stays
    under its key: who calls under both is two users in reports, unless --where names that user.
    """
    from llmtel.cli.people import People
    from llmtel.cli.settings import settle
    from llmtel.store.people import rotate

    at = stores.place(folder, config)
    people = People(at, settle(config).config)
    if people.kept is None or people.kept.users == "plain":
        raise UsageError(
            f"{at}: it keeps users by name, under no key; llmtel store users {at} --keep pseudonym"
        )
    before = people.kept.key_ids[-1] if people.kept.key_ids else "none"
    key = people.asked.key
    if key is not None and people.keyring.current().key_id == before:
        raise UsageError(
            f"{key.said}: {key.called} has the key {before} that the store has already: name the new one "
            "there and the old one under old_keys"
        )
    with at.lock():  # a store that cannot be written says so before a key is made
        after = people.keyring.renewed()
    rotate(at, after)
    text = (
        f"new pseudonyms are under the key {after.key_id}; those under {before} stay: one user is two there"
    )
    stores.tell(at, "rotate_key", text, before=before, after=after.key_id)


def users(keep: Keep, folder: stores.Dir = None, config: o.Config = None) -> None:
    """Turn the users of a store into pseudonyms, or drop them; also in its earlier versions.

    There is no way back to names.
    """
    from llmtel.cli.people import People
    from llmtel.cli.settings import settle
    from llmtel.reports.trust import in_calls
    from llmtel.store.people import convert

    at = stores.place(folder, config)
    people = People(at, settle(config).config)
    before = people.kept.users if people.kept else "plain"
    done = convert(at, people.turning(keep.value))
    files = in_calls(done.before, "data file")
    text = {
        ("plain", Keeping.PSEUDONYM): f"users turned into pseudonyms in {files}",
        ("pseudonym", Keeping.PSEUDONYM): f"users are pseudonyms already; {files} written anew",
        ("drop", Keeping.PSEUDONYM): "it has dropped its users; users to come are kept as pseudonyms",
    }.get((before, keep), f"users dropped in {files}")
    stores.tell(at, "users", text, files=done.before, users=keep.value)
