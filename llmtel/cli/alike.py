"""A store that keeps pseudonyms beside logs that have names: a person is called alike on both sides."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from llmtel.cli.people import People, not_at_hand
from llmtel.core.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from llmtel.cli.answering import Question
    from llmtel.privacy.pseudonyms import Pseudonyms
    from llmtel.reports.context import Context


def both(question: Question, other: tuple[str, ...], name: str) -> tuple[tuple[pl.DataFrame, Context], ...]:
    """The priced calls that a question is about, and those of other paths, for the command of that name.

    Who has a pseudonym in a store on one side has it on the other, but for those whom filters name. Raises
    `UsageError` where calls are split by people and the key for that is not at hand.
    """
    whole = replace(question, sharing=None)  # what is shared has other pseudonyms, of these
    sides = whole, replace(whole, paths=other)
    alike = _alike(*sides)
    (calls, context), (others, further) = (side.priced(name) for side in sides)
    if alike is not None:
        calls, others = alike.called(calls, others)
    if (shared := question.sharing) is None:
        return (calls, context), (others, further)
    return (shared.masked(calls), context.shared(shared)), (shared.masked(others), further.shared(shared))


class _Alike(Struct, frozen=True):
    """The `keys` of a store, that in use last, with which those who are not `named` by filters are called.

    `users`: whether it keeps users at all. `first`: the first of two sides is the store.
    """

    keys: Sequence[Pseudonyms]
    named: Mapping[str, Collection[str]]
    users: bool
    first: bool

    def called(self, one: pl.DataFrame, other: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Both sides with the same names for people."""
        from llmtel.store.policy import PREFIXES

        kept, logs = (one, other) if self.first else (other, one)
        for field in PREFIXES:
            kept, logs = self._field(field, kept, logs)
        return (kept, logs) if self.first else (logs, kept)

    def _field(self, field: str, kept: pl.DataFrame, logs: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        import polars as pl

        from llmtel.store.policy import PREFIXES, names

        *old, newest = self.keys
        values, prefix, dtype = logs[field].cast(pl.String), PREFIXES[field], logs.schema[field]
        if field == "user" and not self.users:
            return kept, logs.with_columns(pl.lit(None, dtype=dtype).alias(field))
        stay = values.is_in(list(self.named.get(field, ())))
        made = newest.settled(values.zip_with(~stay, pl.Series([None], dtype=pl.String)), prefix)
        logs = logs.with_columns(made.zip_with(~stay, values).cast(dtype).alias(field))
        earlier = names(field, values.drop_nulls().unique().to_list(), old)
        now = {one: newest.one(name, prefix, vendors=False) for one, name in earlier.items()}
        return kept.with_columns(kept[field].cast(pl.String).replace(now).cast(dtype).alias(field)), logs


def _alike(one: Question, other: Question) -> _Alike | None:
    """How people are called on both sides; None where they are called alike, or nobody can tell."""
    stores = [_store(side) for side in (one, other)]
    people = sorted({name for names in one.by for name in names} & _personal())
    asked = f"--by {people[0]}" if people else ""
    first, second = stores
    if first is not None and second is not None:
        _refuse_strangers(asked, first, second)
        return None
    if (store := first or second) is None or store.kept is None:
        return None
    logs = other if first else one
    keys = {key.key_id: key for key in _keys(store, required=bool(asked))}
    in_use = [keys[key_id] for key_id in store.kept.key_ids if key_id in keys]
    if not in_use and asked:
        raise UsageError(
            f"{asked}: {store.folder} has pseudonyms and {' '.join(logs.paths)} names, and "
            f"{not_at_hand(store.kept.key_ids)}. Name where it is (llmtel.yaml, privacy: {{key_file: …}})"
        )
    named = store.by_name((*one.where, *one.filters))
    return _Alike(in_use, named, store.kept.users != "drop", first is not None) if in_use else None


def _personal() -> frozenset[str]:
    from llmtel.store.policy import PREFIXES

    return frozenset(PREFIXES)


def _store(side: Question) -> People | None:
    """The people of the store that a side is, if it is one that keeps pseudonyms."""
    folder = side.settings.store_of(side.paths)
    people = None if folder is None else People(folder, side.settings.config)
    return None if people is None or people.kept is None or people.kept.users == "plain" else people


def _keys(store: People, *, required: bool) -> Sequence[Pseudonyms]:
    try:
        return store.keyring.all()
    except UsageError:
        if required:
            raise
        return ()


def _refuse_strangers(asked: str, one: People, other: People) -> None:
    """Raise where people of two stores are compared that have no key in common."""
    keys = [set(side.kept.key_ids) if side.kept else set[str]() for side in (one, other)]
    if asked and not keys[0] & keys[1]:
        raise UsageError(
            f"{asked}: {one.folder} and {other.folder} have pseudonyms under keys of their own, so that "
            "nobody of the one is found in the other; compare one with logs, or with a window of its own"
        )
