"""Gemini's usage metadata as leaves: shared by the formats that carry it, in either spelling.

The prompt includes the cache; tool results and thoughts are counted apart from prompt and candidates. Counts
of zero are left out, so a missing count beside a known one is zero. See `UsageMetadata` at
https://ai.google.dev/api/generate-content.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import polars as pl

from llmtel.sources import raw
from llmtel.sources.usage import MISMATCH, leaves

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def either(read: Callable[[str], pl.Expr], path: str) -> pl.Expr:
    """What stands at a path, written as in REST (`modelVersion`) or as in Python (`model_version`)."""
    return pl.coalesce(read(path), read(_CAMEL.sub("_", path).lower()))


def _audio(path: str) -> pl.Expr:
    """Audio tokens of a list of modalities: 0 where there is none."""
    camel = raw.items(path, {"modality": "str", "tokenCount": "count"})
    snake = raw.items(_CAMEL.sub("_", path).lower(), {"modality": "str", "token_count": "count"})
    found = [
        details.list.eval(
            pl.when(pl.element().struct.field("modality") == "AUDIO").then(pl.element().struct.field(count))
        ).list.sum()
        for details, count in ((camel, "tokenCount"), (snake, "token_count"))
    ]
    return pl.coalesce(*found, 0)


def usage(at: str) -> dict[str, pl.Expr]:
    """The leaves of the usage metadata at a path such as `usageMetadata.`; null where there is none."""
    prompt, total = either(raw.count, f"{at}promptTokenCount"), either(raw.count, f"{at}totalTokenCount")
    known = prompt.is_not_null() | total.is_not_null()

    def count(name: str) -> pl.Expr:
        return pl.when(known).then(either(raw.count, f"{at}{name}TokenCount").fill_null(0))

    heard = _audio(f"{at}promptTokensDetails") - _audio(f"{at}cacheTokensDetails")
    return counted(
        {
            "prompt": count("prompt"),
            "candidates": count("candidates"),
            "cached": count("cachedContent"),
            "thoughts": count("thoughts"),
            "tool": count("toolUsePrompt"),
            "total": total,
        },
        input_audio=pl.when(known).then(heard),
        output_audio=pl.when(known).then(_audio(f"{at}candidatesTokensDetails")),
    )


def counted(
    counts: Mapping[str, pl.Expr],
    *,
    input_audio: pl.Expr | None = None,
    output_audio: pl.Expr | None = None,
) -> dict[str, pl.Expr]:
    """The leaves of Gemini's six counts, under the names that its command line gives them.

    `prompt` (with what was `cached` of it), `candidates`, `thoughts` and `tool` (results handed to the model)
    make up the `total`. Of these only prompt and candidates have to be known.
    """
    cached, thoughts = counts["cached"].fill_null(0), counts["thoughts"].fill_null(0)
    given = counts["prompt"] + counts["tool"].fill_null(0)
    written = counts["candidates"] + thoughts
    found = leaves(
        input=given,
        output=written,
        cache_read=pl.when(given.is_not_null()).then(cached),
        reasoning=pl.when(written.is_not_null()).then(thoughts),
        input_audio=input_audio,
        output_audio=output_audio,
    )
    total = counts["total"]
    return {**found, MISMATCH: found[MISMATCH] | (total != given + written).fill_null(value=False)}


def body(at: str, use: str) -> dict[str, pl.Expr]:
    """The mapping of a generateContent response at a prefix, its usage metadata at another."""
    finish = either(raw.text, f"{at}candidates[0].finishReason")
    blocked = either(raw.text, f"{at}promptFeedback.blockReason")
    return {
        "ts": either(raw.time, f"{at}createTime"),
        "provider": pl.lit("google"),
        "response_id": either(raw.text, f"{at}responseId"),
        "call_id": either(raw.text, f"{at}responseId"),
        "model": either(raw.text, f"{at}modelVersion"),
        "finish_reason": pl.coalesce(finish, blocked),
        "service_tier": pl.coalesce(
            either(raw.text, f"{use}serviceTier"), either(raw.text, f"{use}trafficType")
        ),
        **usage(use),
    }


def blocked(at: str) -> pl.Expr:
    """What to say of an error: `content_filter` where the prompt was blocked."""
    reason = either(raw.text, f"{at}promptFeedback.blockReason")
    return pl.when(reason.is_not_null()).then(pl.lit("content_filter"))
