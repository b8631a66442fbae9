"""One pass over the calls that all findings share: sums by day and by every dimension with few values.

Percentiles cannot be summed; findings point with means and sums, and look up percentiles of what they found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from llmtel.core.schema import INPUT_LEAVES, OUTPUT_LEAVES
from llmtel.query.lower import FINISHED, IS_CALL, SAMPLE

DAY = "day"
CANDIDATES = (
    "feature",
    "model",
    "provider",
    "region",
    "environment",
    "project",
    "agent",
    "prompt",
    "prompt_version",
    "variant",
)
MOST_VALUES = 200
"""A dimension with more values than this is not split by here: its segments are too small to stand out."""


@dataclass(frozen=True)
class Cube:
    """Sums over calls, by day (null: no time) and the dimensions of `by`.

    `sums` columns: calls, cost (null skipped), priced (calls with a cost), latency_ms (of calls that did not
    fail) and timed (how many those are), errors, up and votes (thumbs).
    Rows are weighted by 1 ÷ `sample_rate`.
    """

    sums: pl.DataFrame
    by: tuple[str, ...]

    def total(self, column: str) -> float:
        """A sum over all calls."""
        return float(self.sums[column].sum())

    def over(self, *by: str) -> pl.DataFrame:
        """The sums by fewer dimensions, unknown values included."""
        return self.sums.group_by(by).agg(pl.col(SUMS).sum(), pl.col("first").min()).sort(by)

    @property
    def days(self) -> pl.Series:
        """The days on which there were calls, in order."""
        return self.sums[DAY].drop_nulls().unique().sort()


SUMS = ("calls", "cost", "priced", "latency_ms", "timed", "errors", "up", "votes")


def only_calls(calls: pl.DataFrame) -> pl.LazyFrame:
    """The rows that are calls: neither a provider's buckets nor extra passes inside a call."""
    return calls.lazy().filter(IS_CALL)


def tokens() -> pl.Expr:
    """All tokens of a call, null when none is known."""
    return _sum_of((*INPUT_LEAVES, *OUTPUT_LEAVES))


def input_tokens() -> pl.Expr:
    """The input tokens of a call, null when none is known."""
    return _sum_of(INPUT_LEAVES)


def output_tokens() -> pl.Expr:
    """The output tokens of a call, null when none is known."""
    return _sum_of(OUTPUT_LEAVES)


def _sum_of(leaves: Sequence[str]) -> pl.Expr:
    columns = [pl.col(leaf) for leaf in leaves]
    return pl.when(pl.any_horizontal(column.is_not_null() for column in columns)).then(
        pl.sum_horizontal(columns)
    )


def cube(calls: pl.DataFrame, tz: str) -> Cube:
    """Sum `calls` (priced, all fields) once, by local day and the dimensions that some call knows."""
    by = tuple(name for name in CANDIDATES if _is_useful(calls[name]))
    known = {name: pl.col(name).is_not_null() for name in ("cost_usd", "thumb")}
    worked = FINISHED & pl.col("latency_ms").is_not_null()
    # Columns that are made before they are summed take half the time of sums of what is filtered by group.
    columns = {
        "calls": SAMPLE,
        "cost": pl.col("cost_usd") * SAMPLE,
        "priced": pl.when(known["cost_usd"]).then(SAMPLE),
        "latency_ms": pl.when(worked).then(pl.col("latency_ms") * SAMPLE),
        "timed": pl.when(worked).then(SAMPLE),
        "errors": pl.when(pl.col("status") == "error").then(SAMPLE),
        "up": pl.when(pl.col("thumb")).then(SAMPLE),
        "votes": pl.when(known["thumb"]).then(SAMPLE),
    }
    day = pl.col("ts").dt.convert_time_zone(tz).dt.date().alias(DAY)
    sums = (
        only_calls(calls)
        .select(day, *by, *(made.alias(f"of:{name}") for name, made in columns.items()), first="ts")
        .group_by(DAY, *by)
        .agg(*(pl.col(f"of:{name}").sum().alias(name) for name in SUMS), pl.col("first").min())
        .with_columns(pl.col(by).cast(pl.String))
        .collect(engine="streaming")
    )
    return Cube(sums, by)


def _is_useful(values: pl.Series) -> bool:
    """Known for some calls, and few enough values to compare."""
    return values.null_count() < len(values) and values.n_unique() <= MOST_VALUES
