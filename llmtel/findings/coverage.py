"""What the numbers leave out: records rejected, values unreadable, calls without a price."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import polars as pl

from llmtel.core.account import Account, Reject
from llmtel.core.answers import Finding, Table
from llmtel.core.units import COUNT, SHARE, TOKENS
from llmtel.findings.command import Command
from llmtel.findings.cube import only_calls, tokens
from llmtel.findings.words import listing
from llmtel.query.lower import BUCKET, SAMPLE

MANY_REJECTED = 0.05
FEWEST = {"p95": 20, "p99": 100}
"""Calls below which one call decides a percentile."""
NO_ENTRY = ("unknown_model", "unknown_provider", "ambiguous_model")
"""Reasons that a price file can mend."""
NO_USAGE = "no_usage"
BILLED_APART = "billed_apart"
"""The reason of usage whose cost is not missing: it stands in the provider's bill."""
COUNTED = {"calls": "calls", "buckets": "requests"}
ASKED_OF = {
    "calls": {"metrics": "calls,unpriced_calls,total_tokens", "sort": "unpriced_calls"},
    "buckets": {"metrics": "requests,cost,total_tokens", "sort": "total_tokens"},
}
"""What shows the calls without a price, and a provider's sums."""
SAID = ("--map", "--config")
"""Options that say how to read, which `llmtel inspect` takes as well."""
MOST = 20
"""Models with a stanza; there may be as many names as calls."""
Alias = Callable[[str | None, str], str]
"""Provider and model to a stanza of YAML that gives the model a price, ready to paste into a price file."""


def rejected(account: Account, rejects: Sequence[Reject], command: Command) -> list[Finding]:
    """Files that could not be read, and records that are not well-formed where they are above 5 %: errors."""
    found = []
    if account.files_rejected:
        found.append(
            Finding(
                level="error",
                kind="files_rejected",
                figure=COUNT.show(account.files_rejected),
                text=f"of {COUNT.show(account.files)} files could not be read, or not to their end",
                command=None,
                evidence={"files_rejected": account.files_rejected, "files": account.files},
                cells=(),
            )
        )
    records = account.records - account.blank
    share = account.rejected / records if records else 0.0
    if share > MANY_REJECTED:
        reason, n = Counter(reject.reason for reject in rejects).most_common(1)[0] if rejects else ("", 0)
        most = f"; most often ({COUNT.show(n)}): {reason}" if reason else ""
        found.append(
            Finding(
                level="error",
                kind="rejected",
                figure=COUNT.show(account.rejected),
                text=f"of {COUNT.show(records)} records ({SHARE.show(share)}) "
                f"could not be read and are not counted{most}",
                command=command.paste(flags=["--rejects"]),
                calls=float(account.rejected),
                evidence={"rejected": account.rejected, "records": records, "share": share},
                cells=(),
            )
        )
    return found


def unreadable(account: Account, command: Command) -> list[Finding]:
    """Values that were there and could not be used, by field."""
    values = sum(account.unreadable.values())
    if not values:
        return []
    fields = listing([f"{name} {COUNT.show(n)}" for name, n in account.unreadable.most_common()])
    return [
        Finding(
            level="warning",
            kind="unreadable",
            figure=COUNT.show(values),
            text=f"values were there and could not be used, and count as unknown: {fields}",
            command=_inspection(command),
            calls=float(values),
            evidence={"by_field": dict(account.unreadable)},
            cells=(),
        )
    ]


def _inspection(command: Command) -> str | None:
    """How to look at the file, when there is one to look at."""
    said = tuple(pair for pair in command.repeated if pair[0] in SAID)
    return (
        Command(command.paths, repeated=said).paste("inspect")
        if len(command.paths) == 1 and command.paths[0] != "-"
        else None
    )


def unpriced(calls: pl.DataFrame, command: Command, alias: Alias) -> list[Finding]:
    """Calls without a cost, which sums of money leave out: of models without a price, and without usage."""
    buckets = not calls.is_empty() and bool(calls.select(BUCKET.all()).item())
    rows = calls.lazy() if buckets else only_calls(calls)
    groups = (
        rows.filter(pl.col("cost_usd").is_null() & pl.col("price_reason").ne_missing(pl.lit(BILLED_APART)))
        .group_by(
            pl.col("provider", "model", "price_reason").cast(pl.String),
            (pl.col("status").cast(pl.String) == "error").fill_null(value=False).alias("failed"),
        )
        .agg(calls=SAMPLE.sum(), tokens=(tokens() * SAMPLE).sum())
        .collect()
    )
    silent = pl.col("price_reason").eq_missing(pl.lit(NO_USAGE))
    total = rows.select(SAMPLE.sum()).collect().item()
    noun = "buckets" if buckets else "calls"
    return [
        *_without_price(groups.filter(~silent), noun, total, command, alias),
        *_without_usage(groups.filter(silent), noun, command),
    ]


def _without_price(
    groups: pl.DataFrame, noun: str, total: float, command: Command, alias: Alias
) -> list[Finding]:
    if groups.is_empty():
        return []
    n, size = float(groups["calls"].sum()), float(groups["tokens"].sum())
    unknown = pl.col("price_reason").is_in(NO_ENTRY) & pl.col("model").is_not_null()
    models = _summed(groups.filter(unknown), "provider", "model", "price_reason")
    reasons = _summed(groups, "price_reason")
    other = _summed(groups.filter(~unknown), "price_reason")
    causes = [*_named(models, "model"), *_named(other.with_columns(_in_words()), "price_reason")]
    names = listing([name if len(causes) == 1 else f"{name} {COUNT.show(calls)}" for name, calls in causes])
    return [
        Finding(
            level="warning" if n < total else "error",
            kind="unpriced",
            figure=COUNT.show(n),
            text=f"{noun} ({TOKENS.show(size)} tokens) have no price: {names}. Sums of money leave them out"
            if n != 1
            else f"{noun.removesuffix('s')} ({TOKENS.show(size)} tokens) has no price: {names}. "
            "Sums of money leave it out",
            command=command.paste(by="model,provider", **ASKED_OF[noun]),
            calls=n,
            evidence={
                "calls": n,
                "tokens": size,
                "models": [
                    {**row, "alias": alias(row["provider"], row["model"])}
                    for row in models.head(MOST).to_dicts()
                ],
                "reasons": dict(reasons.select("price_reason", "calls").iter_rows()),
            },
            cells=(
                *({"cost_usd": None, "price_reason": reason} for reason in reasons["price_reason"]),
                *(
                    {"cost_usd": None, "model": model}
                    for model in models["model"].unique(maintain_order=True)
                ),
            ),
        )
    ]


def _without_usage(groups: pl.DataFrame, noun: str, command: Command) -> list[Finding]:
    """Calls that do not state all their tokens, which no price file mends; failed ones may have been free."""
    if groups.is_empty():
        return []
    n, failed = float(groups["calls"].sum()), float(groups.filter("failed")["calls"].sum())
    partly = f"{noun} ({COUNT.show(failed)} of them failed)" if failed else noun
    who = "failed calls" if failed == n else partly
    return [
        Finding(
            level="info" if failed == n else "warning",
            kind="no_usage",
            figure=COUNT.show(n),
            text=f"{who} do not state their usage in full; what they cost is unknown, and sums leave it out"
            if n != 1
            else f"{who.removesuffix('s')} does not state its usage in full; what it cost is unknown, and "
            "sums leave it out",
            command=command.paste(
                where=[f"price_reason={NO_USAGE}"], by="model,error", metrics=COUNTED[noun]
            ),
            calls=n,
            evidence={"calls": n, "failed": failed},
            cells=(
                {"cost_usd": None, "price_reason": NO_USAGE},
                {"cost_usd": None, "price_reason": NO_USAGE, "status": "error"},
            ),
        )
    ]


def _named(groups: pl.DataFrame, key: str) -> list[tuple[str, float]]:
    return _summed(groups, key).select(key, "calls").rows()


def _in_words() -> pl.Expr:
    return pl.col("price_reason").fill_null("unknown").str.replace_all("_", " ")


def _summed(groups: pl.DataFrame, *by: str) -> pl.DataFrame:
    """The calls and tokens of groups by fewer keys, most calls first."""
    sums = groups.group_by(by).agg(pl.col("calls", "tokens").sum())
    return sums.sort("calls", *by, descending=[True, *[False] * len(by)], nulls_last=True)


def few_calls(tables: Sequence[Table], command: Command) -> list[Finding]:
    """Rows whose 95th or 99th percentile rests on too few calls to be one: below 20 or 100."""
    thin = {
        (table.by, i, name): n
        for table in tables
        for i, row in enumerate(table.n)
        for name, n in row.items()
        if 0 < n < FEWEST.get(name.partition("_")[0], 0)
    }
    if not thin:
        return []
    rows = len({(by, i) for by, i, _ in thin})
    by = max(thin, key=lambda place: thin[place])[0]
    return [
        Finding(
            level="info",
            kind="few_calls",
            figure=COUNT.show(rows),
            text=f"{'row has' if rows == 1 else 'rows have'} a p95 of fewer than {FEWEST['p95']} calls, "
            f"or a p99 of fewer than {FEWEST['p99']}",
            command=command.paste(by=",".join(by), metrics="calls,p50_latency,max_latency") if by else None,
            evidence={"rows": rows, "fewest": min(thin.values())},
            cells=(),
        )
    ]
