"""The overview: what `llmtel analyze` says when it is not asked for anything in particular."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from functools import partial

import polars as pl
from msgspec.structs import replace

from llmtel.core.answers import Document, Finding, Line, Series, Table, Timeline
from llmtel.core.units import COUNT, SHARE, USD
from llmtel.findings import grounds
from llmtel.findings.drop_off import DROP_OFF
from llmtel.findings.grounds import cost_words, token_words
from llmtel.query.query import Query, run_beside
from llmtel.reports import headline, stand_out, trust
from llmtel.reports.context import Context
from llmtel.reports.lately import lately
from llmtel.reports.tables import are_buckets, default, for_people, timed, without_unknown

SPLITS: Mapping[str, int] = {"model": 10, "feature": 10, "user": 3}
"""The tables, and how many rows each shows before the tail is pooled."""
SPLITS_OF_BUCKETS: Mapping[str, int] = {"model": 10, "project": 10, "user": 3}
STEP_METRICS = ("cost", "calls", "error_rate")
STEP_METRICS_OF_BUCKETS = ("cost", "requests")
FEW_DAYS = 3
"""Fewer days than this are shown by the hour."""
ABSENT = {
    "latency_ms": "latency",
    "status": "outcomes",
    "cost_usd": "prices",
    "feature": "feature",
    "user": "user",
    "thumb": "feedback",
}
ABSENT_OF_BUCKETS = {
    "latency_ms": "latency and errors of single calls",
    "request_count": "requests",
    "input_uncached": "tokens",
    "cost_usd": "prices",
}


def overview(
    calls: pl.DataFrame, context: Context, *, top: int | None = None, sort: str | None = None
) -> Document:
    """The overview of `calls` (priced, all fields), as blocks for people; `tables` hold the total first."""
    first, last = context.range(calls)
    buckets = len(calls) if are_buckets(calls) else 0
    step = _step(first, last, daily=bool(buckets))
    splits = {
        name: n
        for name, n in (SPLITS_OF_BUCKETS if buckets else SPLITS).items()
        if context.knows(calls, name) and not (context.sharing and context.sharing.refuses(name))
    }
    query = partial(Query, tz=context.tz, include_failed=context.include_failed)
    # Polars lets Python go on, and neither keeps several cores busy all the time.
    with ThreadPoolExecutor(1) as meanwhile:
        leaving = meanwhile.submit(stand_out.leaving, calls, context)
        (total, errors, *tables), (known, cubed, failures) = run_beside(
            [
                query(headline.METRICS),
                query(("calls",), by=("error",)),
                *(
                    query(default(calls), by=(name,), sort=sort or "cost", top=top or n)
                    for name, n in splits.items()
                ),
                *([query(STEP_METRICS_OF_BUCKETS if buckets else STEP_METRICS, by=(step,))] if step else []),
            ],
            (grounds.asked(calls), *stand_out.asked(calls, context)),
            calls,
            context.cells,
        )
    made = stand_out.Grounds(cubed, failures, leaving.result())
    found = stand_out.findings(calls, context, tables[: len(splits)], made)
    (total, errors, *tables), found = context.guarded(calls, [total, errors, *tables], found)
    steps = tables.pop() if step else None
    split_tables = [replace(without_unknown(table), title=table.by[0]) for table in tables]
    known_by = grounds.coverage_of(known)
    change, change_meta = lately(calls, context)
    return Document(
        schema=context.schema,
        title="Overview",
        blocks=(
            headline.headline(
                total,
                context.subject,
                headline.span_of(first, last, context.tz),
                buckets,
                () if context.sharing else cost_words(known_by),
                () if context.sharing else token_words(known_by),
            ),
            *([timeline(steps)] if steps else []),
            *(for_people(table, total) for table in split_tables),
            *error_line(errors),
            *conversation_line(found),
            *([change] if change else []),
            *stand_out.blocks([finding for finding in found if finding.kind != DROP_OFF]),
            *trust.lines(context, timed=timed(calls, context), total=total, absent=_absent(calls, context)),
        ),
        tables=(
            without_unknown(total, () if buckets else (headline.CALLS,)),
            *split_tables,
            *([steps] if steps else []),
        ),
        findings=found,
        meta={**context.meta(calls, known_by), "change": change_meta},
    )


def _step(first: str | None, last: str | None, *, daily: bool) -> str | None:
    """What a step of the timeline is, a day where rows are `daily`; None where no call has a time."""
    if first is None or last is None:
        return None
    days = (date.fromisoformat(last[:10]) - date.fromisoformat(first[:10])).days + 1
    return "day" if daily or days >= FEW_DAYS else "hour"


def timeline(steps: Table) -> Timeline:
    """Cost, calls and error rate by day or hour; days without calls are gaps."""
    by = steps.by[0]
    rows = {str(row[by]): row for row in steps.rows if row[by] is not None and not row.get("pooled")}
    keys = _filled(sorted(rows)) if by == "day" else sorted(rows)
    wanted = (
        ("cost", f"cost/{by}", USD),
        ("calls", f"calls/{by}", COUNT),
        ("requests", f"requests/{by}", COUNT),
        ("error_rate", "errors %", SHARE),
    )
    series = (
        Series(label, unit, tuple(keys), tuple(_at(rows, key, metric) for key in keys))
        for metric, label, unit in wanted
    )
    return Timeline(tuple(one for one in series if any(value is not None for value in one.values)))


def _at(rows: Mapping[str, Mapping[str, object]], key: str, metric: str) -> float | None:
    value = rows[key].get(metric) if key in rows else None
    return float(value) if isinstance(value, int | float) else None


def _filled(days: Sequence[str]) -> list[str]:
    """Every day from the first to the last."""
    if not days:
        return []
    first, last = date.fromisoformat(days[0]), date.fromisoformat(days[-1])
    return [(first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)]


def error_line(errors: Table) -> list[Line]:
    """The kinds of errors on one line, most frequent first; nothing where none is known."""
    kinds = [
        (str(row["error"]), float(row["calls"] or 0), row.get("suppressed"))
        for row in errors.rows
        if row["error"] is not None
    ]
    kinds.sort(key=lambda kind: (-kind[1], kind[0]))
    words = [f"{kind} {f'({why})' if why else COUNT.show(n)}" for kind, n, why in kinds]
    return [Line(" · ".join(words), name="ERRORS")] if kinds else []


def conversation_line(found: Sequence[Finding]) -> list[Line]:
    """Where users leave, on a line of its own: nothing has happened that would have to be looked into."""
    return [Line(f"{one.figure} {one.text}", name="CONVERSATIONS") for one in found if one.kind == DROP_OFF]


def _absent(calls: pl.DataFrame, context: Context) -> list[str]:
    """What no call knows, in words; a provider's sums know nothing of single calls."""
    words = ABSENT_OF_BUCKETS if are_buckets(calls) else ABSENT
    hidden = context.sharing.left_out if context.sharing else ()
    unknown = [
        word for field, word in words.items() if field not in hidden and not context.knows(calls, field)
    ]
    return [] if calls.is_empty() else unknown
