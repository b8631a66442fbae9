"""What a report says of rollups: which days are in them, what is approximate there, and what is not known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from llmtel.core.account import Note
from llmtel.core.units import COUNT
from llmtel.findings.words import short_day, span_words
from llmtel.query.dimensions import FINER_THAN_HOURS, dimension
from llmtel.query.histograms import ERROR
from llmtel.query.past import ROLLED_UP
from llmtel.query.rollup import BY, Rolled, calls_in, narrowed
from llmtel.query.timerange import TimeRange
from llmtel.reports.context import Context

KIND = "rolled_up"
_HOUR = timedelta(hours=1)


class Asked(Struct, frozen=True):
    """What was asked of the calls, as far as rollups answer otherwise: split `by`, times, and which costs.

    `book` is the SHA-256 of the prices of the other calls; `repriced`: costs are asked for that differ from
    those that count by default.
    """

    by: tuple[str, ...]
    tz: str
    span: TimeRange
    book: str
    repriced: bool


def told(
    cells: pl.DataFrame | None, condition: pl.Expr, asked: Asked
) -> tuple[Rolled | None, tuple[Note, ...]]:
    """What of a store's rollups meets a condition, and the sentences about it."""
    if cells is None:
        return None, ()
    found = narrowed(cells, condition)
    return found, _notes(found, asked)


def _notes(found: Rolled, asked: Asked) -> tuple[Note, ...]:
    """The sentences about the rollups that an answer rests on; none where it rests on none."""
    if found.unseen:
        text = (
            f"{_calls(found.unseen)} expired and left rollups, which have no {', '.join(found.untold)}: "
            "--where leaves them out"
        )
        return (_note(text, found.unseen),)
    if found.cells.is_empty():
        return ()
    head = (
        f"{_calls(found.calls)} of {_days(found.days)} from rollups: percentiles there within "
        f"{ERROR * 100:.1f} %, distinct users and sessions unknown; what stands out, why costs changed and "
        "what of them is known (coverage) are told of the other calls alone"
    )
    told = [
        head,
        *_split(asked.by),
        *_costs(found.cells, asked),
        *_hours(found.cells, asked.tz, asked.span),
    ]
    return tuple(_note(text, found.calls) for text in told)


def left_out(cells: pl.DataFrame | None) -> tuple[Note, ...]:
    """The sentence that calls of rollups are not in an answer that looks at single calls."""
    if cells is None or cells.is_empty():
        return ()
    n, days = calls_in(cells), cells["ts"].dt.date().unique().sort()
    text = f"not in this: {_calls(n)} of {_days(list(days))}, which expired and left only rollups"
    return (_note(text, n),)


def unless_before(context: Context, start: datetime) -> Context:
    """A context that says nothing of rollups, where none reaches into the time from `start` on."""
    if context.rolled_until is None or context.rolled_until >= start:
        return context
    return replace(context, notes=[note for note in context.notes if note.kind != KIND])


def of_both(context: Context, other: Context) -> Context:
    """A context that says of rollups what that of the other side of a comparison says too."""
    told = [note for note in other.notes if note.kind == KIND and note not in context.notes]
    return replace(context, notes=[*context.notes, *told])


def _note(text: str, n: float) -> Note:
    return Note(KIND, text, int(n))


def _calls(n: float) -> str:
    return f"{COUNT.show(n)} {'call' if n == 1 else 'calls'}"


def _days(days: Sequence[date]) -> str:
    first, last = days[0], days[-1]
    span = (
        span_words(first, last)
        if first.year == last.year
        else f"{short_day(first)} {first.year} – {short_day(last)}"
    )
    return f"{len(days):,} {'day' if len(days) == 1 else 'days'} ({span} {last.year})"


def _split(by: Sequence[str]) -> list[str]:
    """Where the calls of cells stand in a split that cells do not have."""
    unknown: list[str] = []
    other: list[str] = []
    for name in dict.fromkeys(by):
        dim = dimension(name)
        if not dim.needs <= {"ts", *BY} or name in FINER_THAN_HOURS:
            (other if dim.null == "none" else unknown).append(name)
    places = [(unknown, "(unknown)"), (other, ROLLED_UP)]
    return [
        f"rollups have no {', '.join(names)}: their calls stand under {at}" for names, at in places if names
    ]


def _costs(cells: pl.DataFrame, asked: Asked) -> list[str]:
    """That costs are frozen, where others may be asked for."""
    books = sorted(set(cells["book"].drop_nulls()))
    if not asked.repriced and books == [asked.book]:
        return []
    return [f"costs there are frozen at the prices {', '.join(f'#{one[:6]}' for one in books)}"]


def _hours(cells: pl.DataFrame, tz: str, span: TimeRange) -> list[str]:
    """That whole hours are counted, where the zone or the range cuts some in two."""
    said = []
    first, last = cells["ts"].min(), cells["ts"].max()
    ends = [at for at in (first, last) if isinstance(at, datetime)]
    offsets = [at.astimezone(ZoneInfo(tz)).utcoffset() or timedelta() for at in ends]
    if any(offset % _HOUR for offset in offsets):
        said.append(f"{tz} is off by part of an hour, so hours and days there are cut at whole hours of UTC")
    cuts = [at for at in (span.start, span.end) if at is not None and at.minute + at.second + at.microsecond]
    if any(ends[0] < at < ends[1] + _HOUR for at in cuts):
        said.append("--since and --until take whole hours there")
    return said
