"""Calls and rollups in one answer: groups of calls that are there, and of cells of those that are gone.

Both are brought to the same aggregates, which add up. Where a group rests on cells, what does not add up is
unknown (distinct users) or comes from histograms (percentiles); other groups are as exact as ever.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import polars as pl
from msgspec import Struct, field

from llmtel.query import histograms
from llmtel.query.dimensions import FINER_THAN_HOURS, Dimension
from llmtel.query.lower import Facts, Lowering, Part, Quantile, pooled
from llmtel.query.rollup import BY, states

ROLLED_UP = "rolled up"
"""The value of what cells do not tell, where no value would say that there was none (no error)."""
CELLS = "past:sum"
"""The aggregate that counts the calls of cells; 0 where a group is of calls that are there."""

Keys = tuple[str, ...]
Source = tuple[str, str | None]


def key(dim: Dimension, tz: str) -> pl.Expr:
    """The key of a dimension over cells, as far as they tell it."""
    told = {"ts", *BY}
    if dim.needs <= told and dim.name not in FINER_THAN_HOURS:
        return dim.key(tz)
    if dim.null != "none":
        return pl.lit(None)
    unknown = pl.lit(ROLLED_UP)
    # Where nothing failed there was no error: a cell knows that.
    return pl.when(pl.col("status").ne_missing("ok")).then(unknown) if dim.name == "error" else unknown


class Past(Struct):
    """The cells that a run of the engine merges with its calls; none, and nothing is done."""

    cells: pl.DataFrame | None = None
    _rows: pl.DataFrame = field(default_factory=pl.DataFrame)
    _spreads: dict[Source, pl.DataFrame] = field(default_factory=dict)

    @property
    def any(self) -> bool:
        """Whether there are cells."""
        return self.cells is not None and self.cells.height > 0

    def facts(self) -> Facts:
        """What is true of the calls of the cells."""
        if self.cells is None or self.cells.is_empty():
            return Facts(counted=False, sampled=False)
        counted, sampled = self.cells.select(pl.col("counted", "sampled").any()).row(0)
        return Facts(counted, sampled)

    def prepare(self, keys: Mapping[str, pl.Expr], lowering: Lowering, like: pl.Schema) -> None:
        """Bring the cells to key columns (of the types in `like`) and the aggregates of a lowering."""
        if self.cells is None:
            return
        keyed = {name: expr.cast(like[name]) for name, expr in keys.items()}
        sums: dict[str, pl.Expr] = {}
        spreads: dict[str, Part] = {}
        for part, name in lowering.parts.items():
            state = states().of(part)
            if part.what == "quantile":
                spreads[lowering.quantiles[name].column] = part
            elif state is not None or name not in sums:
                sums[name] = pl.lit(None) if state is None else _of_part(part, state)
        self._rows = self.cells.select(**keyed, **sums, **{CELLS: pl.col("rows")})
        cells = self.cells.lazy().with_columns(**keyed)
        for source in {(q.column, q.weight) for q in lowering.quantiles.values()}:
            part = spreads[source[0]]
            about = cells.filter(_FINISHED) if part.finished else cells
            self._spreads[source] = histograms.unpacked(about, (*keys,), str(states().of(part))).collect()

    def merged(self, keys: Keys, live: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
        """The aggregates `names` of a table's groups, of calls and cells together."""
        types = {name: live.schema[name] for name in names}
        cells = self._rows.select(*keys, *names, CELLS)
        aggs = [_sum_of_known(name).cast(types[name]) for name in names]
        past = cells.group_by(keys).agg(*aggs, pl.col(CELLS).sum()) if keys else cells.select(
            *aggs, pl.col(CELLS).sum()
        )  # fmt: skip
        here = live.select(*keys, *names, pl.lit(0.0).alias(CELLS))
        both = pl.concat([here, past.select(here.columns)])
        if not keys:
            return both.select(*map(_together, names), pl.col(CELLS).sum())
        return both.group_by(keys).agg(*map(_together, names), pl.col(CELLS).sum())

    def quantiles(
        self,
        keys: Keys,
        ordered: pl.LazyFrame,
        source: Source,
        wanted: Sequence[Quantile],
        members: pl.DataFrame | None = None,
    ) -> pl.DataFrame:
        """Quantiles from the histograms of calls and cells together; of groups in `members` as one."""
        parts = [self._spreads[source].lazy(), histograms.bucketed(ordered, *source, keys)]
        if members is None:
            return histograms.quantiles(parts, keys, wanted).collect()
        chosen = [
            part.join(members.lazy().select(keys), on=keys, how="semi", nulls_equal=True) for part in parts
        ]
        return histograms.quantiles(chosen, (), wanted).collect()


_FINISHED = pl.col("status").ne_missing(pl.lit("error"))


def _of_part(part: Part, state: str) -> pl.Expr:
    """A state, of the cells that a part is about."""
    nothing = None if part.what == "max" else 0.0
    return pl.when(_FINISHED).then(state).otherwise(nothing) if part.finished else pl.col(state)


def _sum_of_known(name: str) -> pl.Expr:
    """An aggregate over cells, unknown where one of them does not have it (but for a largest value)."""
    how = pooled(name, pl.col(name))
    if how is None:
        return pl.lit(None, pl.Float64).first().alias(name)
    if name.endswith(":max"):
        return how
    return pl.when(~pl.col(name).has_nulls()).then(how).alias(name)


def _together(name: str) -> pl.Expr:
    """An aggregate over the one row of calls and the one of cells: distinct things do not add up."""
    how = pooled(name, pl.col(name))
    if how is None:
        return pl.when(pl.col(CELLS).sum() == 0).then(pl.col(name).sum()).alias(name)
    return how if name.endswith(":max") else pl.when(~pl.col(name).has_nulls()).then(how).alias(name)


def replaced(groups: pl.DataFrame, found: pl.DataFrame, keys: Keys, names: Collection[str]) -> pl.DataFrame:
    """Groups whose quantiles are those `found` in histograms, where the groups rest on cells."""
    later = found.rename({name: f"{name}:past" for name in names})
    both = groups.join(later, on=keys, how="left", nulls_equal=True) if keys else groups.hstack(later)
    return both.with_columns(
        pl.when(pl.col(CELLS) > 0).then(f"{name}:past").otherwise(name).alias(name) for name in names
    ).drop(later.columns[len(keys) :])
