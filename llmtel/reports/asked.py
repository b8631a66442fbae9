"""The report for a question: the tables that `--by` and `--metrics` ask for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import polars as pl
from msgspec.structs import replace

from llmtel.core.answers import Block, Document, Line, Table
from llmtel.core.units import MS, USD, Unit
from llmtel.query.query import Query, run_many
from llmtel.reports import headline, stand_out, trust
from llmtel.reports.context import Context
from llmtel.reports.tables import default, for_people, timed, without_unknown

ABOUT_MONEY = (
    "unpriced",
    "no_usage",
    "cost_differs",
    "reasoning_unknown",
    "what_if",
    "credits",
    "stale_book",
)
"""Findings that are no news where no number of money was asked for; machines get them all the same."""


def asked(
    calls: pl.DataFrame,
    context: Context,
    *,
    by: Sequence[tuple[str, ...]],
    metrics: Sequence[str] = (),
    sort: str | None = None,
    top: int | None = None,
) -> Document:
    """A table over each of `by` (none: the total), with `metrics` or those of the overview's tables."""
    wanted = tuple(metrics) or default(calls)
    query = partial(Query, wanted, tz=context.tz, include_failed=context.include_failed)
    queries = [query(), *(query(by=one, sort=sort, top=top) for one in by)]
    total, *tables = run_many(queries, calls, context.cells)
    if not metrics:
        total, tables = without_unknown(total), [without_unknown(table) for table in tables]
    tables = [replace(table, title=", ".join(table.by)) for table in tables]
    found = stand_out.ranked(stand_out.about_coverage(calls, context, tables), 0.0, float(len(calls)))
    if stand_out.is_empty(calls, context):
        found = (*found, stand_out.empty(context))
    (total, *tables), found = context.guarded(calls, [total, *tables], found)
    first, last = context.range(calls)
    span = headline.span_of(first, last, context.tz)
    blocks: list[Block] = [Line(" · ".join(p for p in ("llmtel", context.subject, span) if p))]
    shown = tables or [total]
    blocks += shown if metrics else [for_people(table, total) for table in shown]
    if tables:
        blocks.append(Line(_in_words(total), name="TOTAL"))
    priced = about_money(total)
    blocks += stand_out.blocks([f for f in found if priced or f.kind not in ABOUT_MONEY])
    timing = timed(calls, context) if _has_unit(total, MS) else None
    blocks += trust.lines(context, timed=timing, total=total, priced=priced)
    return Document(
        schema=context.schema,
        title="Usage",
        blocks=tuple(blocks),
        tables=(total, *tables),
        findings=found,
        meta=context.meta(calls),
    )


def about_money(table: Table) -> bool:
    """Whether a metric of the table rests on prices."""
    return _has_unit(table, USD) or not {"unpriced_calls", "priced_share"}.isdisjoint(table.metrics)


def _has_unit(table: Table, unit: Unit) -> bool:
    return any(column.unit is unit for column in table.columns)


def _in_words(total: Table) -> str:
    """The total on one line: each metric with its label."""
    row = total.rows[0]
    shown = []
    for name in total.metrics:
        column, value = total.column(name), row[name]
        if column.unit and isinstance(value, int | float):
            shown.append(f"{column.label} {column.unit.show(value)}")
    return " · ".join(shown)
