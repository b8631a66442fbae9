"""Which format a file has: most claims win, a tie is an error that names both."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from llmtel.sources.aliases import is_call
from llmtel.sources.files import Undecodable
from llmtel.sources.formats import sources
from llmtel.sources.source import Record, Source

ENOUGH = 50
"""Records that are asked."""
_NAMED = 8
"""Keys or columns that are named where no format claims a file."""
_SHAPES = 256
"""Sets of keys for which it is remembered who may claim them; a log has few."""


class Tied(Undecodable):
    """Two formats claim as many records of a file."""


class Verdict(Struct, frozen=True):
    """The format of a file and why: the claims of each format among the first records, and their keys."""

    source: Source | None
    claims: Counter[str]
    asked: int
    forced: bool = False
    keys: tuple[str, ...] = ()

    @property
    def unanimous(self) -> bool:
        """Whether every record is of one format."""
        return len(self.claims) == 1 and self.claims.total() == self.asked

    def unread(self, source: Source) -> tuple[str, ...]:
        """The keys that no expression of `source` looks at, nor at anything inside them.

        Of none can that be said where a function finds the records inside those that were asked.
        """
        if source.records is not None:
            return ()
        read = {column.steps[0] for column in source.columns()}
        return tuple(key for key in self.keys if key not in read)


@lru_cache(_SHAPES)
def _candidates(layout: str, keys: frozenset[str]) -> tuple[Source, ...]:
    """The formats that may claim a record with such keys, in the order of asking."""
    return tuple(one for one in sources().values() if one.layout == layout and one.may_claim(keys))


def claimant(record: Record, layout: str = "json") -> str | None:
    """The name of the format that claims a record."""
    for source in _candidates(layout, frozenset(record)):
        if source.claims(record):
            return source.name
    if is_call(record):
        return "generic" if layout == "json" else "generic_csv"
    return None


def verdict_on(records: Sequence[Record], layout: str = "json", wanted: Source | None = None) -> Verdict:
    """The claims on some records, and the format that was asked for if one was."""
    asked = records[:ENOUGH]
    claims = _claims(asked, layout)
    if not claims and wanted is None:  # an application that says much of other things first
        asked = records
        claims = _claims(records[ENOUGH:], layout)
    keys = tuple(dict.fromkeys(key for record in asked for key in record))
    return Verdict(wanted, claims, len(asked), forced=wanted is not None, keys=keys)


def _claims(records: Sequence[Record], layout: str) -> Counter[str]:
    return Counter(name for record in records if (name := claimant(record, layout)) is not None)


def source_of(records: Sequence[Record], layout: str = "json") -> Verdict:
    """The format that claims most of some records. Raises `Tied`."""
    verdict = verdict_on(records, layout)
    claims = verdict.claims
    if not claims:
        return verdict
    # a failed call's line has no body in it, so that it looks like any application's line
    weak = {name: sources()[name].family is None and not sources()[name].marks for name in claims}
    bodies = any(sources()[name].family is not None for name in claims)
    ranked = sorted(claims.items(), key=lambda claim: (-claim[1], weak[claim[0]] and bodies))[:2]
    if bodies and weak[ranked[-1][0]]:
        ranked = ranked[:1]
    if len(ranked) > 1 and ranked[0][1] == ranked[1][1] and not of_one_family(ranked[0][0], ranked[1][0]):
        names = " and ".join(name for name, _ in ranked)
        msg = f"{names} claim as many records each; say which it is with --input-format"
        raise Tied(msg)
    return replace(verdict, source=sources()[ranked[0][0]])


def of_one_family(one: str, other: str) -> bool:
    """Whether two formats are told apart record by record, so that a file may mix them."""
    return one == other or (
        sources()[one].family is not None and sources()[one].family == sources()[other].family
    )


def unclaimed(path: str, sample: Sequence[Record], what: str, names: Sequence[str]) -> str:
    """Why no format claims a file, and what would be claimed."""
    if not sample:
        return "no line of it is a JSON object"
    shown = ", ".join(json.dumps(name)[1:-1] for name in names[:_NAMED])
    more = ", …" if len(names) > _NAMED else ""
    return (
        f"{what}{' ' if shown else ''}{shown}{more}: no format claims them."
        " A generic log needs a time (timestamp, created_at, …) and one of model, tokens"
        " or latency. To say which keys these are: "
        f"llmtel inspect {shlex.quote(path)}"
    )
