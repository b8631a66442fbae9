"""Cloudflare AI Gateway's events by Logpush.

https://developers.cloudflare.com/logs/logpush/logpush-job/datasets/account/ai_gateway_events/. Texts are
encrypted and tokens are not counted: there are calls, errors, and in newer jobs cost and duration.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.gateways import said, unless_cached
from llmtel.sources.outcome import ANSWERED, TEXT
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source

_STATUS = raw.code("StatusCode")
_BLOCKED = 424
"""The status of a request that data loss prevention has stopped."""

SOURCES = (
    Source(
        name="cloudflare_logpush",
        help="Cloudflare AI Gateway events (Logpush); they have no token "
        "counts; which fields are readable is unverified",
        link="https://developers.cloudflare.com/logs/logpush/logpush-job/datasets/account/ai_gateway_events/",
        evidence="documented",
        utc=True,
        marks=(Mark(all=("Gateway", "Provider", "StatusCode")),),
        calls={
            **said("Metadata"),
            **unless_cached(
                raw.flag("Cached"), raw.number("Metrics.cost"), latency_ms=raw.number("Metrics.durationMs")
            ),
            "http_status": _STATUS,
            ANSWERED: _STATUS.is_between(100, 399),
            "ts": raw.time("Timestamp"),
            "provider": raw.text("Provider"),
            "model": raw.text("Model"),
            "model_requested": raw.text("RequestedModel"),
            "operation": raw.text("Endpoint"),
            TEXT: pl.when(raw.flag("RateLimited"))
            .then(pl.lit("rate_limit"))
            .when(_STATUS == _BLOCKED)
            .then(pl.lit("content_filter")),
        },
        sample=lines("""
            {"Gateway":"shop","Timestamp":"2026-09-01T10:00:00Z","Provider":"openai","Model":"gpt-5-mini",
              "RequestedModel":"dynamic/cheap","StatusCode":200,"Cached":false,"RateLimited":false,"Metrics":{
              "cost":0.0042,"durationMs":1234},"Metadata":{"type":"encrypted","data":"AA=="}}
            {"Gateway":"shop","Timestamp":1788256805000000000,"Provider":"openai","Model":"gpt-5-mini",
              "StatusCode":429,"Cached":false,"RateLimited":true}
        """),
        expect=rows("""
            {"model": "gpt-5-mini", "model_requested": "dynamic/cheap", "latency_ms": 1234.0,
              "cost_logged": 0.0042, "input_uncached": null, "status": "ok"}
            {"latency_ms": null, "cost_logged": null, "error": "rate_limit", "http_status": 429}
        """),
    ),
)
