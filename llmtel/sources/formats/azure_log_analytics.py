"""Azure OpenAI's diagnostic log and API Management's LLM log as Log Analytics exports them: CSV.

The tables AzureDiagnostics and ApiManagementGatewayLlmLog of
https://learn.microsoft.com/azure/azure-monitor/reference/tables-index.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.nested import inside
from llmtel.sources.proof import rows
from llmtel.sources.source import Mark, Source
from llmtel.sources.values import TICKS_AT_EPOCH

_STAMPS = tuple(raw.escaped(name) for name in ("TimeGenerated", "TimeGenerated [UTC]"))
_FORMS = ("%m/%d/%Y, %I:%M:%S%.f %p", "%+")
"""Times of the portal's export, and of the API's."""
_TICKS_OF_MS = 1e4


def _property(name: str) -> pl.Expr:
    value = inside(raw.text("properties_s"), name)
    return pl.when(value != "").then(value)


def _either(column: str, name: str) -> pl.Expr:
    return pl.coalesce(raw.text(column), _property(name))


_BEGAN, _ENDED = (_property(name).cast(pl.Int64, strict=False) for name in ("requestTime", "responseTime"))
_GENERATED = [
    raw.text(stamp).str.to_datetime(form, strict=False, time_unit="us", time_zone="UTC")
    for stamp in _STAMPS
    for form in _FORMS
]

SOURCES = (
    Source(
        name="azure_log_analytics",
        help="Azure OpenAI requests (no tokens) or API Management's LLM log, as CSV from Log Analytics",
        link="https://learn.microsoft.com/azure/azure-monitor/reference/tables/apimanagementgatewayllmlog",
        evidence="documented",
        layout="csv",
        marks=(
            Mark(all=("properties_s",), any=("TimeGenerated", "TimeGenerated [UTC]")),
            Mark(all=("PromptTokens", "ModelName"), any=("TimeGenerated", "TimeGenerated [UTC]")),
        ),
        keep=raw.text("Category").is_null() | (raw.text("Category") != "Audit"),
        calls={
            "ts": pl.coalesce(
                ((_BEGAN - TICKS_AT_EPOCH) // 10).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
                *_GENERATED,
            ),
            "provider": pl.lit("azure"),
            "call_id": pl.when(raw.text("ModelName").is_not_null()).then(raw.text("CorrelationId")),
            "model": pl.coalesce(
                _either("ModelName", "modelName"), _either("DeploymentName", "modelDeploymentName")
            ),
            "operation": raw.text("OperationName"),
            "region": raw.text("location_s", "Region"),
            "user": _property("objectId"),
            "latency_ms": pl.coalesce((_ENDED - _BEGAN) / _TICKS_OF_MS, raw.number("DurationMs")),
            "input_uncached": raw.count("PromptTokens"),
            "output_text": raw.count("CompletionTokens"),
            "http_status": raw.code("ResultSignature"),
        },
        sample="TimeGenerated [UTC],OperationName,Category,DurationMs,ResultSignature,properties_s\n"
        '"9/1/2026, 10:00:01.000 AM",ChatCompletions_Create,RequestResponse,850,200,'
        '"{""modelName"":""gpt-4o"",""objectId"":""""}"\n',
        expect=rows("""
            {"model": "gpt-4o", "latency_ms": 850.0, "http_status": 200, "status": "ok", "user": null,
              "ts": "2026-09-01T10:00:01+00:00", "provider": "azure"}
        """),
    ),
)
