"""Amazon Bedrock's invocations as records, and usage of its Converse API as leaves, for the formats of both.

The input excludes the cache. `cacheReadInputTokenCount` and the like repeat the counts of the same name
without `Count`. See TokenUsage at https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson
import polars as pl

from llmtel.sources import raw
from llmtel.sources.anthropic import UNSTATED_LIFE
from llmtel.sources.source import Record, Remark, lookup
from llmtel.sources.usage import MISMATCH

_USAGES = (("usage",), ("message", "usage"), ("metadata", "usage"))
_STOPS = (
    ("stopReason",), ("stop_reason",), ("delta", "stop_reason"), ("messageStop", "stopReason"),
    ("finish_reason",), ("completionReason",), ("results", 0, "completionReason"),
    ("choices", 0, "finish_reason"),
)  # fmt: skip
_GUARD = "amazon-bedrock-guardrailAction"
TIMES = "amazon-bedrock-invocationMetrics"
"""Where a stream tells its times, in its last event."""
_TIMES = ("metrics", TIMES)


def records(line: Record) -> Iterator[dict[str, Any]]:
    """The invocations of a line (CloudWatch has them as texts), each with what its body tells as `answer`."""
    for record in _invocations(line):
        body = lookup(record, ("output", "outputBodyJson"))
        yield {
            **record,
            **{part: _without_body(record.get(part)) for part in ("input", "output")},
            "answer": _told(body if isinstance(body, list) else [body]),
        }


def _without_body(part: object) -> object:
    """The counts of an input or output: its text is not carried along."""
    return (
        {key: value for key, value in part.items() if "Body" not in key} if isinstance(part, dict) else None
    )


def _invocations(line: Record) -> Iterable[Record]:
    events = line.get("logEvents") or line.get("events") or [line]
    for event in events if isinstance(events, list) else ():
        message = event.get("message") if isinstance(event, dict) else None
        if not isinstance(message, str):
            yield event
            continue
        try:
            yield orjson.loads(message)
        except orjson.JSONDecodeError:
            yield {}


def _told(events: list[Any]) -> dict[str, Any]:
    """What a body or a stream's events tell: usage (later counts win), reason to stop, times, guardrail."""
    told: dict[str, Any] = {"usage": {}, "stop": None, "guarded": False}
    for event in events:
        if not isinstance(event, dict):
            continue
        # most events have few of these keys, and to ask takes a fraction of looking along a path
        for usage in (lookup(event, steps) for steps in _USAGES if steps[0] in event):
            if isinstance(usage, dict):
                told["usage"] |= usage
        stops = (lookup(event, steps) for steps in _STOPS if steps[0] in event)
        told["stop"] = next((stop for stop in stops if stop is not None), told["stop"])
        for key in _TIMES:
            if key in event or "metadata" in event:
                found = event.get(key) or lookup(event, ("metadata", key))
                told |= {key: found} if isinstance(found, dict) else {}
        told["guarded"] = told["guarded"] or event.get(_GUARD) == "INTERVENED"
    return told


def _details(at: str) -> pl.Expr:
    return raw.items(f"{at}cacheDetails", {"ttl": "str", "inputTokens": "count"})


def written(at: str, total: pl.Expr) -> dict[str, pl.Expr]:
    """Cache writes by their lives, which `cacheDetails` states; without it all of `total` count as short."""
    element = pl.element().struct
    lives = {
        name: _details(at)
        .list.eval(pl.when(element.field("ttl") == ttl).then(element.field("inputTokens")))
        .list.sum()
        for name, ttl in (("cache_write_5m", "5m"), ("cache_write_1h", "1h"))
    }
    told = _details(at).list.len() > 0
    unsaid = {"cache_write_5m": total, "cache_write_1h": pl.lit(None, dtype=pl.Int64)}
    return {name: pl.when(told).then(lives[name]).otherwise(unsaid[name]) for name in lives}


def usage(at: str) -> dict[str, pl.Expr]:
    """The leaves of the usage object at a path such as `usage.`."""
    given, made = raw.count(f"{at}inputTokens"), raw.count(f"{at}outputTokens")
    read, write = raw.count(f"{at}cacheReadInputTokens"), raw.count(f"{at}cacheWriteInputTokens")
    total = given + made + read.fill_null(0) + write.fill_null(0)
    return {
        "input_uncached": given,
        "cache_read": read,
        **written(at, write),
        "output_text": made,
        MISMATCH: (total != raw.count(f"{at}totalTokens")).fill_null(value=False),
    }


def ttl_unknown(at: str, total: pl.Expr) -> dict[str, Remark]:
    """Cache writes whose life is not stated."""
    unsaid = (total > 0) & (_details(at).list.len().fill_null(0) == 0)
    return {"ttl_unknown": Remark(unsaid, UNSTATED_LIFE)}


_USE = "answer.usage."
_LIVES = [raw.count(f"{_USE}cache_creation.ephemeral_{life}_input_tokens") for life in ("5m", "1h")]
_WRITTEN = raw.count(
    "input.cacheWriteInputTokenCount", "cacheWriteInputTokenCount", f"{_USE}cacheWriteInputTokens",
    f"{_USE}cache_creation_input_tokens",
)  # fmt: skip
_STATED = pl.sum_horizontal(_LIVES) > 0
LEAVES = {
    "input_uncached": raw.count("input.inputTokenCount", f"{_USE}inputTokens", f"{_USE}input_tokens"),
    "cache_read": raw.count(
        "input.cacheReadInputTokenCount", "cacheReadInputTokenCount", f"{_USE}cacheReadInputTokens",
        f"{_USE}cache_read_input_tokens",
    ),
    **{
        name: pl.when(_STATED).then(life).otherwise(lives)
        for (name, lives), life in zip(written(_USE, _WRITTEN).items(), _LIVES, strict=True)
    },
    "output_text": raw.count("output.outputTokenCount", f"{_USE}outputTokens", f"{_USE}output_tokens"),
}  # fmt: skip
"""The leaves of a line of the invocation log, whose counts stand beside the bodies and in them."""
TTL_UNKNOWN = ttl_unknown(_USE, pl.when(~_STATED).then(_WRITTEN))
