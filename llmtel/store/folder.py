"""The place of a store, by its path or its address."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from llmtel.core.errors import UsageError
from llmtel.store.encryption import Ring
from llmtel.store.local import Local
from llmtel.store.location import CALLS, LOG, Folder
from llmtel.store.objects import Remote

Where = Folder | Path
"""A store's place, or the path of one on this machine that is not encrypted."""


def at(place: Where | str, ring: Ring | None = None) -> Folder:
    """The place that a path or an address names, whether there is a store or not.

    Raises `UsageError` for a link of another user, who could lead it elsewhere at any time.
    """
    if isinstance(place, Folder):
        return place
    if "://" in str(place):
        return Remote(str(place).rstrip("/"), ring or Ring())
    link = Path(place)
    if link.is_symlink() and link.lstat().st_uid not in (0, os.getuid()):
        raise UsageError(f"{place}: a link of another user; name the folder that it leads to")
    return Local(str(place), ring or Ring())


def is_open(folder: Folder) -> bool:
    """Whether others may enter or read the folder of a store; in an object store that is settled there."""
    return isinstance(folder, Local) and bool(Path(folder.name).stat().st_mode & 0o077)


def by_one(folder: Folder) -> Folder:
    """The same place, of which it is said that nobody else writes to it."""
    return replace(folder, alone=True) if isinstance(folder, Remote) else folder


def noted(place: Where, name: str) -> list[dict[str, Any]]:
    """The JSON objects that the lines of a file of a store are; what a kill or a full disk tore is none."""
    entries = []
    for line in at(place).text(name).split("\n"):
        with suppress(ValueError):
            if isinstance(one := json.loads(line), dict):
                entries.append(one)
    return entries


def found(path: str | Path, ring: Ring | None = None) -> Folder | None:
    """The store that a path is: its folder, or that of its table; None where it is no store.

    Any address is taken for one, which is not looked at.
    """
    if "://" in str(path):
        return at(path, ring)
    here = Path(path)
    if _is_folder(here / CALLS / LOG):
        return at(here, ring)
    return at(here.parent, ring) if here.name == CALLS and _is_folder(here / LOG) else None


def _is_folder(path: Path) -> bool:
    """Whether there is a folder as far as one may look."""
    with suppress(PermissionError):
        return path.is_dir()
    return False
