"""What in the name of a path hints at a field of a call, and at its unit."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from llmtel.sources.aliases import Shape

UNIT_WORDS: Mapping[str, str] = {
    "ms": "ms", "msec": "ms", "millis": "ms", "milliseconds": "ms", "s": "s", "sec": "s", "secs": "s",
    "seconds": "s", "us": "us", "micros": "us", "microseconds": "us", "ns": "ns", "nanos": "ns",
    "nanoseconds": "ns", "min": "min", "minutes": "min", "cents": "cents", "cent": "cents", "usd": "usd",
    "percent": "percent", "pct": "percent",
}  # fmt: skip
"""Words of a name that say a unit."""


class Hint(Struct, frozen=True):
    """Words in a path that hint at a field, the shape its values have, and words that speak against it."""

    shape: Shape
    words: frozenset[str]
    not_with: frozenset[str] = frozenset()


def _hint(shape: Shape, words: str, not_with: str = "") -> Hint:
    return Hint(shape, frozenset(words.split()), frozenset(not_with.split()))


HINTS: Mapping[str, Hint] = {
    "ts": _hint("time", "time timestamp date datetime at when start started begin created logged ts",
                "end ended finish finished done completed stop stopped updated first expires deleted"),
    "end": _hint("time", "end ended finish finished done completed stop stopped"),
    "first_token": _hint("time", "first ttft", "end"),
    "model": _hint("text", "model engine llm deployment", "requested request provider version"),
    "model_requested": _hint("text", "requested request"),
    "input_tokens": _hint("number", "in input prompt request sent",
                          "out output completion response cost usd chars ms time latency"),
    "output_tokens": _hint("number", "out output completion response answer reply generated received",
                           "cost usd chars ms time latency"),
    "total_tokens": _hint("number", "total", "cost usd price chars ms time latency duration elapsed seconds"),
    "cache_read": _hint("number", "cached cache", "write written creation created miss"),
    "reasoning": _hint("number", "reasoning thinking thoughts"),
    "latency_ms": _hint("number", "latency duration elapsed took delay wait wall runtime rt rtt time ms msec"
                        " millis s sec secs seconds",
                        "ttft first timeout token tokens cost start started end at"),
    "ttft_ms": _hint("number", "ttft first ttfb"),
    "cost_logged": _hint("number", "cost price usd spend cents charge amount"),
    "user": _hint("text", "user uid who customer member person account email owner", "agent input"),
    "session": _hint("text", "session conversation thread chat dialog dialogue"),
    "feature": _hint("text", "feature route endpoint usecase use tag app application service workflow task"
                     " tool"),
    "project": _hint("text", "project repo repository workspace"),
    "environment": _hint("text", "env environment stage"),
    "region": _hint("text", "region location zone"),
    "provider": _hint("text", "provider vendor"),
    "call_id": _hint("text", "request req call id uuid guid", "user session model trace team"),
    "status": _hint("word", "status state outcome result ok okay success succeeded failed"),
    "http_status": _hint("http", "http status code"),
    "error": _hint("text", "error err exception failure"),
    "finish_reason": _hint("text", "finish stop reason"),
    "retries": _hint("number", "retries retry", "after ms"),
    "thumb": _hint("thumb", "thumb thumbs feedback liked vote"),
}  # fmt: skip
"""What is looked for, in the order in which paths are given away where they fit several alike."""
