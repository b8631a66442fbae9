"""Cloudflare AI Gateway: logs from its API, https://developers.cloudflare.com/ai-gateway/.

The gateway counts tokens in and out, no more. What its own cache answered has cost nothing and took no
model's time.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from llmtel.sources import raw
from llmtel.sources.gateways import said, unless_cached
from llmtel.sources.nested import object_in, objects_in
from llmtel.sources.outcome import ANSWERED, SUCCESS, TEXT
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Record, Source

_BLOCKED = 424
"""The status of a request that data loss prevention has stopped."""


def records(line: Record) -> Iterable[Record]:
    """A request, or those of a page of the API, with what the application said of it."""
    found = objects_in(line, "result") if isinstance(line.get("result"), list) else [line]
    return [{**one, "metadata": object_in(one, "metadata")} for one in found]


_STATUS = raw.code("status_code")

SOURCES = (
    Source(
        name="cloudflare_ai_gateway",
        help="Cloudflare AI Gateway logs (JSON of its API); tokens are totals, without those of a cache",
        link="https://developers.cloudflare.com/api/resources/ai_gateway/subresources/logs/methods/list/",
        evidence="documented",
        utc=True,
        marks=(
            Mark(all=("tokens_in", "tokens_out", "cached", "provider")),
            Mark(all=("result[0].tokens_in", "result[0].cached", "result[0].provider")),
        ),
        records=records,
        calls={
            **said("metadata"),
            **unless_cached(raw.flag("cached"), raw.number("cost"), latency_ms=raw.number("duration")),
            "ts": raw.time("created_at"),
            "call_id": raw.text("id"),
            "provider": raw.text("provider"),
            "model": raw.text("model"),
            "operation": raw.text("request_type"),
            "input_uncached": raw.count("tokens_in"),
            "output_text": raw.count("tokens_out"),
            "http_status": _STATUS,
            SUCCESS: raw.flag("success"),
            TEXT: pl.when(_STATUS == _BLOCKED).then(pl.lit("content_filter")),
            ANSWERED: _STATUS.is_between(100, 399),
        },
        sample=lines(r"""
            {"id":"c1","created_at":"2026-09-01T10:00:00Z","provider":"openai","model":"gpt-5-mini",
              "success":true,"status_code":200,"cached":false,"duration":1300,"tokens_in":90,"tokens_out":12,
              "cost":0.0002,"metadata":"{\"user\":\"u1\",\"feature\":\"search\"}"}
            {"id":"c2","created_at":"2026-09-01T10:00:05Z","provider":"openai","model":"gpt-5-mini",
              "success":true,"status_code":200,"cached":true,"duration":3,"tokens_in":90,"tokens_out":12,
              "cost":0.0002}
            {"id":"c3","created_at":"2026-09-01T10:00:09Z","provider":"openai","model":"gpt-5-mini",
              "success":false,"status_code":424,"cached":false,"duration":9,"tokens_in":0,"tokens_out":0}
        """),
        expect=rows("""
            {"call_id": "c1", "input_uncached": 90, "output_text": 12, "cache_read": null, "user": "u1",
              "feature": "search", "latency_ms": 1300.0, "cost_logged": 0.0002, "status": "ok"}
            {"call_id": "c2", "latency_ms": null, "cost_logged": 0.0, "status": "ok"}
            {"call_id": "c3", "error": "content_filter", "http_status": 424, "input_uncached": null}
        """),
    ),
)
