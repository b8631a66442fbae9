"""Simon Willison's llm: `llm logs --json`, or its `logs.db`: https://llm.datasette.io/en/stable/logging.html.

The counts are the provider's own, and so are the details beside them: those of Anthropic's cache come on top
of the input, all others are parts. Prompts that failed are not logged, so nothing is known of errors.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.nested import inside
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source, Table
from llmtel.sources.usage import leaves

_COLUMNS = {
    name: name
    for name in (
        "id", "model", "resolved_model", "duration_ms", "datetime_utc", "input_tokens", "output_tokens",
        "token_details",
    )
}  # fmt: skip
_NEEDS = frozenset({"id", "model", "duration_ms", "datetime_utc"})


def _detail(*paths: str) -> pl.Expr:
    """The first of some counts in the details, which are JSON in a text."""
    details = raw.text("token_details")
    return pl.coalesce(inside(details, path).cast(pl.Int64, strict=False) for path in paths)


_BESIDE = _detail("cache_read_input_tokens"), _detail("cache_creation_input_tokens")
_WITHIN = _detail(
    "prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens", "cachedContentTokenCount"
)

SOURCES = (
    Source(
        name="simonw_llm",
        help="llm (Simon Willison): `llm logs --json`, or logs.db",
        link="https://llm.datasette.io/en/stable/logging.html",
        marks=(Mark(all=("conversation_id", "datetime_utc", "duration_ms")),),
        tables=(
            Table("responses", {**_COLUMNS, "conversation_id": "conversation_id"}, _NEEDS),
            Table("turns", {**_COLUMNS, "conversation_id": "thread_id"}, _NEEDS | {"thread_id"}),
        ),
        utc=True,
        calls={
            "ts": raw.time("datetime_utc"),
            "latency_ms": raw.number("duration_ms"),
            "call_id": raw.text("id"),
            "session": raw.text("conversation_id"),
            "model": raw.text("resolved_model", "model"),
            "model_requested": raw.text("model"),
            **leaves(
                input=raw.count("input_tokens") + pl.sum_horizontal(_BESIDE),
                output=raw.count("output_tokens"),
                cache_read=pl.coalesce(_BESIDE[0], _WITHIN),
                cache_write=_BESIDE[1],
                reasoning=_detail(
                    "completion_tokens_details.reasoning_tokens",
                    "output_tokens_details.reasoning_tokens",
                    "thoughtsTokenCount",
                ),
            ),
        },
        sample=lines(r"""
            {"id":"01k1","model":"gpt-5-mini","resolved_model":"gpt-5-mini-2025-08-07","prompt":"hi",
              "conversation_id":"01k0","duration_ms":820,"datetime_utc":"2026-09-01T10:00:00.5+00:00",
              "input_tokens":200,"output_tokens":90,
              "token_details":"{\"prompt_tokens_details\": {\"cached_tokens\": 128}, \"completion_tokens_detai
              ls\": {\"reasoning_tokens\": 64}}"}
            {"id":"01k2","model":"anthropic/claude-sonnet-4-6","conversation_id":"01k0","duration_ms":900,
              "datetime_utc":"2026-09-01T10:01:00+00:00","input_tokens":12,"output_tokens":30,
              "token_details":"{\"cache_read_input_tokens\": 4000}"}
        """),
        expect=rows("""
            {"call_id": "01k1", "session": "01k0", "model": "gpt-5-mini-2025-08-07",
              "model_requested": "gpt-5-mini", "latency_ms": 820.0, "input_uncached": 72, "cache_read": 128,
              "output_text": 26, "reasoning": 64, "status": null}
            {"model": "anthropic/claude-sonnet-4-6", "input_uncached": 12, "cache_read": 4000,
              "output_text": 30, "cost_logged": null}
        """),
    ),
)
