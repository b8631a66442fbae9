"""A baseline at the prices of today: a new price list is no regression of the calls.

A file has no calls to price again. It has the tokens and dollars of every feature and model by kind of token,
and the rates of its list; what a kind cost is multiplied with how its rate moved. That is exact for tiers,
batches and discounts too where these move with the list, as they nearly always do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from math import fsum, isclose

import polars as pl
from msgspec.structs import replace

from llmtel.checks.cells import CELL_BY, Usage, matching
from llmtel.checks.limits import is_money
from llmtel.checks.rules import POOLED, Key, Split
from llmtel.checks.samples import Quotient, Sample, Total
from llmtel.checks.side import Segment, Side
from llmtel.checks.windows import Rates
from llmtel.core.schema import LEAVES, TIME, complete
from llmtel.query.metrics import METRICS

ListRates = Mapping[str, Mapping[str, float]]
"""By model and kind of token the list price: USD per million tokens."""
_MILLION = 1e6


def list_rates(cells: Iterable[Key], at: datetime | None, rates: Rates) -> ListRates:
    """The list prices of the models of cells for a plain call at a moment; those without one are absent."""
    models = sorted({key[1] for key in cells if key != POOLED and key[1] is not None})
    counts = dict.fromkeys(("request_count", *LEAVES), 1)
    plain = pl.DataFrame({"model": models}, schema={"model": pl.String}).with_columns(
        pl.lit(at).cast(TIME).alias("ts"), *(pl.lit(n).alias(name) for name, n in counts.items())
    )
    found = rates(complete(plain)).select(pl.col(f"rate_{leaf}").alias(leaf) for leaf in LEAVES)
    rows = zip(models, found.iter_rows(named=True), strict=True)
    known = {
        model: {k: float(f"{x * _MILLION:.12g}") for k, x in row.items() if x is not None}
        for model, row in rows
    }
    return {model: of for model, of in known.items() if of}


def repriced(side: Side, rates: Rates, prices: Mapping[str, str]) -> Side:
    """A baseline as it would be at the list of `rates`, which `prices` names.

    It is the same side where that cannot be told of all that it holds: where a file does not know its rates,
    or is split by something else than models and features, whose prices moved unlike.
    """
    if side.prices.get("sha256") == prices["sha256"]:
        return side
    now = list_rates(side.cells, side.last, rates)
    cells = {key: _usage(key, usage, side.rates, now) for key, usage in side.cells.items()}
    known = {key: usage for key, usage in cells.items() if usage is not None}
    if len(known) < len(cells) or not cells:
        return side
    splits = {}
    for split, segments in side.splits.items():
        found = {key: _segment(split, key, segment, side.cells, known) for key, segment in segments.items()}
        splits[split] = {key: segment for key, segment in found.items() if segment is not None}
        if len(splits[split]) < len(segments):
            return side
    return replace(side, splits=splits, cells=known, rates=now, prices=prices, repriced=side.prices)


def _usage(key: Key, usage: Usage, then: ListRates, now: ListRates) -> Usage | None:
    """A cell at the new rates; None where these are not known. What is no token's has no rate that moves."""
    model = None if key == POOLED else key[1]
    before, after = (side.get(model or "", {}) for side in (then, now))
    costs = {}
    for kind, cost in usage.costs.items():
        old, new = before.get(kind), after.get(kind)
        if kind not in LEAVES or cost == 0 or (old is not None and old == new):
            costs[kind] = cost
        elif not old or new is None:
            return None
        else:
            costs[kind] = cost * new / old
    return replace(usage, costs=costs)


def _segment(
    split: Split, key: Key, segment: Segment, then: Mapping[Key, Usage], now: Mapping[Key, Usage]
) -> Segment | None:
    """A segment whose money has moved as that of its cells; None where that cannot be told."""
    money = [name for name in segment.samples if _is_cost(name)]
    if not money:
        return segment
    factor = _factor(split, key, then, now)
    if factor is None or not all(isinstance(segment.samples[name], Quotient | Total) for name in money):
        return segment if factor == 1 else None
    return replace(
        segment, samples={**segment.samples, **{n: _times(segment.samples[n], factor) for n in money}}
    )


def _is_cost(name: str) -> bool:
    metric = METRICS[name]
    return is_money(metric) and "cost_usd" in metric.needs


def _factor(split: Split, key: Key, then: Mapping[Key, Usage], now: Mapping[Key, Usage]) -> float | None:
    """How the cost of a segment moved: that of its cells, or that of all of them where these moved alike."""
    each = [now[cell].cost / usage.cost for cell, usage in then.items() if usage.cost]
    if not each or all(isclose(one, each[0]) for one in each):
        return each[0] if each else 1.0
    mine = matching(split, key)
    if mine is None or POOLED in then:
        return None
    places = [(CELL_BY.index(name), value) for name, value in mine.items()]
    here = [cell for cell in then if all(cell[at] == value for at, value in places)]
    before = fsum(then[cell].cost for cell in here)
    return fsum(now[cell].cost for cell in here) / before if before else 1.0


def _times(sample: Sample, factor: float) -> Sample:
    if isinstance(sample, Total):
        return sample.scaled(factor)
    if not isinstance(sample, Quotient):
        return sample
    data = replace(sample.data, sums=sample.data.sums * factor)
    return replace(sample, data=data, cases={key: (x * factor, n) for key, (x, n) in sample.cases.items()})
