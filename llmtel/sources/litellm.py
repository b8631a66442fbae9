"""LiteLLM's requests as records, and their mapping: shared by logging payloads and SpendLogs.

https://docs.litellm.ai/docs/proxy/logging_spec. Some fields of SpendLogs are JSON inside text; what is
unknown may be the text "None". Usage is in the response, or in the metadata where responses are not kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from llmtel.sources import raw
from llmtel.sources.nested import opened
from llmtel.sources.outcome import TEXT, WORD, joined
from llmtel.sources.source import Record
from llmtel.sources.usage import leaves

_OPENED = ("response", "metadata", "request_tags")
_META = "metadata."
_RESPONSE_IDS = r"^(?:chatcmpl-|resp_|msg_|gen-|cmpl-)"


def records(line: Record) -> Iterable[dict[str, Any]]:
    """The record with its JSON texts opened, and of the response what is no text."""
    record = {**line, **{key: opened(line.get(key)) for key in _OPENED}}
    response = record["response"] if isinstance(record["response"], dict) else {}
    return [{**record, "response": {key: response.get(key) for key in ("id", "usage")}, "messages": None}]


def _text(*paths: str) -> pl.Expr:
    """The first of some texts that says something."""
    return pl.coalesce(*(pl.when(~raw.text(path).is_in(["", "None"])).then(raw.text(path)) for path in paths))


def _usage(*names: str) -> pl.Expr:
    """A count of the usage, wherever that is kept."""
    places = ("response.usage.", f"{_META}usage_object.")
    return raw.count(*(place + name for place in places for name in names))


_START, _END, _FIRST = raw.time("startTime"), raw.time("endTime"), raw.time("completionStartTime")
_CACHED = (raw.text("cache_hit").str.to_lowercase() == "true").fill_null(value=False)
_TOOK = pl.coalesce((_END - _START).dt.total_microseconds() / 1000, raw.number("response_time") * 1000)
# without streaming the first token is written as the end, or the log says so
_STREAMED = raw.flag("stream").fill_null(value=True) & (_FIRST < _END)
_ERROR = ("error_information.", f"{_META}error_information.")
_CODE = _text(*(f"{place}error_code" for place in _ERROR))
_WORDS = joined([_text(*(f"{place}error_class" for place in _ERROR)), _CODE, _text("error_str")])
_ID = _text("id", "request_id")
_IN = "prompt_tokens_details."
_WRITTEN = _usage("cache_creation_input_tokens", f"{_IN}cache_creation_tokens")
_WRITTEN_5M, _WRITTEN_1H = (
    _usage(f"{_IN}cache_creation_token_details.ephemeral_{life}_input_tokens") for life in ("5m", "1h")
)

CALLS: dict[str, pl.Expr] = {
    "ts": _START,
    "latency_ms": pl.when(~_CACHED).then(_TOOK),
    "ttft_ms": pl.when(_STREAMED & ~_CACHED).then((_FIRST - _START).dt.total_microseconds() / 1000),
    "call_id": _ID,
    # what the cache answers has the id of the answer that it kept
    "response_id": pl.when(~_CACHED).then(
        pl.coalesce(pl.when(_ID.str.contains(_RESPONSE_IDS)).then(_ID), raw.text("response.id"))
    ),
    "session": _text("trace_id", "session_id"),
    "trace": _text("trace_id"),
    "model": _text("model"),
    "model_requested": _text("model_group"),
    "provider": _text("custom_llm_provider"),
    "operation": _text("call_type"),
    "user": _text("end_user", "user", f"{_META}user_api_key_user_id"),
    "feature": _text(f"{_META}user_api_key_team_alias", "team_id", "request_tags[0]"),
    "api_key": _text("api_key", f"{_META}user_api_key_hash", f"{_META}user_api_key"),
    "prompt": _text(f"{_META}prompt_management_metadata.prompt_id"),
    **leaves(
        input=raw.count("prompt_tokens"),
        output=raw.count("completion_tokens"),
        cache_read=_usage("cache_read_input_tokens", f"{_IN}cached_tokens"),
        cache_write=pl.coalesce(_WRITTEN_5M, _WRITTEN - _WRITTEN_1H.fill_null(0)),
        cache_write_1h=_WRITTEN_1H,
        reasoning=_usage("completion_tokens_details.reasoning_tokens"),
        input_audio=_usage(f"{_IN}audio_tokens"),
        output_audio=_usage("completion_tokens_details.audio_tokens"),
        total=raw.count("total_tokens"),
    ),
    "cost_logged": pl.when(_CACHED).then(0.0).otherwise(raw.number("response_cost", "spend")),
    "retries": raw.count(f"{_META}attempted_retries"),
    "http_status": _CODE.cast(pl.Int64, strict=False),
    WORD: raw.text("status"),
    TEXT: pl.when(raw.text("status").fill_null("") != "success").then(_WORDS),
}
