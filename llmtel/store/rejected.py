"""Rejected records of a store: where they are and why, never their bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from llmtel.core.account import Reject
from llmtel.store.folder import Folder, Where, at

FILE = "rejects.jsonl"


def keep(folder: Folder, rejects: Sequence[Reject], names: Mapping[str, str]) -> None:
    """Note rejected records; `names` are those of the ledger for their files.

    It is done before the commit: a record that is found again, after a kill, stands there twice.
    """
    lines = [
        json.dumps({"source": names[one.file], "file": one.file, "line": one.line, "reason": one.reason})
        for one in rejects
    ]
    if lines:
        folder.append(FILE, "".join(f"{line}\n" for line in lines))


def kept(place: Where) -> list[Reject]:
    """The rejected records of a store, each once, in the order of files and lines."""
    found = {}
    for line in at(place).text(FILE).split("\n")[:-1]:
        one = json.loads(line)
        found[one["source"], one["line"]] = Reject(one["file"], one["line"], one["reason"])
    return sorted(found.values(), key=lambda one: (one.file, one.line))
