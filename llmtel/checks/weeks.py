"""The weeks that are compared: the last ones of the calls, and as many before."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

MOST_WEEKS = 4
_LACKING = timedelta(hours=6)
"""Of the earlier window this much may lie before the first call: logs seldom begin at midnight."""


def last_weeks(calls: pl.DataFrame) -> tuple[datetime, int] | None:
    """The last call, and the days of as many weeks as the calls have twice; None where that is not one."""
    first, last = calls["ts"].min(), calls["ts"].max()
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        return None
    weeks = min(MOST_WEEKS, (last - first + _LACKING) // timedelta(weeks=2))
    return (last, 7 * weeks) if weeks else None
