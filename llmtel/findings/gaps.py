"""Why a bill is not what the logs come to: a finding for each cause, with the place where it is largest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl
from msgspec.structs import replace

from llmtel.core.answers import Finding
from llmtel.core.units import COUNT, SHARE, USD
from llmtel.findings.command import Command
from llmtel.query.reconciliation import CAUSES, NANO, Reconciliation

SMALLEST = 0.005
"""Causes below this share of the bill are no finding."""
MORE = {
    "not_in_logs": "are billed for requests that are not in these logs",
    "not_on_bill": "of calls are not on the bill",
    "token_counts": "more is billed because the bill counts more tokens",
    "price": "more is billed than the same tokens cost at list prices",
    "unexplained": "more is billed than computed, and the bill or the price book lacks what would say why",
}
LESS = {
    **MORE,
    "token_counts": "less is billed because the bill counts fewer tokens",
    "price": "less is billed than the same tokens cost at list prices: a discount, a credit or another tier",
    "unexplained": "less is billed than computed, and the bill or the price book lacks what would say why",
}


def about_reconciliation(
    found: Reconciliation, command: Command, exports: Sequence[str], max_gap: float | None
) -> tuple[Finding, ...]:
    """The findings, the gravest first; a gap above `max_gap` is an error."""
    return (*_beyond(found, max_gap), *_incomparable(found), *_causes(found, command, exports))


def exceeds(found: Reconciliation, max_gap: float | None) -> bool:
    """Whether the gap is larger than what is tolerated."""
    gap = found.gap()
    return max_gap is not None and gap is not None and gap > max_gap


def _beyond(found: Reconciliation, max_gap: float | None) -> list[Finding]:
    gap = found.gap()
    if gap is None or max_gap is None or gap <= max_gap:
        return []
    text = f"of the bill is the gap, more than the {SHARE.show(max_gap)} that --max-gap tolerates"
    evidence = {"gap": gap, "max_gap": max_gap}
    return [Finding("error", "gap", text, SHARE.show(gap), evidence=evidence)]


def _incomparable(found: Reconciliation) -> list[Finding]:
    """Nothing of one side meets anything of the other."""
    sides = found.cells.select(
        ours=pl.col("calls") > 0,
        theirs=(pl.col("cost_billed") != 0).fill_null(value=False) | pl.col("requests").is_not_null(),
    )
    if (sides["ours"] & sides["theirs"]).any():
        return []
    text = "days and models are both in these logs and on the bill: there is nothing to compare"
    return [Finding("warning", "nothing_compared", text, "0")]


def _causes(found: Reconciliation, command: Command, exports: Sequence[str]) -> list[Finding]:
    billed = abs(int(found.cells["cost_billed"].sum()))
    sums = {name: int(found.cells[name].sum()) for name in CAUSES}
    large = [name for name in CAUSES if sums[name] and abs(sums[name]) >= SMALLEST * billed]
    return [
        _cause(
            found,
            name,
            sums[name] / NANO,
            sums[name] / billed if billed else None,
            _see(found, name, command, exports),
        )
        for name in sorted(large, key=lambda name: -abs(sums[name]))
    ]


def _cause(found: Reconciliation, name: str, amount: float, share: float | None, see: str | None) -> Finding:
    words = MORE if amount > 0 else LESS
    portion = f" ({SHARE.show(abs(share))} of the bill)" if share is not None else ""
    return Finding(
        level="info" if name == "not_on_bill" else "warning",
        kind=name,
        figure=USD.show(abs(amount)),
        text=f"{words[name]}{portion}; {_most(found, name, amount)}",
        command=see,
        money=abs(amount),
        evidence={"amount": amount, "share": share},
    )


def _most(found: Reconciliation, name: str, amount: float) -> str:
    """Where most of a cause is, in words."""
    ordered = found.cells.sort(name, descending=amount > 0, nulls_last=True)
    cells = ordered.filter(pl.col(name) != 0)
    top = cells.row(0, named=True)
    place = " on ".join(
        str(top[key]) for key in reversed(found.by) if key in ("day", "model") and top[key] is not None
    )
    if cells.height == 1:
        return f"all of it {place}"
    return f"most of it {place} ({USD.show(abs(top[name]) / NANO)}), in {COUNT.show(cells.height)} places"


def _see(found: Reconciliation, name: str, command: Command, exports: Sequence[str]) -> str | None:
    """A command that shows more of a cause, or leaves out what is only late."""
    if name == "not_in_logs":
        return Command(tuple(exports)).paste(by=",".join(found.by))
    if name == "not_on_bill" and _is_later(found, found.last):
        return replace(command, repeated=(*command.repeated, *(("--with", path) for path in exports))).paste(
            "reconcile", until=f"{found.last}"
        )
    return None


def _is_later(found: Reconciliation, last: date | None) -> bool:
    return last is not None and bool((found.cells["day"] > last).any())
