"""Cloudflare AI Gateway: logs from its API, and Logpush, https://developers.cloudflare.com/ai-gateway/.

The gateway counts tokens in and out, no more. What its own cache answered has cost nothing and took no
model's time. Logpush encrypts the texts and has no token counts: calls, errors, and in newer jobs cost and
duration.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from llmtel.sources import raw
from llmtel.sources.nested import object_in, objects_in
from llmtel.sources.outcome import ANSWERED, SUCCESS, TEXT
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Record, Source

_BLOCKED = 424
"""The status of a request that data loss prevention has stopped."""
_USERS, _SESSIONS = ("user", "user_id", "userId", "userID"), ("session", "session_id", "sessionId")
_FEATURES = ("feature", "route", "use_case", "app", "team", "project")


def records(line: Record) -> Iterable[Record]:
    """A request, or those of a page of the API, with what the application said of it."""
    found = objects_in(line, "result") if isinstance(line.get("result"), list) else [line]
    return [{**one, "metadata": object_in(one, "metadata")} for one in found]


def _said(at: str, names: tuple[str, ...]) -> pl.Expr:
    """What the application's own metadata says under one of some names."""
    return raw.text(*(f"{at}.{name}" for name in names))


def _calls(at: str, status: pl.Expr, cached: pl.Expr, cost: pl.Expr, took: pl.Expr) -> dict[str, pl.Expr]:
    hit = cached.fill_null(value=False)
    return {
        "latency_ms": pl.when(~hit).then(took),
        "cost_logged": pl.when(hit).then(0.0).otherwise(cost),
        "user": _said(at, _USERS),
        "session": _said(at, _SESSIONS),
        "feature": _said(at, _FEATURES),
        "http_status": status,
        TEXT: pl.when(status == _BLOCKED).then(pl.lit("content_filter")),
        ANSWERED: status.is_between(100, 399),
    }


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
            **_calls(
                "metadata",
                raw.code("status_code"),
                raw.flag("cached"),
                raw.number("cost"),
                raw.number("duration"),
            ),
            "ts": raw.time("created_at"),
            "call_id": raw.text("id"),
            "provider": raw.text("provider"),
            "model": raw.text("model"),
            "operation": raw.text("request_type"),
            "input_uncached": raw.count("tokens_in"),
            "output_text": raw.count("tokens_out"),
            SUCCESS: raw.flag("success"),
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
    Source(
        name="cloudflare_logpush",
        help="Cloudflare AI Gateway events (Logpush); they have no token "
        "counts; which fields are readable is unverified",
        link="https://developers.cloudflare.com/logs/logpush/logpush-job/datasets/account/ai_gateway_events/",
        evidence="documented",
        utc=True,
        marks=(Mark(all=("Gateway", "Provider", "StatusCode")),),
        calls={
            **_calls(
                "Metadata",
                raw.code("StatusCode"),
                raw.flag("Cached"),
                raw.number("Metrics.cost"),
                raw.number("Metrics.durationMs"),
            ),
            "ts": raw.time("Timestamp"),
            "provider": raw.text("Provider"),
            "model": raw.text("Model"),
            "model_requested": raw.text("RequestedModel"),
            "operation": raw.text("Endpoint"),
            TEXT: pl.when(raw.flag("RateLimited"))
            .then(pl.lit("rate_limit"))
            .when(raw.code("StatusCode") == _BLOCKED)
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
