"""Cells of cost: what each feature and model used of each kind of token, and what that cost.

A baseline keeps them, so that a change of cost can be explained when the calls themselves are gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import polars as pl
from msgspec import Struct

from llmtel.checks.exact import exact_sum
from llmtel.checks.rules import POOLED, Key, Split
from llmtel.core.schema import LEAVES
from llmtel.query.lower import BASE, BUCKET, REQUESTS, SAMPLE, completed

CELL_BY = ("feature", "model")
COST_OF_LEAF = "cost:"
"""Columns of calls with what each kind of token cost, as `llmtel.pricing.leaves` makes them."""

OTHER, ALL_TOKENS = "other", "tokens"
_MOST = 200
Noun = Literal["call", "request", "bucket"]
# An extra pass (request_count 0) is no call; a provider's sum that does not say of how many is one.
CALLS = pl.when(BUCKET).then(REQUESTS.fill_null(1)).otherwise((REQUESTS > 0).cast(pl.Int64))


class Usage(Struct, frozen=True):
    """The calls with a known cost of a cell, and tokens and dollars by kind.

    Kinds are token leaves where their costs are known apart, else `tokens`; `other` are fees and costs that
    are no tokens'. The dollars add up to the cost of the cell.
    """

    calls: float
    tokens: Mapping[str, float]
    costs: Mapping[str, float]

    @property
    def cost(self) -> float:
        """All dollars."""
        return sum(self.costs.values())


def noun_of(calls: pl.DataFrame) -> Noun:
    """What is counted as calls: calls, the requests of a provider's sums, or, where they do not say, sums."""
    if not completed(calls, BASE).select(BUCKET.any()).item():
        return "call"
    return "request" if calls["request_count"].null_count() < calls.height else "bucket"


def cells(calls: pl.DataFrame) -> Mapping[Key, Usage]:
    """The usage of priced `calls` by CELL_BY, the dearest first; beyond some hundred they are pooled."""
    frame = completed(calls, {*BASE, *CELL_BY, *LEAVES, "cost_usd", "request_count"})
    apart = all(f"{COST_OF_LEAF}{leaf}" in frame.columns for leaf in LEAVES)
    kinds = LEAVES if apart else (ALL_TOKENS,)
    known = frame.lazy().filter(pl.col("cost_usd").is_not_null())
    tokens = {leaf: pl.col(leaf) for leaf in LEAVES} if apart else {ALL_TOKENS: pl.sum_horizontal(*LEAVES)}
    costs = {leaf: pl.col(f"{COST_OF_LEAF}{leaf}") for leaf in LEAVES} if apart else {}
    aggs = [
        exact_sum(SAMPLE * CALLS).alias("calls"),
        exact_sum(pl.col("cost_usd") * SAMPLE).alias("cost"),
        *(exact_sum(x * SAMPLE).alias(f"tokens:{kind}") for kind, x in tokens.items()),
        *(exact_sum(x * SAMPLE).alias(f"part:{kind}") for kind, x in costs.items()),
    ]
    groups = known.group_by(pl.col(name).cast(pl.String) for name in CELL_BY).agg(aggs)
    return usages(groups.collect(), kinds, apart=apart)


def usages(sums: pl.DataFrame, kinds: tuple[str, ...], *, apart: bool) -> Mapping[Key, Usage]:
    """The usage of each row of `sums`: CELL_BY, `calls`, `cost`, `tokens:KIND`, `part:KIND` if `apart`."""
    found: dict[Key, Usage] = {}
    for row in sums.sort("cost", *CELL_BY, descending=[True, False, False]).iter_rows(named=True):
        key: Key = tuple(row[name] for name in CELL_BY) if len(found) < _MOST else POOLED
        usage = _usage(row, kinds, apart=apart)
        found[key] = _together(found[key], usage) if key in found else usage
    return found


def _usage(row: Mapping[str, Any], kinds: tuple[str, ...], *, apart: bool) -> Usage:
    used = {kind: row[f"tokens:{kind}"] for kind in kinds if row[f"tokens:{kind}"]}
    if not apart or not any(row[f"part:{kind}"] for kind in kinds):
        # The cost is stated by the log: what each kind of token had in it nobody knows.
        used = {ALL_TOKENS: sum(used.values())} if used else {}
        return Usage(row["calls"], used, {ALL_TOKENS if used else OTHER: row["cost"]})
    costs = {kind: row[f"part:{kind}"] for kind in used}
    rest = row["cost"] - sum(costs.values())
    # What is left of a sum of floats is no fee.
    fees = {OTHER: rest} if abs(rest) > 1e-9 * abs(row["cost"]) else {}
    return Usage(row["calls"], used, {**costs, **fees})


def _together(a: Usage, b: Usage) -> Usage:
    def added(x: Mapping[str, float], y: Mapping[str, float]) -> dict[str, float]:
        return {kind: x.get(kind, 0.0) + y.get(kind, 0.0) for kind in {**x, **y}}

    return Usage(a.calls + b.calls, added(a.tokens, b.tokens), added(a.costs, b.costs))


def matching(split: Split, key: Key) -> Mapping[str, str | None] | None:
    """A segment as values of CELL_BY; None where it is picked by something else."""
    pairs = [term.partition("=") for term in split.where]
    plain = all(
        eq and not name.endswith(("!", ">", "<")) and not {*"*?"} & {*value} for name, eq, value in pairs
    )
    if key == POOLED or split.window or not plain:
        return None
    found: dict[str, str | None] = {name: value.strip("\"'") for name, _, value in pairs}
    found |= dict(zip(split.by, key, strict=False))
    return found if found.keys() <= {*CELL_BY} else None
