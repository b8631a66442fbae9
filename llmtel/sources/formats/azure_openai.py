"""Azure OpenAI's diagnostic log, and API Management's logs of language models.

https://learn.microsoft.com/azure/ai-foundry/openai/how-to/monitor-openai. Requests and responses are logged
without tokens; API Management adds them. Some properties are JSON inside text: records are opened one by one.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import chat, raw
from llmtel.sources.azure import records
from llmtel.sources.outcome import TEXT
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source

_CALLS = ("RequestResponse", "AzureOpenAIRequestUsage", "GatewayLogs", "GatewayLlmLogs")
_CATEGORIES = (*_CALLS, "Audit", "Trace")


_PROPERTIES = "properties."
_BEGAN, _ENDED = raw.code(f"{_PROPERTIES}requestTime"), raw.code(f"{_PROPERTIES}responseTime")
_TICKS_OF_MS = 1e4
_BODY = chat.body("body.")
_KIND = raw.text("category")
_GATEWAY = _KIND.is_in(["GatewayLogs", "GatewayLlmLogs"])
_TOLD = (_KIND != "GatewayLogs") | _BODY["model"].is_not_null() | _BODY[TEXT].is_not_null()
"""A gateway serves other APIs too: only what answers as a model does is a call."""
_FIRST = raw.code(f"{_PROPERTIES}sequenceNumber").fill_null(0) == 0
"""Long messages are parted into several entries."""
_TOTALS = {"input_uncached": "promptTokens", "output_text": "completionTokens"}
_NAMES = ("modelName", "modelDeploymentName", "deploymentName")
_HTTP = [raw.text(f"{_PROPERTIES}backendResponseCode"), raw.text("resultSignature")]

SOURCES = (
    Source(
        name="azure_openai",
        help="Azure OpenAI diagnostic logs (no tokens; that a stream's duration is the whole of it is "
        "unverified) and API Management's gateway and LLM logs",
        link="https://learn.microsoft.com/azure/ai-foundry/openai/how-to/monitor-openai",
        marks=(
            Mark(any=("resourceId", "operationName"), values={"category": _CATEGORIES}),
            Mark(values={"records[0].category": _CATEGORIES}),
        ),
        records=records,
        keep=_KIND.is_in(_CALLS) & _TOLD & _FIRST,
        calls={
            "ts": raw.time(f"{_PROPERTIES}requestTime", "time"),
            "call_id": pl.when(_GATEWAY).then(raw.text("correlationId", f"{_PROPERTIES}correlationId")),
            "response_id": _BODY["response_id"],
            "provider": pl.lit("azure"),
            "model": pl.coalesce(
                _BODY["model"],
                *(raw.text(f"{_PROPERTIES}{key}") for key in _NAMES),
            ),
            "operation": raw.text("operationName"),
            "region": raw.text("location", f"{_PROPERTIES}region"),
            "user": raw.text(f"{_PROPERTIES}objectId"),
            "latency_ms": pl.coalesce(
                (_ENDED - _BEGAN) / _TICKS_OF_MS,
                raw.number(f"{_PROPERTIES}backendTime"),
                raw.number("durationMs"),
            ),
            **chat.usage("body.usage."),
            **{
                leaf: pl.coalesce(_BODY[leaf], raw.count(f"{_PROPERTIES}{key}"))
                for leaf, key in _TOTALS.items()
            },
            "finish_reason": _BODY["finish_reason"],
            "http_status": pl.coalesce(*_HTTP).cast(pl.Int64, strict=False),
            TEXT: _BODY[TEXT],
        },
        sample=lines(r"""
            {"time":"2026-09-01T10:00:01.0000000Z","category":"RequestResponse","resourceId":"/R",
              "location":"eastus","operationName":"ChatCompletions_Create","durationMs":-5,
              "resultSignature":"200","correlationId":"c1",
              "properties":"{\"requestTime\":639238536000000000,\"responseTime\":639238536008500000,\"modelDep
              loymentName\":\"mine\",\"modelName\":\"gpt-4o\",\"objectId\":\"\"}"}
            {"time":"2026-09-01T10:00:02Z","category":"Audit","resourceId":"/R","operationName":"ListKeys"}
            {"time":"2026-09-01T10:00:03Z","category":"GatewayLogs",
              "operationName":"Microsoft.ApiManagement/GatewayLogs","correlationId":"c2",
              "location":"West Europe","durationMs":950,"properties":{"backendResponseCode":200,
              "backendTime":900,
              "backendResponseBody":"{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"model\":\"gpt-4o-
              mini\",\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":8,\"total_tokens\":28,\"prompt_toke
              ns_details\":{\"cached_tokens\":15}}}"}}
            {"time":"2026-09-01T10:00:04Z","category":"RequestResponse","resourceId":"/R","durationMs":-5,
              "operationName":"ChatCompletions_Create","resultSignature":"429","properties":{
              "modelName":"gpt-4o"}}
        """),
        expect=rows("""
            {"ts": "2026-09-01T10:00:00+00:00", "call_id": null, "provider": "azure", "model": "gpt-4o",
              "latency_ms": 850.0, "region": "eastus", "http_status": 200, "status": "ok", "user": null,
              "input_uncached": null}
            {"call_id": "c2", "response_id": "chatcmpl-1", "model": "gpt-4o-mini", "latency_ms": 900.0,
              "input_uncached": 5, "cache_read": 15, "output_text": 8, "status": "ok"}
            {"latency_ms": null, "status": "error", "error": "rate_limit"}
        """),
    ),
)
