"""Where users leave: conversations that end at a failed or slow answer, beside those that end at others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import polars as pl

from llmtel.core.answers import Finding
from llmtel.core.units import COUNT, MS
from llmtel.findings.command import Command
from llmtel.findings.words import condition, percent
from llmtel.query.lower import IS_CALL

DROP_OFF = "drop_off"
SLOW = 0.9
"""A turn is slow when nine tenths of the feature's answers are faster."""
FEWEST_TURNS = 30
LEAST_DIFFERENCE = 0.1
LEAST_SIGMAS = 3.0
"""Ten points more, and three standard errors of the difference: less is chance or of no matter."""

MOST_TURNS = 500_000
"""Of more turns it is looked at some of their conversations, with half to all of so many turns."""

_SPREAD = 0x9E3779B97F4A7C15
"""An odd number whose multiples differ in all their bits: 2**64 by the golden ratio."""


def drop_off(calls: pl.DataFrame, command: Command) -> list[Finding]:
    """The feature whose users leave most often because of bad turns: at most one finding.

    A turn is a call with a session and a time; the last turn of a session is where its user left. What is
    told is a difference between turns, which are not independent within a session: no cause is proven.
    A sampled log has lost turns, and with them the last ones. Of very many turns those of one in so many
    conversations are looked at, whole and always the same: fewer turns widen the error that a difference must
    exceed, and a quarter of a million are enough to see ten points.
    """
    known = ("session", "ts", "feature", "status")
    if any(calls[name].null_count() == calls.height for name in known) or calls["sample_rate"].count():
        return []
    one_in = calls.height * 2 // MOST_TURNS if calls.height > MOST_TURNS else 1
    features = [row for row in _by_feature(_turns(calls, one_in)).to_dicts() if _stands_out(row)]
    if not features:
        return []
    return [_finding(max(features, key=lambda row: (row["left_bad"], str(row["feature"]))), command, one_in)]


def _turns(calls: pl.DataFrame, one_in: int) -> pl.LazyFrame:
    """The turns of one in so many conversations: `ts`, `latency_ms`, `status`, `feature`, `session`."""
    turns = calls.lazy().select(
        "ts", "latency_ms", "status", pl.col("feature").cast(pl.Categorical), "session", is_call=IS_CALL
    )
    known = pl.col("is_call") & pl.all_horizontal(pl.col("session", "ts", "feature").is_not_null())
    if one_in == 1:
        return turns.filter(known)
    return turns.filter(_belongs(calls["session"], one_in), known)


def _belongs(sessions: pl.Series, one_in: int) -> pl.Series:
    """Which calls are of one in so many sessions, chosen by their names: their numbers differ each run."""
    if sessions.dtype != pl.Categorical:
        return sessions.hash() % one_in == 0
    numbers = sessions.to_physical().alias("number")
    every = numbers.to_frame().select(pl.int_range(pl.col("number").max() + 1, dtype=pl.UInt32))
    names = every.to_series().cat.to(pl.Categorical).cast(pl.String)
    return (names.hash() % one_in == 0).gather(numbers)


def _by_feature(turns: pl.LazyFrame) -> pl.DataFrame:
    """A row a feature: turns and last turns (`left`), those after a bad turn apart, and what is slow."""
    # To group by one number of both takes half the time, and hashes of a million texts hardly ever meet.
    feature, session = (pl.col(name).to_physical() for name in ("feature", "session"))
    turns = turns.select(
        "ts",
        "latency_ms",
        "feature",
        failed=(pl.col("status") == "error").fill_null(value=False),
        one=feature,
        both=session.hash() ^ (feature.cast(pl.UInt64) * _SPREAD),
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
        .select("one", "both", bad=bad, at=at)
        .group_by("both")
        .agg(pl.col("one").first(), turns=pl.len(), bad=pl.col("bad").sum(), last=pl.col("at").max())
        .group_by("one")
        .agg(pl.col("turns", "bad").sum(), left_bad=(pl.col("last") % 2).sum(), sessions=pl.len())
        .join(slow.lazy(), on="one")
        .drop("one")
        .collect(engine="streaming")
    )


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


def _finding(row: Mapping[str, Any], command: Command, one_in: int) -> Finding:
    after_bad, after_good = _shares(row)
    slow = row["slow_ms"]
    sample = "" if one_in == 1 else f" (one conversation in {one_in} was looked at)"
    bad = "failed answers" if slow is None else f"failed or slow answers ({MS.show(slow)})"
    return Finding(
        level="info",
        kind=DROP_OFF,
        figure=percent(after_bad),
        text=f"of {row['feature']}'s {bad} end the conversation, {percent(after_good)} of the others; "
        f"{COUNT.show(row['sessions'])} conversations of {row['turns'] / row['sessions']:.1f} turns{sample}",
        command=command.paste(where=[condition("feature", row["feature"])], by="session", top="20"),
        calls=row["left_bad"],
        evidence={
            "feature": row["feature"],
            "sessions": row["sessions"],
            "turns": row["turns"],
            "bad_turns": row["bad"],
            "left_at_bad_turns": row["left_bad"],
            "slow_ms": row["slow_ms"],
            **({} if one_in == 1 else {"one_session_in": one_in}),
        },
        cells=({"feature": row["feature"]},),
    )
