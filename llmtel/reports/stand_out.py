"""What stands out: every finding about a set of calls, in order of what it touches."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from msgspec import Struct

from llmtel.core.answers import Block, Finding, Findings, Line, Table
from llmtel.core.schema import nameless
from llmtel.findings import (
    bursts,
    changes,
    costs,
    coverage,
    cube,
    drop_off,
    grounds,
    joined,
    prompts,
    segments,
)
from llmtel.query.lower import SAMPLE
from llmtel.query.sums import Sums
from llmtel.reports import headline
from llmtel.reports.context import Context
from llmtel.reports.trust import in_calls

MOST_SHOWN = 5
MOST_STANZAS = 2
LEVELS = ("error", "warning", "info")


class Grounds(Struct, frozen=True):
    """What findings rest on: the sums of a cube, those of failures by day or hour, and where users leave."""

    cube: pl.DataFrame
    failures: pl.DataFrame
    leaving: Sequence[Finding]


def asked(calls: pl.DataFrame, context: Context) -> tuple[Sums, Sums]:
    """The sums of `Grounds`, in order, to be made with other answers."""
    return cube.asked(calls, context.tz), bursts.asked(calls, context.tz)


def leaving(calls: pl.DataFrame, context: Context) -> list[Finding]:
    """Where users leave, which rests on no sums and may be found meanwhile."""
    return drop_off.drop_off(calls, context.command)


def findings(
    calls: pl.DataFrame, context: Context, tables: Sequence[Table], made: Grounds
) -> tuple[Finding, ...]:
    """All findings about `calls`, the `tables` and the sums made of them, ranked."""
    if calls.is_empty():
        nothing = [empty(context)] if is_empty(calls, context) else []
        return ranked([*about_coverage(calls, context, tables), *nothing], 0, 0)
    if context.sharing is not None:
        calls = nameless(calls)
    sums = cube.cube_of(made.cube)
    found = [*about_coverage(calls, context, tables), *_about_calls(calls, sums, made, context)]
    return ranked(found, sums.total("cost"), sums.total("calls"))


def _about_calls(calls: pl.DataFrame, sums: cube.Cube, made: Grounds, context: Context) -> list[Finding]:
    return [
        *changes.largest_change(calls, sums, context.command, context.tz),
        *segments.far_from_siblings(calls, sums, context.command),
        *bursts.burst(calls, context.command, context.tz, made.failures),
        *prompts.dearer_and_liked_less(sums, context.command),
        *made.leaving,
    ]


def about_coverage(calls: pl.DataFrame, context: Context, tables: Sequence[Table]) -> list[Finding]:
    """What the numbers leave out, and where they rest on little."""
    return [
        *coverage.rejected(context.account, context.rejects, context.command),
        *coverage.unreadable(context.account, context.command),
        *joined.unmatched(context.unmatched, context.command),
        *joined.several_formats(context.notes, context.command),
        *coverage.unpriced(calls, context.command, context.alias),
        *coverage.few_calls(tables, context.command),
        *_about_money(calls, context),
    ]


def _about_money(calls: pl.DataFrame, context: Context) -> list[Finding]:
    """What the costs rest on, and what they would be."""
    spent = float(calls.select((pl.col("cost_usd") * SAMPLE).sum()).item())
    # The log says nothing of prices that are imagined, so there is nothing to compare.
    compared = (
        costs.what_if(calls, context.what_if, context.command)
        if context.what_if
        else costs.differing(calls, context.command)
    )
    return [
        *compared,
        *grounds.lower_bound(calls, context.command),
        *costs.credits_used(context.credits, spent),
        *costs.stale_book(context.prices.as_of, context.today, calls),
    ]


def is_empty(calls: pl.DataFrame, context: Context) -> bool:
    """Whether nothing is reported on: neither calls nor rollups of them."""
    return calls.is_empty() and (context.cells is None or context.cells.is_empty())


def empty(context: Context) -> Finding:
    """There is nothing to report, and why."""
    return Finding(level="info", kind="no_calls", figure="0", text=_why_empty(context), cells=())


def _why_empty(context: Context) -> str:
    account = context.account
    options = {"--where": context.command.where, **context.command.options}
    narrowed = " and ".join(name for name in ("--where", "--since", "--until") if options.get(name))
    span = headline.span_of(*context.covered, context.tz)
    if account.calls:
        when = f"; they are of {span}" if span else ""
        return f"of {in_calls(account.calls, account.noun)} pass {narrowed}{when}"
    if span and narrowed:  # of a store other days are not read
        return f"{account.noun}s pass {narrowed}; those of the store are of {span}"
    if account.other:
        return "calls: no record tells of one, or of usage; llmtel inspect says how a file is read"
    return "no calls"


def ranked(found: Sequence[Finding], cost: float, calls: float) -> tuple[Finding, ...]:
    """Errors first, then by the share of all money that is at stake, or, where none is, of all calls."""

    def weight(finding: Finding) -> float:
        if finding.money and cost:
            return finding.money / cost
        return finding.calls / calls if calls else 0.0

    return tuple(sorted(found, key=lambda f: (LEVELS.index(f.level), -weight(f), f.kind)))


def blocks(found: Sequence[Finding]) -> list[Block]:
    """The first findings, and below them what gives the unpriced models among them a price."""
    if not found:
        return []
    shown = found[:MOST_SHOWN]
    models = [m for f in shown if f.kind == "unpriced" for m in f.evidence["models"][:MOST_STANZAS]]
    return [Findings("What stands out", tuple(shown)), *map(price_hint, models)]


def price_hint(model: Mapping[str, Any]) -> Line:
    """How an unpriced model gets a price, on one line: an alias for a price file, or an option to fill in."""
    head, *rest = model["alias"].splitlines()
    if head != "aliases:" or len(rest) != 1:
        return Line(
            f"--price {shlex.quote(model['model'])}=INPUT/OUTPUT, in $ per million tokens", name="PRICE"
        )
    entry, _, others = rest[0].strip().partition("  # ")
    return Line(
        f"aliases: {{{entry}}}  # in a file for --pricing{'; ' if others else ''}{others}", name="PRICE"
    )
