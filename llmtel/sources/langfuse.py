"""Langfuse observations as records, and its usage buckets as leaves: shared by its exports in JSON and CSV.

https://langfuse.com/docs/observability/features/token-and-cost-tracking: the keys of a usage are buckets that
do not overlap, but producers send overlapping ones too. Keys are camelCase or, in blob exports, snake_case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from llmtel.sources import raw
from llmtel.sources.gemini import either
from llmtel.sources.genai import QUALITY
from llmtel.sources.nested import object_in, objects_in
from llmtel.sources.outcome import ANSWERED, TEXT
from llmtel.sources.quality import Score, judged
from llmtel.sources.source import Record
from llmtel.sources.steps import Steps
from llmtel.sources.trees import leaves_of
from llmtel.sources.usage import RECONCILED, leaves

_RESPONSE_ID = re.compile(r'^(?:\{\s*"id"\s*:\s*")?((?:chatcmpl-|resp_|msg_|gen-|cmpl-)[^"]{1,200})')
_NAMED = "gen_ai.response.id"
_OPENED = ("usageDetails", "usage_details", "costDetails", "cost_details", "usage", "modelParameters")
_TEXTS = ("input", "output", "metadata")
_NOTHING: Mapping[str, Any] = {}
_COSTS = (("costDetails", "totalCost"), ("cost_details", "total_cost"))
_TYPE, _TRACE = raw.text("type"), either(raw.text, "traceId")
_PARENT = either(raw.text, "parentObservationId")
_START, _END = either(raw.time, "startTime"), either(raw.time, "endTime")
_FIRST = either(raw.time, "completionStartTime")


def records(line: Record) -> Iterator[dict[str, Any]]:
    """The observations of an object: of a trace with its observations, of a page of them, or itself."""
    trace = object_in(line, "trace") or line
    if "observations" in line:
        scores = objects_in(trace, "scores") or objects_in(line, "scores")
        of_trace = {
            "trace": {key: trace.get(key) for key in ("name", "userId", "sessionId", "environment", "tags")},
            "judgedTrace": _judged(score for score in scores if not score.get("observationId")),
        }
        for one in objects_in(line, "observations"):
            own = [score for score in scores if one and score.get("observationId") == one.get("id")]
            yield {**_observation(one, own), **of_trace}
    elif isinstance(line.get("data"), list):
        yield from (_observation(one) for one in objects_in(line, "data"))
    else:
        yield _observation(line)


def _observation(observation: Record, scores: Sequence[Record] = ()) -> dict[str, Any]:
    """An observation without its texts, with the objects that are written as texts opened."""
    kept = dict(observation)
    for key in _TEXTS:
        kept.pop(key, None)
    for key in _OPENED:
        if key in kept:
            kept[key] = object_in(observation, key)
    for costs, cost in _COSTS:  # a fraction under the name of a count would be looked at twice
        total = kept.pop(costs, _NOTHING).get("total")
        if total is not None and kept.get(cost) is None:
            kept[cost] = total
    kept["responseId"] = _response_id(observation, kept.get("modelParameters", _NOTHING))
    if "scores" in observation:
        scores = [*scores, *objects_in(observation, "scores")]
    if scores:
        kept["judged"] = _judged(scores)
    return kept


def _response_id(observation: Record, parameters: Record) -> str | None:
    """The id of the provider's response: of the span's attributes, else of the answer."""
    metadata = observation.get("metadata")
    if metadata and (not isinstance(metadata, str) or _NAMED in metadata):  # large, opened where it tells
        named = object_in(object_in(observation, "metadata"), "attributes").get(_NAMED)
        if isinstance(named, str):
            return named
    output = observation.get("output")
    answer = output.get("id") if isinstance(output, dict) else output
    for text in (parameters.get("id"), answer):
        if isinstance(text, str) and (found := _RESPONSE_ID.match(text)):
            return found[1]
    return None


def _judged(scores: Iterable[Record]) -> dict[str, float | bool]:
    return judged(
        Score(score["name"], score.get("value"), score.get("stringValue"))
        for score in scores
        if isinstance(score.get("name"), str)
    )


def _count(*keys: str) -> pl.Expr:
    """Tokens of a usage: the first known of some buckets."""
    paths = (f"{name}.{raw.escaped(key)}" for key in keys for name in ("usageDetails", "usage_details"))
    return raw.count(*paths)


def _or_old(bucket: str, *flat: str) -> pl.Expr:
    """Tokens of a bucket, else of the older shapes, where these are tokens and not characters."""
    tokens = raw.text("usage.unit").fill_null("TOKENS") == "TOKENS"
    return pl.coalesce(
        _count(bucket),
        pl.when(tokens).then(raw.count(f"usage.{bucket}")),
        *(either(raw.count, name) for name in flat),
    )


_BUCKETS = {
    "cache_read": ("input_cached_tokens", "input_cache_read", "cache_read_input_tokens"),
    "cache_write": ("input_cache_creation_5m", "input_cache_creation", "cache_creation_input_tokens"),
    "cache_write_1h": ("input_cache_creation_1h",),
    "input_audio": ("input_audio", "input_audio_tokens"),
    "reasoning": ("output_reasoning", "output_reasoning_tokens"),
    "output_audio": ("output_audio", "output_audio_tokens"),
}
"""Buckets beside `input` and `output`."""
_PARTS = {
    "cache_read": "prompt_details.cache_read",
    "cache_write": "prompt_details.cache_write",
    "input_audio": "prompt_details.audio",
    "reasoning": "completion_details.reasoning",
    "output_audio": "completion_details.audio",
}
"""Keys that came from OpenInference: parts of `input` and `output`."""
_TOTALS = (
    ("input", "promptTokens", "inputUsage"),
    ("output", "completionTokens", "outputUsage"),
    ("total", "totalTokens", "totalUsage"),
)
"""Buckets that most producers send, and what older exports have in their place."""


def with_calls(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with `@call`, and `@last`: the call that a score of the whole trace is put on.

    A generation above another generation repeats it: the one below counts.
    """
    named = rows.with_columns(_TRACE.alias("@trace"), _PARENT.alias("@parent"))
    calls = leaves_of(named, _TYPE.is_in(["GENERATION", "EMBEDDING"]), "@trace", "id:str", "@parent")
    start = pl.when("@call").then(_START)
    last = start == start.max().over("@segment", "@trace")
    return named.with_columns(calls).with_columns(last.fill_null(value=False).alias("@last"))


def _leaves() -> dict[str, pl.Expr]:
    """The leaves: buckets are beside `input` and `output`, unless the total shows that they are inside."""
    step = Steps()
    p, c, total = (step(_or_old(*names)) for names in _TOTALS)
    apart = {name: step(_count(*keys)) for name, keys in _BUCKETS.items()}
    known = {name: value.fill_null(0) for name, value in apart.items()}
    beside_p = step(pl.sum_horizontal(known[name] for name in list(_BUCKETS)[:4]))
    beside_c = step(known["reasoning"] + known["output_audio"])
    rest = step((total - p.fill_null(0) - c.fill_null(0)).fill_null(beside_p + beside_c))
    both = rest == beside_p + beside_c
    p_has_them = step(~both & ((rest == 0) | (rest == beside_c)) & (beside_p > 0))
    c_has_them = step(~both & ((rest == 0) | (rest == beside_p)) & (beside_c > 0))
    counts = {
        name: pl.coalesce(value, _count(_PARTS[name])) if name in _PARTS else value
        for name, value in apart.items()
    }
    found = leaves(
        input=p + pl.when(p_has_them).then(0).otherwise(beside_p),
        output=c + pl.when(c_has_them).then(0).otherwise(beside_c),
        **counts,
    )
    return {**step, **found, RECONCILED: found[RECONCILED] | p_has_them | c_has_them}


def _quality(name: str) -> pl.Expr:
    """What was said of an observation; of the whole trace, where it is the last call."""
    whole = QUALITY[name].meta.root_names()[0].replace("judged.", "judgedTrace.")
    return pl.coalesce(QUALITY[name], pl.when("@last").then(pl.col(whole)))


def _seconds(name: str, ms: str) -> pl.Expr:
    """A duration whose bare name means seconds, while the one with the unit in its name is milliseconds."""
    return pl.coalesce(either(raw.number, ms), either(raw.number, name) * 1000)


_FAILED = raw.text("level") == "ERROR"
MAPPING: dict[str, pl.Expr] = {
    "ts": _START,
    "latency_ms": pl.coalesce(
        (_END - _START).dt.total_microseconds() / 1000, _seconds("latency", "latencyMs")
    ),
    "ttft_ms": pl.coalesce(
        (_FIRST - _START).dt.total_microseconds() / 1000, _seconds("timeToFirstToken", "timeToFirstTokenMs")
    ),
    "call_id": pl.coalesce(
        raw.text("responseId"), pl.concat_str(_TRACE, raw.text("id"), separator="/"), raw.text("id")
    ),
    "response_id": raw.text("responseId"),
    "trace": _TRACE,
    "operation": pl.when(_TYPE == "EMBEDDING").then(pl.lit("embeddings")),
    "model": pl.coalesce(either(raw.text, "providedModelName"), raw.text("model")),
    "user": pl.coalesce(either(raw.text, "userId"), raw.text("trace.userId")),
    "session": pl.coalesce(either(raw.text, "sessionId"), raw.text("trace.sessionId")),
    "feature": pl.coalesce(
        either(raw.text, "traceName"),
        raw.text("trace.name"),
        raw.text("tags[0]"),
        raw.text("trace.tags[0]"),
        raw.text("name"),
    ),
    "environment": raw.text("environment", "trace.environment"),
    "prompt": either(raw.text, "promptName"),
    "prompt_version": either(raw.text, "promptVersion"),
    **_leaves(),
    "cost_logged": pl.coalesce(
        either(raw.number, "totalCost"),
        either(raw.number, "costDetails.total"),
        raw.number("calculatedTotalCost"),
    ),
    **{name: _quality(name) for name in QUALITY},
    TEXT: pl.when(_FAILED).then(either(raw.text, "statusMessage").fill_null("unknown error")),
    ANSWERED: ~_FAILED & (_END.is_not_null() | _or_old(*_TOTALS[1]).is_not_null()),
}
READS = (_TYPE, _PARENT)
"""What `with_calls` reads beside the mapping."""
