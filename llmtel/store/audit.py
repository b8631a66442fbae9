"""The audit of a store: who did what, when, to how many rows; never an id, a path of a log or a name."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime

from llmtel.store.folder import Where, at

AUDIT = "audit.jsonl"


def audit(place: Where, what: str, rows: int = 0) -> None:
    """Note who did what, when, and to how many rows."""
    entry = {"at": datetime.now(UTC).isoformat(), "uid": os.getuid(), "what": what, "rows": rows}
    at(place).append(AUDIT, json.dumps(entry) + "\n")
