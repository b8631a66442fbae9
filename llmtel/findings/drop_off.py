"""Where users leave: conversations that end at a failed or slow answer, beside those that end at others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import polars as pl

from llmtel.core.answers import Finding
from llmtel.core.units import COUNT, MS
from llmtel.findings.command import Command
from llmtel.findings.cube import only_calls
from llmtel.findings.words import condition, percent

DROP_OFF = "drop_off"
SLOW = 0.9
"""A turn is slow when nine tenths of the feature's answers are faster."""
FEWEST_TURNS = 30
LEAST_DIFFERENCE = 0.1
LEAST_SIGMAS = 3.0
"""Ten points more, and three standard errors of the difference: less is chance or of no matter."""

_WIDTH = 2**32


def drop_off(calls: pl.DataFrame, command: Command) -> list[Finding]:
    """The feature whose users leave most often because of bad turns: at most one finding.

    A turn is a call with a session and a time; the last turn of a session is where its user left. What is
    told is a difference between turns, which are not independent within a session: no cause is proven.
    A sampled log has lost turns, and with them the last ones.
    """
    known = ("session", "ts", "feature", "status")
    if any(calls[name].null_count() == calls.height for name in known) or calls["sample_rate"].count():
        return []
    features = [row for row in _by_feature(calls).to_dicts() if _stands_out(row)]
    if not features:
        return []
    return [_finding(max(features, key=lambda row: (row["left_bad"], str(row["feature"]))), command)]


def _by_feature(calls: pl.DataFrame) -> pl.DataFrame:
    """A row a feature: turns and last turns (`left`), those after a bad turn apart, and what is slow."""
    # Two texts are told apart by one number of both: to group by it takes half the time.
    feature, session = (pl.col(name).cast(pl.Categorical).to_physical() for name in ("feature", "session"))
    failed = (pl.col("status") == "error").fill_null(value=False)
    turns = (
        only_calls(calls)
        .filter(pl.col("session").is_not_null(), pl.col("ts").is_not_null(), pl.col("feature").is_not_null())
        .select("ts", "latency_ms", "feature", failed=failed, one=feature, both=_both(feature, session))
    )
    slow = (
        turns.group_by("one")
        .agg(
            pl.col("feature").first().cast(pl.String),
            slow_ms=pl.col("latency_ms").filter(~pl.col("failed")).quantile(SLOW),
        )
        .collect()
    )
    bad = pl.col("failed") | (pl.col("latency_ms") > pl.col("slow_ms")).fill_null(value=False)
    # The moment, and in its last bit whether the turn was bad: the largest is the last turn, and tells both.
    at = pl.col("ts").to_physical() * 2 + bad
    return (
        turns.join(slow.lazy().drop("feature"), on="one")
        .select("both", bad=bad, at=at)
        .group_by("both")
        .agg(turns=pl.len(), bad=pl.col("bad").sum(), last=pl.col("at").max())
        .group_by((pl.col("both") // _WIDTH).cast(pl.UInt32).alias("one"))
        .agg(pl.col("turns", "bad").sum(), left_bad=(pl.col("last") % 2).sum(), sessions=pl.len())
        .join(slow.lazy(), on="one")
        .drop("one")
        .collect(engine="streaming")
    )


def _both(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    return one.cast(pl.UInt64) * _WIDTH + other


def _stands_out(row: Mapping[str, Any]) -> bool:
    """Whether users leave at bad turns clearly more often than at good ones."""
    good = row["turns"] - row["bad"]
    if min(row["bad"], good) < FEWEST_TURNS:
        return False
    after_bad, after_good = _shares(row)
    error = math.sqrt(after_bad * (1 - after_bad) / row["bad"] + after_good * (1 - after_good) / good)
    return after_bad - after_good >= max(LEAST_DIFFERENCE, LEAST_SIGMAS * error)


def _shares(row: Mapping[str, Any]) -> tuple[float, float]:
    """The share of turns at which the user left: of the bad ones, and of the good ones."""
    good = row["turns"] - row["bad"]
    return row["left_bad"] / row["bad"], (row["sessions"] - row["left_bad"]) / good


def _finding(row: Mapping[str, Any], command: Command) -> Finding:
    after_bad, after_good = _shares(row)
    slow = row["slow_ms"]
    bad = "failed answers" if slow is None else f"failed or slow answers ({MS.show(slow)})"
    return Finding(
        level="info",
        kind=DROP_OFF,
        figure=percent(after_bad),
        text=f"of {row['feature']}'s {bad} end the conversation, {percent(after_good)} of the others; "
        f"{COUNT.show(row['sessions'])} conversations of {row['turns'] / row['sessions']:.1f} turns",
        command=command.paste(where=[condition("feature", row["feature"])], by="session", top="20"),
        calls=row["left_bad"],
        evidence={
            "feature": row["feature"],
            "sessions": row["sessions"],
            "turns": row["turns"],
            "bad_turns": row["bad"],
            "left_at_bad_turns": row["left_bad"],
            "slow_ms": row["slow_ms"],
        },
        cells=({"feature": row["feature"]},),
    )
