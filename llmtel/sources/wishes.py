"""What a run wants of every file besides its format: fields from where a person says, and extra keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from llmtel.sources import maps, raw
from llmtel.sources.maps import Mapped, Rule
from llmtel.sources.plan import Shape
from llmtel.sources.source import Record, Remark, Source
from llmtel.sources.values import CUT, LONGEST_TEXT


class Wishes(Struct, frozen=True):
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
    if not tags:
        return source
    found = {key: _tag(key) for key in tags}
    return replace(
        source,
        calls={**source.calls, "tags": _as_json(found)},
        remarks={**source.remarks, "cut": Remark(_longer(found), CUT)},
    )


def _tag(key: str) -> pl.Expr:
    """An extra key: from `tags`, `metadata` or the top of a record, or its `attributes`, also flat ones."""
    name, flat = raw.escaped(key), raw.escaped(key.replace(".", "_"))
    paths = (f"tags.{name}", f"metadata.{name}", name, f"attributes.{name}", f"attributes.{flat}")
    return raw.text(*dict.fromkeys(paths))


def _as_json(tags: Mapping[str, pl.Expr]) -> pl.Expr:
    """The extra keys as a JSON object."""
    known = pl.any_horizontal(value.is_not_null() for value in tags.values())
    cut = (value.str.head(LONGEST_TEXT).alias(key) for key, value in tags.items())
    return pl.when(known).then(pl.struct(cut).struct.json_encode())


def _longer(tags: Mapping[str, pl.Expr]) -> pl.Expr:
    """How many of the extra keys are cut."""
    return pl.sum_horizontal(value.str.len_chars() > LONGEST_TEXT for value in tags.values())
