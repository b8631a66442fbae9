"""Answers become text: each renderer sees a document and nothing else."""

from __future__ import annotations

from collections.abc import Callable

from llmtel.core.answers import Document
from llmtel.core.errors import UsageError
from llmtel.render.csv import csv
from llmtel.render.json import json, jsonl
from llmtel.render.markdown import markdown
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
