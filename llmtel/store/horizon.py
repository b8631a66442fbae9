"""Calls that come too late: of days that have expired.

Up to which day calls have expired is a state of the ledger, in the commit that removed them: a call of such a
day that comes later is not stored, or it would stand beside the rollup that has the rest of its day.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl

from llmtel.store.table import Table

EXPIRED = "llmtel/expired"
"""The state of the ledger that holds the first day that has not expired, in days since 1970."""
_EPOCH = date(1970, 1, 1)


def state(first: date) -> dict[str, int]:
    """The state of the ledger when all days before one have expired."""
    return {EXPIRED: (first - _EPOCH).days}


def first_kept(table: Table) -> date | None:
    """The first day that has not expired, as the ledger says it; None where none has."""
    days = table.delta.transaction_version(EXPIRED)
    return None if days is None else _EPOCH + timedelta(days=days)


def in_time(calls: pl.DataFrame, first: date | None) -> tuple[pl.DataFrame, int]:
    """The calls whose day has not expired, and how many came too late (extra passes are no calls)."""
    if first is None or calls.is_empty():
        return calls, 0
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    late = (pl.col("ts") < start).fill_null(value=False)
    gone = calls.filter(late)
    n = int((gone["request_count"].fill_null(1) > 0).sum()) if gone.height else 0
    return (calls.filter(~late), n) if gone.height else (calls, 0)
