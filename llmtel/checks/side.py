"""A side of a comparison: what calls, or a baseline made of them, say about the segments of each split."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, field

from llmtel.checks.cells import Noun, Usage
from llmtel.checks.private import stored_key, stored_split
from llmtel.checks.rules import Key, Split
from llmtel.checks.samples import Sample
from llmtel.checks.seen import Seen

_DAY = 86_400.0


class Segment(Struct, frozen=True):
    """What is known of the calls of one segment: how many there are, and a sample of each metric."""

    calls: float
    samples: Mapping[str, Sample]


Segments = Mapping[Key, Segment]


class Side(Struct, frozen=True):
    """Segments by split, and what all calls of the side were: how many, from when until when.

    `cells` explain its cost, `seen` are its prompts and models. `label` names it for people. `saved` is when
    a baseline was made; None for calls at hand. `prices` names the price book, `commit` the state of the
    code, `accepted` why a worse one was, `where` the filters that all its calls met (as a file names them).
    `rates` are the list prices of its models (USD per million tokens), and `repriced` names the price book
    that a baseline was made with, where its money is now that of another.
    `noun` is what `calls` counts: a provider's sums know requests, or nothing but themselves.
    `covered` are the days that the calls are of, where these do not lie in a row.
    """

    splits: Mapping[Split, Segments]
    calls: float
    first: datetime | None = None
    last: datetime | None = None
    label: str = ""
    saved: datetime | None = None
    cells: Mapping[Key, Usage] = field(default_factory=dict)
    seen: Seen = field(default_factory=dict)
    prices: Mapping[str, str] = field(default_factory=dict)
    commit: str | None = None
    accepted: str | None = None
    where: tuple[str, ...] = ()
    covered: float | None = None
    rates: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    repriced: Mapping[str, str] = field(default_factory=dict)
    noun: Noun = "call"

    def segments(self, split: Split) -> Segments | None:
        """The segments of a split by their stored names; None where the side was not split so."""
        wanted = stored_split(split)
        found = next((s for known, s in self.splits.items() if stored_split(known) == wanted), None)
        return None if found is None else {stored_key(split, key): s for key, s in found.items()}

    @property
    def days(self) -> float | None:
        """Days that the calls cover; None where they cover less than one, which says nothing of a month."""
        if self.covered:
            return self.covered
        if self.first is None or self.last is None:
            return None
        days = (self.last - self.first).total_seconds() / _DAY
        return days if days >= 1 else None
