"""The audit of a store: who did what, when, to how many rows; never an id, a path of a log or a name."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime

from llmtel.store.folder import Where, at

AUDIT = "audit.jsonl"


def audit(place: Where, what: str, rows: int, version: int | None, commits: int = 1) -> None:
    """Note who does what, when, and to how many rows.

    It is called before the change: what cannot be noted is not done. `version` is that of the table before
    (None: there was none), and `commits` come on top of it; a commit that is refused and made again leaves a
    line for each try.
    """
    entry = {
        "at": datetime.now(UTC).isoformat(),
        "uid": os.getuid(),
        "what": what,
        "rows": rows,
        "versions": [version, commits - 1 if version is None else version + commits],
    }
    at(place).append(AUDIT, json.dumps(entry) + "\n")
