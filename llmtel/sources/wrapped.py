"""Provider responses in an application's own line: the body gives tokens and model, the line the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl
from msgspec.structs import replace

from llmtel.sources import raw
from llmtel.sources.aliases import places
from llmtel.sources.outcome import ANSWERED, SUCCESS, TEXT, WORD, joined
from llmtel.sources.outline import Outline
from llmtel.sources.source import Record, Remark, Source
from llmtel.sources.usage import MISMATCH, RECONCILED

FAMILY = "response"
TIMES_OF_A_LOG = (
    "timestamp", "ts", "time", "created_at", "createdAt", "@timestamp", "datetime", "datetime_utc", "date",
    "start_time", "startTime", "started_at", "startedAt", "request_time", "requestTime", "event_time",
    "eventTime", "logged_at", "loggedAt",
)  # fmt: skip
"""When a line was written: bodies of providers have `created` or none, and what else is in it is a log's."""
OF_A_LOG = ("type", "message", "sessionId", "call_type", "custom_id", *TIMES_OF_A_LOG)
"""What the line of a log has beside a usage; a bare usage that somebody kept has none of it."""
_BODY_KNOWS = frozenset({
    "response_id", "model", "finish_reason", "service_tier", "operation", "input_uncached", "cache_read",
    "cache_write_5m", "cache_write_1h", "input_audio", "output_text", "reasoning", "output_audio",
    "price_reason", RECONCILED, MISMATCH, "web_searches", "batch", WORD, SUCCESS, TEXT,
})  # fmt: skip
"""Fields that the body states better than the line around it."""
_BESIDE_A_BARE_BODY = frozenset({
    "ts", "latency_ms", "ttft_ms", "feature", "project", "api_key", "environment", "session", "variant",
    "agent", "branch", "case", "region", "retries", "thumb", "rating", "resolved", "regenerated", "corrected",
    "escalated", "hallucination", "sample_rate",
})  # fmt: skip
"""Fields that an application may have added to a body itself; the other names belong to the provider."""

Body = Callable[[str], dict[str, pl.Expr]]
"""The mapping of a body found at a prefix: "" or "response."."""


def bind(
    body: Body,
    records: Sequence[Record],
    source: Source,
    remarks: Callable[[str], Mapping[str, Remark]] | None = None,
) -> Source:
    """The mapping for a file: bodies where most of them are, overlaid by what the lines around them say.

    `remarks` are made for the bodies' prefix.
    """
    prefixes = Counter(found for record in records if (found := source.prefix_in(record)) is not None)
    at = prefixes.most_common(1)[0][0] if prefixes else ""
    inner = body(at)
    facts = places([_around(record, at) for record in records])
    if facts.keys().isdisjoint(("input", "output")):  # a total alone says no more than the body
        facts = {fact: found for fact, found in facts.items() if fact not in ("total", "unsplit")}
    outer = Outline(facts)
    around = outer.calls()
    if not at:
        around = {name: value for name, value in around.items() if name in _BESIDE_A_BARE_BODY}
    knows = _BODY_KNOWS if at else _BODY_KNOWS | {"ts"}
    calls = {name: _overlaid(name, inner, around, knows) for name in {**inner, **around}}
    failed = inner[TEXT].is_not_null() if TEXT in inner else pl.lit(value=False)
    keep = source.keep if source.keep is not None else inner[ANSWERED] | failed
    if at and "ts" in around:
        keep = keep | around["ts"].is_not_null() & (
            pl.coalesce(around.get(TEXT), around.get(WORD)).is_not_null()
        )
    told = remarks(at) if remarks is not None else source.remarks
    return replace(source, calls=calls, keep=keep, remarks=told, decisions=tuple(outer.decisions))


def _around(record: Record, at: str) -> dict[str, Any]:
    key = at.removesuffix(".")
    return {name: value for name, value in record.items() if name != key} if key else dict(record)


def _overlaid(
    name: str, inner: dict[str, pl.Expr], around: dict[str, pl.Expr], knows: frozenset[str]
) -> pl.Expr:
    if name not in inner or name not in around:
        return inner.get(name, around.get(name, pl.lit(None)))
    first, second = (inner, around) if name in knows else (around, inner)
    return pl.coalesce(first[name], second[name])


def error_text(at: str) -> pl.Expr:
    """The words of an error object."""
    return joined([raw.text(f"{at}error.{key}") for key in ("type", "code", "message")])


def error_http(at: str) -> pl.Expr:
    """The HTTP status that an error object's `code` is, when it is a number."""
    code = raw.text(f"{at}error.code").cast(pl.Int64, strict=False)
    return pl.when(code.is_between(100, 599)).then(code)
