"""How a store keeps people, as commands meet it: the configuration, the keys at hand, and names."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from llmtel.core.account import Note
from llmtel.core.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from llmtel.config import Config
    from llmtel.privacy.keyring import Keyring
    from llmtel.privacy.pseudonyms import Pseudonyms
    from llmtel.privacy.settings import Privacy
    from llmtel.privacy.users import Users
    from llmtel.sources.joins import Join
    from llmtel.store.folder import Where
    from llmtel.store.policy import Kept, Policy
    from llmtel.store.table import Table

_AS = {"plain": "by name", "pseudonym": "as pseudonyms", "drop": "not at all"}


class People(Struct, frozen=True, dict=True):
    """The people of the store at `folder`, which need not be there yet, under a configuration."""

    folder: Where
    config: Config | None = None

    @property
    def asked(self) -> Privacy:
        """What the configuration says of privacy."""
        from llmtel.privacy.settings import Privacy

        return self.config.privacy if self.config else Privacy()

    @property
    def keyring(self) -> Keyring:
        """The keys that are at hand."""
        from llmtel.pricing.book import user_file
        from llmtel.privacy.keyring import Keyring

        return Keyring(self.asked.key, self.asked.old_keys, user_file().parent)

    @cached_property
    def table(self) -> Table | None:
        """The store as it is when it is looked at first; None where there is none."""
        from llmtel.store.folder import at
        from llmtel.store.making import begun
        from llmtel.store.table import opened

        folder = at(self.folder)
        return opened(folder) if begun(folder) else None

    @cached_property
    def kept(self) -> Kept | None:
        """How the store keeps them; None where there is no store."""
        from llmtel.store.policy import Kept

        return None if self.table is None else Kept.of(self.table)

    def policy(self) -> Policy:
        """What an ingest keeps: as the store does, or, where there is none, as the configuration asks.

        Raises `UsageError` where the two differ, or where the store's key is not at hand.
        """
        from llmtel.store.policy import Policy

        users = self.asked.users or ("pseudonym" if self.kept is None else self.kept.users)
        if self.kept is not None and users != self.kept.users:
            raise UsageError(
                f"{self.folder}: it keeps users {_AS[self.kept.users]}, and the configuration says "
                f"users: {users}; {self._mended(users)}"
            )
        return Policy(users, None if users == "plain" else self._pseudonyms(), self.asked.tags)

    def turning(self, users: Users) -> Policy:
        """What the store is to keep from now on. Its tags stay as they are."""
        from llmtel.store.policy import Policy

        return Policy(users, self._pseudonyms())

    def _mended(self, users: str) -> str:
        """How a store and a configuration that differ come together."""
        if users == "plain":
            return "the names are not in it: take the logs into a new store"
        return f"to change the store: llmtel store users {self.folder} --keep {users}"

    def _pseudonyms(self) -> Pseudonyms:
        """Pseudonyms of the key that the store has, or of that for a new store."""
        if self.kept is None or not self.kept.key_ids:
            return self.keyring.current()
        wanted = self.kept.key_ids[-1]
        found = self.keyring.of(wanted) if self.asked.key is None else self.keyring.current()
        if found is None or found.key_id != wanted:
            other = (
                f"; {self.asked.key.called} has the key {found.key_id}" if self.asked.key and found else ""
            )
            raise UsageError(
                f"{self.folder}: {not_at_hand([wanted])}{other}. Name where it is (llmtel.yaml, privacy: "
                f"{{key_file: …}}), or go on under another key: llmtel store rotate-key {self.folder}"
            )
        return found

    @cached_property
    def is_new(self) -> bool:
        """Whether there is no store, or one that nothing was put into."""
        return self.table is None or self.table.version == 0

    def begun(self, policy: Policy) -> list[Note]:
        """What is said of people once, when the store is filled first."""
        if not self.is_new or policy.pseudonyms is None:
            return []
        where = self.asked.key.called if self.asked.key else str(self.keyring.file)
        how = "users are not kept, and sessions" if policy.users == "drop" else "users and sessions are kept"
        text = (
            f"{how} as pseudonyms, under the key {policy.pseudonyms.key_id} of {where}: keep a copy of it. "
            "With `privacy: {users: plain}` in llmtel.yaml a new store keeps names"
        )
        return [Note("users", text)]

    def missing(self, keys: Collection[Pseudonyms]) -> tuple[str, ...]:
        """The ids of the store's keys that are not among some."""
        here = {one.key_id for one in keys}
        return tuple(one for one in self.kept.key_ids if one not in here) if self.kept else ()

    def lost(self) -> tuple[str, ...]:
        """The ids of the store's keys that are not at hand; all of them where a named key cannot be read."""
        try:
            return self.missing(self.keyring.all())
        except UsageError:
            return self.missing(())

    def pseudonyms_of(self, user: str) -> tuple[set[str], tuple[str, ...]]:
        """What a user may be called in the store, and the ids of the keys that could not be tried.

        Raises `UsageError` for a pseudonym as tables show it, which may be that of several.
        """
        from llmtel.core.pseudonym import beginning
        from llmtel.store.policy import names

        if beginning(user) is not None:
            raise UsageError(
                f"--user {user}: a pseudonym in full, as llmtel analyze --by user --format json shows it"
            )

        keys = self.keyring.all() if self.kept and self.kept.users != "plain" else ()
        return {user, *names("user", [user], keys)}, self.missing(keys)

    def named(self, calls: pl.DataFrame, filters: Sequence[str]) -> tuple[pl.DataFrame, tuple[Note, ...]]:
        """Calls of the store with the real names of those whom filters name, so that they are found.

        Raises `UsageError` where none can be found: patterns of names, or no key at hand.
        """
        import polars as pl

        from llmtel.store.policy import names

        asked = self.by_name(filters) if self.kept and self.kept.users != "plain" else {}
        if not asked:
            return calls, ()
        keys = self.keyring.all()
        missing = self.missing(keys)
        if self.kept and len(missing) == len(self.kept.key_ids):
            raise UsageError(f"{self.folder}: --where {next(iter(asked))}: {not_at_hand(missing)}")
        for field, values in asked.items():
            text = calls[field].cast(pl.String).replace(names(field, values, keys))
            calls = calls.with_columns(text.cast(calls[field].dtype))
        told = f"{' and '.join(asked)} by name are looked for under the keys at hand alone: "
        return calls, (Note("keys", told + not_at_hand(missing)),) if missing else ()

    def known_to(self, join: Join) -> Join:
        """A table with the pseudonyms beside the names that are its keys, under every key at hand."""
        from llmtel.store.policy import PREFIXES, names

        if self.kept is None or self.kept.users == "plain" or join.field not in PREFIXES:
            return join
        real = names(join.field, join.rows, self.keyring.all())
        return replace(join, rows={**join.rows, **{one: join.rows[name] for one, name in real.items()}})

    def by_name(self, filters: Sequence[str]) -> dict[str, set[str]]:
        """The names that filters have, by field. Raises `UsageError` for patterns of names."""
        from llmtel.query.terms import terms
        from llmtel.store.policy import PREFIXES

        kept = self.kept
        found: dict[str, set[str]] = {}
        for term in (term for text in filters for term in terms(text)):
            prefix = PREFIXES.get(term.name)
            if kept is None or prefix is None or not term.value:
                continue
            if term.value.startswith(tuple(prefix + one for one in kept.key_ids)):
                continue
            if kept.users == "drop" and term.name == "user":
                raise UsageError(f"--where {term.text}: {self.folder} keeps no users")
            if {"*", "?"} & set(term.value):
                raise UsageError(
                    f"--where {term.text}: {self.folder} keeps pseudonyms, and no pattern fits those; "
                    "give the whole name"
                )
            found.setdefault(term.name, set()).add(term.value)
        return found


def not_at_hand(key_ids: Sequence[str]) -> str:
    """That some keys are missing."""
    key, are = ("key", "is") if len(key_ids) == 1 else ("keys", "are")
    return f"the {key} {', '.join(key_ids)} of its pseudonyms {are} not at hand"
