"""OpenTelemetry's nested exports as flat records: spans, and log events of coding agents.

https://opentelemetry.io/docs/specs/otlp/ (JSON encoding): integers may be texts, enums numbers or names,
attributes are lists of keys and typed values. Here a record has plain values, and attribute names with `_`
for the dots.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from llmtel.sources.attributes import (
    DIGITS,
    TOO_LARGE,
    attributes,
    attributes_of_event,
    number_of,
    short,
    value_of,
)
from llmtel.sources.nested import object_in, objects_in
from llmtel.sources.printed import as_exported, is_printed
from llmtel.sources.quality import Score, judged, scores_at
from llmtel.sources.source import Record

_NUMBER = (int, float)
_THRESHOLD, _THRESHOLDS = re.compile(r"[0-9a-fA-F]{1,14}"), 1 << 56
"""Sampling thresholds have 56 bits, trailing zeros left out.

https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
"""
_RESOURCES, _SCOPES = ("resourceSpans", "batches"), ("scopeSpans", "instrumentationLibrarySpans")
"""Lists of spans, in the words of today and of older exports."""

EVALUATION = "gen_ai.evaluation.result"
"""The name of an event, a log record or a span that is the result of an evaluation."""
EVALUATION_NAMES = "gen_ai_evaluation_"
"""How the names of an evaluation's attributes begin."""
CHUNK = "gen_ai.content.completion.chunk"
"""The name of an event that a part of the answer came."""
RATES = ("sampling_probability", "sample_rate")
"""Attributes with the share of spans that are kept."""
TEXTS = {
    "prompt_chars": (
        "gen_ai_input_messages", ("gen_ai_prompt_", "llm_input_messages_"), "input_value",
    ),
    "output_chars": (
        "gen_ai_output_messages", ("gen_ai_completion_", "llm_output_messages_"), "output_value",
    ),
}  # fmt: skip
"""Attributes with the texts of a call, which are measured and not read: of all messages, the beginnings of
those of single ones (`gen_ai_prompt_0_content`), and of the whole span."""

_NOTHING: dict[str, Any] = {}
FAILED = (2, "2", "STATUS_CODE_ERROR")
"""Codes of a status that say a span failed."""
_BASE64 = re.compile(r"[A-Za-z0-9+/]{22}==|[A-Za-z0-9+/]{11}=")
"""16 bytes of a trace's id, 8 of a span's."""
_NUMBERS = frozenset({
    "input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens", "cost_usd", "duration_ms",
    "status_code", "attempt", "input_token_count", "output_token_count", "cached_content_token_count",
    "thoughts_token_count", "tool_token_count", "total_token_count", "cached_token_count",
    "cache_write_token_count", "reasoning_token_count", "ttft_ms", "http_response_status_code",
})  # fmt: skip
"""Attributes of agents' log events that are numbers, though all are written as texts."""


def records(line: Record) -> Iterable[dict[str, Any]]:
    """The spans and log events of one exported object. Metrics repeat the calls: one record that is none."""
    if isinstance(line.get("attributes"), dict) and ("body" in line or "_body" in line):
        return (_event(line, _NOTHING),)
    if is_printed(line):
        return (_span(as_exported(line), attributes(object_in(line, "resource").get("attributes")), ""),)
    return _exported(line)


def _exported(line: Record) -> Iterator[dict[str, Any]]:
    """What is in an object of the protocol."""
    for owner, scope in _scopes(line, _RESOURCES, _SCOPES):
        name = str(object_in(scope, "scope").get("name") or "")
        for span in objects_in(scope, "spans"):
            yield _span(span, owner, name)
    for owner, scope in _scopes(line, ("resourceLogs",), ("scopeLogs",)):
        for event in objects_in(scope, "logRecords"):
            yield _event(event, owner)
    if "resourceMetrics" in line and objects_in(line, "resourceMetrics"):
        yield {"kind": "metrics"}


def _scopes(
    line: Record, resources: tuple[str, ...], scopes: tuple[str, ...]
) -> list[tuple[dict[str, Any], Record]]:
    """Every scope of an exported object, with the attributes of the resource it belongs to."""
    found = []
    for resource in _all_in(line, resources):
        owner = attributes(object_in(resource, "resource").get("attributes"))
        found += [(owner, scope) for scope in _all_in(resource, scopes)]
    return found


def _all_in(record: Record, keys: tuple[str, ...]) -> list[Record]:
    """The objects of the lists at some keys."""
    found: list[Record] = []
    for key in keys:
        if key in record:
            found += objects_in(record, key)
    return found


def _span(span: Record, owner: dict[str, Any], scope: str) -> dict[str, Any]:
    found = attributes(span.get("attributes"))
    start, end = _whole(span.get("startTimeUnixNano")), _whole(span.get("endTimeUnixNano"))
    record = {
        "kind": "span",
        "trace": _id(span.get("traceId")),
        "span": _id(span.get("spanId")),
        "parent": _id(span.get("parentSpanId")),
        "scope": scope,
        "service": owner.get("service_name"),
        "environment": owner.get("deployment_environment_name") or owner.get("deployment_environment"),
        # of nanoseconds, each line would have a number that is looked at twice
        "start": start and start // 1000,
        "took_ms": (end - start) / 1e6 if start and end else None,
        "failed": "status" in span and object_in(span, "status").get("code") in FAILED,
        "sample_rate": _sample_rate(span, found),
        "attributes": short(found),
        **told_by(objects_in(span, "events"), found, start),
    }
    if span.get("name") == EVALUATION:
        return {**record, "kind": "evaluation", "span": record["parent"]}
    return record


def told_by(events: list[dict[str, Any]], found: dict[str, Any], start: int | None) -> dict[str, Any]:
    """What a span's events and attributes tell: an exception, the first chunk, sizes, and what was judged.

    `start` is that of the span in nanoseconds.
    """
    told: dict[str, Any] = {}
    places = _places(tuple(found))
    scores = [
        Score(name, found[value] if value else None, found[label] if label else None)
        for name, value, label in places.scores
    ]
    if places.evaluation:
        scores += _evaluation(found)
    for event in events:
        inner, name = attributes(event.get("attributes")), event.get("name")
        if name == "exception":
            told["exception"] = inner.get("exception_type")
        elif name == CHUNK and "first_ms" not in told:
            first = _whole(event.get("timeUnixNano"))
            told["first_ms"] = (first - start) / 1e6 if first and start else None
        elif name == EVALUATION:
            scores += _evaluation(inner)
    if scores:
        told["judged"] = judged(scores)
    for size, whole, parts, other in places.texts:
        told[size] = _length(found, whole, parts, other)
    return told


class _Places(NamedTuple):
    """Where some attributes have scores (name, keys of number and label) and texts (size, keys of `TEXTS`).

    `evaluation` says whether they are the result of one.
    """

    scores: list[tuple[str, str | None, str | None]]
    evaluation: bool
    texts: tuple[tuple[str, str, tuple[str, ...], str], ...]


@lru_cache(1024)
def _places(keys: tuple[str, ...]) -> _Places:
    """Where in a set of attributes something is told: a log has few such sets, and each in many spans."""
    contents = [key for key in keys if key.endswith("_content")]
    texts = []
    for size, (whole, beginnings, other) in TEXTS.items():
        parts = tuple(key for key in contents if key.startswith(beginnings))
        if parts or whole in keys or other in keys:
            texts.append((size, whole, parts, other))
    return _Places(scores_at(keys), any(key.startswith(EVALUATION_NAMES) for key in keys), tuple(texts))


def _evaluation(found: dict[str, Any]) -> list[Score]:
    """The score in the attributes of an evaluation's result, as a list of none or one."""
    name = found.get(f"{EVALUATION_NAMES}name")
    if not isinstance(name, str):
        return []
    return [Score(name, *(found.get(f"{EVALUATION_NAMES}score_{part}") for part in ("value", "label")))]


def _length(found: dict[str, Any], whole: str, parts: tuple[str, ...], other: str) -> int | None:
    """Characters of a prompt or an answer: of all its messages, or of its parts, which are at some keys."""
    text = found.get(whole)
    if isinstance(text, str):
        return len(text)
    lengths = [len(found[key]) for key in parts if isinstance(found[key], str)]
    text = found.get(other)
    return sum(lengths) if lengths else len(text) if isinstance(text, str) else None


def _id(value: object) -> object:
    """An id in hexadecimal, also where protobuf's plain JSON has written it in base64; None for none."""
    if not (isinstance(value, str) and value[-1:] == "=" and _BASE64.fullmatch(value)):
        return value or None
    return b64decode(value).hex()


def _whole(value: object) -> int | None:
    """A whole number of 64 bits; none for 0, which the protocol writes for a time that is not set."""
    if isinstance(value, str) and len(value) <= DIGITS and value.isdecimal():
        number: Any = int(value)
    else:
        number = number_of(value)
    return int(number) if isinstance(number, _NUMBER) and 0 < abs(number) < TOO_LARGE else None


def _sample_rate(span: Record, found: dict[str, Any]) -> float | None:
    """The share of spans kept: from the tracestate's threshold, or from an attribute."""
    state = span.get("traceState")
    for entry in str(state).split(",") if state else ():
        vendor, _, members = entry.strip().partition("=")
        for member in members.split(";") if vendor == "ot" else ():
            key, _, threshold = member.partition(":")
            if key == "th" and _THRESHOLD.fullmatch(threshold):
                return 1 - int(threshold.ljust(14, "0")[:14], 16) / _THRESHOLDS
    rate = next((found[name] for name in RATES if name in found), None)
    return float(rate) if isinstance(rate, _NUMBER) and 0 < rate <= 1 else None


def _event(event: Record, owner: dict[str, Any]) -> dict[str, Any]:
    body = value_of(event.get("body"))
    found = attributes_of_event(event.get("attributes"), _NUMBERS)
    name = found.get("event_name") or event.get("eventName")
    if EVALUATION in (name, body):
        return {
            "kind": "evaluation",
            "trace": _id(event.get("traceId")),
            "span": _id(event.get("spanId")),
            "attributes": {"gen_ai_response_id": found.get("gen_ai_response_id")},
            "judged": judged(_evaluation(found)),
        }
    if not (isinstance(name, str) and "." in name) and isinstance(body, str):
        name = body  # Claude Code has its prefix there; the others write a sentence for people
    stamp = found.get("event_timestamp")
    if not stamp:
        nanoseconds = _whole(event.get("timeUnixNano"))
        stamp = nanoseconds // 1000 if nanoseconds else event.get("timestamp")
    return {
        "kind": "event",
        "name": str(name or ""),
        "trace": _id(event.get("traceId")),
        "service": owner.get("service_name"),
        "stamp": stamp,
        "attributes": found,
    }
