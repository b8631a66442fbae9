"""Folders that are their owner's alone."""

from __future__ import annotations

from pathlib import Path


def make_private(folder: Path) -> None:
    """Make a folder and those on the way to it, 0700. Raises `OSError`.

    `Path.mkdir` gives its mode to the last of them alone.
    """
    for one in reversed([folder, *folder.parents]):
        one.mkdir(mode=0o700, exist_ok=True)
