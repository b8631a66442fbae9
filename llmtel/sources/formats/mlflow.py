"""MLflow traces (`mlflow traces search --output json`): https://mlflow.org/docs/latest/genai/tracing."""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.mlflow_spans import spans
from llmtel.sources.outcome import SUCCESS, TEXT
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source
from llmtel.sources.usage import leaves

_RESPONSES = ("chatcmpl-", "resp_", "msg_", "gen-")
_ID = raw.text("id")
_CACHED = raw.count("usage.cache_read_input_tokens", "cached")
_WRITTEN = raw.count("usage.cache_creation_input_tokens")
_BESIDE = (raw.text("shape") == "anthropic").fill_null(value=False)
_CACHE_BESIDE = pl.when(_BESIDE).then(pl.sum_horizontal(_CACHED, _WRITTEN)).otherwise(0)

SOURCES = (
    Source(
        name="mlflow",
        help="MLflow traces with their spans, in JSON",
        link="https://mlflow.org/docs/latest/genai/tracing/",
        evidence="documented",
        marks=(
            Mark(all=("info", "data.spans"), any=("info.trace_id", "info.request_id")),
            Mark(all=("traces[0].info", "traces[0].data")),
        ),
        records=spans,
        keep=raw.text("span").is_not_null(),
        calls={
            "ts": raw.time("start"),
            "latency_ms": raw.number("took_ms"),
            "call_id": pl.concat_str(raw.text("trace"), raw.text("span"), separator="/"),
            "response_id": pl.when(
                pl.any_horizontal(_ID.str.starts_with(prefix) for prefix in _RESPONSES)
            ).then(_ID),
            "trace": raw.text("trace"),
            "session": raw.text("session"),
            "user": raw.text("user"),
            "feature": raw.text("name"),
            "operation": raw.text("type").str.to_lowercase(),
            "provider": raw.text("provider"),
            "model": raw.text("answered", "model", "asked", "requested"),
            "model_requested": raw.text("requested", "asked", "model"),
            **leaves(
                input=raw.count("usage.input_tokens") + _CACHE_BESIDE,
                output=raw.count("usage.output_tokens"),
                cache_read=_CACHED,
                cache_write=_WRITTEN,
                reasoning=raw.count("reasoning"),
                total=pl.when(~_BESIDE).then(raw.count("usage.total_tokens")),
            ),
            "cost_logged": raw.number("cost.total_cost"),
            "finish_reason": raw.text("stop", "stopped"),
            "thumb": raw.flag("thumb"),
            "rating": raw.number("rating"),
            SUCCESS: raw.flag("ok"),
            TEXT: pl.when(~raw.flag("ok")).then(raw.text("failure")),
        },
        sample=lines(r"""
            {"info":{"trace_id":"tr-1","request_time":"2026-09-01T10:00:00Z","state":"OK","trace_metadata":{
              "mlflow.trace.session":"s1","mlflow.trace.user":"u1",
              "mlflow.trace.tokenUsage":"{\"input_tokens\": 100, \"output_tokens\": 20}"},"tags":{
              "mlflow.traceName":"answer"},"assessments":[{"assessment_name":"helpful","feedback":{
              "value":true}}]},"data":{"spans":[{"span_id":"a","parent_span_id":null,"attributes":{
              "mlflow.spanType":"\"AGENT\""}},{"span_id":"b","parent_span_id":"a","attributes":{
              "mlflow.spanType":"\"CHAT_MODEL\"",
              "mlflow.chat.tokenUsage":"{\"input_tokens\": 100, \"output_tokens\": 20, \"total_tokens\": 120}"
              }},{"span_id":"c","parent_span_id":"b","start_time_unix_nano":1788256800000000000,
              "end_time_unix_nano":1788256801250000000,"status":{"code":"STATUS_CODE_OK"},"attributes":{
              "mlflow.spanType":"\"CHAT_MODEL\"","mlflow.spanInputs":"{\"model\": \"gpt-5-mini\"}",
              "mlflow.spanOutputs":"{\"id\": \"chatcmpl-1\", \"model\": \"gpt-5-mini-2025-08-07\", \"choices\"
              : [{\"finish_reason\": \"stop\"}], \"usage\": {\"prompt_tokens_details\": {\"cached_tokens\": 64
              }}}",
              "mlflow.chat.tokenUsage":"{\"input_tokens\": 100, \"output_tokens\": 20, \"total_tokens\": 120}"
              ,"mlflow.llm.cost":"{\"total_cost\": 0.0002}"}}]}}
        """),
        expect=rows("""
            {"call_id": "tr-1/c", "response_id": "chatcmpl-1", "trace": "tr-1", "session": "s1", "user": "u1",
              "feature": "answer", "operation": "chat_model", "model": "gpt-5-mini-2025-08-07",
              "model_requested": "gpt-5-mini", "latency_ms": 1250.0, "input_uncached": 36, "cache_read": 64,
              "output_text": 20, "cost_logged": 0.0002, "finish_reason": "stop", "status": "ok",
              "thumb": true, "rating": null}
        """),
    ),
)
