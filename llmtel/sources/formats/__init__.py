"""The log formats: one file each, found by walking this package, and those that other packages bring."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from llmtel.core.catalog import Catalog
from llmtel.sources import plugins
from llmtel.sources.source import Source


@cache
def sources() -> Catalog[Source]:
    """Every format, in the order of asking: bodies that an application may wrap late, generic ones last.

    Of formats alike in this, those of other packages are asked after llmtel's own.
    """
    found = [*_own(), *_of_others().sources]
    return Catalog("format", sorted(found, key=_order))


def troubles() -> tuple[str, ...]:
    """A sentence for every format of another package that cannot be used."""
    return _of_others().troubles


@cache
def _own() -> tuple[Source, ...]:
    modules = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    return tuple(source for module in modules for source in module.SOURCES)


@cache
def _of_others() -> plugins.Installed:
    return plugins.installed({source.name for source in _own()})


def _order(source: Source) -> tuple[bool, bool, bool, str]:
    return not source.marks, source.family is not None, source.package is not None, source.name
