"""Chat completions in OpenAI's shape, whoever serves them: shared by the formats that carry one.

The shape is https://platform.openai.com/docs/api-reference/chat/object; details are parts of the totals. Some
vendors write more: DeepSeek its cache hits, Mistral, Together and Hugging Face the cached tokens elsewhere,
Groq its times in seconds, OpenRouter the cost, vLLM a request's metrics. These alone tell who wrote it.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.outcome import ANSWERED, TEXT
from llmtel.sources.source import Remark
from llmtel.sources.usage import leaves
from llmtel.sources.wrapped import error_http, error_text

OBJECTS = ("chat.completion", "chat.completion.chunk", "text_completion")
VLLM = ("metrics.time_to_first_token_ms", "metrics.generation_time_ms")


def usage(use: str) -> dict[str, pl.Expr]:
    """The leaves of the usage object at a path such as `usage.`."""
    details, written = f"{use}prompt_tokens_details.", f"{use}completion_tokens_details."
    cached = (
        f"{details}cached_tokens", f"{use}prompt_cache_hit_tokens", f"{use}num_cached_tokens",
        f"{use}cached_tokens",
    )  # fmt: skip
    return leaves(
        input=raw.count(f"{use}prompt_tokens"),
        output=raw.count(f"{use}completion_tokens"),
        cache_read=raw.count(*cached),
        cache_write=raw.count(f"{details}cache_write_tokens", f"{use}cache_creation_input_tokens"),
        reasoning=raw.count(f"{written}reasoning_tokens"),
        input_audio=raw.count(f"{details}audio_tokens"),
        output_audio=raw.count(f"{written}audio_tokens"),
        total=raw.count(f"{use}total_tokens"),
    )


def openrouter(at: str) -> pl.Expr:
    """Whether OpenRouter wrote the body at a prefix: ids beginning with `gen-`, or its word on keys."""
    return raw.text(f"{at}id").str.starts_with("gen-") | raw.flag(f"{at}usage.is_byok").is_not_null()


def remarks(at: str) -> dict[str, Remark]:
    """What to say of the bodies at a prefix: OpenRouter's cost leaves out what a user's own key pays."""
    return {
        "byok": Remark(
            raw.flag(f"{at}usage.is_byok"),
            "{n} {record|records} used your own key at the provider: "
            "the logged cost is OpenRouter's share alone",
        )
    }


def _vendor(at: str) -> pl.Expr:
    told = {
        "openrouter": openrouter(at),
        "groq": raw.number(f"{at}usage.queue_time").is_not_null(),
        "deepseek": raw.count(f"{at}usage.prompt_cache_miss_tokens").is_not_null(),
        "vllm": raw.number(f"{at}metrics.generation_time_ms").is_not_null(),
    }
    return pl.coalesce(*(pl.when(proof).then(pl.lit(vendor)) for vendor, proof in told.items()))


def _durations(at: str) -> dict[str, pl.Expr]:
    """Latency and time to the first token. What Groq and vLLM state of either leaves the queue out."""
    wait, work = raw.number(f"{at}usage.queue_time"), raw.number(f"{at}usage.total_time")
    first = raw.number(f"{at}metrics.queue_time_ms").fill_null(0) + raw.number(f"{at}{VLLM[0]}")
    return {
        "latency_ms": pl.coalesce((wait + work) * 1000, first + raw.number(f"{at}{VLLM[1]}")),
        "ttft_ms": first,
    }


def body(at: str) -> dict[str, pl.Expr]:
    """The mapping of a completion at a prefix."""
    refused = raw.text(f"{at}choices[0].message.refusal")
    return {
        "ts": raw.time(f"{at}created"),
        "provider": _vendor(at),
        "response_id": raw.text(f"{at}id"),
        "call_id": raw.text(f"{at}id"),
        "model": raw.text(f"{at}model"),
        "service_tier": raw.text(f"{at}service_tier"),
        "finish_reason": raw.text(f"{at}choices[0].finish_reason"),
        "user": raw.text(f"{at}user"),
        "cost_logged": raw.number(f"{at}usage.cost"),
        **_durations(at),
        **usage(f"{at}usage."),
        "http_status": error_http(at),
        TEXT: pl.coalesce(error_text(at), pl.when(refused != "").then(pl.lit("refusal"))),
        ANSWERED: raw.text(f"{at}object").is_in([*OBJECTS, "list"])
        | raw.count(f"{at}usage.prompt_tokens").is_not_null(),
    }
