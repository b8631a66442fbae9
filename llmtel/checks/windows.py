"""The last weeks of a log beside the weeks before: what they cost, by whom and with what, in few passes.

`llmtel compare 'prev 14d' LOGS` answers the same from every call; here calls are summed before anything else
is done, so that an overview may ask.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import polars as pl
from msgspec import Struct

from llmtel.checks.cells import CALLS, CELL_BY, Usage, usages
from llmtel.checks.rules import Key
from llmtel.checks.seen import SEEN_BY, Seen, seen
from llmtel.core.schema import LEAVES
from llmtel.query.dimensions import dimension
from llmtel.query.lower import SAMPLE

Rates = Callable[[pl.DataFrame], pl.DataFrame]
"""Calls → their rates: `rate_LEAF`, `search_fee` and `request_fee` in USD, a row each."""

_EXACT = 1e-9
_NOW = "@now"
_FLAGS, _ROW = "@flags", "@row"


class Windows(Struct, frozen=True):
    """The `days` up to the last call, and as many before: whole weeks, so that weekdays do not differ.

    Those of `last_weeks` are compared.
    """

    last: datetime
    days: int

    @property
    def now(self) -> pl.Expr:
        """Whether a call is in the later window."""
        return pl.col("ts") > self.last - timedelta(days=self.days)

    @property
    def both(self) -> pl.Expr:
        """Whether a call is in one of the two."""
        return pl.col("ts") > self.last - timedelta(days=2 * self.days)

    def costs(self, calls: pl.DataFrame) -> tuple[float, float]:
        """The dollars of both windows, the earlier first."""
        return self._sums(calls, pl.col("cost_usd"))

    def calls(self, calls: pl.DataFrame) -> tuple[float, float]:
        """How many calls both windows have, the earlier first."""
        return self._sums(calls, CALLS)

    def _sums(self, calls: pl.DataFrame, value: pl.Expr) -> tuple[float, float]:
        weighted = value * SAMPLE
        sums = calls.lazy().filter(self.both).select(now=weighted.filter(self.now).sum(), both=weighted.sum())
        later, whole = sums.collect().row(0)
        return whole - later, later

    def cells(self, calls: pl.DataFrame, rates: Rates) -> tuple[Mapping[Key, Usage], Mapping[Key, Usage]]:
        """The usage of priced calls in both windows by CELL_BY.

        Calls of a cell with the same flags have the same rates, as a rule: so those of one of them are asked
        for and the sums are priced. Where that does not give the cost of the calls exactly, as where rates
        changed within a window, the kinds of token are not told apart.
        """
        leaves = [leaf for leaf in LEAVES if calls[leaf].null_count() < calls.height]
        groups = _groups(calls, self, leaves)
        of_row = rates(calls[groups[_ROW]])
        groups = groups.hstack(of_row).with_columns(_parts(leaves))
        apart = _adds_up(leaves).all().over(CELL_BY)
        groups = groups.with_columns(pl.when(apart).then(f"part:{leaf}").otherwise(0.0) for leaf in leaves)
        kinds = [f"{each}:{leaf}" for leaf in leaves for each in ("tokens", "part")]
        by_cell = groups.group_by(_NOW, *CELL_BY).agg(pl.col("calls", "cost", *kinds).sum())
        sides = (by_cell.filter(pl.col(_NOW) == now) for now in (False, True))
        before, after = (usages(side, tuple(leaves), apart=True) for side in sides)
        return before, after

    def split(
        self, calls: pl.DataFrame, names: Sequence[str], tz: str
    ) -> dict[str, tuple[dict[str | None, float], dict[str | None, float]]]:
        """The dollars of both windows by the values of each dimension that some call knows."""
        found = {}
        for name in names:
            dim = dimension(name)
            if all(calls[column].null_count() == calls.height for column in dim.needs):
                continue
            sums = (
                calls.lazy()
                .filter(self.both, pl.col("cost_usd").is_not_null())
                .group_by(dim.value(tz).alias(name), self.now.alias(_NOW))
                .agg((pl.col("cost_usd") * SAMPLE).sum())
                .with_columns(pl.col(name).cast(pl.String))
                .sort(name)
                .collect()
            )
            sides = (sums.filter(pl.col(_NOW) == now).select(name, "cost_usd") for now in (False, True))
            before, after = (dict(side.iter_rows()) for side in sides)
            found[name] = (before, after)
        return found

    def seen(self, calls: pl.DataFrame) -> tuple[Seen, Seen]:
        """Which prompts, models and variants each window has."""
        known = [name for name in SEEN_BY if calls[name].null_count() < calls.height]
        values = calls.lazy().filter(self.both).select(*known, self.now.alias(_NOW)).unique().collect()
        before, after = (seen(values.filter(pl.col(_NOW) == now)) for now in (False, True))
        return before, after


def _groups(calls: pl.DataFrame, windows: Windows, leaves: Sequence[str]) -> pl.DataFrame:
    """Sums by window, cell and flags of the price, with the first row of each group."""
    used = (
        "grain",
        "request_count",
        "sample_rate",
        "ts",
        "cost_usd",
        "price_flags",
        "web_searches",
        *CELL_BY,
    )
    return (
        calls.lazy()
        .select(*dict.fromkeys((*used, *leaves)))
        .with_row_index(_ROW)
        .filter(windows.both, pl.col("cost_usd").is_not_null())
        .group_by(windows.now.alias(_NOW), *CELL_BY, pl.col("price_flags").cast(pl.Categorical).alias(_FLAGS))
        .agg(
            pl.col(_ROW).first(),
            calls=(SAMPLE * CALLS).sum(),
            cost=(pl.col("cost_usd") * SAMPLE).sum(),
            requests=(pl.col("request_count") * SAMPLE).sum(),
            searches=(pl.col("web_searches") * SAMPLE).sum(),
            **{f"tokens:{leaf}": (pl.col(leaf) * SAMPLE).sum() for leaf in leaves},
        )
        .with_columns(pl.col(*CELL_BY, _FLAGS).cast(pl.String))
        .sort(_NOW, *CELL_BY, _FLAGS)
        .collect()
    )


def _parts(leaves: Sequence[str]) -> list[pl.Expr]:
    """What each kind of token cost in a group; of calls that cost nothing, nothing."""
    free = pl.col("cost") == 0
    priced = {leaf: pl.col(f"tokens:{leaf}") * pl.col(f"rate_{leaf}") for leaf in leaves}
    return [
        pl.when(free).then(0.0).otherwise(part.fill_null(0.0)).alias(f"part:{leaf}")
        for leaf, part in priced.items()
    ]


def _adds_up(leaves: Sequence[str]) -> pl.Expr:
    """Whether the rates of one call of a group are those of all."""
    fees = {"searches": "search_fee", "requests": "request_fee"}
    terms = [pl.col(f"part:{leaf}") for leaf in leaves]
    terms += [(pl.col(count) * pl.col(fee)).fill_null(0.0) for count, fee in fees.items()]
    return (pl.sum_horizontal(terms) - pl.col("cost")).abs() <= _EXACT * pl.col("cost").abs()
