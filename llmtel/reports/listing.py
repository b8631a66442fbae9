"""`llmtel calls`: the calls themselves, where each stands in its file, and no text of anybody."""

from __future__ import annotations

from collections.abc import Sequence
from os.path import commonprefix

import polars as pl
from msgspec.structs import replace

from llmtel.core.answers import Block, Column, Document, Findings, Line, Table, Value
from llmtel.core.catalog import unknown
from llmtel.core.errors import UnknownName
from llmtel.core.schema import FIELDS
from llmtel.core.units import COUNT, MS, TOKENS, USD
from llmtel.findings.cube import input_tokens, output_tokens
from llmtel.query.query import sort_key
from llmtel.reports import stand_out, trust
from llmtel.reports.context import Context
from llmtel.reports.trust import in_calls

SHOWN = (
    "ts", "model", "feature", "user", "session", "region", "latency_ms", "ttft_ms", "input_tokens",
    "output_tokens", "token_source", "cost_usd", "cost_logged", "status", "error", "http_status",
    "finish_reason", "call_id", "response_id", "price_id", "price_reason", "price_flags",
)  # fmt: skip
"""Fields (and two sums of fields); those that no listed call knows are left out, or that say nothing."""
USUAL = {"token_source": "logged"}
"""What a field says of most logs: one where every call says it is left out, unless it is sorted by."""
SUMS = {
    "input_tokens": Column("input_tokens", "in", "Input tokens", "field", TOKENS),
    "output_tokens": Column("output_tokens", "out", "Output tokens", "field", TOKENS),
}
LABELS = {
    "latency_ms": "latency",
    "ttft_ms": "ttft",
    "cost_usd": "cost",
    "cost_logged": "logged",
    "http_status": "http",
    "ts": "time",
    "token_source": "tokens",
}
OPTIONAL = (
    "price_flags", "token_source", "price_id", "price_reason", "cost_logged", "status", "response_id",
    "finish_reason", "http_status", "session", "ttft_ms", "region", "user", "call_id", "feature",
    "output_tokens", "input_tokens", "cost_usd", "latency_ms", "error",
)  # fmt: skip
"""What a narrow terminal leaves out, first to last, but for what the calls are sorted by."""
YEAR, DAY = len("2026"), len("2026-11-13")
WHERE = Column("where", "where", "File and line of the call", "field")


def listing(calls: pl.DataFrame, context: Context, *, sort: str | None, top: int | None) -> Document:
    """The first `top` calls by `sort` (a field; largest first, the time earliest first, unknown last).

    Raises `UnknownName` when there is no such field.
    """
    field, descending = order(sort)
    summed = calls.with_columns(input_tokens=input_tokens(), output_tokens=output_tokens())
    sharing = context.sharing
    fields = [name for name in dict.fromkeys([*SHOWN, field]) if sharing is None or not sharing.hides(name)]
    summed = (
        summed if sharing is None else sharing.listable(summed, [name for name in fields if name in FIELDS])
    )
    chosen = summed.sort(
        field, "ts", "file", "line", descending=[descending, False, False, False], nulls_last=True
    )
    if top is not None:
        chosen = chosen.head(top)
    names = [name for name in fields if name == field or _says_something(chosen[name])]
    rows = chosen.select(
        pl.col("ts").dt.convert_time_zone(context.tz).dt.to_string("%Y-%m-%dT%H:%M:%S%.3f%:z"),
        *(pl.col(name) for name in names if name != "ts"),
        pl.format("{}:{}", pl.col("file").fill_null("?"), pl.col("line").fill_null(0)).alias("where"),
    ).to_dicts()
    columns = (*(() if sharing else (WHERE,)), *(_column(name) for name in names))
    ids = [column.id for column in columns]
    table = Table(
        (),
        (),
        columns,
        [{i: row[i] for i in ids} for row in rows],
        title="calls",
        distinct=len(calls),
        least=None if sharing is None else sharing.k,
    )
    found = (stand_out.empty(context),) if calls.is_empty() else ()
    blocks: list[Block] = [Line(f"llmtel · {context.subject}")]
    blocks += (
        [Findings("What stands out", found)]
        if found
        else [
            _for_people(table, field, context.tz),
            Line(_counted(len(rows), len(summed), field, context.account.noun)),
            *_unlisted(len(calls) - len(summed), context),
        ]
    )
    blocks += trust.lines(replace(context, include_failed=True), timed=None)
    return Document(
        schema=context.schema,
        title="Calls",
        blocks=tuple(blocks),
        tables=(table,),
        findings=found,
        meta=context.meta(calls),
    )


def _says_something(column: pl.Series) -> bool:
    """Whether a listed call knows the field, and it is not what is to be expected of all."""
    values = column.drop_nulls()
    usual = USUAL.get(column.name)
    return not values.is_empty() and (usual is None or bool((values != usual).any()))


def _for_people(table: Table, field: str, tz: str) -> Table:
    """The table in few words: its title has the folder and the year or day that all rows share.

    Places name the rows, times are to the second, and what a narrow terminal may leave out is said.
    """
    places = [str(row.get("where", "")) for row in table.rows]
    times = [_short(row.get("ts")) for row in table.rows]
    folder = "".join(commonprefix(places).rpartition("/")[:2])  # noqa: RUF071 (up to a slash)
    shared = _shared([time for time in times if time])
    words = ("calls" + f" in {folder}" * bool(folder), ", ".join(filter(None, (shared, tz))))
    rows = [
        {
            **row,
            **({"where": place.removeprefix(folder)} if "where" in row else {}),
            **({"ts": time and time.removeprefix(shared).strip(" -")} if "ts" in row else {}),
        }
        for row, place, time in zip(table.rows, places, times, strict=True)
    ]
    return replace(
        table,
        title=" · ".join(words if any(times) else words[:1]),
        columns=tuple(replace(one, kind="dimension") if one is WHERE else one for one in table.columns),
        rows=rows,
        distinct=None,
        optional=tuple(name for name in OPTIONAL if name != field),
    )


def _short(ts: Value) -> str | None:
    """A time to the second, without the offset, which answers for machines have."""
    return ts[:19].replace("T", " ") if isinstance(ts, str) else None


def _shared(times: Sequence[str]) -> str:
    """The day or, at least, the year that all times have."""
    return next((times[0][:n] for n in (DAY, YEAR) if len({time[:n] for time in times}) == 1), "")


def order(sort: str | None) -> tuple[str, bool]:
    """The field to sort by, and whether the largest comes first. Raises `UsageError`."""
    name, descending = sort_key(sort or "ts")
    if name not in FIELDS and name not in SUMS:
        raise UnknownName(unknown("field", name, (*FIELDS, *SUMS)))
    return name, name != "ts" if descending is None else descending


def _column(name: str) -> Column:
    if name in SUMS:
        return SUMS[name]
    field = FIELDS[name]
    unit = {"latency_ms": MS, "ttft_ms": MS, "cost_usd": USD, "cost_logged": USD}.get(name)
    return Column(name, LABELS.get(name, name.replace("_", " ")), field.help, "field", unit)


def _unlisted(count: int, context: Context) -> list[Line]:
    """How many calls are not listed because they would say of whom they are."""
    if not count or context.sharing is None:
        return []
    who = f"fewer than {context.sharing.k} users have calls with the same words"
    return [Line(f"{in_calls(count, context.account.noun)} not listed: {who}", "shared")]


def _counted(shown: int, matching: int, field: str, noun: str) -> str:
    if shown == matching:
        return in_calls(matching, noun)
    return f"{COUNT.show(shown)} of {in_calls(matching, noun)}, by {field}; more with --top"
