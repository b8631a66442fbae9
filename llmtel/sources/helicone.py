"""Helicone's requests: the mapping of its export and of its API, as JSON and as a table.

https://docs.helicone.ai/tools/export. Whether the cache is inside the prompt follows the provider, which is
not documented: the total decides.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.outcome import ANSWERED, TEXT
from llmtel.sources.usage import leaves

_NO_REFERENCE = "00000000-0000-0000-0000-000000000000"
_PROPERTIES = "request_properties."
_FEATURES = ("feature", "Feature", "use_case", "app", "App", "appname", "route", "workflow", "project")
_RESPONSE_IDS = r"^(?:chatcmpl-|resp_|msg_|gen-|cmpl-)"
_STATUS = raw.code("response_status")
_FROM_CACHE = (raw.text("cache_reference_id") != _NO_REFERENCE).fill_null(value=False)
_ID = raw.text("response_body.id")

CALLS: dict[str, pl.Expr] = {
    "ts": raw.time("request_created_at"),
    "latency_ms": pl.when(~_FROM_CACHE).then(raw.number("delay_ms")),
    "ttft_ms": pl.when(~_FROM_CACHE).then(raw.number("time_to_first_token")),
    "call_id": raw.text("request_id"),
    "response_id": pl.when(_ID.str.contains(_RESPONSE_IDS)).then(_ID),
    "provider": raw.text("provider"),
    "model": raw.text("response_model", "request_model", "model"),
    "model_requested": raw.text("request_model"),
    "user": raw.text("request_user_id", "helicone_user"),
    "session": raw.text(f"{_PROPERTIES}Helicone-Session-Id"),
    "feature": raw.text(*(f"{_PROPERTIES}{name}" for name in (*_FEATURES, "Helicone-Session-Name"))),
    "environment": raw.text(f"{_PROPERTIES}environment", f"{_PROPERTIES}Environment"),
    "prompt": raw.text("prompt_id"),
    "prompt_version": raw.text("prompt_version"),
    **leaves(
        input=raw.count("prompt_tokens"),
        output=raw.count("completion_tokens"),
        cache_read=raw.count("prompt_cache_read_tokens"),
        cache_write=raw.count("prompt_cache_write_tokens"),
        reasoning=raw.count("reasoning_tokens"),
        input_audio=raw.count("prompt_audio_tokens"),
        output_audio=raw.count("completion_audio_tokens"),
        total=raw.count("total_tokens"),
    ),
    "cost_logged": pl.when(_FROM_CACHE).then(0.0).otherwise(raw.number("costUSD", "cost")),
    "thumb": raw.flag("feedback_rating"),
    "http_status": pl.when(_STATUS > 0).then(_STATUS),
    # below zero: pending, cancelled, or a failure of the gateway's own
    TEXT: pl.when(_STATUS < 0).then(pl.lit("cancelled")),
    ANSWERED: _STATUS.is_between(100, 399),
}
