"""Formats of other packages: what they declare under the entry-point group `llmtel.sources`.

An entry point names a `Source`, some of them, or a module with `SOURCES` (docs/plugins.md). A package that
cannot be used is told in one line and does not stand in the way of any other format.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import wraps
from importlib.metadata import EntryPoint, entry_points
from typing import ParamSpec, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from llmtel.core.errors import Exit, LlmtelError
from llmtel.core.schema import FIELDS
from llmtel.sources.source import Source

GROUP = "llmtel.sources"
_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_OF_A_BAD_RECORD = (TypeError, AttributeError, KeyError, ValueError, RecursionError)
"""What `records` may raise for an object that is none of its format: that costs one line."""

P = ParamSpec("P")
T = TypeVar("T")


class PluginError(LlmtelError):
    """The code of another package's format failed; the message names format and package."""

    exit_code = Exit.CRASH


class Installed(Struct, frozen=True):
    """The formats of other packages, and a sentence for each that cannot be used."""

    sources: tuple[Source, ...] = ()
    troubles: tuple[str, ...] = ()


def packages() -> list[str]:
    """Names and versions of the packages that bring formats, of which none is loaded."""
    return sorted({_package(entry) for entry in entry_points(group=GROUP)})


def installed(taken: Collection[str]) -> Installed:
    """The formats of all installed packages; `taken` are names that llmtel's own have.

    Packages are asked in the order of their names, so that of two with one name the same one always wins.
    """
    found: dict[str, Source] = {}
    troubles = []
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: (_package(entry), entry.name)):
        package = _package(entry)
        try:
            declared = list(_declared(entry.load()))
        except Exception as error:  # noqa: BLE001 (foreign code may raise anything)
            troubles.append(f"package {package}: {GROUP} {entry.name} cannot be loaded: {words_of(error)}")
            continue
        for source in declared:
            fault = _fault(source, taken, found)
            if fault:
                troubles.append(f"package {package}: {fault}")
            elif isinstance(source, Source):
                found[source.name] = _guarded(source, package)
    return Installed(tuple(found.values()), tuple(troubles))


def failed(source: Source, error: BaseException) -> PluginError:
    """The error for what went wrong in the format of another package."""
    return PluginError(f"the format {source.name} of the package {source.package} failed: {words_of(error)}")


def words_of(error: BaseException) -> str:
    """An error in one line: its kind, and the first line of what it says."""
    said = str(error).strip().splitlines()
    return f"{type(error).__name__}{': ' if said else ''}{said[0] if said else ''}"


def _package(entry: EntryPoint) -> str:
    """Name and version of the package that has the entry point."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else entry.value


def _declared(value: object) -> Iterator[object]:
    found = getattr(value, "SOURCES", value)
    if isinstance(found, Source):
        yield found
    elif isinstance(found, Iterable) and not isinstance(found, str):
        yield from found
    else:
        yield value


def _fault(source: object, taken: Collection[str], found: Collection[str]) -> str | None:
    """Why what a package declares is no format to use."""
    if not isinstance(source, Source):
        return f"a {type(source).__name__} is no Source; see docs/plugins.md"
    if not _NAME.fullmatch(source.name):
        return f"{source.name!r} is no name of a format: small letters, digits and _"
    if source.name in taken or source.name in found:
        owner = "llmtel" if source.name in taken else "another package"
        return f"its format {source.name} is not used, for {owner} has one of that name"
    if not source.marks:
        return f"its format {source.name} has no marks by which its records are known"
    strange = [name for name in source.calls if name not in FIELDS and not name.startswith("@")]
    if strange:
        return f"its format {source.name} gives {', '.join(strange)}, no field of `llmtel list fields`"
    try:
        source.columns()
    except Exception as error:  # noqa: BLE001 (its expressions may be anything)
        return f"its format {source.name} cannot be used: {words_of(error)}"
    return None


def _guarded(source: Source, package: str) -> Source:
    """The source with its package, and with functions whose errors say so."""
    source = replace(source, package=package)
    return replace(
        source,
        bind=source.bind and _telling(source, source.bind),
        prepare=source.prepare and _telling(source, source.prepare),
        extra=source.extra and _telling(source, source.extra),
        records=source.records and _telling(source, source.records, _OF_A_BAD_RECORD),
    )


def _telling(
    source: Source, function: Callable[P, T], passed: tuple[type[Exception], ...] = ()
) -> Callable[P, T]:
    """The function, with every error but those of `passed` told as the package's."""

    @wraps(function)
    def told(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except passed:
            raise
        except Exception as error:
            raise failed(source, error) from error

    return told
