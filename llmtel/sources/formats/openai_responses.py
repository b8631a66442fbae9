"""OpenAI Responses objects, bare or inside an application's own line.

https://platform.openai.com/docs/api-reference/responses/object. Snapshots (queued, in_progress) are no calls:
the finished object has the same id.
"""

from __future__ import annotations

from functools import partial

import polars as pl

from llmtel.sources import raw
from llmtel.sources.anthropic import CACHE
from llmtel.sources.chat import openrouter, remarks
from llmtel.sources.outcome import ANSWERED, TEXT, WORD
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source
from llmtel.sources.usage import leaves
from llmtel.sources.wrapped import FAMILY, OF_A_LOG, bind, error_http, error_text


def body(at: str) -> dict[str, pl.Expr]:
    """The mapping of a Responses object at a prefix."""
    use = f"{at}usage."
    reason, status = raw.text(f"{at}incomplete_details.reason"), raw.text(f"{at}status")
    outputs = raw.items(f"{at}output", {"type": "str"})
    searches = outputs.list.eval(
        (pl.element().struct.field("type") == "web_search_call").cast(pl.Int64)
    ).list.sum()
    kind, unfinished = raw.text(f"{at}object"), status.is_in(["queued", "in_progress"]).fill_null(value=False)
    foreign = pl.any_horizontal(raw.count(f"{at}{path}").is_not_null() for path in CACHE)
    return {
        "ts": raw.time(f"{at}created_at"),
        "provider": pl.when(openrouter(at)).then(pl.lit("openrouter")),
        "response_id": raw.text(f"{at}id"),
        "call_id": raw.text(f"{at}id"),
        "model": raw.text(f"{at}model"),
        "service_tier": raw.text(f"{at}service_tier"),
        "finish_reason": pl.coalesce(reason.replace({"max_output_tokens": "max_tokens"}), status),
        "user": raw.text(f"{at}user", f"{at}safety_identifier"),
        "session": raw.text(f"{at}conversation.id"),
        "prompt": raw.text(f"{at}prompt.id"),
        "prompt_version": raw.text(f"{at}prompt.version"),
        "cost_logged": raw.number(f"{use}cost"),
        "web_searches": searches,
        **leaves(
            input=raw.count(f"{use}input_tokens"),
            output=raw.count(f"{use}output_tokens"),
            cache_read=raw.count(f"{use}input_tokens_details.cached_tokens"),
            cache_write=raw.count(f"{use}input_tokens_details.cache_write_tokens"),
            reasoning=raw.count(f"{use}output_tokens_details.reasoning_tokens"),
            total=raw.count(f"{use}total_tokens"),
        ),
        "http_status": error_http(at),
        WORD: status,
        TEXT: error_text(at),
        ANSWERED: pl.when(kind.is_not_null())
        .then(kind.is_in(["response", "response.compaction"]) & ~unfinished)
        .otherwise(raw.count(f"{use}input_tokens").is_not_null() & ~foreign),
    }


SOURCES = (
    Source(
        name="openai_responses",
        speaks=True,
        help="OpenAI Responses objects, bare or in an app's own line",
        link="https://platform.openai.com/docs/api-reference/responses/object",
        marks=(
            Mark(values={"object": ("response", "response.compaction")}),
            Mark(all=("usage.input_tokens", "usage.output_tokens"), none=("object", *CACHE, *OF_A_LOG)),
        ),
        family=FAMILY,
        bind=partial(bind, body, remarks=remarks),
        remarks=remarks(""),
        sample=lines("""
            {"id":"resp_1","object":"response","created_at":1788000000,"completed_at":1788000002,
              "status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"error":null,
              "model":"gpt-5-mini","output":[{"type":"web_search_call"},{"type":"message"}],"usage":{
              "input_tokens":50,"input_tokens_details":{"cached_tokens":20},"output_tokens":30,
              "output_tokens_details":{"reasoning_tokens":25},"total_tokens":80}}
        """),
        expect=rows("""
            {"response_id": "resp_1", "input_uncached": 30, "cache_read": 20, "output_text": 5,
              "reasoning": 25, "web_searches": 1, "finish_reason": "max_tokens", "status": "ok"}
        """),
    ),
)
