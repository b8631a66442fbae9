"""vLLM's answers with per-request metrics: https://docs.vllm.ai/en/latest/features/per_request_metrics.html.

The shape is OpenAI's. The time to the first token starts after the queue, so the wait is added to it.
"""

from __future__ import annotations

from functools import partial

from llmtel.sources import chat
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source
from llmtel.sources.wrapped import FAMILY, bind

SOURCES = (
    Source(
        name="vllm",
        help="vLLM chat completions with per-request metrics, bare or in an app's own line",
        link="https://docs.vllm.ai/en/latest/features/per_request_metrics.html",
        evidence="documented",
        marks=(Mark(all=("usage.prompt_tokens",), any=chat.VLLM),),
        family=FAMILY,
        bind=partial(bind, chat.body),
        sample=lines("""
            {"id":"chatcmpl-1","object":"chat.completion","created":1788000000,"model":"Qwen/Qwen3-8B",
              "choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":8,
              "total_tokens":28},"metrics":{"queue_time_ms":10,"time_to_first_token_ms":40,
              "generation_time_ms":150}}
        """),
        expect=rows("""
            {"response_id": "chatcmpl-1", "provider": "vllm", "model": "Qwen/Qwen3-8B", "input_uncached": 20,
              "cache_read": null, "output_text": 8, "ttft_ms": 50.0, "latency_ms": 200.0, "status": "ok"}
        """),
    ),
)
