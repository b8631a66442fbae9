"""Logs of Inspect (`inspect_ai`): https://inspect.aisi.org.uk/eval-logs.html.

A call is a model event of a sample. Its usage stands again in the sample and in the statistics of the whole
log; its own clock leaves out the time that it waited for its turn. Newer versions count the input without
the cache, older ones with it: the total tells.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.harnesses import events
from llmtel.sources.outcome import ANSWERED, TEXT
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Remark, Source
from llmtel.sources.usage import leaves

_ASKED, _STOP = raw.text("asked"), raw.text("stop")
_REPLAYED = (raw.text("cache") == "read").fill_null(value=False)


def _asked(value: pl.Expr) -> pl.Expr:
    """`value` where a model was asked, not Inspect's cache."""
    return pl.when(~_REPLAYED).then(value)


SOURCES = (
    Source(
        name="inspect_ai",
        help="Inspect evaluation logs in JSON (`inspect log dump FILE.eval` makes them); how a "
        "failed call is logged is unverified",
        link="https://inspect.aisi.org.uk/eval-logs.html",
        marks=(Mark(all=("eval.task", "stats"), any=("samples", "results", "plan")),),
        records=events,
        keep=raw.flag("is_call"),
        calls={
            "ts": raw.time("timestamp"),
            "latency_ms": _asked(raw.number("seconds") * 1000),
            "call_id": _asked(raw.text("id")),
            "response_id": _asked(raw.text("id")),
            "request_count": pl.when(_REPLAYED).then(0).otherwise(1),
            "provider": _ASKED.str.extract("^([^/]+)/"),
            "model": pl.coalesce(raw.text("model"), _ASKED),
            "model_requested": pl.coalesce(raw.text("requested"), _ASKED),
            "agent": raw.text("role"),
            "session": raw.text("sample"),
            "case": raw.text("case"),
            "feature": raw.text("task"),
            "trace": raw.text("run"),
            "service_tier": raw.text("tier"),
            "retries": raw.count("retries"),
            **leaves(
                input=_asked(raw.count("input")),
                output=_asked(raw.count("output")),
                cache_read=_asked(raw.count("cached")),
                cache_write=_asked(raw.count("written")),
                reasoning=_asked(raw.count("reasoning")),
                total=raw.count("total"),
            ),
            "cost_logged": _asked(raw.number("cost")),
            "finish_reason": _STOP,
            TEXT: raw.text("error", "failure"),
            ANSWERED: _STOP.is_not_null(),
        },
        remarks={
            "replayed": Remark(
                _REPLAYED, "{n} {answer|answers} came from Inspect's cache: no model was asked"
            )
        },
        sample=lines("""
            {"version":2,"status":"success","eval":{"task":"sums","run_id":"r1","model":"openai/gpt-5"},
              "plan":{},"stats":{"model_usage":{"openai/gpt-5":{"input_tokens":300,"output_tokens":50}}},
              "samples":[{"id":"sum-1","uuid":"u1","model_usage":{"openai/gpt-5":{"input_tokens":300,
              "output_tokens":50}},"events":[{"event":"sample_init"},{"event":"model","model":"openai/gpt-5",
              "timestamp":"2026-09-01T12:00:00+02:00","working_time":1.5,"output":{"model":"gpt-5-2025-08-07",
              "choices":[{"stop_reason":"stop"}],"usage":{"input_tokens":300,"output_tokens":50,
              "total_tokens":350,"input_tokens_cache_read":100,"reasoning_tokens":20}},"call":{"response":{
              "id":"chatcmpl-1","service_tier":"default"}}},{"event":"model","model":"openai/gpt-5",
              "cache":"read","timestamp":"2026-09-01T12:00:03+02:00","working_time":0.001,"output":{
              "model":"gpt-5-2025-08-07","choices":[{"stop_reason":"stop"}],"usage":{"input_tokens":300,
              "output_tokens":50,"total_tokens":350}},"call":{"response":{"id":"chatcmpl-1"}}},{
              "event":"model","model":"openai/gpt-5","role":"grader","timestamp":"2026-09-01T12:00:04+02:00",
              "error":"Request timed out.","output":{"model":"openai/gpt-5","choices":[]}}]}]}
        """),
        expect=rows("""
            {"response_id": "chatcmpl-1", "provider": "openai", "model": "gpt-5-2025-08-07",
              "latency_ms": 1500.0, "session": "u1", "case": "sum-1", "feature": "sums", "trace": "r1",
              "input_uncached": 200, "cache_read": 100, "output_text": 30, "reasoning": 20,
              "finish_reason": "stop", "service_tier": "default", "status": "ok", "request_count": 1}
            {"request_count": 0, "input_uncached": null, "latency_ms": null, "call_id": null}
            {"status": "error", "error": "timeout", "agent": "grader", "input_uncached": null}
        """),
    ),
)
