"""`llmtel.yaml`: what a team says once about its logs, typed, and every mistake with its line.

It is looked for in the working directory and above it, up to the root of the repository, and every answer
says which one was used. A key is one entry of `SECTIONS`: its reader makes of the place in the file what a
field of `Config` holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from llmtel.core.catalog import unknown
from llmtel.core.errors import ConfigError, UsageError
from llmtel.document import Document, Place
from llmtel.privacy import settings as privacy
from llmtel.privacy.keys import KeySource, source_in
from llmtel.privacy.settings import Privacy
from llmtel.query.timerange import parse_zone
from llmtel.sources import joins, maps
from llmtel.sources.formats import sources
from llmtel.sources.joins import Join
from llmtel.sources.maps import Mapped, Rule

_NO_PRIVACY = Privacy()


class Storage(Struct, frozen=True):
    """The store: its folder or its address, and where the key is that it is encrypted with."""

    path: str | None = None
    encryption: KeySource | None = None


_NO_STORAGE = Storage()


class Config(Struct, frozen=True):
    """What a configuration says: `name` is its file for people ("": there is none), `said` its keys.

    `document` is all of it, for those who read keys of it by themselves (`CHECKS`).
    """

    name: str = ""
    said: tuple[str, ...] = ()
    map: tuple[Rule, ...] = ()
    join: tuple[Join, ...] = ()
    tags: tuple[str, ...] = ()
    tz: str | None = None
    pricing: tuple[Path, ...] = ()
    store: Storage = _NO_STORAGE
    cache: bool = False
    privacy: Privacy = _NO_PRIVACY
    document: Document | None = None


def _rules(place: Place, _folder: Path) -> tuple[Rule, ...]:
    """Fields with their paths for every file, or a list of such with the files they are for."""
    if not isinstance(place.value, list):
        return (Rule(_fields(place)),)
    return tuple(_rule(entry) for entry in place.entries())


def _rule(place: Place) -> Rule:
    keys = place.items(("fields", "files", "format"))
    if "fields" not in keys:
        place.fail("needs fields, e.g. fields: {user: metadata.uid}")
    name = keys["format"].text() if "format" in keys else None
    if name is not None and name not in sources():
        keys["format"].fail(sources().unknown(name))
    return Rule(_fields(keys["fields"]), keys["files"].text() if "files" in keys else None, name)


def _fields(place: Place) -> tuple[Mapped, ...]:
    return tuple(
        _understood(lambda: maps.mapped(field, at.text(), at.where()), at)  # noqa: B023 (called at once)
        for field, several in place.items().items()
        for at in several.one_or_more()
    )


def _joins(place: Place, folder: Path) -> tuple[Join, ...]:
    return tuple(
        _understood(lambda: joins.load(one.text(), folder), one)  # noqa: B023 (called at once)
        for one in place.one_or_more()
    )


def _understood(read: Callable[[], Any], place: Place) -> Any:  # noqa: ANN401 (what the reader makes)
    """What `read` makes of a place; what it complains about, with file and line."""
    try:
        return read()
    except UsageError as error:
        place.fail(str(error))


def _zone(place: Place, _folder: Path) -> str:
    name = place.text()
    _understood(lambda: parse_zone(name), place)
    return name


def _tags(place: Place, _folder: Path) -> tuple[str, ...]:
    return tuple(one.text() for one in place.one_or_more())


def _files(place: Place, folder: Path) -> tuple[Path, ...]:
    return tuple(folder / one.text() for one in place.one_or_more())


def _cache(place: Place, _folder: Path) -> bool:
    """Whether logs are read through a cache."""
    return place.flag()


def _store(place: Place, folder: Path) -> Storage:
    """The folder of the store, or its address; or that as `path`, and where its key is."""
    if not isinstance(place.value, dict):
        return Storage(_address(place, folder))
    keys = place.items(("path", "encryption"))
    path = _address(keys["path"], folder) if "path" in keys else None
    if "encryption" not in keys:
        return Storage(path)
    source, _ = source_in(keys["encryption"], folder)
    if source is None:
        keys["encryption"].fail("needs the place of the key, e.g. {key_env: LLMTEL_STORE_KEY}")
    return Storage(path, source)


def _address(place: Place, folder: Path) -> str:
    told = place.text()
    return told if "://" in told else str(folder / Path(told).expanduser())


SECTIONS: Mapping[str, Callable[[Place, Path], object]] = {
    "map": _rules,
    "join": _joins,
    "tags": _tags,
    "tz": _zone,
    "pricing": _files,
    "store": _store,
    "cache": _cache,
    "privacy": privacy.parse,
}
"""The keys of the file, each with its reader (place, folder of the file) for the field of that name."""
CHECKS = ("version", "checks", "defaults", "baseline", "exempt")
"""The keys of `llmtel check`, which reads them itself: other commands need not load what judges."""


def load(path: Path) -> Config:
    """The configuration at `path`.

    Raises `ConfigError` with every mistake, each with file and line.
    """
    name = str(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {name}: {error.strerror}") from error
    document = Document(name, content)
    places = document.top.items()
    found: dict[str, Any] = {}
    mistakes = []
    for key, place in places.items():
        if key in CHECKS:
            continue
        try:
            found[key] = _section(key, place, path.parent)
        except ConfigError as error:
            mistakes.append(str(error))
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return Config(name, tuple(places), **found, document=document)


def _section(key: str, place: Place, folder: Path) -> object:
    if key not in SECTIONS:
        place.fail(unknown("key", key, (*SECTIONS, *CHECKS)))
    return SECTIONS[key](place, folder)
