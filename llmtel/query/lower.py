"""Measures → Polars: which columns to make of the calls, what to aggregate, and how to finish.

Three layers, so that much is shared: *columns* over rows (made once for all tables), *aggregates* of plain
columns (one group_by a table; each is a sum, a maximum, or must be found again when groups are pooled), and
*values* of metrics made of aggregates.

Weights: a row of a sampled log stands for 1 ÷ `sample_rate` calls and a bucket for `request_count`
requests. Where no row is sampled and every row is one request there are no weights, and integers stay
integers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import polars as pl
from msgspec import Struct, field

from llmtel.core.schema import FIELDS
from llmtel.query.measures import Measure, Ratio, Scope

BASE = frozenset({"grain", "request_count", "sample_rate", "status"})
"""Fields that decide what a row stands for."""

ROWS = "rows:sum"
"""The aggregate that counts rows."""

BUCKET = pl.col("grain").eq_missing(pl.lit("bucket"))
REQUESTS = pl.when(BUCKET).then(pl.col("request_count")).otherwise(pl.col("request_count").fill_null(1))
SAMPLED = (pl.col("sample_rate") > 0) & (pl.col("sample_rate") < 1)
SAMPLE = pl.when(SAMPLED).then(1 / pl.col("sample_rate")).otherwise(1.0)
IS_CALL = ~BUCKET & (REQUESTS > 0)
FINISHED = pl.col("status").ne_missing(pl.lit("error"))


def completed(calls: pl.DataFrame, names: Iterable[str]) -> pl.DataFrame:
    """`calls` with every field of `names`; missing ones, or those of no dtype, are null of theirs."""
    missing = [n for n in names if n not in calls.columns or calls.schema[n] == pl.Null]
    return calls.with_columns(pl.lit(None, dtype=FIELDS[n].dtype).alias(n) for n in sorted(missing))


class Facts(Struct, frozen=True):
    """What is true of a frame: whether a row is anything but one request, and whether a log is sampled."""

    counted: bool
    sampled: bool

    def __or__(self, other: Facts) -> Facts:
        """The facts of both frames together."""
        return Facts(self.counted or other.counted, self.sampled or other.sampled)

    @classmethod
    def of(cls, calls: pl.DataFrame) -> Facts:
        """The facts of a frame that has the fields of BASE."""
        counted, sampled = calls.select(
            (BUCKET | (REQUESTS != 1)).any().alias("counted"), SAMPLED.any().alias("sampled")
        ).row(0)
        return cls(counted, sampled)


class Quantile(Struct, frozen=True):
    """A quantile to find in a second pass: of a column, with the column of its weights (None: all are 1)."""

    column: str
    weight: str | None
    at: float

    @property
    def name(self) -> str:
        """The aggregate's name."""
        return f"{self.column}:q{self.at}"


What = Literal[
    "rows", "calls", "n", "sum", "max", "min", "true", "evident", "decided", "distinct", "quantile"
]


class Part(Struct, frozen=True):
    """What an aggregate or quantile tells: of a measure or (None) of rows; of all, or those that `finished`.

    It is the same whatever the rows stand for, so that what was aggregated before can take its place.
    """

    measure: Measure | None
    what: What
    finished: bool = False


class Lowered(Struct, frozen=True):
    """A metric over aggregates: its value, on how many rows it rests, and how many it is about."""

    value: pl.Expr
    n: pl.Expr
    scope: pl.Expr


class Lowering(Struct):
    """Collects the columns, aggregates and quantiles that the metrics of several queries need, each once.

    `parts` are the names of what was collected, by what it tells.
    """

    facts: Facts
    columns: dict[str, pl.Expr] = field(default_factory=dict)
    aggregates: dict[str, pl.Expr] = field(default_factory=lambda: {ROWS: pl.len().cast(pl.Int64)})
    quantiles: dict[str, Quantile] = field(default_factory=dict)
    parts: dict[Part, str] = field(default_factory=lambda: {Part(None, "rows"): ROWS})
    _names: dict[bytes, str] = field(default_factory=dict)
    _done: dict[tuple[Measure | Ratio, bool], Lowered] = field(default_factory=dict)

    def column(self, expr: pl.Expr) -> str:
        """The name of the column that holds an expression over rows."""
        name = self._names.setdefault(expr.meta.serialize(), f"c{len(self._names)}")
        self.columns[name] = expr
        return name

    def metric(self, expr: Measure | Ratio, *, include_failed: bool) -> Lowered:
        """What a metric is in terms of aggregates, which are noted as needed."""
        known = self._done.get((expr, include_failed))
        if known is None:
            known = self._done[expr, include_failed] = self._metric(expr, include_failed)
        return known

    def _metric(self, expr: Measure | Ratio, include_failed: bool) -> Lowered:  # noqa: FBT001
        if isinstance(expr, Measure):
            return self._measure(expr, include_failed)
        over = self._measure(expr.over, include_failed)
        under = self._measure(expr.under, include_failed)
        value = pl.when(under.value > 0).then(over.value / under.value * expr.scale)
        if expr.under.how != "count":
            return Lowered(value, over.n, under.scope)
        return Lowered(value, self._rows_where(expr.under, include_failed), under.scope)

    def _measure(self, m: Measure, include_failed: bool) -> Lowered:  # noqa: FBT001 (one switch, passed through)
        values = self._scoped(m, include_failed)
        weight = self._weight(m)
        scope = self._scope_rows(m.scope, include_failed)
        name = self.column(values)
        finished = m.scope == "timed" and not include_failed
        n = self._aggregate(name, "count", Part(m, "n", finished))
        if m.how == "count":
            counted = name if weight is None else self.column(pl.when(values).then(weight))
            zero_is_zero = (n > 0) | (pl.col(ROWS) == 0)
            total = self._aggregate(counted, "sum", Part(m, "sum", finished))
            return Lowered(pl.when(zero_is_zero).then(total), n, scope)
        if m.how == "quantile":
            q = Quantile(name, None if weight is None else self.column(weight), m.at)
            self.quantiles[q.name] = q
            self.parts[Part(m, "quantile", finished)] = q.name
            return Lowered(pl.col(q.name), n, scope)
        if m.how in ("distinct", "max", "min"):
            # Categories are told apart as integers.
            among = self.column(values.cast(pl.Categorical)) if m.how == "distinct" else name
            found = self._aggregate(among, m.how, Part(m, m.how, finished))
            return Lowered(pl.when(n > 0).then(found), n, scope)
        summed = name if weight is None else self.column(values * weight)
        whole = self._aggregate(summed, "sum", Part(m, "sum", finished))
        return Lowered(pl.when(self._is_known(m, n)).then(whole), n, scope)

    def _is_known(self, m: Measure, n: pl.Expr) -> pl.Expr:
        """Whether a sum of `n` values says anything."""
        if m.evident is None:
            return n > 0
        name = self.column(m.evident)
        evident = self._aggregate(name, "sum", Part(m, "evident"))
        decided = self._aggregate(name, "count", Part(m, "decided"))
        return (n > 0) & ((evident > 0) | (decided == pl.col(ROWS)))

    def _scoped(self, m: Measure, include_failed: bool) -> pl.Expr:  # noqa: FBT001
        """The measure's values, null (of a count: false where it is known) outside its scope."""
        mask = self._mask(m, include_failed)
        if mask is None:
            return m.of
        # Null & false would be false: a row outside would make an unknown count a known 0.
        return pl.when(m.of.is_not_null()).then(m.of & mask) if m.how == "count" else pl.when(mask).then(m.of)

    def _mask(self, m: Measure, include_failed: bool) -> pl.Expr | None:  # noqa: FBT001
        if m.scope == "timed":
            return None if include_failed else FINISHED
        if m.scope == "rows" or not self.facts.counted:
            return None
        # An extra pass inside a call (request_count 0) adds to its tokens and cost and is no call.
        return ~BUCKET if m.how == "total" else IS_CALL

    def _weight(self, m: Measure) -> pl.Expr | None:
        if m.how in ("distinct", "max", "min"):
            return None
        if m.how == "total" or m.scope == "calls" or not self.facts.counted:
            return SAMPLE if self.facts.sampled else None
        return REQUESTS * SAMPLE if self.facts.sampled else REQUESTS

    def _scope_rows(self, scope: Scope, include_failed: bool) -> pl.Expr:  # noqa: FBT001
        if scope == "timed" and not include_failed:
            return self._aggregate(self.column(FINISHED), "sum", Part(None, "rows", finished=True))
        if scope == "calls" and self.facts.counted:
            return self._aggregate(self.column(IS_CALL), "sum", Part(None, "calls"))
        return pl.col(ROWS)

    def _rows_where(self, m: Measure, include_failed: bool) -> pl.Expr:  # noqa: FBT001
        finished = m.scope == "timed" and not include_failed
        column = self.column(self._scoped(m, include_failed))
        return self._aggregate(column, "sum", Part(m, "true", finished)).fill_null(0)

    def _aggregate(self, column: str, how: str, part: Part) -> pl.Expr:
        name = f"{column}:{how}"
        self.parts[part] = name
        col = pl.col(column)
        self.aggregates[name] = {
            "sum": col.sum(),
            "count": col.count().cast(pl.Int64),
            "max": col.max(),
            "min": col.min(),
            "distinct": (col.n_unique() - (col.null_count() > 0)).cast(pl.Int64),
        }[how]
        return pl.col(name)


def pooled(name: str, column: pl.Expr) -> pl.Expr | None:
    """The aggregate of several groups together, None when only the calls can tell (quantiles, distinct)."""
    how = name.rpartition(":")[2]
    if how in ("sum", "count"):
        return column.sum()
    return {"max": column.max(), "min": column.min()}.get(how)


def adds_up(name: str) -> bool:
    """Whether an aggregate of several groups together is made of theirs (`pooled`)."""
    return name.rpartition(":")[2] in ("sum", "count", "max", "min")
