"""A segment far slower or dearer than its siblings, on the same models and features.

A region looks slow when it serves the slow model. So each segment is compared with what its own calls would
have taken elsewhere: the mean of the other segments for the same model and feature, weighted by the segment's
mix (indirect standardisation). What is left is the segment's own doing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from llmtel.core.answers import Cell, Finding
from llmtel.core.units import COUNT, MS, USD
from llmtel.findings.command import Command
from llmtel.findings.cube import Cube, only_calls
from llmtel.findings.words import condition, equals
from llmtel.query.lower import FINISHED

PLACES = ("region", "environment", "provider")
"""Where a call went: a difference here is never the nature of the work."""
WORKS = ("agent", "project", "feature")
MIX = ("model", "feature")
FEWEST_CALLS = 30
LEAST_FACTOR = 1.5
Cells = tuple[Cell, ...] | None
_MOST_WORKS = 50
"""Kinds of work of a segment beyond which nobody asks of how many people each is."""


def far_from_siblings(calls: pl.DataFrame, sums: Cube, command: Command) -> list[Finding]:
    """The segment slowest against its siblings, and the one dearest: at most one finding each."""
    slow = _farthest(sums, "latency_ms", "timed")
    dear = _farthest(sums, "cost", "priced")
    found = []
    if slow:
        found.append(_slow(calls, slow, _cells(sums, slow), command))
    if dear:
        found.append(_dear(dear, _cells(sums, dear), command))
    return found


def _farthest(sums: Cube, amount: str, count: str) -> Mapping[str, Any] | None:
    """The segment with the largest excess: by place if one stands out there, else by kind of work."""
    for dimensions in (PLACES, WORKS):
        found = [
            row for name in dimensions if name in sums.by for row in _compared(sums, name, amount, count)
        ]
        if found:
            return max(found, key=lambda row: (row["excess"], row["dimension"], row["value"]))
    return None


def _mix(sums: Cube, dimension: str) -> list[str]:
    return [name for name in MIX if name in sums.by and name != dimension]


def _cells(sums: Cube, row: Mapping[str, Any]) -> Cells:
    """All calls whose numbers are told of: the segment, the others, and the others of each work it has.

    None where they are too many to be looked at.
    """
    name, mix = row["dimension"], _mix(sums, row["dimension"])
    values = sums.over(name, *mix).filter(pl.col(name).is_not_null())
    here = pl.col(name) == row["value"]
    others = {name: tuple(values.filter(~here)[name].cast(pl.String).unique(maintain_order=True))}
    works = values.filter(here).select(mix)
    if works.height > _MOST_WORKS:
        return None
    return {name: row["value"]}, others, *({**others, **work} for work in works.iter_rows(named=True))


def _compared(sums: Cube, dimension: str, amount: str, count: str) -> list[dict[str, Any]]:
    """Segments of `dimension` that take `LEAST_FACTOR` of what their calls would have taken elsewhere."""
    mix = _mix(sums, dimension)
    cells = sums.over(dimension, *mix).filter(pl.col(dimension).is_not_null())
    whole = [pl.col(c).sum().over(mix) if mix else pl.col(c).sum() for c in (amount, count)]
    others = cells.with_columns(
        other_amount=whole[0] - pl.col(amount), other_count=whole[1] - pl.col(count)
    ).filter(pl.col(count) > 0, pl.col("other_count") > 0)
    expected = (pl.col(count) * pl.col("other_amount") / pl.col("other_count")).sum()
    found = (
        others.group_by(pl.col(dimension).alias("value"))
        .agg(pl.col(amount).sum().alias("amount"), pl.col(count).sum().alias("n"), expected.alias("expected"))
        .with_columns(excess=pl.col("amount") - pl.col("expected"), dimension=pl.lit(dimension))
        .filter(
            pl.col("n") >= FEWEST_CALLS,
            pl.col("expected") > 0,
            pl.col("amount") >= LEAST_FACTOR * pl.col("expected"),
        )
    )
    return found.to_dicts()


def _slow(calls: pl.DataFrame, row: Mapping[str, Any], cells: Cells, command: Command) -> Finding:
    worked = only_calls(calls).filter(FINISHED)
    inside = equals(row["dimension"], row["value"])
    p95 = pl.col("latency_ms").quantile(0.95, "linear")
    here, elsewhere = (
        worked.filter(condition).select(p95).collect().item() for condition in (inside, ~inside)
    )
    factor = row["amount"] / row["expected"]
    return Finding(
        level="warning",
        kind="slow_segment",
        figure=MS.show(here),
        text=f"p95 in {row['value']}; {MS.show(elsewhere)} elsewhere. "
        f"{COUNT.show(row['n'])} calls, {factor:.1f}× the mean of the same work elsewhere",
        command=command.paste(by=_by(row["dimension"])),
        calls=row["n"],
        evidence={**_evidence(row), "p95_latency": here, "p95_latency_elsewhere": elsewhere},
        cells=cells,
    )


def _dear(row: Mapping[str, Any], cells: Cells, command: Command) -> Finding:
    here, expected = row["amount"] / row["n"], row["expected"] / row["n"]
    return Finding(
        level="warning",
        kind="dear_segment",
        figure=USD.show(row["excess"]),
        text=f"more for {row['dimension']} {row['value']}: {USD.show(here)} per call, "
        f"{USD.show(expected)} for the same work elsewhere",
        command=command.paste(where=[condition(row["dimension"], row["value"])], by=_by(row["dimension"])),
        money=row["excess"],
        calls=row["n"],
        evidence=_evidence(row),
        cells=cells,
    )


def _by(dimension: str) -> str:
    return dimension if dimension == "model" else f"{dimension},model"


def _evidence(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "dimension": row["dimension"],
        "value": row["value"],
        "compared_calls": row["n"],
        "mean": row["amount"] / row["n"],
        "mean_elsewhere": row["expected"] / row["n"],
    }
