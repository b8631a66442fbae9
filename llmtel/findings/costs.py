"""Where the money in a report comes from: how much of it rests on what, and where book and log disagree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from llmtel.core.answers import Finding
from llmtel.core.schema import LEAVES
from llmtel.core.units import COUNT, SHARE, USD
from llmtel.findings.command import Command
from llmtel.findings.cube import tokens
from llmtel.findings.words import listing
from llmtel.query.lower import SAMPLE

TOLERANCE = 0.01
"""Book and log may differ by this share of the spend."""
STALE_DAYS = 60
MOST = 20


@dataclass(frozen=True)
class Part:
    """Some of the calls: how many, their tokens and their cost in USD."""

    calls: float = 0.0
    tokens: float = 0.0
    cost: float = 0.0

    def __add__(self, other: Part) -> Part:
        return Part(self.calls + other.calls, self.tokens + other.tokens, self.cost + other.cost)


@dataclass(frozen=True)
class Coverage:
    """How the cost of calls is known.

    `by_reason` are the calls without a cost, by the reason. The others are `computed` at the book's rates,
    `logged`, or `not_billed`. `assumed` (billed at a rate that was assumed) and `tokenizer` and `estimated`
    (their tokens were counted, or estimated, by llmtel) are among those with a cost.
    """

    computed: Part
    logged: Part
    not_billed: Part
    assumed: Part
    tokenizer: Part
    estimated: Part
    by_reason: Mapping[str, Part]

    @property
    def unpriced(self) -> Part:
        """The calls without a cost."""
        return sum(self.by_reason.values(), Part())

    @property
    def cost(self) -> float:
        """The cost of all that have one."""
        return self.computed.cost + self.logged.cost

    def share(self, part: Part) -> float | None:
        """The share of the whole cost that rests on a part; None where nothing cost anything."""
        return part.cost / self.cost if self.cost else None

    def meta(self) -> dict[str, Any]:
        """The coverage as JSON: calls, tokens and cost of every part, and their shares of calls and cost."""
        priced = self.computed + self.logged + self.not_billed
        calls = (priced + self.unpriced).calls
        parts = {
            "priced": priced,
            "computed": self.computed,
            "logged": self.logged,
            "not_billed": self.not_billed,
            "assumed_cache_rate": self.assumed,
            "tokenizer": self.tokenizer,
            "estimated": self.estimated,
        }
        told: dict[str, Any] = {name: self._told(part, calls) for name, part in parts.items()}
        lost = self._told(self.unpriced, calls)
        del lost["cost"], lost["share_of_cost"]
        reasons = {reason: part.calls for reason, part in sorted(self.by_reason.items())}
        return {**told, "unpriced": {**lost, "reasons": reasons}}

    def _told(self, part: Part, calls: float) -> dict[str, Any]:
        return {
            "calls": part.calls,
            "tokens": part.tokens,
            "cost": part.cost,
            "share_of_calls": part.calls / calls if calls else None,
            "share_of_cost": self.share(part),
        }


def coverage(calls: pl.DataFrame) -> Coverage:
    """How the costs of priced calls (or rows of an export) are known."""
    groups = (
        calls.lazy()
        .select(
            *(pl.col(name).cast(pl.Categorical) for name in ("price_reason", "price_flags")),
            tokens_by=pl.col("token_source").cast(pl.Categorical),
            weight=SAMPLE,
            tokens=tokens() * SAMPLE,
            cost_usd="cost_usd",
        )
        .group_by("price_reason", "price_flags", "tokens_by")
        .agg(
            calls=pl.col("weight").sum(),
            tokens=pl.col("tokens").sum(),
            cost=(pl.col("cost_usd") * pl.col("weight")).sum(),
            known=pl.col("cost_usd").count() > 0,
        )
        .with_columns(pl.col("price_reason", "price_flags", "tokens_by").cast(pl.String))
        .collect()
        .to_dicts()
    )
    priced = [row for row in groups if row["known"]]
    reasons: dict[str, Part] = {}
    for row in groups:
        if not row["known"]:
            reason = row["price_reason"] or "unknown"
            reasons[reason] = reasons.get(reason, Part()) + _part([row])
    flagged = {name: [r for r in priced if name in _flags(r)] for name in ("logged", "not_billed")}
    rest = [r for r in priced if not {"logged", "not_billed"} & _flags(r)]
    return Coverage(
        computed=_part(rest),
        logged=_part(flagged["logged"]),
        not_billed=_part(flagged["not_billed"]),
        assumed=_part(r for r in rest if "assumed_cache_rate" in _flags(r)),
        tokenizer=_part(r for r in rest if r["tokens_by"] == "tokenizer"),
        estimated=_part(r for r in rest if r["tokens_by"] == "estimated"),
        by_reason=reasons,
    )


def _flags(row: Mapping[str, Any]) -> set[str]:
    return set((row["price_flags"] or "").split(","))


def _part(rows: Iterable[Mapping[str, Any]]) -> Part:
    return sum((Part(row["calls"], row["tokens"], row["cost"]) for row in rows), Part())


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
    noun = "buckets" if (calls["grain"] == "bucket").all() else "calls"
    free = f"; {COUNT.show(zeros)} calls with tokens are logged at $0, which is not trusted" if zeros else ""
    share = f" ({gap / states:+.1%})" if states else ""
    return [
        Finding(
            level="warning",
            kind="cost_differs",
            figure=_signed(gap),
            text=f"is the book's cost beside the log's over {COUNT.show(n)} {noun} that have both: "
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
    left = f"; {COUNT.show(rest)} calls without a price in one of both are left out" if rest else ""
    return [
        Finding(
            level="info",
            kind="what_if",
            figure=_signed(would - did),
            text=f"{words}: {USD.show(would)} instead of {USD.show(did)}"
            f"{f' ({would / did - 1:+.1%})' if did else ''} for the same tokens; an estimate, as another "
            f"model counts and answers otherwise{left}",
            command=command.paste(by="model", metrics="calls,actual_cost,cost"),
            money=abs(would - did),
            calls=float(both.height),
            evidence={"what_if": words, "cost": would, "actual_cost": did, "calls": both.height},
        )
    ]


@dataclass(frozen=True)
class Credit:
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
            evidence={"used": used, "credits": [vars(credit) for credit in credits_]},
        )
    ]


def headline_words(found: Coverage) -> tuple[str, ...]:
    """What of the cost is not computed from logged tokens, in words; nothing where all of it is."""
    told = (("as logged", found.logged), ("on counted tokens", found.tokenizer),
            ("on estimated tokens", found.estimated))  # fmt: skip
    shares = ((words, found.share(part)) for words, part in told)
    return tuple(f"{SHARE.show(share)} {words}" for words, share in shares if share)
