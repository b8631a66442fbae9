"""MLflow traces (`mlflow traces search --output json`): https://mlflow.org/docs/latest/genai/tracing.

Values of attributes are JSON in texts. A framework's span around a provider's repeats its usage, so only the
innermost spans of models are calls; the sums of a trace stand in its metadata and are not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
import polars as pl

from llmtel.sources import raw
from llmtel.sources.outcome import SUCCESS, TEXT
from llmtel.sources.source import Mark, Record, Source, lookup
from llmtel.sources.usage import Counts, leaves

_OF_MODELS = ("CHAT_MODEL", "LLM", "EMBEDDING")
_RESPONSES = ("chatcmpl-", "resp_", "msg_", "gen-")
_READ = {
    "usage": "mlflow.chat.tokenUsage", "cost": "mlflow.llm.cost", "model": "mlflow.llm.model",
    "provider": "mlflow.llm.provider", "asked": "model", "shape": "mlflow.message.format",
}  # fmt: skip
_OF_ANSWER = {
    "answered": "model", "id": "id", "stop": "choices[0].finish_reason", "stopped": "stop_reason",
    "cached": "usage.prompt_tokens_details.cached_tokens",
    "reasoning": "usage.completion_tokens_details.reasoning_tokens",
}  # fmt: skip
_ID = raw.text("id")
_CACHED = pl.coalesce(raw.count("usage.cache_read_input_tokens"), raw.count("cached"))
_WRITTEN = raw.count("usage.cache_creation_input_tokens")
_BESIDE = (raw.text("shape") == "anthropic").fill_null(value=False)
_CACHE_BESIDE = pl.when(_BESIDE).then(pl.sum_horizontal(_CACHED, _WRITTEN)).otherwise(0)


def spans(export: Record) -> Iterator[dict[str, Any]]:
    """The spans of a trace, or of a page of traces; what is read of those of models, without any text."""
    pages = export.get("traces")
    for trace in pages if isinstance(pages, list) else [export]:
        info, found = trace["info"], trace["data"]["spans"] or []
        calls = _innermost(found)
        for span in found:
            is_call = _span_id(span) in calls
            yield {**_of_trace(info, span, alone=len(calls) == 1), **_of_span(span)} if is_call else {}


def _span_id(span: Record) -> object:
    return span.get("span_id") or lookup(span, ("context", "span_id"))


def _plain(value: object) -> Any:  # noqa: ANN401 (any JSON value)
    try:
        return orjson.loads(value) if isinstance(value, str) else value
    except orjson.JSONDecodeError:
        return value


def _attribute(span: Record, name: str) -> Any:  # noqa: ANN401 (any JSON value)
    return _plain(lookup(span, ("attributes", name)))


def _innermost(found: Sequence[Record]) -> set[object]:
    """The ids of a trace's spans of models that have no such span below them."""
    parents = {_span_id(span): span.get("parent_span_id") or span.get("parent_id") for span in found}
    calls = {_span_id(span) for span in found if _attribute(span, "mlflow.spanType") in _OF_MODELS}
    around = set()
    for call in calls:
        above, steps = parents.get(call), len(parents)
        while above is not None and above not in around and steps:
            around.add(above)
            above, steps = parents.get(above), steps - 1
    return calls - around


def _of_trace(info: Record, span: Record, *, alone: bool) -> dict[str, Any]:
    """What the trace says of a call: ids, people, and the verdicts on it (`alone`: on the whole trace)."""
    metadata = info.get("trace_metadata") or {}
    verdicts = [
        lookup(judged, ("feedback", "value"))
        for judged in info.get("assessments") or ()
        if judged.get("span_id") == _span_id(span) or (alone and not judged.get("span_id"))
    ]
    return {
        "trace": info.get("trace_id") or info.get("request_id"),
        "name": lookup(info, ("tags", "mlflow.traceName")),
        "session": metadata.get("mlflow.trace.session"),
        "user": metadata.get("mlflow.trace.user"),
        "thumb": next((value for value in verdicts if isinstance(value, bool)), None),
        "rating": next((v for v in verdicts if isinstance(v, int | float) and not isinstance(v, bool)), None),
    }


def _of_span(span: Record) -> dict[str, Any]:
    start, end = (span.get(f"{at}_time_unix_nano") or span.get(f"{at}_time") for at in ("start", "end"))
    answer, asked = (_attribute(span, f"mlflow.span{part}") for part in ("Outputs", "Inputs"))
    code = str(lookup(span, ("status", "code")) or span.get("status_code"))
    failures = [event.get("attributes") or {} for event in span.get("events") or ()]
    return {
        "span": _span_id(span),
        "type": _attribute(span, "mlflow.spanType"),
        "start": start,
        "took_ms": (int(end) - int(start)) / 1e6 if start and end else None,
        "ok": {"OK": True, "ERROR": False}.get(code.removeprefix("STATUS_CODE_")),
        "failure": " ".join(str(failure.get("exception.type") or "") for failure in failures).strip() or None,
        "requested": asked.get("model") if isinstance(asked, dict) else None,
        **{key: _attribute(span, name) for key, name in _READ.items()},
        **{key: lookup(answer, raw.steps_of(path)) for key, path in _OF_ANSWER.items()},
    }


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
            "model": pl.coalesce(
                raw.text("answered"), raw.text("model"), raw.text("asked"), raw.text("requested")
            ),
            "model_requested": pl.coalesce(raw.text("requested"), raw.text("asked"), raw.text("model")),
            **leaves(
                Counts(
                    input=raw.count("usage.input_tokens") + _CACHE_BESIDE,
                    output=raw.count("usage.output_tokens"),
                    cache_read=_CACHED,
                    cache_write=_WRITTEN,
                    reasoning=raw.count("reasoning"),
                    total=pl.when(~_BESIDE).then(raw.count("usage.total_tokens")),
                )
            ),
            "cost_logged": raw.number("cost.total_cost"),
            "finish_reason": pl.coalesce(raw.text("stop"), raw.text("stopped")),
            "thumb": raw.flag("thumb"),
            "rating": raw.number("rating"),
            SUCCESS: raw.flag("ok"),
            TEXT: pl.when(~raw.flag("ok")).then(raw.text("failure")),
        },
        sample='{"info":{"trace_id":"tr-1","request_time":"2026-09-01T10:00:00Z","state":"OK",'
        '"trace_metadata":{"mlflow.trace.session":"s1","mlflow.trace.user":"u1",'
        '"mlflow.trace.tokenUsage":"{\\"input_tokens\\": 100, \\"output_tokens\\": 20}"},'
        '"tags":{"mlflow.traceName":"answer"},"assessments":[{"assessment_name":"helpful","feedback":{'
        '"value":true}}]},"data":{"spans":[{"span_id":"a","parent_span_id":null,'
        '"attributes":{"mlflow.spanType":"\\"AGENT\\""}},{"span_id":"b","parent_span_id":"a",'
        '"attributes":{"mlflow.spanType":"\\"CHAT_MODEL\\"","mlflow.chat.tokenUsage":'
        '"{\\"input_tokens\\": 100, \\"output_tokens\\": 20, \\"total_tokens\\": 120}"}},{"span_id":"c",'
        '"parent_span_id":"b","start_time_unix_nano":1788256800000000000,'
        '"end_time_unix_nano":1788256801250000000,"status":{"code":"STATUS_CODE_OK"},"attributes":{'
        '"mlflow.spanType":"\\"CHAT_MODEL\\"","mlflow.spanInputs":"{\\"model\\": \\"gpt-5-mini\\"}",'
        '"mlflow.spanOutputs":"{\\"id\\": \\"chatcmpl-1\\", \\"model\\": \\"gpt-5-mini-2025-08-07\\", '
        '\\"choices\\": [{\\"finish_reason\\": \\"stop\\"}], \\"usage\\": {\\"prompt_tokens_details\\": '
        '{\\"cached_tokens\\": 64}}}","mlflow.chat.tokenUsage":"{\\"input_tokens\\": 100, '
        '\\"output_tokens\\": 20, \\"total_tokens\\": 120}","mlflow.llm.cost":"{\\"total_cost\\": 0.0002}"'
        "}}]}}\n",
        expect=(
            {
                "call_id": "tr-1/c", "response_id": "chatcmpl-1", "trace": "tr-1", "session": "s1",
                "user": "u1", "feature": "answer", "operation": "chat_model",
                "model": "gpt-5-mini-2025-08-07", "model_requested": "gpt-5-mini", "latency_ms": 1250.0,
                "input_uncached": 36, "cache_read": 64, "output_text": 20, "cost_logged": 0.0002,
                "finish_reason": "stop", "status": "ok", "thumb": True, "rating": None,
            },
        ),
    ),
)  # fmt: skip
