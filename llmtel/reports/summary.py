"""Bare `llmtel`: the agents of this machine, and what they cost today, in 7 and in 30 days of local time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl
from msgspec import Struct

from llmtel.core.answers import Block, Card, Column, Document, Headline, Line, Table, Value
from llmtel.core.units import COUNT, TOKENS, USD
from llmtel.query.query import Query
from llmtel.reports.context import TOOL, Prices
from llmtel.reports.trust import in_calls, price_line, size

METRICS = ("cost", "calls", "total_tokens", "unpriced_calls")
SPANS = (("TODAY", 1), ("7 DAYS", 7), ("30 DAYS", 30))
AGES = ((86_400, "d"), (3_600, "h"), (60, "min"))


class Folder(Struct, frozen=True):
    """A folder of an agent's transcripts; `age_s` are the seconds since one of its files last changed."""

    agent: str
    path: str
    files: int
    bytes: int
    age_s: float


def summary_of(
    calls: pl.DataFrame, folders: Sequence[Folder], *, now: datetime, prices: Prices, seconds: float
) -> Document:
    """The folders, and the cost of today, 7 and 30 days: days in the zone of `now`, today included."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    tables, cards = [], []
    for name, days in SPANS:
        within = calls.filter(pl.col("ts") >= midnight - timedelta(days=days - 1))
        total = Query(METRICS).run(within)
        tables.append(total)
        cards.append(_card(name, total))
    agents = {folder.agent for folder in folders}
    read = f"read {'all' if len(agents) > 1 else 'it'} in {seconds:.1f} s"
    blocks: list[Block] = [
        Headline("llmtel · this machine", tuple(cards)),
        _folders(folders),
        Line(f"{price_line(prices)} · local time ({now.tzname()}) · {read}"),
        Line(f"llmtel analyze {folders[0].path}", name="more"),
    ]
    meta = {
        "tool": TOOL,
        "spans": [{"name": name, "days": days} for name, days in SPANS],
    }
    return Document(
        schema="llmtel.summary/1", title="This machine", blocks=tuple(blocks), tables=tuple(tables), meta=meta
    )


def nothing_found(agents: Sequence[str]) -> Document:
    """None of the agents that were looked for has left transcripts here: what to do instead."""
    lines = (
        Line("No transcripts of coding agents on this machine."),
        Line(", ".join(agents), name="Looked for"),
        Line("llmtel analyze LOGS", name="Your own logs"),
        Line("llmtel --help", name="All commands"),
    )
    return Document(schema="llmtel.summary/1", title="This machine", blocks=lines)


def _card(name: str, total: Table) -> Card:
    row = total.rows[0]
    number = {key: value for key, value in row.items() if isinstance(value, int | float)}
    if not number.get("calls"):
        return Card(name, "–", ("no calls",))
    lines = [in_calls(number["calls"])]
    if "total_tokens" in number:
        lines.append(f"{TOKENS.show(number['total_tokens'])} tokens")
    if number.get("unpriced_calls"):
        lines.append(f"{in_calls(number['unpriced_calls'])} without a price")
    return Card(name, USD.show(number.get("cost")), tuple(lines))


def _folders(folders: Sequence[Folder]) -> Table:
    ids = {"agent": "Agent", "folder": "Folder", "files": "Files", "size": "Bytes", "last": "Last written"}
    rows: list[dict[str, Value]] = [
        {
            "agent": folder.agent,
            "folder": folder.path,
            "files": folder.files,
            "size": size(folder.bytes),
            "last": _ago(folder.age_s),
        }
        for folder in folders
    ]
    columns = tuple(
        Column(name, name, help_, "field", COUNT if name == "files" else None) for name, help_ in ids.items()
    )
    return Table((), (), columns, rows)


def _ago(seconds: float) -> str:
    for length, unit in AGES:
        if seconds >= length:
            return f"{seconds / length:.0f} {unit} ago"
    return "just now"
