"""One pass over the calls that all findings share: sums by day and by every dimension with few values.

Percentiles cannot be summed; findings point with means and sums, and look up percentiles of what they found.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from msgspec import Struct

from llmtel.core.schema import INPUT_LEAVES, OUTPUT_LEAVES
from llmtel.query.dimensions import DIMENSIONS
from llmtel.query.lower import FINISHED, IS_CALL
from llmtel.query.measures import Measure, count, known, minimum
from llmtel.query.query import summed
from llmtel.query.sums import SEEN, Sums

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
_SAMPLE = 2**16


class Cube(Struct, frozen=True):
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


_COST, _LATENCY, _THUMB = pl.col("cost_usd"), pl.when(FINISHED).then(pl.col("latency_ms")), pl.col("thumb")
_MEASURES = {
    "calls": count(pl.lit(value=True), "calls"),
    "cost": Measure("moment", _COST, "calls"),
    "priced": known(_COST, "calls"),
    "latency_ms": Measure("moment", _LATENCY, "calls"),
    "timed": known(_LATENCY, "calls"),
    "errors": count(pl.col("status") == "error", "calls"),
    "up": count(_THUMB, "calls"),
    "votes": known(_THUMB, "calls"),
    "first": minimum(pl.col("ts"), "calls"),
}
SUMS = tuple(name for name in _MEASURES if name != "first")


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


def asked(calls: pl.DataFrame, tz: str) -> Sums:
    """What a cube is made of: sums of `calls` (priced, all fields) by local day and what some call knows."""
    by = (DIMENSIONS[name] for name in (DAY, *CANDIDATES) if name == DAY or _may_be_useful(calls[name]))
    return Sums(tuple(by), _MEASURES, tz)


def cube_of(sums: pl.DataFrame) -> Cube:
    """The cube of the sums that were `asked` for."""
    by = [name for name in CANDIDATES if name in sums.columns]
    few = tuple(name for name in by if sums[name].n_unique() <= MOST_VALUES)
    found = Cube(sums.filter(pl.col(SEEN) > 0), few)
    return found if len(few) == len(by) else Cube(found.over(DAY, *few), few)


def cube(calls: pl.DataFrame, tz: str) -> Cube:
    """The cube of calls for which nothing else is asked."""
    return cube_of(summed(asked(calls, tz), calls))


def _may_be_useful(values: pl.Series) -> bool:
    """Known for some calls, and, as far as some calls tell, with few enough values to compare."""
    some = values.gather_every(max(1, len(values) // _SAMPLE))
    return values.null_count() < len(values) and some.n_unique() <= MOST_VALUES
