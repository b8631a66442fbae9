"""The verdict in numbers: cards made of the total row, without those that no call knows anything about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

from msgspec.structs import replace

from llmtel.core.answers import Card, Headline, Row, Table, Value
from llmtel.core.units import COUNT, MS, SHARE, TOKENS, USD, Unit
from llmtel.findings.words import short_day
from llmtel.reports.trust import in_calls

CALLS = "calls"
METRICS = (
    CALLS,
    "requests",
    "sessions",
    "users",
    "cost",
    "cost_per_call",
    "priced_share",
    "unpriced_calls",
    "logged_cost",
    "total_tokens",
    "input_tokens",
    "output_tokens",
    "cache_hit_rate",
    "p50_latency",
    "p95_latency",
    "p99_latency",
    "errors",
    "error_rate",
    "retry_rate",
    "thumbs_up_rate",
    "feedback_rate",
    "regeneration_rate",
)
"""What the headline reads."""


def headline(
    total: Table,
    where: str,
    span: str,
    buckets: int = 0,
    cost_rests: Sequence[str] = (),
    tokens_rest: Sequence[str] = (),
) -> Headline:
    """The headline over the only row of `total`, which may be of a provider's `buckets`.

    `cost_rests` and `tokens_rest` say what of them rests on other than the book and logged tokens.
    """
    row = total.rows[0]
    cost, tokens = _resting(_cost(row), cost_rests), _resting(_tokens(row), tokens_rest)
    cards = (cost, _latency(row), _errors(row), tokens, _quality(row))
    counted = _requests(row, buckets) if buckets else in_calls(_number(row[CALLS]) or 0)
    return Headline(
        title=" · ".join(part for part in ("llmtel", where, span, counted) if part),
        cards=tuple(card for card in cards if card is not None),
    )


def _resting(card: Card | None, words: Sequence[str]) -> Card | None:
    """A card, if there is one, with what its number rests on."""
    return card and replace(card, lines=(*card.lines, *words))


def _requests(row: Row, buckets: int) -> str:
    """How many requests a provider's sums are about, or how many sums there are."""
    requests = _number(row["requests"])
    return in_calls(buckets, "bucket") if requests is None else in_calls(requests, "request")


def span_of(first: str | None, last: str | None, tz: str) -> str:
    """The time covered, in words: "26 Oct – 22 Nov 2026 · 28 days, UTC"."""
    if first is None or last is None:
        return ""
    start, end = datetime.fromisoformat(first).date(), datetime.fromisoformat(last).date()
    days = (end - start).days + 1
    return f"{_dates(start, end)} · {days} {'day' if days == 1 else 'days'}, {tz}"


def _dates(start: date, end: date) -> str:
    if start == end:
        return f"{short_day(end)} {end.year}"
    if (start.year, start.month) == (end.year, end.month):
        return f"{start.day}–{short_day(end)} {end.year}"
    year = f" {start.year}" if start.year != end.year else ""
    return f"{short_day(start)}{year} – {short_day(end)} {end.year}"


def _number(value: Value) -> float | None:
    return value if isinstance(value, int | float) else None


def _said(row: Row, name: str, unit: Unit, words: Callable[[str], str]) -> tuple[str, ...]:
    """A line of a card, nothing where the number is unknown."""
    value = _number(row.get(name))
    return () if value is None else (words(unit.show(value)),)


def _cost(row: Row) -> Card | None:
    if _number(row["cost"]) is None:
        logged = _said(row, "logged_cost", USD, "{} as logged".format)
        return Card("COST", "?", ("no call has a known cost", *logged)) if row[CALLS] else None
    return Card(
        "COST",
        USD.show(_number(row["cost"])),
        (
            *_said(row, "cost_per_call", USD, "{} per call".format),
            *_said(row, "priced_share", SHARE, "{} priced".format),
        ),
    )


def _latency(row: Row) -> Card | None:
    if _number(row["p50_latency"]) is None:
        return None
    lines = (
        *_said(row, "p95_latency", MS, "p95  {}".format),
        *_said(row, "p99_latency", MS, "p99  {}".format),
    )
    return Card("LATENCY", f"p50  {MS.show(_number(row['p50_latency']))}", lines)


def _errors(row: Row) -> Card | None:
    if _number(row["error_rate"]) is None:
        return None
    counted = f"{COUNT.show(_number(row['errors']))} of {COUNT.show(_number(row[CALLS]))}"
    retried = _said(row, "retry_rate", SHARE, "{} retried".format)
    return Card("ERRORS", SHARE.show(_number(row["error_rate"])), (counted, *retried))


def _tokens(row: Row) -> Card | None:
    if _number(row["total_tokens"]) is None:
        return None
    return Card(
        "TOKENS",
        TOKENS.show(_number(row["total_tokens"])),
        (
            *_said(row, "input_tokens", TOKENS, "{} in".format),
            *_said(row, "cache_hit_rate", SHARE, "{} cached".format),
        ),
    )


def _quality(row: Row) -> Card | None:
    lines = (
        *_said(row, "thumbs_up_rate", SHARE, "{} thumbs up".format),
        *_said(row, "feedback_rate", SHARE, "{} rated".format),
        *_said(row, "regeneration_rate", SHARE, "{} redone".format),
    )
    return Card("QUALITY", lines[0], lines[1:]) if lines else None
