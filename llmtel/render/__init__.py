"""Answers become text: each renderer sees a document and nothing else."""

from __future__ import annotations

from collections.abc import Callable

from llmtel.core.answers import Document
from llmtel.core.errors import UsageError
from llmtel.render.comment import comment
from llmtel.render.csv import csv
from llmtel.render.github import github
from llmtel.render.gitlab import gitlab
from llmtel.render.json import json, jsonl
from llmtel.render.junit import junit
from llmtel.render.markdown import markdown
from llmtel.render.openmetrics import openmetrics
from llmtel.render.parquet import parquet
from llmtel.render.terminal import terminal

_MACHINES: dict[str, Callable[[Document], str | bytes]] = {
    "markdown": markdown,
    "json": json,
    "jsonl": jsonl,
    "csv": csv,
    "parquet": parquet,
}
FORMATS = ("table", *_MACHINES)
VERDICTS: dict[str, Callable[[Document], str]] = {
    "json": json,
    "markdown": comment,
    "github": github,
    "junit": junit,
    "gitlab": gitlab,
    "openmetrics": openmetrics,
}
"""How the answer of a check is written, beside `table`."""


def render(document: Document, fmt: str, *, width: int, color: bool) -> str | bytes:
    """`document` in one of `FORMATS`: text, or bytes for Parquet. An unknown format raises `UsageError`.

    `width` (in cells) and `color` are those of the terminal, and matter to the format `table` alone.
    """
    if fmt == "table":
        return terminal(document, width, color=color)
    if fmt not in _MACHINES:
        msg = f"there is no output format {fmt!r}. Known: {', '.join(FORMATS)}."
        raise UsageError(msg)
    return _MACHINES[fmt](document)


def verdicts(document: Document, fmt: str, *, width: int, color: bool) -> str:
    """The answer of a check as `table` or in a format of VERDICTS; options as those of `render`."""
    return terminal(document, width, color=color) if fmt == "table" else VERDICTS[fmt](document)
