"""OpenAI chat completions and what is shaped like them, bare or inside an application's own line.

DeepSeek, Groq, Mistral, Together, xAI and OpenRouter answer in this shape: https://platform.openai.com/docs/api-reference/chat/object.
"""

from __future__ import annotations

from functools import partial

from llmtel.sources import chat
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source
from llmtel.sources.wrapped import FAMILY, OF_A_LOG, TIMES_OF_A_LOG, bind

SOURCES = (
    Source(
        name="openai_chat",
        speaks=True,
        help="Chat completions and embeddings in OpenAI's shape, whoever serves them (DeepSeek, Groq, "
        "Mistral, xAI, OpenRouter, …), bare or in an app's own line",
        link="https://platform.openai.com/docs/api-reference/chat/object",
        marks=(
            Mark(values={"object": chat.OBJECTS}, none=chat.VLLM),
            Mark(
                all=("usage.prompt_tokens",),
                none=(*OF_A_LOG, *chat.VLLM),
            ),
            Mark(
                any=("error.message", "error.type", "error.code"),
                none=("type", "custom_id", *TIMES_OF_A_LOG),
            ),
        ),
        family=FAMILY,
        bind=partial(bind, chat.body, remarks=chat.remarks),
        remarks=chat.remarks(""),
        sample=lines("""
            {"timestamp":"2026-09-01T10:00:00Z","request_id":"req_1","latency_ms":900,"user":"u1",
              "feature":"chat","response":{"id":"chatcmpl-1","object":"chat.completion","created":1788000000,
              "model":"gpt-4o-2024-08-06","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},
              "finish_reason":"stop"}],"usage":{"prompt_tokens":100,"completion_tokens":40,"total_tokens":140,
              "prompt_tokens_details":{"cached_tokens":60},"completion_tokens_details":{
              "reasoning_tokens":10}}}}
            {"timestamp":"2026-09-01T10:00:02Z","request_id":"req_2","latency_ms":10,"user":"u1",
              "feature":"chat","response":null,"error":{"type":"rate_limit_exceeded"}}
            {"timestamp":"2026-09-01T10:00:03Z","response":{"id":"chatcmpl-3","object":"chat.completion",
              "model":"llama-3.3-70b-versatile","usage":{"queue_time":0.05,"prompt_time":0.01,
              "prompt_tokens":42,"completion_time":0.02,"completion_tokens":8,"total_tokens":50,
              "total_time":0.03}}}
            {"timestamp":"2026-09-01T10:00:04Z","response":{"id":"m4","object":"chat.completion",
              "model":"mistral-large-latest","usage":{"prompt_tokens":70,"num_cached_tokens":64,
              "completion_tokens":12,"total_tokens":82}}}
            {"timestamp":"2026-09-01T10:00:05Z","response":{"id":"x5","object":"chat.completion",
              "model":"grok-4","usage":{"prompt_tokens":32,"completion_tokens":9,"total_tokens":151,
              "completion_tokens_details":{"reasoning_tokens":110}}}}
            {"timestamp":"2026-09-01T10:00:06Z","response":{"id":"d6","object":"chat.completion",
              "model":"deepseek-chat","usage":{"prompt_tokens":563,"prompt_cache_hit_tokens":512,
              "prompt_cache_miss_tokens":51,"completion_tokens":16,"total_tokens":579}}}
            {"timestamp":"2026-09-01T10:00:07Z","response":{"id":"gen-7","object":"chat.completion",
              "model":"z-ai/glm-4.6","provider":"AtlasCloud","usage":{"prompt_tokens":16,
              "completion_tokens":2,"total_tokens":18,"cost":0.000014,"is_byok":false}}}
        """),
        expect=rows("""
            {"call_id": "req_1", "response_id": "chatcmpl-1", "input_uncached": 40, "cache_read": 60,
              "output_text": 30, "reasoning": 10, "latency_ms": 900.0, "feature": "chat", "status": "ok",
              "finish_reason": "stop", "provider": null}
            {"call_id": "req_2", "input_uncached": null, "status": "error", "error": "rate_limit",
              "model": null}
            {"provider": "groq", "latency_ms": 80.0, "ttft_ms": null, "input_uncached": 42}
            {"provider": null, "input_uncached": 6, "cache_read": 64, "output_text": 12}
            {"provider": null, "output_text": 9, "reasoning": 110}
            {"provider": "deepseek", "input_uncached": 51, "cache_read": 512, "output_text": 16}
            {"provider": "openrouter", "cost_logged": 1.4e-05, "input_uncached": 16}
        """),
    ),
)
