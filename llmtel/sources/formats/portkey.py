"""Portkey log exports, https://portkey.ai/docs/product/observability/logs-export.

Tokens are totals without a cache. Fallbacks and load balancing write a row for each attempt. The unit of
`cost` is not documented for exports; Portkey's analytics have cents.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from llmtel.sources import raw
from llmtel.sources.gateways import said
from llmtel.sources.nested import object_in
from llmtel.sources.outcome import ANSWERED, SUCCESS
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Record, Remark, Source

_CENTS = 100
_COST = raw.number("cost")
_DOLLARS = (raw.text("cost_currency").str.to_uppercase() == "USD").fill_null(value=True)
_PRICED = _DOLLARS & (_COST > 0)


def records(line: Record) -> Iterable[Record]:
    """The row, with its metadata opened."""
    return [{**line, "metadata": object_in(line, "metadata")}]


SOURCES = (
    Source(
        name="portkey",
        help="Portkey log exports (JSON lines); costs are taken to be cents, as in Portkey's analytics",
        link="https://portkey.ai/docs/product/observability/logs-export",
        evidence="documented",
        utc=True,
        marks=(Mark(all=("ai_org", "req_units")),),
        records=records,
        remarks={
            "cents": Remark(
                _PRICED,
                "{n} {cost was|costs were} read as cents, Portkey's unit; compare with --cost computed",
            )
        },
        calls={
            "ts": raw.time("created_at"),
            "latency_ms": raw.number("response_time"),
            "call_id": raw.text("id"),
            "trace": raw.text("trace_id"),
            "provider": raw.text("ai_org"),
            "model": raw.text("ai_model"),
            **said("metadata"),
            "prompt": raw.text("prompt_slug"),
            "input_uncached": raw.count("req_units"),
            "output_text": raw.count("res_units"),
            "cost_logged": pl.when(_DOLLARS).then(_COST / _CENTS),
            "http_status": raw.code("response_status_code"),
            SUCCESS: raw.flag("is_success"),
            ANSWERED: raw.code("response_status_code").is_between(100, 399),
        },
        sample=lines(r"""
            {"id":"p1","trace_id":"t1","created_at":"2026-09-01T10:00:00Z","is_success":true,
              "ai_org":"openai","ai_model":"gpt-5-mini","req_units":90,"res_units":12,"total_units":102,
              "cost":0.05,"cost_currency":"USD","response_time":1300,"response_status_code":200,
              "mode":"fallback","prompt_slug":"greet","metadata":"{\"_user\":\"u1\"}"}
            {"id":"p2","trace_id":"t1","created_at":"2026-09-01T10:00:00Z","is_success":false,
              "ai_org":"anthropic","ai_model":"claude-haiku-4-5","req_units":0,"res_units":0,"cost":0,
              "response_time":80,"response_status_code":529,"mode":"fallback"}
        """),
        expect=rows("""
            {"call_id": "p1", "trace": "t1", "input_uncached": 90, "output_text": 12, "cache_read": null,
              "latency_ms": 1300.0, "cost_logged": 0.0005, "user": "u1", "prompt": "greet", "status": "ok"}
            {"call_id": "p2", "status": "error", "error": "http_5xx", "input_uncached": null}
        """),
    ),
)
