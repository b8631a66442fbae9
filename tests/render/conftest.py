"""A document with every kind of block, as an overview has them, and makers of small ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from llmtel.core.answers import (
    Card,
    Column,
    Document,
    Finding,
    Findings,
    Headline,
    Line,
    Row,
    Series,
    Table,
    Timeline,
    Value,
)
from llmtel.core.units import COUNT, MS, SHARE, TOKENS, USD, Unit

METRICS: dict[str, tuple[str, Unit]] = {
    "cost": ("cost", USD),
    "calls": ("calls", COUNT),
    "cost_per_call": ("cost/call", USD),
    "input_tokens_per_call": ("in/call", TOKENS),
    "output_tokens_per_call": ("out/call", TOKENS),
    "p50_latency": ("p50", MS),
    "p99_latency": ("p99", MS),
    "error_rate": ("err", SHARE),
}
SHARE_COLUMN = Column("share", "share", "Part of the whole cost", kind="metric", unit=SHARE)
MODELS: dict[str | None, tuple[float | None, ...]] = {
    "claude-sonnet-4-5": (108.26, 1204, 0.0899, 14200, 4500, 2440, 16400, 0.032),
    "gpt-5": (58.1, 612, 0.0949, 16900, 8000, 5020, 24700, 0.034),
    "gemini-2.5-flash": (0.004, 901, 0.0000044, 94, 28, 810, 5100, 0.0),
    "acme-7b": (None, 64, None, 3300, 900, 470, None, 0.062),
    None: (1.43, 102, 0.014, 6000, 1500, 900, 6000, None),
}
TAIL = (16.58, 2129, 0.0078, 5100, 1800, 940, 6200, 0.023)


def columns(*ids: str) -> tuple[Column, ...]:
    return tuple(Column(i, METRICS[i][0], i, kind="metric", unit=METRICS[i][1]) for i in ids)


def model_table() -> Table:
    cost, *rest = columns(*METRICS)
    rows = [_row(name, numbers) for name, numbers in MODELS.items()]
    rows.append({**_row(None, TAIL), "pooled": True, "pooled_count": 7})
    dimension = Column("model", "model", "Model that answered", kind="dimension")
    return Table(
        ("model",),
        tuple(METRICS),
        (dimension, cost, SHARE_COLUMN, *rest),
        rows,
        title="model",
        distinct=12,
        bar="share",
        optional=("input_tokens_per_call", "output_tokens_per_call"),
    )


def _row(name: str | None, numbers: tuple[float | None, ...]) -> dict[str, Value]:
    share = None if numbers[0] is None else numbers[0] / 184.374
    return {"model": name, "share": share, **dict(zip(METRICS, numbers, strict=True))}


def total_table() -> Table:
    numbers: Row = dict(
        zip(METRICS, (184.374, 5012, 184.374 / 4948, 9480.5, 3360.25, 1310, 14200, 0.028), strict=True)
    )
    return Table((), tuple(METRICS), columns(*METRICS), [numbers], title="total")


DAYS = tuple(f"2026-10-{day}" for day in range(26, 32)) + tuple(f"2026-11-{day:02}" for day in range(1, 23))
COSTS = tuple(27.91 if day == 18 else 2.5 + day % 7 for day in range(28))
TIMELINE = Timeline(
    (
        Series("cost/day", USD, DAYS, COSTS),
        Series("errors %", SHARE, DAYS, tuple(None if day == 5 else 0.01 * (day % 3) for day in range(28))),
    )
)
HEADLINE = Headline(
    "llmtel · logs/ · 26 Oct – 22 Nov 2026 · 28 days, UTC",
    (
        Card("COST", "$184.37", ("$0.0373 per call", "98.7 % of calls")),
        Card("LATENCY", "p50  1.31 s", ("p99  14.2 s",)),
        Card("ERRORS", "2.8 %", ("141 of 5,012", "84 % retried")),
        Card("TOKENS", "64.4 M", ("47.5 M in", "40 % from cache")),
        Card("QUALITY", "87 % thumbs up", ("412 votes, 8 %",)),
    ),
)
FINDINGS = Findings(
    "What stands out",
    (
        Finding(
            "warning",
            "day_change",
            "report-writer cost 8× its usual day on Fri 13 Nov; 61 % of it is one user, u-0417",
            "$21.99",
            "llmtel analyze logs/ --where 'feature=report-writer' --by day,user",
            money=21.99,
            evidence={"feature": "report-writer"},
        ),
        Finding("error", "rejected", "of the records could not be read", "7 %"),
        Finding("info", "unpriced", "calls have no price: acme-7b", "64", "llmtel pricing explain acme-7b"),
    ),
)


@pytest.fixture
def overview() -> Document:
    """Every kind of block."""
    table, total = model_table(), total_table()
    blocks = (
        HEADLINE,
        TIMELINE,
        table,
        Line("rate_limit 74 · timeout 39 · http_5xx 17", name="ERRORS"),
        FINDINGS,
        Line("5 files, 2.6 MB · 5,055 records = 5,012 calls + 36 duplicates + 7 rejected (list: --rejects)"),
        Line("logs/a.jsonl:17: no JSON object", name="rejected", grave=True),
    )
    return Document(
        "llmtel.analyze/1",
        "Overview",
        blocks,
        tables=(total, table),
        findings=FINDINGS.findings,
        meta={"tool": {"name": "llmtel", "version": "0"}, "tz": "UTC", "range": [None, None]},
    )


@pytest.fixture
def by_user() -> Callable[..., Document]:
    """A maker of documents with one table over users of the given names."""
    return user_document


def user_document(*names: str | None, value: float | None = 1.5) -> Document:
    dimension = Column("user", "user", "User", kind="dimension")
    rows = [{"user": name, "cost": value} for name in names]
    table = Table(("user",), ("cost",), (dimension, *columns("cost")), rows, title="user")
    total = Table((), ("cost",), columns("cost"), [{"cost": value}])
    return Document("llmtel.analyze/1", "Usage", (table,), tables=(total, table))
