"""Which format a file has: most claims win, a tie is an error that names both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from llmtel.core.errors import LlmtelError
from llmtel.sources.aliases import is_call
from llmtel.sources.formats import sources
from llmtel.sources.source import Record, Source

ENOUGH = 50
"""Records that are asked."""


class Tied(LlmtelError):
    """Two formats claim as many records of a file."""


@dataclass(frozen=True)
class Verdict:
    """The format of a file and why: the claims of each format among the first records."""

    source: Source | None
    claims: Counter[str]
    asked: int
    forced: bool = False


def claimant(record: Record, layout: str = "json") -> str | None:
    """The name of the format that claims a record."""
    for source in sources().values():
        if source.layout == layout and source.claims(record):
            return source.name
    if is_call(record):
        return "generic" if layout == "json" else "generic_csv"
    return None


def source_of(records: Sequence[Record], path: str, layout: str = "json") -> Verdict:
    """The format that claims most of some records. Raises `Tied`."""
    claims = Counter(name for record in records[:ENOUGH] if (name := claimant(record, layout)) is not None)
    if not claims:
        return Verdict(None, claims, len(records))
    ranked = claims.most_common(2)
    if len(ranked) > 1 and ranked[0][1] == ranked[1][1] and not of_one_family(ranked[0][0], ranked[1][0]):
        names = " and ".join(name for name, _ in ranked)
        msg = f"{path}: {names} claim as many records each; say which it is with --input-format"
        raise Tied(msg)
    return Verdict(sources()[ranked[0][0]], claims, len(records))


def of_one_family(one: str, other: str) -> bool:
    """Whether two formats are told apart record by record, so that a file may mix them."""
    return one == other or (sources()[one].family is not None and sources()[one].family == sources()[other].family)
