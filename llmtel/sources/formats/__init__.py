"""The log formats: one file each, found by walking this package."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from llmtel.core.catalog import Catalog
from llmtel.sources.source import Source


@cache
def sources() -> Catalog[Source]:
    """Every format, in the order of asking: bodies that an application may wrap late, generic ones last."""
    modules = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    found = [source for module in modules for source in module.SOURCES]
    return Catalog(
        "format", sorted(found, key=lambda source: (not source.marks, source.family is not None, source.name))
    )
