"""Spans of OpenInference as records: of single spans, and of Phoenix's data frame written as one object.

https://arize-ai.github.io/openinference/spec/
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llmtel.sources.attributes import attributes, short
from llmtel.sources.nested import object_in, objects_in
from llmtel.sources.source import Record
from llmtel.sources.spans import told_by

_FLAT = ("attributes.", "eval.", "annotation.")
"""Beginnings of keys that are attributes of a span, or what was said of it, in the span itself."""


def records(line: Record) -> Iterable[dict[str, Any]]:
    """The spans of an object: itself, or one for each row of its columns."""
    ids = line.get("context.span_id")
    if not isinstance(ids, list | dict):
        return (_span(line),)
    columns = {key: value for key, value in line.items() if isinstance(value, type(ids))}
    places: Iterable[Any] = range(len(ids)) if isinstance(ids, list) else ids
    return (_span({key: _at(values, place) for key, values in columns.items()}) for place in places)


def _at(values: Any, place: Any) -> object:  # noqa: ANN401 (a list with a number, or an object with a key)
    if isinstance(values, list):
        return values[place] if place < len(values) else None
    return values.get(place)


def _span(span: Record) -> dict[str, Any]:
    """A span with flat attributes, whether these are an object or have keys of their own in the span."""
    context, inside = object_in(span, "context"), object_in(span, "attributes")
    if not context:
        inside |= {key.removeprefix("attributes."): span[key] for key in span if key.startswith(_FLAT)}
    found = attributes(inside)
    return {
        "start_time": span.get("start_time"),
        "end_time": span.get("end_time"),
        "parent_id": span.get("parent_id"),
        "trace": context.get("trace_id") or span.get("context.trace_id"),
        "span": context.get("span_id") or span.get("context.span_id"),
        "kind": span.get("span_kind") or found.get("openinference_span_kind"),
        "status": span.get("status_code"),
        "message": str(span.get("status_message") or "")[:4096],
        "attributes": short(found),
        **told_by(objects_in(span, "events"), found, None),
    }
