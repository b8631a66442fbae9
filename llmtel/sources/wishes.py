"""What a run wants of every file besides its format: fields from where a person says, and extra keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from llmtel.sources import maps, raw
from llmtel.sources.maps import Mapped, Rule
from llmtel.sources.plan import Shape
from llmtel.sources.source import Record, Source
from llmtel.sources.values import LONGEST_TEXT


@dataclass(frozen=True)
class Wishes:
    """Rules that map fields, the extra keys to keep (`tags`), whether to keep some records of each file."""

    rules: tuple[Rule, ...] = ()
    tags: tuple[str, ...] = ()
    samples: bool = False

    def of(self, path: str, source: Source) -> tuple[Mapped, ...]:
        """The fields that are mapped in a file that is read as `source`."""
        return maps.wanted_for(self.rules, path, source.name) if self.rules else ()

    def shape(self, wanted: Sequence[Mapped]) -> Shape:
        """Makes of a source the one that also does what is wanted of it."""
        return partial(_shaped, wanted=tuple(wanted), tags=self.tags)


def _shaped(
    source: Source, records: Sequence[Record], *, wanted: tuple[Mapped, ...], tags: tuple[str, ...]
) -> Source:
    if wanted:
        source = maps.applied(source, records, wanted)
    return replace(source, calls={**source.calls, "tags": _tags(tags)}) if tags else source


def _tags(keys: tuple[str, ...]) -> pl.Expr:
    """The extra keys asked for, as a JSON object: from `tags`, `metadata` or the top of a record."""
    names = {key: raw.escaped(key) for key in keys}
    found = [
        raw.text(f"tags.{name}", f"metadata.{name}", name).str.head(LONGEST_TEXT).alias(key)
        for key, name in names.items()
    ]
    known = pl.any_horizontal(value.is_not_null() for value in found)
    return pl.when(known).then(pl.struct(found).struct.json_encode())
