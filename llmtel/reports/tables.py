"""What reports do to tables: leave out what no call knows, and say what is drawn and what may go."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from msgspec.structs import replace

from llmtel.core.answers import Column, Table, Value
from llmtel.core.units import SHARE
from llmtel.query.lower import FINISHED
from llmtel.reports.context import Context

DEFAULT = (
    "cost", "calls", "cost_per_call", "tokens_per_call", "input_tokens_per_call", "output_tokens_per_call",
    "p50_latency", "p95_latency", "p99_latency", "error_rate", "unpriced_calls",
)  # fmt: skip
"""The metrics of a table for which none were asked; the last is for machines alone."""
OF_BUCKETS = ("cost", "requests", "total_tokens", "input_tokens", "output_tokens", "cache_hit_rate")
"""The same for a provider's sums over many requests: nothing about single calls."""
BESIDE = {"cost_actual": ("actual_cost",), "cost_logged": ("computed_cost", "logged_cost")}
"""Other costs that are shown beside the one that counts, where any call has them."""
OPTIONAL = ("input_tokens_per_call", "output_tokens_per_call", "tokens_per_call")
OPTIONAL_IN_FINE = ("p99_latency", "cost_per_call")
"""What tables over several dimensions leave out too: a p99 of few calls is none, and cost and calls stay."""

SHARE_OF_COST = Column("share", "share", "Cost ÷ cost of all calls", "metric", SHARE)


def are_buckets(calls: pl.DataFrame) -> bool:
    """Whether rows are a provider's sums over many requests, not single calls."""
    return not calls.is_empty() and bool((calls["grain"] == "bucket").all())


def default(calls: pl.DataFrame) -> tuple[str, ...]:
    """The metrics of a table of these rows for which none were asked."""
    if are_buckets(calls):
        return OF_BUCKETS
    beside = [name for field, names in BESIDE.items() if known(calls, field) for name in names]
    return (DEFAULT[0], *beside, *DEFAULT[1:])


def without_unknown(table: Table, keep: Sequence[str] = ("calls",)) -> Table:
    """The table without the metrics that are unknown in every row."""
    unknown = [n for n in table.metrics if n not in keep and all(row.get(n) is None for row in table.rows)]
    return without(table, *unknown)


def without(table: Table, *names: str) -> Table:
    """The table without some metrics."""
    return replace(
        table,
        metrics=tuple(name for name in table.metrics if name not in names),
        columns=tuple(column for column in table.columns if column.id not in names),
        rows=[{key: value for key, value in row.items() if key not in names} for row in table.rows],
        n=[{key: value for key, value in row.items() if key not in names} for row in table.n],
    )


def for_people(table: Table, total: Table) -> Table:
    """A table of the default metrics as people see it: without those for machines alone.

    Each row's share of the cost in `total` is drawn as a bar, and what may give way is said.
    """
    same = [name for name in BESIDE["cost_logged"] if _as_cost(table, name)]
    table = without(table, "unpriced_calls", *same)
    spare = (*OPTIONAL, *OPTIONAL_IN_FINE) if len(table.by) > 1 else OPTIONAL
    optional = tuple(name for name in spare if name in table.metrics)
    whole = total.rows[0].get("cost")
    if "cost" not in table.metrics or not isinstance(whole, int | float) or not whole:
        return replace(table, optional=optional)
    at = [column.id for column in table.columns].index("cost") + 1
    return replace(
        table,
        columns=(*table.columns[:at], SHARE_OF_COST, *table.columns[at:]),
        rows=[{**row, "share": _part(row.get("cost"), whole)} for row in table.rows],
        bar="share",
        optional=optional,
    )


def _as_cost(table: Table, name: str) -> bool:
    """Whether a cost is the one that counts in every row, and so says nothing."""
    return name in table.metrics and all(
        row[name] == row["cost"] for row in table.rows if row[name] is not None
    )


def _part(value: Value, whole: float) -> float | None:
    return value / whole if isinstance(value, int | float) else None


def known(calls: pl.DataFrame, field: str) -> bool:
    """Whether any call knows the field."""
    return calls[field].null_count() < len(calls)


def timed(calls: pl.DataFrame, context: Context) -> int | None:
    """How many calls stand behind the latencies; None where none is known."""
    if not known(calls, "latency_ms"):
        return None
    counted = pl.col("latency_ms").is_not_null()
    return int(calls.select((counted if context.include_failed else counted & FINISHED).sum()).item())
