"""A format's proof in its file: a log and the calls in it, as blocks of text that keep within the page.

The indentation of a block does not count. A line that is further in than the first one continues the line
above it, so that a long record may be broken wherever one likes.
"""

from __future__ import annotations

import json
from datetime import datetime
from textwrap import dedent
from typing import Any


def lines(block: str) -> str:
    """The log that a block stands for, one record a line."""
    return dedent(block).strip("\n").replace("\n  ", "") + "\n"


def rows(block: str) -> tuple[dict[str, Any], ...]:
    """The calls that a block stands for: a JSON object each, with the fields that are compared."""
    found = [json.loads(line) for line in lines(block).splitlines()]
    for row in found:
        if row.get("ts") is not None:
            row["ts"] = datetime.fromisoformat(row["ts"])
    return tuple(found)
