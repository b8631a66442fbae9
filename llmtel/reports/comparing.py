"""The report of `llmtel compare`: every metric on both sides, and the bridge between the costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
from msgspec import Struct, structs

from llmtel.checks import why
from llmtel.checks.cells import CELL_BY
from llmtel.checks.check import Report
from llmtel.checks.comparison import Compared, Word, compared, mixed
from llmtel.checks.daily import daily
from llmtel.checks.evidence import Traffic
from llmtel.checks.rules import Rule, RuleSet
from llmtel.checks.side import Side
from llmtel.core.answers import Block, Change, Column, Document, Line, Moved, Row, Table
from llmtel.core.units import USD
from llmtel.query.dimensions import dimension
from llmtel.query.query import Query
from llmtel.reports import judging
from llmtel.reports.causes import Grounds, bridged, moved_cases
from llmtel.reports.checking import side_meta
from llmtel.reports.compared import RAW, SHOWN, shown_of, table
from llmtel.reports.context import Context
from llmtel.reports.moves import a_day, by_the_day, mixes
from llmtel.reports.trust import in_calls, price_line, records, remarks

METRICS_SHOWN = (
    "cost", "calls", "requests", "cost_per_call", "cost_per_user", "cost_per_session", "tokens_per_call",
    "input_tokens_per_call", "output_tokens_per_call", "cache_hit_rate", "p50_latency", "p95_latency",
    "p99_latency", "p95_ttft", "output_tokens_per_second", "error_rate", "rate_limit_rate", "timeout_rate",
    "truncation_rate", "retry_rate", "unpriced_calls", "thumbs_up_rate", "mean_rating", "regeneration_rate",
)  # fmt: skip
SPLIT_SHOWN = ("cost", "calls", "cost_per_call", "p95_latency", "error_rate")


class Comparison(Struct, frozen=True):
    """Both sides measured by the same rules, and their calls where at hand.

    `method` is a key of `why.METHODS`. `by_case` are as many cases to show, where they are asked for.
    """

    rules: Sequence[Rule]
    base: Side
    current: Side
    grounds: Grounds
    seed: str = ""
    by_case: int = 0
    method: why.Method = "shapley"


def default(sides: Sequence[pl.DataFrame], *, split: bool) -> tuple[str, ...]:
    """The metrics to compare where none are named: those that the calls of a side know something of."""
    names = SPLIT_SHOWN if split else METRICS_SHOWN
    rows = [Query(names).run(calls).rows[0] for calls in sides]
    # A provider's sums know requests, and no calls.
    known = [
        name
        for name in names
        if any(row[name] is not None and (row["calls"] or name != "calls") for row in rows)
    ]
    return tuple(known) or ("calls",)


def comparing(what: Comparison, context: Context) -> Document:
    """The answer: the sides, why the cost is another, and every metric."""
    everything = compared(what.rules, what.current, what.base, seed=what.seed)
    known = [c for c in everything if (c.evidence.base, c.evidence.current) != (None, None)]
    found = _by_segment(known)
    by = what.rules[0].split.by if what.rules else ()
    tables = table(found, by, RAW, shown=False), table(found, by, shown_of(what.current), shown=True)
    raw, people = _guarded(tables, found, what.grounds, context)
    change, meta = _bridge(what)
    if context.sharing is not None:
        change = context.sharing.change(change, _sides(what.grounds), CELL_BY)
    earlier = what.grounds.before
    days, by_day = a_day(None if earlier is None else daily(earlier, what.grounds.after))
    moves = mixed(what.rules, what.current, what.base)
    blocks: list[Block] = [
        Line(" → ".join(_side(side) for side in (what.base, what.current)), name="compare"),
        *([change] if change else []),
        people,
        *([days] if days else []),
        *by_the_day(found),
        *(() if _hides(raw) else mixes(moves, by)),
        *_cases(what),
        Line(_tested([one.word for one in found])),
        *(
            [Line(" · ".join((records(context.account), price_line(context.prices))))]
            if context.account.files
            else []
        ),
        *remarks(context.notes, context.shown_rejects()),
    ]
    return Document(
        schema=context.schema,
        title="Comparison",
        blocks=tuple(blocks),
        tables=(raw, *_case_tables(what, shown=False)),
        meta={
            **context.meta(what.grounds.after),
            "before": side_meta(what.base),
            "now": side_meta(what.current),
            "bridge": meta,
            "daily": by_day,
            "mixes": [structs.asdict(one) for one in moves],
        },
    )


def _sides(grounds: Grounds) -> list[pl.DataFrame]:
    """The calls of both sides, as far as they are at hand."""
    return [side for side in (grounds.before, grounds.after) if side is not None]


def _guarded(
    tables: Sequence[Table], found: Sequence[Compared], grounds: Grounds, context: Context
) -> Sequence[Table]:
    """The tables, whose rows are `found`, as they may be shown to others, if they are for them."""
    if context.sharing is None:
        return tables
    by, keys = tables[0].by, list(dict.fromkeys(one.key for one in found))
    segments = context.sharing.segments(_sides(grounds), [((), by, keys)], context.tz)
    why = dict(zip(keys, segments[0], strict=True))
    reasons = [why[one.key] for one in found]
    return [context.sharing.hidden(table, reasons, kept=("metric",)) for table in tables]


def _hides(table: Table) -> bool:
    return any(row.get("suppressed") for row in table.rows)


def _by_segment(found: Sequence[Compared]) -> list[Compared]:
    """All metrics of a segment together, segments in the order of their first."""
    places = {key: i for i, key in enumerate(dict.fromkeys(one.key for one in found))}
    return sorted(found, key=lambda one: places[one.key])


def _cases(what: Comparison) -> list[Block]:
    """The cases that moved most, or that there are none."""
    tables = _case_tables(what, shown=True)
    return [*tables] if tables or not what.by_case else [Line("none is on both sides", name="cases")]


def _case_tables(what: Comparison, *, shown: bool) -> list[Table]:
    """The cases that moved most, a table for each metric and segment that keeps them."""
    if not what.by_case:
        return []
    places = [(rule, key) for rule in what.rules for key in what.current.splits.get(rule.split, {})]
    case = Column("case", "case", dimension("case").help, "dimension")
    columns = (case, *(SHOWN if shown else RAW)[1:4], *(() if shown else RAW[4:5]))
    tables = []
    for rule, key in places:
        cases = moved_cases(rule, key, (what.base, what.current), what.grounds.after)[: what.by_case]
        rows = [_case_row(one, shown=shown) for one in cases]
        if rows:
            kept = () if shown else tuple(column.id for column in columns[1:])
            tables.append(Table(("case",), kept, columns, rows, title=rule.segment(key)))
    return tables


def _case_row(case: Moved, *, shown: bool) -> Row:
    if shown:
        return {"case": case.name, "before": case.before, "now": case.now, "change": case.change}
    return {
        "case": case.name,
        "before": case.base,
        "now": case.current,
        "abs": case.current - case.base,
        "rel": case.current / case.base - 1 if case.base > 0 else None,
    }


def _tested(words: Sequence[Word]) -> str:
    """How many numbers were tested, and how many of them moved beyond noise."""
    n = sum(word in ("better", "worse", "moved", "noise") for word in words)
    if not n:
        return "nothing here is tested for noise: " + (
            "these are totals" if set(words) <= {"untested"} else "a side has too few calls, or none"
        )
    proven = [f"{words.count(w)} {w}" for w in ("better", "worse", "moved") if w in words]
    said = f"{in_calls(n, 'comparison')}: {', '.join(proven) or 'none'} beyond noise"
    return f"{said}, at 95 % after the correction for so many (Benjamini-Hochberg)"


def _side(side: Side) -> str:
    days = f", {side.first:%Y-%m-%d} – {side.last:%Y-%m-%d}" if side.first and side.last else ""
    return f"{side.label} ({in_calls(side.calls, side.noun)}{days})"


def _bridge(what: Comparison) -> tuple[Change | None, dict[str, Any] | None]:
    """Why the cost is another: for people, and for machines."""
    report = Report((), what.current, what.base, Traffic(), RuleSet(()))
    found = bridged(report, what.grounds, what.method)
    if found is None:
        return None, None
    reasons = found.reasons
    difference = reasons.after - reasons.before
    title = f"cost {USD.show(reasons.before)} → {USD.show(reasons.after)} ({judging.signed(difference, USD)})"
    change = Change(title, found.causes, found.facts)
    return change, found.meta(what.method)
