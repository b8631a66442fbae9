"""Logs of evaluation tools as records: the calls in Inspect's logs and in promptfoo's results.

Both have prompts and answers in them, of which nothing is taken along.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llmtel.sources.source import Pick, Record, lookup

_EVENT = Pick({
    "timestamp": "timestamp", "asked": "model", "seconds": "working_time", "retries": "retries",
    "error": "error", "cache": "cache", "model": "output.model", "failure": "output.error",
    "stop": "output.choices[0].stop_reason", "id": "call.response.id",
    "tier": "call.response.service_tier", "input": "output.usage.input_tokens",
    "output": "output.usage.output_tokens", "reasoning": "output.usage.reasoning_tokens",
    "total": "output.usage.total_tokens", "cached": "output.usage.input_tokens_cache_read",
    "written": "output.usage.input_tokens_cache_write", "cost": "output.usage.total_cost",
    "role": "role", "requested": "requested_model",
})  # fmt: skip
"""What is read of a model event, and where it is; no text of a prompt or an answer."""
_OF_LOG = Pick({"task": "eval.task", "run": "eval.run_id"})
_RESULT = Pick({
    "provider": "provider.id", "test": "testIdx", "described": "testCase.description",
    "prompt": "promptId", "prompt_index": "promptIdx", "ms": "latencyMs", "cost": "cost",
    "score": "score", "success": "success", "reason": "failureReason", "error": "error",
    "failed": "response.error", "cached": "response.cached",
    "refused": "response.isRefusal", "stop": "response.finishReason",
})  # fmt: skip
"""What is read of a result, and where it is; no text of a prompt or an answer."""


def events(log: Record) -> Iterator[dict[str, Any]]:
    """The events of all samples; those that are no finished calls of a model are empty."""
    of_log = _OF_LOG(log)
    for sample in log.get("samples") or ():
        of_sample = {"sample": sample.get("uuid"), "case": sample.get("id"), **of_log}
        for event in sample.get("events") or ():
            if event.get("event") == "model" and not event.get("pending"):
                yield {**_EVENT(event), **of_sample, "is_call": True}
            else:
                yield {}


def results(export: Record) -> Iterator[dict[str, Any]]:
    """The results of a run, or the one that a line is."""
    summary = export["results"] if isinstance(export.get("results"), dict) else export
    found = summary.get("results")
    for result in found if isinstance(found, list) else [export]:
        usage = lookup(result, ("response", "tokenUsage")) or result.get("tokenUsage")
        yield {
            "run": export.get("evalId") or result.get("evalId"),
            "stamp": summary.get("timestamp"),
            "answered": lookup(result, ("response", "output")) is not None,
            "usage": usage,
            **_RESULT(result),
        }
