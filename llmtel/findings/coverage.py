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

MANY_REJECTED = 0.05
FEWEST = {"p95": 20, "p99": 100}
"""Calls below which one call decides a percentile."""
NO_ENTRY = ("unknown_model", "unknown_provider", "ambiguous_model")
"""Reasons that a price file can mend."""
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
                text=f"of {COUNT.show(account.files)} files could not be read; nothing of them is counted",
                command=None,
                evidence={"files_rejected": account.files_rejected, "files": account.files},
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
        )
    ]


def _inspection(command: Command) -> str | None:
    """How to look at the file, when there is one to look at."""
    return (
        Command(command.paths).paste("inspect")
        if len(command.paths) == 1 and command.paths[0] != "-"
        else None
    )


def unpriced(calls: pl.DataFrame, command: Command, alias: Alias) -> list[Finding]:
    """Calls without a cost, which every sum of money leaves out: their models, and stanzas to paste."""
    models = (
        only_calls(calls)
        .filter(pl.col("cost_usd").is_null())
        .group_by(pl.col("provider", "model").cast(pl.String), "price_reason")
        .agg(calls=pl.len(), tokens=tokens().sum())
        .sort("calls", "model", descending=[True, False])
        .collect()
    )
    if models.is_empty():
        return []
    n, size = int(models["calls"].sum()), float(models["tokens"].sum())
    unknown = models.filter(pl.col("price_reason").is_in(NO_ENTRY), pl.col("model").is_not_null())
    names = listing(list(dict.fromkeys(unknown["model"]))) if len(unknown) else _reasons(models)
    total = only_calls(calls).select(pl.len()).collect().item()
    return [
        Finding(
            level="warning" if n < total else "error",
            kind="unpriced",
            figure=COUNT.show(n),
            text=f"calls ({TOKENS.show(size)} tokens) have no price: {names}. Sums of money leave them out",
            command=command.paste(
                by="model,provider", metrics="calls,unpriced_calls,total_tokens", sort="unpriced_calls"
            ),
            calls=float(n),
            evidence={
                "calls": n,
                "tokens": size,
                "models": [
                    {**row, "alias": alias(row["provider"], row["model"])}
                    for row in unknown.head(MOST).to_dicts()
                ],
                "reasons": dict(_by_reason(models).iter_rows()),
            },
        )
    ]


def _reasons(models: pl.DataFrame) -> str:
    return listing(
        [
            f"{(why or 'unknown').replace('_', ' ')} {COUNT.show(n)}"
            for why, n in _by_reason(models).iter_rows()
        ]
    )


def _by_reason(models: pl.DataFrame) -> pl.DataFrame:
    reason = pl.col("price_reason").cast(pl.String)
    return (
        models.group_by(reason)
        .agg(pl.col("calls").sum())
        .sort("calls", "price_reason", descending=[True, False])
    )


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
        )
    ]
