"""MLflow's traces as flat records: the innermost spans of models, with what their trace says of them.

https://mlflow.org/docs/latest/genai/tracing: values of attributes are JSON in texts. A framework's span
around a provider's repeats its usage; the sums of a trace stand in its metadata, and are not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from llmtel.sources.source import Pick, Record, lookup

_TYPE = "mlflow.spanType"
_OF_MODELS = ("CHAT_MODEL", "LLM", "EMBEDDING")
_READ = {
    "usage": "mlflow.chat.tokenUsage", "cost": "mlflow.llm.cost", "model": "mlflow.llm.model",
    "provider": "mlflow.llm.provider", "asked": "model", "shape": "mlflow.message.format",
}  # fmt: skip
_OF_ANSWER = Pick({
    "answered": "model", "id": "id", "stop": "choices[0].finish_reason", "stopped": "stop_reason",
    "cached": "usage.prompt_tokens_details.cached_tokens",
    "reasoning": "usage.completion_tokens_details.reasoning_tokens",
})  # fmt: skip


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


def _attributes(span: Record) -> Record:
    found = span.get("attributes")
    return found if isinstance(found, dict) else {}


def _innermost(found: Sequence[Record]) -> set[object]:
    """The ids of a trace's spans of models that have no such span below them."""
    parents = {_span_id(span): span.get("parent_span_id") or span.get("parent_id") for span in found}
    calls = {_span_id(span) for span in found if _plain(_attributes(span).get(_TYPE)) in _OF_MODELS}
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
    said = _attributes(span)
    answer, asked = _plain(said.get("mlflow.spanOutputs")), _plain(said.get("mlflow.spanInputs"))
    code = str(lookup(span, ("status", "code")) or span.get("status_code"))
    failures = [event.get("attributes") or {} for event in span.get("events") or ()]
    return {
        "span": _span_id(span),
        "type": _plain(said.get(_TYPE)),
        "start": start,
        "took_ms": (int(end) - int(start)) / 1e6 if start and end else None,
        "ok": {"OK": True, "ERROR": False}.get(code.removeprefix("STATUS_CODE_")),
        "failure": " ".join(str(failure.get("exception.type") or "") for failure in failures).strip() or None,
        "requested": asked.get("model") if isinstance(asked, dict) else None,
        **{key: _plain(said.get(name)) for key, name in _READ.items()},
        **_OF_ANSWER(answer),
    }
