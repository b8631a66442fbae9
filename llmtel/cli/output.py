"""Where an answer goes: standard output, as wide and as coloured as it is, or a file."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from llmtel.cli.options import OutputFormat
from llmtel.core.errors import UsageError
from llmtel.privacy.folders import make_private

if TYPE_CHECKING:
    from llmtel.core.answers import Document

PLAIN_WIDTH = 100
"""Cells of a line where no terminal says how many there are."""
CANNOT: Mapping[int | None, str] = {
    errno.ENOENT: "there is no such folder",
    errno.ENOTDIR: "a part of the path is no folder",
    errno.EEXIST: "a part of the path is no folder",
    errno.EISDIR: "it is a folder",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EROFS: "the disk is read-only",
    errno.ENAMETOOLONG: "the name is too long",
}
"""Why a path cannot be written, where another path could be."""


def write(document: Document, fmt: OutputFormat, path: Path | None) -> None:
    """Write `document` to `path`, or to standard output when there is none.

    Raises `UsageError` for a path that cannot be written, and for bytes that a terminal would show as noise.
    """
    from llmtel.render import render

    if path is not None:
        put(encoded(render(document, fmt.value, width=PLAIN_WIDTH, color=False)), path)
        return
    if fmt is OutputFormat.PARQUET and sys.stdout.isatty():
        raise UsageError("--format parquet writes bytes; give it a file with -o FILE")
    show(render(document, fmt.value, width=width(), color=colored()), fmt.value)


def show(answer: str | bytes, fmt: str) -> None:
    """Write an answer to standard output; on a runner of GitHub Actions nothing in it is a command."""
    from llmtel.render.github import inert, inert_json

    if os.environ.get("GITHUB_ACTIONS") and isinstance(answer, str) and fmt != "github":
        answer = inert_json(answer) if fmt in ("json", "jsonl", "gitlab") else inert(answer)
    sys.stdout.buffer.write(encoded(answer))
    sys.stdout.flush()


def encoded(answer: str | bytes) -> bytes:
    """An answer in UTF-8."""
    return answer if isinstance(answer, bytes) else answer.encode("utf-8", "backslashreplace")


def put(data: bytes, path: Path, *, folders: bool = False, shared: bool = False) -> None:
    """Write all or nothing: beside the path, then in its place. A device or pipe is written to as it is.

    A new file is its owner's alone (0600), and one that is there keeps its mode. `shared` is for what a
    project keeps (configuration, prices, workflows): as readable as the user's umask makes it. With `folders`
    those on the way are made, alike.

    Raises `UsageError` for a path that cannot be written, `OSError` with its name where the disk is full.
    """
    special = path.is_relative_to("/dev") or (path.exists() and not path.is_file())
    place = path if special else Path(os.path.realpath(path))
    beside = place if special else place.with_name(f".{place.name}.{os.getpid()}")
    try:
        if folders:
            _make(place.parent, shared=shared)
        if not special and not shared:
            beside.touch(0o600)
        beside.write_bytes(data)
        if not special:
            if place.exists():
                beside.chmod(stat.S_IMODE(place.stat().st_mode))
            beside.replace(place)
    except OSError as error:
        if error.errno in CANNOT:
            raise UsageError(f"cannot write {path}: {CANNOT[error.errno]}") from error
        error.filename = str(path)
        raise
    finally:
        if not special:
            with suppress(OSError):  # where there is no folder, there is nothing to clean up
                beside.unlink()


def _make(folder: Path, *, shared: bool) -> None:
    """A folder with those on the way to it."""
    if shared:
        folder.mkdir(parents=True, exist_ok=True)
    else:
        make_private(folder)


def width() -> int:
    """The width of the terminal, which COLUMNS overrides."""
    return shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns


def colored() -> bool:
    """Colour on a terminal, unless https://no-color.org or a dumb terminal asks for none."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
