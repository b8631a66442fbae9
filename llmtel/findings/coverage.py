"""What the numbers leave out: records rejected, values unreadable, calls without a price."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import polars as pl

from llmtel.core.account import Account, Reject
from llmtel.core.answers import Finding
from llmtel.core.units import COUNT, SHARE, TOKENS
from llmtel.findings.command import Command
from llmtel.findings.cube import only_calls, tokens
from llmtel.findings.words import listing

MANY_REJECTED = 0.05
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
