"""A prompt whose newer version or other arm costs more and is liked less. Nothing was randomised here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from llmtel.core.answers import Finding
from llmtel.findings.command import Command
from llmtel.findings.cube import Cube
from llmtel.findings.words import condition, percent

ARMS = ("prompt_version", "variant")
FEWEST_CALLS = 30
FEWEST_VOTES = 10
DEARER = 1.1
LESS_LIKED = 0.03
"""A tenth more cost per call, and three points less approval, are worth a look."""


def dearer_and_liked_less(sums: Cube, command: Command) -> list[Finding]:
    """The version that costs most more than the one before it while fewer like it: at most one finding."""
    pairs = [pair for arm in ARMS if arm in sums.by for pair in _pairs(sums, arm)]
    if not pairs:
        return []
    return [_finding(max(pairs, key=lambda p: (p["money"], str(p["arm"]))), command)]


def _pairs(sums: Cube, arm: str) -> list[dict[str, Any]]:
    """Each arm against the one first seen before it, within a prompt (a feature, without prompts)."""
    within = next((name for name in ("prompt", "feature") if name in sums.by), None)
    keys = [within] if within else []
    before = {f"old_{name}": pl.col(name).shift() for name in (arm, "cost_per_call", "liked", "calls")}
    known = (
        sums.over(*keys, arm)
        .filter(pl.col(arm).is_not_null(), pl.col("calls") >= FEWEST_CALLS, pl.col("votes") >= FEWEST_VOTES)
        .filter(pl.col("priced") > 0)
        .with_columns(cost_per_call=pl.col("cost") / pl.col("priced"), liked=pl.col("up") / pl.col("votes"))
        .sort("first", arm)
        .with_columns(**{name: value.over(keys) if keys else value for name, value in before.items()})
    )
    worse = known.filter(
        pl.col("cost_per_call") >= DEARER * pl.col("old_cost_per_call"),
        pl.col("liked") <= pl.col("old_liked") - LESS_LIKED,
    ).with_columns(
        money=(pl.col("cost_per_call") - pl.col("old_cost_per_call")) * pl.col("priced"),
        arm=pl.lit(arm),
        within=pl.lit(within, dtype=pl.String),
    )
    return worse.to_dicts()


def _finding(pair: Mapping[str, Any], command: Command) -> Finding:
    arm, within = pair["arm"], pair["within"]
    more = pair["cost_per_call"] / pair["old_cost_per_call"] - 1
    name = f"{pair[within]}@" if within and pair[within] else ""
    where = [condition(within, pair[within])] if name else []
    segment = {within: pair[within]} if within else {}
    return Finding(
        level="warning",
        kind="prompt_worse",
        figure=f"+{more * 100:.0f} %",
        text=f"cost per call of prompt {name}{pair[arm]} over @{pair[f'old_{arm}']}; "
        f"thumbs up {percent(pair['old_liked'])} → {percent(pair['liked'])} (observational)",
        command=command.paste(
            where=where, by=arm, metrics="calls,cost_per_call,output_tokens_per_call,thumbs_up_rate"
        ),
        money=pair["money"],
        calls=pair["calls"],
        evidence={
            "dimension": arm,
            "within": within,
            "name": pair[within] if within else None,
            "value": pair[arm],
            "before": pair[f"old_{arm}"],
            "cost_per_call": pair["cost_per_call"],
            "cost_per_call_before": pair["old_cost_per_call"],
            "thumbs_up_rate": pair["liked"],
            "thumbs_up_rate_before": pair["old_liked"],
        },
        cells=tuple({**segment, arm: one} for one in (pair[arm], pair[f"old_{arm}"])),
    )
