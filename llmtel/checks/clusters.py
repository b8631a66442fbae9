"""Which calls belong together: the unit that is drawn again. Calls of one conversation are alike."""

from __future__ import annotations

import polars as pl

from llmtel.core.catalog import unknown
from llmtel.core.errors import UsageError

BLOCK = "15m"
CLUSTER_BY = ("auto", "trace", "session", "user", "block")
FIELDS = ("trace", "session", "user", "ts")
"""The fields that a cluster may be read from."""


def cluster(calls: pl.DataFrame, by: str = "auto") -> pl.Expr:
    """A number for each call's cluster: its trace, else its session, user, quarter of an hour, itself.

    `auto` leaves traces out where each holds one call and there are sessions: they would group nothing.
    `calls` has FIELDS. Raises `UsageError` for another word.
    """
    if by not in CLUSTER_BY:
        raise UsageError(f"cluster_by: {unknown('way', by, CLUSTER_BY)}")
    order = list(FIELDS[:-1]) if by == "auto" else [] if by == "block" else [by]
    if by == "auto" and _one_call_each(calls["trace"]) and calls["session"].null_count() < len(calls):
        order.remove("trace")
    ids = [pl.col(name).cast(pl.String) for name in order]
    ids += [pl.col("ts").dt.truncate(BLOCK).dt.epoch("s"), pl.int_range(pl.len())]
    # Of equal ids of different kinds (a trace and a user called "1") the seeds make different numbers.
    return pl.coalesce(pl.when(x.is_not_null()).then(x.hash(seed)) for seed, x in enumerate(ids))


def _one_call_each(traces: pl.Series) -> bool:
    known = traces.drop_nulls()
    return known.len() > 0 and known.n_unique() == known.len()
