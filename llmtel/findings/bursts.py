"""A burst of 429s, timeouts and server errors: days (hours of a short log) with far more than usual."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from llmtel.core.answers import Finding
from llmtel.core.units import COUNT
from llmtel.findings.command import Command
from llmtel.findings.cube import only_calls
from llmtel.findings.words import span_words
from llmtel.query.dimensions import DIMENSIONS
from llmtel.query.lower import SAMPLE
from llmtel.query.measures import count
from llmtel.query.query import summed
from llmtel.query.sums import SEEN, Sums

KINDS = ("rate_limit", "timeout", "http_5xx")
FEWEST = 10
LEAST_FACTOR = 3.0
SHORT_DAYS = 3
"""A log of fewer days is looked at by the hour."""
MOST_HOURS = 8
BULK = 0.7


def asked(calls: pl.DataFrame, tz: str) -> Sums:
    """What a burst is seen in: the calls of each local day (hour of a short log), by their error."""
    local = pl.col("ts").dt.convert_time_zone(tz)
    first, last = calls.select(first=local.min().dt.date(), last=local.max().dt.date()).row(0)
    step = "hour" if first is None or (last - first).days < SHORT_DAYS else "day"
    by = (DIMENSIONS[step], DIMENSIONS["error"])
    return Sums(by, {"calls": count(pl.lit(value=True), "calls")}, tz)


def burst(calls: pl.DataFrame, command: Command, tz: str, sums: pl.DataFrame | None = None) -> list[Finding]:
    """The run of days (or hours) in a row with most failures, if it is unusual: at most one finding.

    `sums` are those that were `asked` for; without them they are made here.
    """
    sums = summed(asked(calls, tz), calls) if sums is None else sums
    step = "day" if "day" in sums.columns else "hour"
    failed = pl.col("error").is_in(KINDS).fill_null(value=False)
    steps = (
        sums.filter(pl.col(step).is_not_null(), pl.col(SEEN) > 0)
        .group_by(_begins(step, pl.col(step)).alias("step"))
        .agg(
            seen=pl.col(SEEN).filter(failed).sum(),
            failures=pl.col("calls").filter(failed).sum(),
            calls=pl.col("calls").sum(),
        )
        .sort("step")
    )
    run = _worst_run(steps, timedelta(hours=1) if step == "hour" else timedelta(days=1))
    if not run:
        return []
    inside = (
        only_calls(calls)
        .filter(failed, _begins(step, DIMENSIONS[step].key(tz)).is_in(run))
        .select("error", pl.col("ts").dt.convert_time_zone(tz).alias("at"), SAMPLE.alias("weight"))
        .collect()
    )
    return [_finding(inside, run, step, command)]


def _begins(step: str, key: pl.Expr) -> pl.Expr:
    """When a day or an hour with this key begins; days, which need not begin at midnight, have no zone."""
    return key.cast(pl.Datetime("us")) if step == "day" else key


def _worst_run(steps: pl.DataFrame, step: timedelta) -> list[datetime]:
    """Steps in a row whose share of failures is far above the median step's, and above that of all."""
    rate = pl.col("failures") / pl.col("calls")
    usual, overall = steps.select(rate.median(), whole=pl.col("failures").sum() / pl.col("calls").sum()).row(
        0
    )
    limit = max(LEAST_FACTOR * (usual or 0.0), overall or 0.0)
    # What was seen decides whether there is enough of it, whatever a sampled log makes it stand for.
    high = steps.filter(rate > limit, pl.col("seen") > 1)
    runs: list[list[tuple[datetime, int]]] = []
    for at, failures in high.select("step", "seen").iter_rows():
        # An hour more than a step: a day on which the clock changes has 25.
        if runs and at - runs[-1][-1][0] <= step + timedelta(hours=1):
            runs[-1].append((at, failures))
        else:
            runs.append([(at, failures)])
    worst = max(runs, key=lambda run: sum(n for _, n in run), default=[])
    enough = sum(n for _, n in worst) >= FEWEST and len(worst) <= max(1, len(steps) // 2)
    return [at for at, _ in worst] if enough else []


def _finding(inside: pl.DataFrame, run: Sequence[datetime], step: str, command: Command) -> Finding:
    kinds = (
        inside.group_by(pl.col("error").cast(pl.String))
        .agg(pl.col("weight").sum())
        .sort("weight", "error", descending=[True, False])
    )
    words = ", ".join(f"{kind} {COUNT.show(n)}" for kind, n in kinds.iter_rows())
    first, last = run[0].date(), run[-1].date()
    by_day = step == "day"
    steps = tuple(at.date().isoformat() if by_day else at.isoformat() for at in run)
    when = span_words(first, last) + (_hours(inside) if by_day else f" {_clock(run)}")
    return Finding(
        level="warning",
        kind="error_burst",
        figure=COUNT.show(float(inside["weight"].sum())),
        text=f"failed calls on {when}: {words}",
        command=command.paste(since=first.isoformat(), until=last.isoformat(), by="hour,error"),
        calls=float(inside["weight"].sum()),
        evidence={
            "first_day": first.isoformat(),
            "last_day": last.isoformat(),
            "errors": dict(kinds.iter_rows()),
        },
        cells=tuple({step: steps, "error": kind} for kind in kinds["error"]),
    )


def _clock(run: Sequence[datetime]) -> str:
    return f"{run[0]:%H:%M}–{run[-1] + timedelta(hours=1):%H:%M}"


def _hours(inside: pl.DataFrame) -> str:
    """The fewest hours in a row that hold most failures, in words; nothing when they are spread."""
    counts = [0.0] * 24
    for hour, n in inside.group_by(pl.col("at").dt.hour()).agg(pl.col("weight").sum()).iter_rows():
        counts[hour] = n
    for width in range(1, MOST_HOURS + 1):
        held, earlier = max((sum(counts[s : s + width]), -s) for s in range(25 - width))
        if held >= BULK * sum(counts):
            return f", mostly {-earlier:02d}:00–{width - earlier:02d}:00"
    return ""
