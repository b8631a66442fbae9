"""What `llmtel reconcile` says: the bill beside what the logs come to, and where the difference is from."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from msgspec import Struct, field
from msgspec.structs import replace

from llmtel.core.account import Account, Note, Reject
from llmtel.core.answers import Block, Card, Column, Document, Finding, Headline, Line, Row, Table
from llmtel.core.schema import TIME
from llmtel.core.units import SHARE, TOKENS, USD, Unit
from llmtel.findings import gaps
from llmtel.query.allocation import allocated
from llmtel.query.reconciliation import CAUSES, Reconciliation, in_dollars
from llmtel.reports import headline, stand_out, trust
from llmtel.reports.context import Context, input_meta, remarks_meta
from llmtel.reports.reconciled import CAUSE, LEAF, MOSTLY, REMAINDER, SHOWN, WORDS, column_of

MOST_CELLS = 10
"""Cells that people are shown: those with the largest differences."""


class Exports(Struct, frozen=True):
    """The provider's side of a reconciliation: its paths, and what became of its records."""

    paths: tuple[str, ...]
    account: Account = field(default_factory=Account)
    rejects: Sequence[Reject] = ()
    notes: Sequence[Note] = ()


def reconciliation(
    found: Reconciliation,
    context: Context,
    exports: Exports,
    *,
    max_gap: float | None = None,
    allocate: str | None = None,
    unpriced: Sequence[Finding] = (),
) -> Document:
    """The document of a reconciliation.

    `max_gap` is the tolerance, `allocate` a dimension to bill to, `unpriced` what is to be said of calls
    without a price.
    """
    total = _table(found.summed(), ())
    splits = [_table(found.summed(name), (name,)) for name in found.by]
    cells = _table(found.cells, found.by)
    shares = [_allocation(found, allocate)] if allocate else []
    told = (*gaps.about_reconciliation(found, context.command, exports.paths, max_gap), *unpriced)
    (total, *splits, cells), told = context.guarded(_all_rows(found), [total, *splits, cells], told)
    return Document(
        schema=context.schema,
        title="Reconciliation",
        blocks=(
            _headline(total, found, context, exports, max_gap),
            *([_causes(total)] if total.rows[0]["difference"] else []),
            *(_for_people(table) for table in splits if table.by != ("day",) or len(table.rows) > 1),
            *_largest(cells),
            *_leaves(found, total.least),
            *(_allocation_for_people(table) for table in shares),
            *stand_out.blocks(told),
            *_trust(found, context, exports),
        ),
        tables=(total, *splits, *([cells] if len(found.by) > 1 else []), *shares),
        findings=told,
        meta=_meta(found, context, exports, max_gap),
    )


def _all_rows(found: Reconciliation) -> pl.DataFrame:
    """The calls, and of each cell a row of nobody, for what is billed and is in no log."""
    keys = found.cells.select(pl.col("day").cast(TIME).alias("ts"), *(n for n in found.by if n != "day"))
    return pl.concat([found.calls, keys.cast(dict.fromkeys(found.by[1:], pl.String))], how="diagonal_relaxed")


def _table(frame: pl.DataFrame, by: tuple[str, ...]) -> Table:
    """A table in dollars, without what is unknown in every row."""
    shown = in_dollars(frame).with_columns(pl.col(pl.Date).cast(pl.String))
    always = ("calls", "cost_computed", "cost_billed", "difference", *CAUSES, *by)
    names = [name for name in shown.columns if name in always or shown[name].count()]
    columns = tuple(column_of(name) for name in names)
    metrics = tuple(column.id for column in columns if column.kind == "metric")
    return Table(by, metrics, columns, shown.select(names).to_dicts(), title=", ".join(by))


def _headline(
    total: Table, found: Reconciliation, context: Context, exports: Exports, max_gap: float | None
) -> Headline:
    row, gap = total.rows[0], found.gap()
    days = [day and f"{day.isoformat()}T00:00:00" for day in (found.first, found.last)]
    span = headline.span_of(days[0] or None, days[1] or None, "UTC")
    counted = _number(row, "requests")
    requests = () if counted is None else (trust.in_calls(counted, "request"),)
    stated = () if found.states else ("its usage at list prices",)
    share = () if gap is None else (f"gap {SHARE.show(gap)} of the bill",)
    limit = () if max_gap is None else (f"tolerance {SHARE.show(max_gap)}",)
    title = ("llmtel", context.subject, f"against {' '.join(exports.paths)}", span)
    return Headline(
        title=" · ".join(part for part in title if part),
        cards=(
            Card("BILLED", USD.show(_number(row, "cost_billed")), (*requests, *stated)),
            Card(
                "COMPUTED",
                USD.show(_number(row, "cost_computed")),
                (
                    trust.in_calls(_number(row, "calls") or 0),
                    *_amount(row, "cost_logged", USD, "{} as logged"),
                ),
            ),
            Card("DIFFERENCE", USD.show(_number(row, "difference")), (*share, *limit)),
        ),
    )


def _number(row: Row, name: str) -> float | None:
    value = row.get(name)
    return value if isinstance(value, int | float) else None


def _amount(row: Row, name: str, unit: Unit, words: str) -> tuple[str, ...]:
    value = _number(row, name)
    return () if value is None else (words.format(unit.show(value)),)


def _causes(total: Table) -> Table:
    """The causes of the whole difference, largest first."""
    row = total.rows[0]
    billed = _number(row, "cost_billed")
    parts = sorted(
        ((name, amount) for name in CAUSES if (amount := _number(row, name))), key=lambda part: -abs(part[1])
    )
    columns = (
        CAUSE,
        Column("amount", "amount", "Part of the difference", "metric", USD),
        Column("of_bill", "of the bill", "Part of the difference ÷ billed", "metric", SHARE),
    )
    rows = [
        {"cause": WORDS[name][0], "amount": amount, "of_bill": amount / billed if billed else None}
        for name, amount in parts
    ]
    return Table(("cause",), ("amount", "of_bill"), columns, rows, title="the difference", least=total.least)


def _for_people(table: Table) -> Table:
    """A table with the largest cause in words in place of the amounts, and without the tokens."""
    shown = [column for column in table.columns if column.kind == "dimension" or column.id in SHOWN]
    return replace(
        table,
        metrics=tuple(column.id for column in shown if column.kind == "metric"),
        columns=(*shown, MOSTLY),
        rows=[{**row, MOSTLY.id: _mostly(row)} for row in table.rows],
        optional=("cost_logged", "requests", "calls"),
    )


def _mostly(row: Row) -> str | None:
    """The cause of most of a difference."""
    amounts = {name: abs(_number(row, name) or 0) for name in CAUSES}
    largest = max(CAUSES, key=lambda name: amounts[name])
    return WORDS[largest][0] if amounts[largest] else None


def _largest(cells: Table) -> list[Table]:
    """The cells with the largest differences, where there are more keys than one."""
    different = sorted(
        (row for row in cells.rows if _number(row, "difference")),
        key=lambda row: -abs(_number(row, "difference") or 0),
    )
    if len(cells.by) < 2 or not different:  # noqa: PLR2004 (two keys make a cell)
        return []
    return [replace(_for_people(replace(cells, rows=different[:MOST_CELLS])), title="largest differences")]


def _leaves(found: Reconciliation, least: int | None) -> list[Table]:
    """The tokens by field: in the logs, on the bill and the difference where both are known."""
    rows = [
        {"leaf": " + ".join(leaves), "logged": ours, "billed": theirs, "more": _less(theirs, ours)}
        for leaves, ours, theirs in found.tokens()
    ]
    if not any(one["billed"] is not None for one in rows):
        return []
    columns = (
        LEAF,
        Column("logged", "logged", "Tokens of the logs' calls", "metric", TOKENS),
        Column("billed", "billed", "Tokens on the bill", "metric", TOKENS),
        Column("more", "difference", "Billed − logged", "metric", TOKENS),
    )
    return [Table(("leaf",), ("logged", "billed", "more"), columns, rows, title="tokens", least=least)]


def _less(theirs: int | None, ours: int | None) -> int | None:
    return None if theirs is None or ours is None else theirs - ours


def _allocation(found: Reconciliation, name: str) -> Table:
    """The bill by a dimension of the logs, and what belongs to none of its values."""
    shares, remainder = allocated(found, name)
    rows: list[Row] = [{**row, REMAINDER.id: False} for row in in_dollars(shares).to_dicts()]
    left = None if remainder is None else remainder / 1e9
    rest = {name: None, "calls": None, "cost_computed": None, "cost_billed": left}
    help_ = f"{WORDS['cost_billed'][1]}, by the share of the computed cost"
    return Table(
        (name,),
        ("calls", "cost_computed", "cost_billed"),
        (
            Column(name, name.replace("_", " "), "What the bill is allocated to", "dimension"),
            REMAINDER,
            column_of("calls"),
            column_of("cost_computed"),
            replace(column_of("cost_billed"), help=help_),
        ),
        [*rows, {**rest, REMAINDER.id: True}],
        title=f"the bill by {name}",
    )


def _allocation_for_people(table: Table) -> Table:
    """The same with words for the remainder."""
    name = table.by[0]
    rows = [{**row, name: "(not in these logs)"} if row[REMAINDER.id] else row for row in table.rows]
    return replace(table, columns=tuple(c for c in table.columns if c.id != REMAINDER.id), rows=rows)


def _trust(found: Reconciliation, context: Context, exports: Exports) -> list[Block]:
    """What was read on both sides, at which prices, and what was not compared."""
    lines: list[Block] = [
        Line(
            f"the bill: {trust.files(exports.account)} · {trust.records(exports.account)}; "
            + ("costs as it states them" if found.states else "it states no costs")
        )
    ]
    if found.by == ("day",):
        lines.append(Line("the bill's costs are not split by model, so they are compared by day"))
    lines += (
        []
        if context.sharing
        else [
            Line(
                f"left out, {why}: {trust.in_calls(out.calls)}"
                + (f", {USD.show(out.cost)}" if out.cost is not None else "")
            )
            for why, out in found.left_out.items()
        ]
    )
    return [
        *trust.lines(context, timed=None),
        *lines,
        *trust.remarks(exports.notes, exports.rejects),
    ]


def _meta(
    found: Reconciliation, context: Context, exports: Exports, max_gap: float | None
) -> dict[str, object]:
    return {
        **context.meta(found.calls),
        "bill": {
            "input": input_meta(exports.account),
            "days": [found.first, found.last],
            "states_costs": found.states,
            **remarks_meta(exports.rejects, exports.notes),
        },
        "left_out": {why: {"calls": out.calls, "cost": out.cost} for why, out in found.left_out.items()},
        "gap": found.gap(),
        "max_gap": max_gap,
    }
