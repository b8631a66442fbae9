"""The names that applications give to the facts of a call, and where a file has them.

Names match without case; `-`, `.` and camelCase equal `_`. They are looked for at the top of a record and
inside the usual containers (`usage`, `request`, `response`, `metadata`, …). What a value looks like decides
with the name: an integer `status` of 200 is an HTTP status.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Literal

from msgspec import Struct

from llmtel.sources.raw import escaped
from llmtel.sources.source import Record

Shape = Literal["text", "word", "number", "time", "bool", "thumb", "http", "any"]

CONTAINERS = frozenset({
    "usage", "request", "response", "metadata", "attributes", "data", "meta", "error",
    "prompt_tokens_details", "completion_tokens_details", "input_tokens_details", "output_tokens_details",
    "cache_creation", "server_tool_use",
})  # fmt: skip
_DEEPEST = 3
"""Containers inside each other: `response.usage.prompt_tokens_details.cached_tokens`."""


class Alias(Struct, frozen=True):
    """A fact, the names it goes by (best first), and what its values look like."""

    fact: str
    names: tuple[str, ...]
    shape: Shape


def _alias(fact: str, shape: Shape, names: str) -> Alias:
    return Alias(fact, tuple(names.split()), shape)


ALIASES = (
    _alias("ts", "time", "timestamp ts time @timestamp created_at created datetime datetime_utc date"
           " start_time started_at request_time event_time logged_at"),
    _alias("end", "time", "end_time completed_at finished_at ended_at response_time"),
    _alias("first_token", "time", "first_token_time completion_start_time"),
    _alias("call_id", "text", "request_id call_id x_request_id id event_id generation_id uuid"),
    _alias("response_id", "text", "response_id completion_id generation_id"),
    _alias("span_id", "text", "span_id"),
    _alias("trace", "text", "trace_id trace"),
    _alias("provider", "word", "provider vendor system llm_provider custom_llm_provider ai_org"
           " provider_name"),
    _alias("model", "text", "response_model model model_name model_id engine deployment"),
    _alias("model_requested", "text", "request_model model_requested requested_model"),
    _alias("operation", "word", "operation call_type endpoint request_type run_type api path"),
    _alias("user", "text", "user_id user end_user customer_id account_id helicone_user external_user uid"),
    _alias("feature", "text", "feature route endpoint_name use_case tag tags[0] app app_name service"
           " workflow"),
    _alias("project", "text", "project project_id project_name"),
    _alias("api_key", "text", "api_key_id api_key_hash api_key_alias api_key_name key_id key_hash key_alias"
           " key_name api_key"),
    _alias("branch", "text", "branch git_branch"),
    _alias("agent", "text", "agent agent_name agent_id"),
    _alias("environment", "text", "environment env deployment_environment stage"),
    _alias("session", "text", "session_id session conversation_id conversation thread_id chat_id dialog_id"),
    _alias("prompt", "text", "prompt_id prompt_name prompt_template template"),
    _alias("prompt_version", "text", "prompt_version template_version"),
    _alias("variant", "text", "variant experiment ab_group arm experiment_arm"),
    _alias("case", "text", "case case_id eval_case test_case"),
    _alias("region", "text", "region location inference_geo data_region aws_region"),
    _alias("latency_ms", "number", "latency_ms duration_ms elapsed_ms delay_ms response_time_ms total_ms"),
    _alias("latency_s", "number", "latency_s duration_s latency_seconds duration_seconds latency_sec"
           " duration_sec elapsed_s"),
    _alias("latency", "number", "latency duration response_time elapsed took"),
    _alias("ttft_ms", "number", "ttft_ms time_to_first_token_ms first_token_ms ttfb_ms"),
    _alias("ttft_s", "number", "ttft_s ttft time_to_first_token time_to_first_chunk"),
    _alias("input", "number", "input_tokens prompt_tokens tokens_in tokens_prompt tokens_input"
           " prompt_token_count req_units n_context_tokens_total prompt_eval_count input"),
    _alias("cache_read", "number", "cached_tokens cached_input_tokens cache_read_input_tokens"
           " cache_read_tokens prompt_cache_hit_tokens num_cached_tokens cached_content_token_count"
           " tokens_cached"),
    _alias("cache_write", "number", "cache_creation_input_tokens cache_write_tokens"
           " cache_write_input_tokens cache_creation_tokens ephemeral_5m_input_tokens"),
    _alias("cache_write_1h", "number", "ephemeral_1h_input_tokens cache_write_1h_tokens"),
    _alias("output", "number", "output_tokens completion_tokens tokens_out tokens_completion tokens_output"
           " candidates_token_count res_units n_generated_tokens_total eval_count"),
    _alias("reasoning", "number", "reasoning_tokens thinking_tokens thoughts_token_count"
           " reasoning_output_tokens tokens_reasoning"),
    _alias("total", "number", "total_tokens"),
    _alias("unsplit", "number", "tokens token_count"),
    _alias("status", "word", "status outcome state result_status"),
    _alias("success", "bool", "success ok succeeded"),
    _alias("is_error", "bool", "is_error failed"),
    _alias("http_status", "http", "status_code http_status response_status http_status_code code"
           " result_signature status"),
    _alias("error", "any", "error_type error_code error exception error_class exception_type error_kind"
           " error_message"),
    _alias("finish_reason", "text", "finish_reason stop_reason"),
    _alias("retries", "number", "retries retry_count num_retries attempted_retries retry_attempt"),
    _alias("attempt", "number", "attempt attempts"),
    _alias("cost_logged", "number", "cost cost_usd total_cost response_cost spend price amount"
           " estimated_cost"),
    _alias("service_tier", "text", "service_tier tier speed"),
    _alias("batch", "bool", "batch"),
    _alias("web_searches", "number", "web_searches web_search_requests web_search_count"),
    _alias("context_limit", "number", "context_limit context_window max_context_tokens"),
    _alias("prompt_chars", "number", "prompt_chars input_chars prompt_length"),
    _alias("output_chars", "number", "output_chars completion_chars response_chars output_length"),
    _alias("rating", "number", "rating score stars"),
    _alias("thumb", "thumb", "thumb thumbs thumbs_up feedback user_feedback"),
    _alias("regenerated", "bool", "regenerated retried_by_user"),
    _alias("corrected", "bool", "corrected edited"),
    _alias("escalated", "bool", "escalated handoff"),
    _alias("hallucination", "bool", "hallucination hallucinated"),
    _alias("resolved", "bool", "resolved"),
    _alias("sample_rate", "number", "sample_rate sampling_rate"),
)  # fmt: skip


def _facts() -> dict[str, list[tuple[Alias, int]]]:
    """The facts that each name may stand for, with the rank of the name."""
    found: dict[str, list[tuple[Alias, int]]] = defaultdict(list)
    for alias in ALIASES:
        for rank, name in enumerate(alias.names):
            found[name].append((alias, rank))
    return found


_FACTS = _facts()
_MEASURED = ("model", "input", "output", "latency_ms", "latency_s", "latency", "model_requested")
"""Facts one of which makes a record with a time a call."""
_UNMISTAKABLE = re.compile(r"(?:_tokens|_ms|_usd)$|^model$|^timestamp$")
"""Names that mean one thing whatever the value: one of another shape is unreadable, not something else."""


class Place(Struct):
    """Where a fact stands: the path, how good its name is (0: best), how deep it lies, the values seen."""

    path: str
    rank: int
    depth: int
    values: list[Any]


def normalised(key: str) -> str:
    """`promptTokens`, `prompt-tokens` and `prompt.tokens` as `prompt_tokens`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key)
    return re.sub(r"[-. ]", "_", spaced).lower()


@lru_cache(1 << 10)
def _step(key: str) -> tuple[str, str]:
    """A key as a name, and as a step of a path."""
    return normalised(key), escaped(key)


def leaves(record: Record, prefix: str = "", above: str = "") -> Iterator[tuple[str, str, str, Any]]:
    """(path, own name, name with the container's, value) of every value at the top and in the containers.

    Of a list of texts that is the first one.
    """
    for key, value in record.items():
        # What is remembered stays small, whatever a log has for keys.
        text = str(key)
        name, step = _step(text) if len(text) < _LONGEST_WORD else _step.__wrapped__(text)
        path = prefix + step
        if isinstance(value, dict) and name in CONTAINERS and prefix.count(".") < _DEEPEST:
            yield from leaves(value, f"{path}.", name)
        elif isinstance(value, list) and value and isinstance(value[0], str):
            yield f"{path}[0]", f"{name}[0]", f"{above}_{name}[0]" if above else f"{name}[0]", value[0]
        else:
            yield path, name, f"{above}_{name}" if above else name, value


_NUMERAL = re.compile(r"\s*-?[0-9.]+(?:[eE][-+]?\d+)?\s*")
_DATE = re.compile(r"\d{4}-\d\d?-\d\d?|\d{9,}")
_HTTP = re.compile(r"[1-5][0-9][0-9]")
_EARLIEST_EPOCH = 1e8
"""Numbers below are no times but durations: 1973 in seconds."""
_LONGEST_WORD = 100
_BOOLEANS = frozenset({0, 1, "true", "false", "True", "False", "0", "1"})
_THUMBS = frozenset({
    0, 1, -1, "up", "down", "1", "-1", "true", "false", "positive", "negative"
})  # fmt: skip


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_time(value: Any) -> bool:  # noqa: ANN401 (any JSON value)
    if isinstance(value, str):
        return _DATE.match(value) is not None
    return _is_number(value) and bool(value > _EARLIEST_EPOCH)


_SHAPES: dict[Shape, Callable[[Any], bool]] = {
    "any": lambda value: not isinstance(value, list),
    "text": lambda value: isinstance(value, str | int | float),
    "word": lambda value: isinstance(value, str) and len(value) < _LONGEST_WORD,
    "number": lambda value: _is_number(value) or (isinstance(value, str) and bool(_NUMERAL.fullmatch(value))),
    "time": _is_time,
    "bool": lambda value: isinstance(value, str | int | float) and value in _BOOLEANS,
    "thumb": lambda value: isinstance(value, str | int | float) and value in _THUMBS,
    "http": lambda value: _HTTP.fullmatch(str(value)) is not None,
}
"""What the values of each shape look like; at least half of those seen must (`shaped`)."""


def shaped(values: Sequence[Any], shape: Shape) -> bool:
    """Whether at least half of the values look as a fact's values do."""
    return sum(_SHAPES[shape](value) for value in values) * 2 >= len(values)


def places(records: Sequence[Record]) -> dict[str, list[Place]]:
    """Where each fact stands in some records of a file: best name first, then the higher place."""
    values: dict[str, list[Any]] = defaultdict(list)
    names: dict[str, tuple[str, str]] = {}
    for record in records:
        for path, name, long_name, value in leaves(record):
            names[path] = (name, long_name)
            if value is not None and value != "":
                values[path].append(value)
    found: dict[str, list[Place]] = defaultdict(list)
    for path, (name, long_name) in names.items():
        candidates = list(_candidates(name, long_name)) if values[path] else []
        fitting = [found_as for found_as in candidates if shaped(values[path], found_as[0].shape)]
        if not fitting and _UNMISTAKABLE.search(name):
            fitting = candidates
        for alias, rank in fitting[:1]:
            found[alias.fact].append(Place(path, rank, path.count("."), values[path]))
    for standing in found.values():
        standing.sort(key=lambda place: (place.rank, place.depth, place.path))
    return dict(found)


def _candidates(name: str, long_name: str) -> Iterator[tuple[Alias, int]]:
    """The facts that a name may stand for: the name with its container first."""
    yield from _FACTS.get(long_name, ())
    if name != long_name:
        yield from _FACTS.get(name, ())


def is_call(record: Record, also: frozenset[str] = frozenset()) -> bool:
    """Whether a record has a time and one of model, tokens or latency: what the generic formats ask for.

    `also` are facts that it is known to have under names of its own.
    """
    facts = also | {
        alias.fact
        for _, name, long_name, value in leaves(record)
        if value is not None
        for alias, _ in _candidates(name, long_name)
        if _SHAPES[alias.shape](value)
    }
    return "ts" in facts and not facts.isdisjoint(_MEASURED)
