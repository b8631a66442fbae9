"""OpenAI's Usage and Costs API: pages of buckets, each with results, none of which is a single call.

https://platform.openai.com/docs/api-reference/usage. Details (text, image, cached audio tokens) are parts of
the totals. Costs are daily and stand in rows of their own: what a usage would cost is never added to them.
"""

from __future__ import annotations

from typing import Any

from llmtel.sources import raw
from llmtel.sources.buckets import OPENAI, PAGE_FOLLOWS, dollars, in_dollars_only, results
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Record, Source


def records(page: Record) -> list[dict[str, Any]]:
    """The results of a page, or of a bucket; a bare result is one itself."""
    return results(page, "start_time") if page.get("object") in ("page", "bucket") else [dict(page)]


_CURRENCY = raw.text("amount.currency")

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
            **OPENAI,
            "operation": raw.text("object").str.extract(r"^organization\.usage\.([a-z_]+)"),
            "cost_logged": dollars(raw.number("amount.value"), _CURRENCY),
        },
        remarks={**PAGE_FOLLOWS, **in_dollars_only(_CURRENCY)},
        sample=lines("""
            {"object":"page","data":[{"object":"bucket","start_time":1788220800,"end_time":1788307200,
              "results":[{"object":"organization.usage.completions.result","input_tokens":700,
              "input_cached_tokens":200,"output_tokens":90,"num_model_requests":4,
              "model":"gpt-5-mini-2025-08-07","project_id":"proj_shop","api_key_id":"key_1","batch":false},{
              "object":"organization.costs.result","amount":{"value":0.25,"currency":"usd"},
              "line_item":"gpt-5-mini-2025-08-07, cached input"}]},{"object":"bucket","start_time":1788307200,
              "end_time":1788393600,"results":[]}],"has_more":false,"next_page":null}
            {"object":"organization.usage.embeddings.result","input_tokens":30,"num_model_requests":3,
              "model":"text-embedding-3-small"}
        """),
        expect=rows("""
            {"grain": "bucket", "request_count": 4, "model": "gpt-5-mini-2025-08-07", "project": "proj_shop",
              "api_key": "key_1", "input_uncached": 500, "cache_read": 200, "output_text": 90,
              "reasoning": null, "cost_logged": null}
            {"grain": "bucket", "request_count": null, "model": "gpt-5-mini-2025-08-07",
              "input_uncached": null, "cost_logged": 0.25}
            {"ts": null, "request_count": 3, "input_uncached": 30, "output_text": null}
        """),
    ),
)
