"""promptfoo's results (`promptfoo eval -o results.json`): https://www.promptfoo.dev/docs/configuration/outputs/.

One call a test case, prompt and provider. A failed assertion is a bad answer, not a failed call; an answer
from promptfoo's own cache is no call. A result has no time of its own: it is dated by its run.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.harnesses import results
from llmtel.sources.outcome import ANSWERED, TEXT
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Remark, Source
from llmtel.sources.usage import leaves

_NO_MODELS = (
    "file", "http", "https", "ws", "wss", "exec", "python", "javascript", "golang", "ruby", "webhook", "echo"
)  # fmt: skip
_KINDS = "chat|completions?|messages|responses|embeddings?|text"
_BY_ASSERTION, _BY_ERROR = 1, 2
_PROVIDER = raw.text("provider")
_REPLAYED = raw.flag("cached").fill_null(value=False)
_VENDOR = _PROVIDER.str.extract("^([A-Za-z0-9_-]+):")
_IS_MODEL = ~_VENDOR.is_in(_NO_MODELS)


def _asked(value: pl.Expr) -> pl.Expr:
    """`value` where a model was asked, not promptfoo's cache."""
    return pl.when(~_REPLAYED).then(value)


SOURCES = (
    Source(
        name="promptfoo",
        help="promptfoo results in JSON or JSONL: one call per test case, prompt and provider",
        link="https://www.promptfoo.dev/docs/configuration/outputs/",
        evidence="documented",
        marks=(
            Mark(all=("results.results",), any=("evalId", "results.stats", "results.version")),
            Mark(all=("results", "stats", "version"), any=("results[0].promptIdx", "results[0].testIdx")),
            Mark(all=("promptIdx", "testIdx")),
        ),
        records=results,
        keep=raw.count("test").is_not_null() | _PROVIDER.is_not_null(),
        calls={
            "ts": raw.time("stamp"),
            "latency_ms": _asked(raw.number("ms")),
            "request_count": pl.when(_REPLAYED).then(0).otherwise(1),
            "provider": pl.when(_IS_MODEL).then(_VENDOR),
            "model": pl.when(_IS_MODEL).then(_PROVIDER.str.replace(f"^[^:]+:(?:(?:{_KINDS}):)?", "")),
            "trace": raw.text("run"),
            "case": raw.text("described", "test"),
            "prompt": raw.text("prompt", "prompt_index"),
            **leaves(
                input=_asked(raw.count("usage.prompt")),
                output=_asked(raw.count("usage.completion")),
                cache_read=_asked(raw.count("usage.completionDetails.cacheReadInputTokens")),
                cache_write=_asked(raw.count("usage.completionDetails.cacheCreationInputTokens")),
                reasoning=_asked(raw.count("usage.completionDetails.reasoning")),
                total=raw.count("usage.total"),
            ),
            "cost_logged": pl.when(raw.number("cost") > 0).then(_asked(raw.number("cost"))),
            "web_searches": raw.count("usage.webSearchRequests"),
            "finish_reason": raw.text("stop"),
            "rating": raw.number("score"),
            "resolved": raw.flag("success"),
            TEXT: pl.coalesce(
                raw.text("failed"),
                pl.when(raw.count("reason") == _BY_ERROR).then(raw.text("error").fill_null("error")),
                pl.when(raw.flag("refused")).then(pl.lit("refusal")),
            ),
            ANSWERED: raw.flag("answered") | (raw.count("reason") == _BY_ASSERTION),
        },
        remarks={
            "replayed": Remark(
                _REPLAYED, "{n} {answer|answers} came from promptfoo's cache: no model was asked"
            ),
            "dated_by_run": Remark(
                raw.text("stamp").is_not_null(),
                "{n} {record is dated by its|records are dated by their} evaluation",
            ),
        },
        tells=("id", "label", "promptId"),
        sample=lines("""
            {"evalId":"eval-1","results":{"version":3,"timestamp":"2026-09-01T10:00:00.000Z","stats":{
              "successes":1,"failures":1,"errors":1},"results":[{"promptIdx":0,"testIdx":0,"promptId":"p1",
              "provider":{"id":"openai:chat:gpt-5-mini","label":""},"testCase":{"description":"greets"},
              "response":{"output":"Hello","tokenUsage":{"total":50,"prompt":40,"completion":10,
              "completionDetails":{"reasoning":4}}},"success":true,"score":1,"failureReason":0,
              "latencyMs":800,"cost":0.0001},{"promptIdx":0,"testIdx":1,"promptId":"p1","provider":{
              "id":"bedrock:anthropic.claude-sonnet-4-6-v1:0"},"response":{"output":"No","tokenUsage":{
              "total":9,"cached":9},"cached":true},"success":false,"score":0.5,"failureReason":1,
              "error":"too short","latencyMs":3,"cost":0},{"promptIdx":0,"testIdx":2,"provider":{
              "id":"file://mine.py"},"response":{"error":"429 Too Many Requests"},"success":false,"score":0,
              "failureReason":2,"error":"429 Too Many Requests","latencyMs":40,"cost":0}]}}
        """),
        expect=rows("""
            {"provider": "openai", "model": "gpt-5-mini", "case": "greets", "prompt": "p1", "trace": "eval-1",
              "latency_ms": 800.0, "input_uncached": 40, "output_text": 6, "reasoning": 4,
              "cost_logged": 0.0001, "rating": 1.0, "resolved": true, "status": "ok"}
            {"request_count": 0, "model": "anthropic.claude-sonnet-4-6-v1:0", "case": "1", "latency_ms": null,
              "input_uncached": null, "cost_logged": null, "rating": 0.5, "resolved": false, "status": "ok",
              "error": null}
            {"provider": null, "model": null, "case": "2", "prompt": "0", "status": "error",
              "error": "rate_limit"}
        """),
    ),
)
