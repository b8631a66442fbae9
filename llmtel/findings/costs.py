"""What is to be said of the money in a report: where book and log disagree, what if, credits, an old book."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl
from msgspec import Struct
from msgspec.structs import asdict

from llmtel.core.answers import Finding
from llmtel.core.schema import LEAVES
from llmtel.core.units import COUNT, USD
from llmtel.findings.command import Command
from llmtel.findings.words import listing, several
from llmtel.query.lower import BUCKET, SAMPLE

TOLERANCE = 0.01
"""Book and log may differ by this share of the spend."""
STALE_DAYS = 60
MOST = 20


def differing(calls: pl.DataFrame, command: Command) -> list[Finding]:
    """Where the book's cost and the log's differ by more than 1 %, over the calls that have both."""
    if calls["cost_logged"].null_count() == calls.height or "cost_computed" not in calls.columns:
        return []
    logged = pl.col("cost_logged")
    some = pl.any_horizontal((pl.col(leaf) > 0).fill_null(value=False) for leaf in LEAVES)
    both = calls.lazy().filter(
        logged.is_finite() & (logged >= 0) & pl.col("cost_computed").is_not_null() & ~((logged == 0) & ~some)
    )
    rows = (
        both.group_by(pl.col("provider", "model").cast(pl.String))
        .agg(
            calls=SAMPLE.sum(),
            logged=(logged * SAMPLE).sum(),
            computed=(pl.col("cost_computed") * SAMPLE).sum(),
            zeros=((logged == 0) & (pl.col("cost_computed") > 0)).sum(),
        )
        .collect()
    )
    states, computes = float(rows["logged"].sum()), float(rows["computed"].sum())
    gap, n = computes - states, float(rows["calls"].sum())
    apart = float((rows["computed"] - rows["logged"]).abs().sum())
    if apart <= TOLERANCE * max(states, computes):
        return []
    rows = rows.with_columns(gap=pl.col("computed") - pl.col("logged")).sort(
        pl.col("gap").abs(), descending=True
    )
    most = listing([f"{r['model'] or 'no model'} {_signed(r['gap'])}" for r in rows.head(MOST).to_dicts()])
    zeros = int(rows["zeros"].sum())
    noun = several(n, "bucket" if calls.select(BUCKET.all()).item() else "call")
    with_tokens = f"{COUNT.show(zeros)} {several(zeros, 'call')} with tokens {'is' if zeros == 1 else 'are'}"
    free = f"; {with_tokens} logged at $0, which is not trusted" if zeros else ""
    share = f" ({gap / states:+.1%})" if states else ""
    return [
        Finding(
            level="warning",
            kind="cost_differs",
            figure=_signed(gap),
            text=f"is the book's cost beside the log's over {COUNT.show(n)} {noun} with both: "
            f"{USD.show(computes)} computed, {USD.show(states)} logged{share}; most: {most}{free}",
            command=command.paste(by="model", metrics="calls,computed_cost,logged_cost"),
            money=apart,
            calls=n,
            evidence={
                "calls": n,
                "computed": computes,
                "logged": states,
                "logged_zero": zeros,
                "models": rows.head(MOST).to_dicts(),
            },
            cells=({}, *({"model": model} for model in rows["model"].unique(maintain_order=True))),
        )
    ]


def _signed(amount: float) -> str:
    return f"+{USD.show(amount)}" if amount > 0 else USD.show(amount)


def stale_book(as_of: str, today: date | None, calls: pl.DataFrame) -> list[Finding]:
    """The book was last checked more than 60 days ago; prices may have changed since."""
    age = (today - date.fromisoformat(as_of)).days if today else 0
    if age <= STALE_DAYS:
        return []
    last = calls.select(pl.col("ts").max().dt.date()).item()
    later = last is None or last > date.fromisoformat(as_of)
    when = "" if later else "; all calls are older than that"
    return [
        Finding(
            level="warning" if later else "info",
            kind="stale_book",
            figure=COUNT.show(age),
            text=f"days ago the price book was last checked ({as_of}){when}; "
            "llmtel pricing update shows what has changed",
            command="llmtel pricing check",
            evidence={"as_of": as_of, "age_days": age},
            cells=(),
        )
    ]


def what_if(calls: pl.DataFrame, words: str, command: Command) -> list[Finding]:
    """What the calls would have cost, beside what they did cost, over those where both are known."""
    both = calls.filter(pl.col("cost_usd").is_not_null() & pl.col("cost_actual").is_not_null())
    if both.is_empty():
        return []
    sums = both.select((pl.col("cost_usd", "cost_actual") * SAMPLE).sum()).row(0)
    would, did = float(sums[0]), float(sums[1])
    rest = calls.height - both.height
    left = (
        f"; {COUNT.show(rest)} {several(rest, 'call')} without a price in one of both left out"
        if rest
        else ""
    )
    other = "; an estimate, as another model counts and answers otherwise"
    estimate = other if "--price-as" in command.options else ""
    return [
        Finding(
            level="info",
            kind="what_if",
            figure=_signed(would - did),
            text=f"{words}: {USD.show(would)} instead of {USD.show(did)}"
            f"{f' ({would / did - 1:+.1%})' if did else ''} for the same tokens{estimate}{left}",
            command=command.paste(by="model", metrics="calls,actual_cost,cost"),
            money=abs(would - did),
            calls=float(both.height),
            evidence={"what_if": words, "cost": would, "actual_cost": did, "calls": both.height},
            cells=({},),
        )
    ]


class Credit(Struct, frozen=True):
    """A credit of the user with a provider, in USD; `used` by the calls of the report."""

    provider: str
    usd: float
    used: float
    until: str | None = None


def credits_used(credits_: Sequence[Credit], cost: float) -> list[Finding]:
    """What credits paid of the cost, and what is left of them."""
    if not credits_:
        return []
    used = sum(credit.used for credit in credits_)
    parts = listing([f"{c.provider} {USD.show(c.usd - c.used)} left of {USD.show(c.usd)}"
                     f"{f' until {c.until}' if c.until else ''}" for c in credits_])  # fmt: skip
    return [
        Finding(
            level="info",
            kind="credits",
            figure=USD.show(used),
            text=f"of {USD.show(cost)} are covered by credits, {USD.show(cost - used)} are not; {parts} "
            "(as far as these calls tell)",
            money=used,
            evidence={"used": used, "credits": [asdict(credit) for credit in credits_]},
            cells=({}, *({"provider": credit.provider} for credit in credits_)),
        )
    ]
