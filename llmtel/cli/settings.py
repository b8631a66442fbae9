"""The configuration and the options that say the same things, as one: what an option says wins."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from llmtel.core.account import Note, Unmatched
from llmtel.core.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from llmtel.config import Config
    from llmtel.pipeline import Gathered
    from llmtel.reading import Reading
    from llmtel.sources.counted import TokenizerOf
    from llmtel.sources.files import Inputs
    from llmtel.sources.joins import Join
    from llmtel.sources.maps import Rule
    from llmtel.store.encryption import Ring
    from llmtel.store.location import Folder

FILE = "llmtel.yaml"
"""The configuration."""


class Settings(Struct, frozen=True, dict=True):
    """What holds for a run: the configuration, the rules that map fields, and the tables that are joined.

    `typed` are the options of it on this command line, as pairs.
    """

    config: Config | None = None
    rules: tuple[Rule, ...] = ()
    joins: tuple[Join, ...] = ()
    typed: tuple[tuple[str, str], ...] = ()

    @property
    def tz(self) -> str:
        """The time zone where no option says one."""
        return (self.config and self.config.tz) or "UTC"

    @property
    def pricing(self) -> tuple[Path, ...]:
        """The price files of the configuration, which those of options lie over."""
        return self.config.pricing if self.config else ()

    @property
    def store(self) -> str | None:
        """The store of the configuration, where no option and no path says another."""
        return self.config.store.path if self.config else None

    @property
    def encrypted(self) -> bool:
        """Whether the configuration wants stores to be encrypted."""
        return self.config is not None and self.config.store.encryption is not None

    @cached_property
    def ring(self) -> Ring:
        """The keys of encrypted stores."""
        from llmtel.store.encryption import Ring

        source = self.config.store.encryption if self.config else None
        return Ring(() if source is None else (source,))

    def store_of(self, paths: Sequence[str]) -> Folder | None:
        """The store that is among some paths."""
        from llmtel.store.folder import found

        return next((one for path in paths if (one := found(path, self.ring)) is not None), None)

    @property
    def caches(self) -> bool:
        """Whether logs are read through a cache where no option says so."""
        return self.config is not None and self.config.cache

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the joined tables: extra keys that are called by their bare name."""
        return tuple(column for join in self.joins for column in join.columns)

    def named(self, names: Sequence[str]) -> tuple[str, ...]:
        """Dimensions by their full names. Raises `UnknownName` for one that is none, nor a joined column."""
        from llmtel.query.dimensions import named

        return tuple(named(name, self.columns) for name in names)

    def sorting(self, sort: str | None) -> str | None:
        """What rows are sorted by, joined columns by their full names."""
        name, colon, way = (sort or "").partition(":")
        return f"{self.named([name])[0]}{colon}{way}" if name in self.columns else sort

    def read(
        self,
        paths: Sequence[str],
        *,
        input_format: str | None = None,
        tags: Sequence[str] = (),
        progress: Callable[[int, int], None] | None = None,
        tokenizer: TokenizerOf | None = None,
        count_all: bool = False,
        fingerprints: bool = False,
        samples: bool = False,
        within: tuple[datetime | None, datetime | None] = (None, None),
        without: Collection[str] = (),
        filters: Sequence[str] = (),
        cached: Sequence[str] | None = None,
    ) -> Reading:
        """The calls of some paths, as `pipeline.read`, with the tables joined and notes of what was set.

        Of a store only days `within` (from, until) are read, and no fields of `without`;
        people whom `filters` name have their names. Logs are read through a cache where `cached` says on what
        else than the options the reading rests.
        """
        folder = self.store_of(paths)
        if folder is not None:
            from llmtel import reading as readings
            from llmtel.cli.people import People
            from llmtel.store.table import opened

            self._refuse_beside_store(folder, paths, input_format)
            if count_all:
                raise UsageError(
                    f"{folder}: tokens are counted from texts, and a store keeps none; give the logs"
                )
            people = People(folder, self.config)
            reading = readings.of_store(people.table or opened(folder), *within, without)
            calls, told = people.named(reading.calls, filters)
            return self._joined(replace(reading, calls=calls, notes=(*reading.notes, *told)), paths)
        from llmtel import pipeline

        kept = dict.fromkeys((*(self.config.tags if self.config else ()), *tags))
        wanted = [tag for tag in kept if tag not in self.columns]
        reading = pipeline.read(
            paths,
            input_format=input_format,
            tags=wanted,
            rules=self.rules,
            progress=progress,
            tokenizer=tokenizer,
            count_all=count_all,
            fingerprints=fingerprints,
            samples=samples,
            through=None
            if cached is None
            else self._through_cache(paths, input_format, wanted, fingerprints, *cached),
        )
        return self._joined(reading, paths)

    def _through_cache(
        self, paths: Sequence[str], *facts: object
    ) -> Callable[[Inputs, Callable[[Inputs], Gathered]], Gathered]:
        from llmtel.cache import Cache

        return Cache.of(paths, self.rules, *facts).gathered

    def _joined(self, reading: Reading, paths: Sequence[str]) -> Reading:
        calls = reading.calls
        for join in self._joins(paths):
            calls = join.joined(calls)
        return replace(reading, calls=calls, notes=(*reading.notes, *self.notes()))

    def _refuse_beside_store(self, folder: Folder, paths: Sequence[str], input_format: str | None) -> None:
        """Raise `UsageError` for what cannot be asked of a store, since it was decided when it was filled."""
        if len(paths) > 1:
            raise UsageError(
                f"{folder} is a store and is asked alone; to add logs to it: llmtel ingest --store"
            )
        options = [name for name, _ in self.typed if name == "--map"] + (
            ["--input-format"] if input_format else []
        )
        if options:
            raise UsageError(
                f"{options[0]}: how records are read is said when a store takes them: llmtel ingest"
            )

    def _joins(self, paths: Sequence[str]) -> Iterator[Join]:
        """The tables as the calls of some paths can be joined to them."""
        from llmtel.cli.people import People

        folder = self.store_of(paths) if self.joins else None
        people = None if folder is None else People(folder, self.config)
        return (join if people is None else people.known_to(join) for join in self.joins)

    def unmatched(self, calls: pl.DataFrame, paths: Sequence[str]) -> tuple[Unmatched, ...]:
        """For each joined table what it does not have of the calls of some paths."""
        return tuple(join.unmatched(calls) for join in self._joins(paths))

    def notes(self) -> tuple[Note, ...]:
        """Which configuration was used, and which fields are read from where a person says."""
        found = []
        if self.config is not None:
            keys = ", ".join(self.config.said) or "nothing"
            found.append(Note("config", f"configured by {self.config.name}: {keys}", file=self.config.name))
        mapped = dict.fromkeys(one.words() for rule in self.rules for one in rule.fields)
        if mapped:
            found.append(Note("map", f"mapped: {', '.join(mapped)}", len(mapped)))
        found += [
            Note("join", f"{join.file} joined by {join.field}: {', '.join(_called(join))}", file=join.file)
            for join in self.joins
        ]
        return tuple(found)


def settle(
    config: Path | None = None, map_: Sequence[str] | None = None, join: Sequence[str] | None = None
) -> Settings:
    """The settings of this run. Raises `ConfigError` and `UsageError` before a byte of a log is read."""
    at = find(Path.cwd()) if config is None else config
    found = None if at is None else _configured(at)
    rules, tables = _mapped(map_ or ()), (*(found.join if found else ()), *_tables(join or ()))
    _refuse_same_columns(tables)
    given = {"--config": [str(config)] if config is not None else [], "--map": map_, "--join": join}
    return Settings(
        found,
        (*(found.map if found else ()), *rules),
        tables,
        tuple((option, text) for option, texts in given.items() for text in texts or ()),
    )


def find(start: Path) -> Path | None:
    """The configuration of a folder: in it, or above it as far as the root of its repository."""
    folders = [start, *start.parents]
    # A folder that one may not look into has none; pathlib would raise.
    root = next((i for i, at in enumerate(folders) if os.path.exists(at / ".git")), 0)  # noqa: PTH110 (above)
    files = (folder / FILE for folder in folders[: root + 1])
    return next((file for file in files if os.path.isfile(file)), None)  # noqa: PTH113 (above)


def _configured(at: Path) -> Config:
    """The configuration at a path; what reads it is not loaded where there is none."""
    from llmtel import config

    return config.load(_seen_from_here(at))


def _mapped(typed: Sequence[str]) -> tuple[Rule, ...]:
    if not typed:
        return ()
    from llmtel.sources import maps

    return (maps.Rule(tuple(maps.parse(text) for text in typed)),)


def _tables(typed: Sequence[str]) -> tuple[Join, ...]:
    if not typed:
        return ()
    from llmtel.sources import joins

    return tuple(map(joins.load, typed))


def _seen_from_here(path: Path) -> Path:
    """A configuration as people see it, from the working directory, so that messages are short."""
    return Path(os.path.relpath(path)) if path.is_absolute() else path


def _called(join: Join) -> tuple[str, ...]:
    """The names that a table's columns are asked for by: those of dimensions are dimensions already."""
    from llmtel.query.dimensions import DIMENSIONS, TAGS

    return tuple(TAGS + column if column in DIMENSIONS else column for column in join.columns)


def _refuse_same_columns(tables: Sequence[Join]) -> None:
    seen: dict[str, str] = {}
    for table in tables:
        for column in table.columns:
            if column in seen:
                raise UsageError(f"--join: {seen[column]} and {table.file} both have a column {column}")
            seen[column] = table.file
