"""Spans as OpenTelemetry's SDK for Python prints them on the console, as those of OTLP.

https://opentelemetry.io/docs/languages/python/exporters/#console
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from llmtel.sources.nested import object_in, objects_in
from llmtel.sources.source import Record

_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


def is_printed(record: Record) -> bool:
    """Whether a record is a span on its own, with its ids in `context` and its times as dates."""
    return "start_time" in record and "span_id" in object_in(record, "context")


def as_exported(span: Record) -> Record:
    """A printed span with the keys of OTLP."""
    context, failed = object_in(span, "context"), object_in(span, "status").get("status_code") == "ERROR"
    return {
        "name": span.get("name"),
        "traceId": _id(context.get("trace_id")),
        "spanId": _id(context.get("span_id")),
        "parentSpanId": _id(span.get("parent_id")),
        "startTimeUnixNano": _nanoseconds(span.get("start_time")),
        "endTimeUnixNano": _nanoseconds(span.get("end_time")),
        "status": {"code": 2 if failed else 0},
        "attributes": span.get("attributes"),
        "events": [
            {**event, "timeUnixNano": _nanoseconds(event.get("timestamp"))}
            for event in objects_in(span, "events")
        ],
    }


def _id(value: Any) -> Any:  # noqa: ANN401 (any JSON value)
    """An id as exports have it, so that both are one call."""
    return value.removeprefix("0x") if isinstance(value, str) else value


def _nanoseconds(date: Any) -> int | None:  # noqa: ANN401 (any JSON value)
    """Nanoseconds since 1970 of a date in UTC; None for what is none."""
    try:
        moment = datetime.fromisoformat(date)
    except (TypeError, ValueError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MICROSECOND * 1000
