"""Where an answer goes: standard output, as wide and as coloured as it is, or a file."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from llmtel.cli.options import OutputFormat
from llmtel.core.errors import UsageError

if TYPE_CHECKING:
    from llmtel.core.answers import Document

PLAIN_WIDTH = 100
"""Cells of a line where no terminal says how many there are."""


def write(document: Document, fmt: OutputFormat, path: Path | None) -> None:
    """Write `document` to `path`, or to standard output when there is none.

    Raises `UsageError` for a path that cannot be written, and for bytes that a terminal would show as noise.
    """
    from llmtel.render import render

    if path is not None:
        _to_file(render(document, fmt.value, width=PLAIN_WIDTH, color=False), path)
        return
    if fmt is OutputFormat.PARQUET and sys.stdout.isatty():
        raise UsageError("--format parquet writes bytes; give it a file with -o FILE")
    answer = render(document, fmt.value, width=_width(), color=_colored())
    if isinstance(answer, bytes):
        sys.stdout.buffer.write(answer)
    else:
        sys.stdout.buffer.write(answer.encode("utf-8", "backslashreplace"))
    sys.stdout.flush()


def _to_file(answer: str | bytes, path: Path) -> None:
    """Write all or nothing: beside the path, then in its place. A device or pipe is written to as it is."""
    data = answer if isinstance(answer, bytes) else answer.encode("utf-8", "backslashreplace")
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
            return
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            beside.write_bytes(data)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError) as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error


def _width() -> int:
    """The width of the terminal, which COLUMNS overrides."""
    return shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns


def _colored() -> bool:
    """Colour on a terminal, unless https://no-color.org or a dumb terminal asks for none."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
