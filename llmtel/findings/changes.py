"""The largest change of a day: who cost or called far more than on its usual day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from llmtel.core.answers import Finding
from llmtel.core.units import COUNT, USD
from llmtel.findings.command import Command
from llmtel.findings.cube import DAY, Cube, only_calls
from llmtel.findings.words import condition, day_words, equals, percent
from llmtel.query.lower import SAMPLE

FEWEST_DAYS = 5
LEAST_FACTOR = 2.0
LEAST_SHARE = 0.02
"""Worth a sentence: a day twice the usual one, with an excess of 2 % of all that was spent."""

SPLITS = ("feature", "project", "agent", "model")
BIG_USER = 0.4


def largest_change(calls: pl.DataFrame, sums: Cube, command: Command, tz: str) -> list[Finding]:
    """The day on which a segment exceeded its usual day by most money (calls, where no cost is known).

    The usual day is the median over the days on which the segment had calls.
    """
    if len(sums.days) < FEWEST_DAYS:
        return []
    measure = "cost" if sums.total("priced") > 0 else "calls"
    split = next((name for name in SPLITS if name in sums.by), None)
    top = _largest_excess(sums, measure, split)
    if top is None:
        return []
    return [_finding(top, measure, split, _biggest_user(calls, top, split, measure, tz), command)]


def _largest_excess(sums: Cube, measure: str, split: str | None) -> Mapping[str, Any] | None:
    by = [split] if split else []
    days = sums.over(*by, DAY).filter(pl.col(DAY).is_not_null())
    usual = pl.col(measure).median().over(by) if by else pl.col(measure).median()
    active = pl.len().over(by) if by else pl.len()
    found = (
        days.with_columns(usual=usual, active=active)
        .with_columns(excess=pl.col(measure) - pl.col("usual"))
        .filter(
            pl.col("active") >= FEWEST_DAYS,
            pl.col(measure) >= LEAST_FACTOR * pl.col("usual"),
            pl.col("excess") >= LEAST_SHARE * sums.total(measure),
        )
        .sort("excess", DAY, descending=[True, False])
    )
    if found.is_empty():
        return None
    top = found.row(0, named=True)
    own = days.filter(equals(split, top[split])) if split else days
    return {**top, "usual_days": _in_the_middle(own, measure)}


def _in_the_middle(days: pl.DataFrame, measure: str) -> list[str]:
    """The days whose numbers are the median, or whose mean it is."""
    ordered = days.sort(measure, DAY)[DAY]
    last = len(ordered) - 1
    return [day.isoformat() for day in ordered[last // 2 : (last + 1) // 2 + 1]]


def _biggest_user(
    calls: pl.DataFrame, top: Mapping[str, Any], split: str | None, measure: str, tz: str
) -> tuple[str, float] | None:
    """The user behind most of the day, and their share of it."""
    if calls["user"].null_count() == len(calls):
        return None
    of_day = only_calls(calls).filter(pl.col("ts").dt.convert_time_zone(tz).dt.date() == top[DAY])
    if split:
        of_day = of_day.filter(equals(split, top[split]))
    size = SAMPLE if measure == "calls" else pl.col("cost_usd") * SAMPLE
    users = (
        of_day.group_by(pl.col("user").cast(pl.String))
        .agg(size=size.sum())
        .filter(pl.col("user").is_not_null())
        .sort("size", "user", descending=[True, False])
        .head(1)
        .collect()
    )
    if users.is_empty() or users["size"][0] < BIG_USER * top[measure]:
        return None
    return users["user"][0], users["size"][0] / top[measure]


def _finding(
    top: Mapping[str, Any], measure: str, split: str | None, user: tuple[str, float] | None, command: Command
) -> Finding:
    day: date = top[DAY]
    name = (top[split] or f"calls without {split}") if split else "all calls"
    factor = f"{top[measure] / top['usual']:,.0f}×" if top["usual"] else "far more than"
    verb = "cost" if measure == "cost" else "made"
    shown = USD.show(top["excess"]) if measure == "cost" else COUNT.show(top["excess"])
    who = f"; {percent(user[1])} of it is one user, {user[0]}" if user else ""
    calls_word = "" if measure == "cost" else " the calls of"
    options = {"by": "day,user" if user else f"day,{split or 'model'}"}
    where = [condition(split, top[split])] if split else []
    segment = {split: top[split]} if split else {}
    return Finding(
        level="warning",
        kind="day_change",
        figure=shown,
        text=f"{name} {verb} {factor}{calls_word} its usual day on {day_words(day)}{who}",
        command=command.paste(where=where, **options),
        money=top["excess"] if measure == "cost" else 0.0,
        calls=top["calls"],
        evidence={
            "day": day.isoformat(),
            "measure": measure,
            "dimension": split,
            "value": top[split] if split else None,
            "usual": top["usual"],
            "on_day": top[measure],
            "user": user[0] if user else None,
            "user_share": user[1] if user else None,
        },
        cells=(*({**segment, "day": one} for one in (day.isoformat(), *top["usual_days"])), segment),
    )
