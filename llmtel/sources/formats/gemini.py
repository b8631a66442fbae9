"""Gemini and Vertex generateContent responses: https://ai.google.dev/api/generate-content#GenerateContentResponse.

Chunks of a stream repeat the response's id with growing counts: the last one is the call.
"""

from __future__ import annotations

from functools import partial

import polars as pl

from llmtel.sources import gemini, raw
from llmtel.sources.outcome import ANSWERED, TEXT
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Copies, Mark, Source
from llmtel.sources.wrapped import FAMILY, bind, error_http, error_text

_SESSION = ("sessionId", "message", "type", "full_response")


def body(at: str) -> dict[str, pl.Expr]:
    """The mapping of a response at a prefix."""
    prompt = gemini.either(raw.count, f"{at}usageMetadata.promptTokenCount")
    finish = gemini.either(raw.text, f"{at}candidates[0].finishReason")
    return {
        **gemini.body(at, f"{at}usageMetadata."),
        "http_status": error_http(at),
        TEXT: pl.coalesce(error_text(at), gemini.blocked(at)),
        ANSWERED: prompt.is_not_null() | finish.is_not_null(),
    }


SOURCES = (
    Source(
        name="gemini",
        help="Gemini and Vertex generateContent responses, bare or in an app's own line",
        link="https://ai.google.dev/api/generate-content",
        marks=(
            Mark(any=("usageMetadata.promptTokenCount", "usage_metadata.prompt_token_count"), none=_SESSION),
            Mark(
                any=("promptFeedback.blockReason", "prompt_feedback.block_reason", "candidates[0].content"),
                none=_SESSION,
            ),
        ),
        family=FAMILY,
        bind=partial(bind, body),
        copies=Copies(
            prefer=(
                gemini.either(raw.count, "usageMetadata.candidatesTokenCount"),
                gemini.either(raw.count, "usageMetadata.totalTokenCount"),
            )
        ),
        sample=lines("""
            {"candidates":[{"content":{"role":"model"},"finishReason":"STOP"}],"usageMetadata":{
              "promptTokenCount":100,"cachedContentTokenCount":60,"toolUsePromptTokenCount":5,
              "candidatesTokenCount":30,"thoughtsTokenCount":50,"totalTokenCount":185,"promptTokensDetails":[{
              "modality":"TEXT","tokenCount":88},{"modality":"AUDIO","tokenCount":12}]},
              "modelVersion":"gemini-2.5-flash","responseId":"r1"}
            {"prompt_feedback":{"block_reason":"PROHIBITED_CONTENT"},"usage_metadata":{"prompt_token_count":9,
              "total_token_count":9},"model_version":"gemini-2.5-flash","response_id":"r2"}
        """),
        expect=rows("""
            {"call_id": "r1", "response_id": "r1", "model": "gemini-2.5-flash", "provider": "google",
              "input_uncached": 33, "cache_read": 60, "input_audio": 12, "output_text": 30, "reasoning": 50,
              "output_audio": 0, "finish_reason": "STOP", "status": "ok"}
            {"call_id": "r2", "input_uncached": 9, "output_text": 0, "status": "error",
              "error": "content_filter", "finish_reason": "PROHIBITED_CONTENT"}
        """),
    ),
)
