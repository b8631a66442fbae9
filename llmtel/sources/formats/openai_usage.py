"""OpenAI's Usage and Costs API: pages of buckets, each with results, none of which is a single call.

https://platform.openai.com/docs/api-reference/usage. Details (text, image, cached audio tokens) are parts of
the totals. Costs are daily and stand in rows of their own: what a usage would cost is never added to them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from llmtel.sources import raw
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Record, Remark, Source


def records(page: Record) -> Iterable[dict[str, Any]]:
    """The results of a page, or of a bucket, each with its bucket's time; a bare result is one itself."""
    buckets = page.get("data") if page.get("object") == "page" else [page]
    if page.get("object") not in ("page", "bucket"):
        return [dict(page)]
    found = [
        {"start_time": bucket.get("start_time"), **result}
        for bucket in buckets or ()
        for result in bucket.get("results") or bucket.get("result") or ()
    ]
    if found and page.get("has_more") is True:
        found[0]["page_follows"] = True
    return found


_CACHED, _WRITTEN = raw.count("input_cached_tokens"), raw.count("input_cache_write_tokens")
_AUDIO, _SPOKEN = raw.count("input_audio_tokens"), raw.count("output_audio_tokens")
_FULL_RATE = pl.coalesce(
    raw.count("input_uncached_tokens"),
    raw.count("input_tokens") - _CACHED.fill_null(0) - _WRITTEN.fill_null(0),
)
_ITEM = r"^([a-z0-9][\w.:-]*), [a-z ]*(?:input|output)"
"""A line item that is a model's: the model, and which of its tokens."""

SOURCES = (
    Source(
        name="openai_usage",
        help="Pages of OpenAI's Usage and Costs API: sums of many requests",
        link="https://platform.openai.com/docs/api-reference/usage",
        marks=(
            Mark(values={"object": ("page",), "data[0].object": ("bucket",)}),
            Mark(all=("data", "next_page"), none=("data[0]",), values={"object": ("page",)}),
            Mark(all=("start_time",), any=("results", "result"), values={"object": ("bucket",)}),
            Mark(values={"object": ("organization.usage.*", "organization.costs.*")}),
        ),
        records=records,
        keep=raw.text("object").is_not_null(),
        calls={
            "ts": raw.time("start_time"),
            "grain": pl.lit("bucket"),
            "request_count": raw.count("num_model_requests"),
            "provider": pl.lit("openai"),
            "model": pl.coalesce(raw.text("model"), raw.text("line_item").str.extract(_ITEM)),
            "operation": raw.text("object").str.extract(r"^organization\.usage\.([a-z_]+)"),
            "user": raw.text("user_id"),
            "project": raw.text("project_id"),
            "input_uncached": _FULL_RATE - _AUDIO.fill_null(0),
            "cache_read": _CACHED,
            "cache_write_5m": _WRITTEN,
            "input_audio": _AUDIO,
            "output_text": raw.count("output_tokens") - _SPOKEN.fill_null(0),
            "output_audio": _SPOKEN,
            "batch": raw.flag("batch"),
            "service_tier": raw.text("service_tier"),
            "cost_logged": pl.when(raw.text("amount.currency").str.to_lowercase() == "usd").then(
                raw.number("amount.value")
            ),
        },
        remarks={
            "page_follows": Remark(
                raw.flag("page_follows"),
                "pages of a usage export that say another one follows: {n}; are they all here?",
            ),
            "currency": Remark(
                raw.text("amount.currency").str.to_lowercase() != "usd",
                "{n} costs are in another currency than USD and count as unknown",
            ),
        },
        sample=lines("""
            {"object":"page","data":[{"object":"bucket","start_time":1788220800,"end_time":1788307200,
              "results":[{"object":"organization.usage.completions.result","input_tokens":700,
              "input_cached_tokens":200,"output_tokens":90,"num_model_requests":4,
              "model":"gpt-5-mini-2025-08-07","project_id":"proj_shop","batch":false},{
              "object":"organization.costs.result","amount":{"value":0.25,"currency":"usd"},
              "line_item":"gpt-5-mini-2025-08-07, cached input"}]},{"object":"bucket","start_time":1788307200,
              "end_time":1788393600,"results":[]}],"has_more":false,"next_page":null}
            {"object":"organization.usage.embeddings.result","input_tokens":30,"num_model_requests":3,
              "model":"text-embedding-3-small"}
        """),
        expect=rows("""
            {"grain": "bucket", "request_count": 4, "model": "gpt-5-mini-2025-08-07", "project": "proj_shop",
              "input_uncached": 500, "cache_read": 200, "output_text": 90, "reasoning": null,
              "cost_logged": null}
            {"grain": "bucket", "request_count": null, "model": "gpt-5-mini-2025-08-07",
              "input_uncached": null, "cost_logged": 0.25}
            {"ts": null, "request_count": 3, "input_uncached": 30, "output_text": null}
        """),
    ),
)
