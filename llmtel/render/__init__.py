"""Answers become text: each renderer sees a document and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

from llmtel.core.answers import Document
from llmtel.core.errors import UsageError

_MACHINES: Mapping[str, str] = {
    "markdown": "markdown:markdown",
    "json": "json:json",
    "jsonl": "json:jsonl",
    "csv": "csv:csv",
    "parquet": "parquet:parquet",
}
FORMATS = ("table", *_MACHINES)
VERDICTS: Mapping[str, str] = {
    "json": "json:json",
    "markdown": "comment:comment",
    "github": "github:github",
    "junit": "junit:junit",
    "gitlab": "gitlab:gitlab",
    "openmetrics": "openmetrics:openmetrics",
}
"""How the answer of a check is written, beside `table`: as `module:function` of `llmtel.render`."""


def render(document: Document, fmt: str, *, width: int, color: bool) -> str | bytes:
    """`document` in one of `FORMATS`: text, or bytes for Parquet. An unknown format raises `UsageError`.

    `width` (in cells) and `color` are those of the terminal, and matter to the format `table` alone.
    """
    if fmt == "table":
        return _terminal(document, width, color=color)
    if fmt not in _MACHINES:
        msg = f"there is no output format {fmt!r}. Known: {', '.join(FORMATS)}."
        raise UsageError(msg)
    return _renderer(_MACHINES[fmt])(document)


def verdicts(document: Document, fmt: str, *, width: int, color: bool) -> str:
    """The answer of a check as `table` or in a format of VERDICTS; options as those of `render`."""
    if fmt == "table":
        return _terminal(document, width, color=color)
    return str(_renderer(VERDICTS[fmt])(document))


def _terminal(document: Document, width: int, *, color: bool) -> str:
    from llmtel.render.terminal import terminal  # noqa: PLC0415 (one answer loads one renderer)

    return terminal(document, width, color=color)


def _renderer(at: str) -> Callable[[Document], str | bytes]:
    """The function of a renderer, whose module is loaded for it."""
    module, _, name = at.partition(":")
    found: Callable[[Document], str | bytes] = getattr(import_module(f"llmtel.render.{module}"), name)
    return found
