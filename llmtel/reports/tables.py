"""What reports do to tables: leave out what no call knows, and say what is drawn and what may go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from llmtel.core.answers import Table

DEFAULT = (
    "cost", "calls", "cost_per_call", "tokens_per_call", "input_tokens_per_call", "output_tokens_per_call",
    "p50_latency", "p95_latency", "p99_latency", "error_rate",
)  # fmt: skip
"""The metrics of a table for which none were asked."""
OPTIONAL = ("input_tokens_per_call", "output_tokens_per_call")


def without_unknown(table: Table, keep: Sequence[str] = ("calls",)) -> Table:
    """The table without the metrics that are unknown in every row."""
    unknown = {
        name
        for name in table.metrics
        if name not in keep and all(row.get(name) is None for row in table.rows)
    }
    return replace(
        table,
        metrics=tuple(name for name in table.metrics if name not in unknown),
        columns=tuple(column for column in table.columns if column.id not in unknown),
        rows=[{key: value for key, value in row.items() if key not in unknown} for row in table.rows],
        n=[{key: value for key, value in row.items() if key not in unknown} for row in table.n],
    )


def shaped(table: Table) -> Table:
    """The table with its shares of the cost (or of the calls) as bars, and what a narrow terminal may leave out."""
    bar = next((name for name in ("cost", "calls") if name in table.metrics), None)
    return replace(table, bar=bar, optional=tuple(name for name in OPTIONAL if name in table.metrics))


def known(calls: pl.DataFrame, field: str) -> bool:
    """Whether any call knows the field."""
    return calls[field].null_count() < len(calls)
