"""ATIF, the Agent Trajectory Interchange Format: https://www.harborframework.com/docs/agents/trajectory-format.

A call is a step with metrics. The final metrics are their sum; steps copied from an earlier trajectory were
counted there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from llmtel.sources import raw
from llmtel.sources.agents import dated_by_answer
from llmtel.sources.outcome import ANSWERED
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Record, Source
from llmtel.sources.usage import leaves

_USE = "metrics."
_STAMP = raw.time("timestamp")


def steps(trajectory: Record) -> Iterable[dict[str, Any]]:
    """The steps, each with what its trajectory says."""
    around = {"agent": trajectory.get("agent"), "session_id": trajectory.get("session_id")}
    found = trajectory.get("steps")
    return [{**step, **around} for step in found] if isinstance(found, list) and found else [{}]


SOURCES = (
    Source(
        name="atif",
        help="ATIF trajectories of agents",
        link="https://www.harborframework.com/docs/agents/trajectory-format",
        marks=(Mark(all=("steps",), values={"schema_version": ("ATIF-*",)}),),
        records=steps,
        keep=pl.any_horizontal(
            raw.count(f"{_USE}{name}").is_not_null() for name in ("prompt_tokens", "completion_tokens")
        )
        & ~raw.flag("is_copied_context").fill_null(value=False),
        calls={
            "ts": _STAMP,
            "call_id": pl.concat_str(raw.text("session_id"), raw.text("step_id"), separator="/"),
            "session": raw.text("session_id"),
            "feature": raw.text("agent.name"),
            "agent": raw.text("agent.name"),
            "model": raw.text("model_name", "agent.model_name"),
            **leaves(
                input=raw.count(f"{_USE}prompt_tokens"),
                output=raw.count(f"{_USE}completion_tokens"),
                cache_read=raw.count(f"{_USE}cached_tokens"),
            ),
            "cost_logged": raw.number(f"{_USE}cost_usd"),
            ANSWERED: pl.lit(value=True),
        },
        remarks=dated_by_answer(_STAMP),
        sample=lines("""
            {"schema_version":"ATIF-v1.5","session_id":"s1","agent":{"name":"fixer","version":"1",
              "model_name":"gpt-5"},"steps":[{"step_id":1,"source":"user","message":"hello"},{"step_id":2,
              "timestamp":"2026-09-01T10:00:02Z","source":"agent","message":"hi","metrics":{
              "prompt_tokens":300,"cached_tokens":100,"completion_tokens":50,"cost_usd":0.002}},{"step_id":3,
              "source":"agent","is_copied_context":true,"metrics":{"prompt_tokens":1,"completion_tokens":1}}],
              "final_metrics":{"total_prompt_tokens":300,"total_completion_tokens":50,"total_cost_usd":0.002}}
        """),
        expect=rows("""
            {"call_id": "s1/2", "session": "s1", "feature": "fixer", "model": "gpt-5", "input_uncached": 200,
              "cache_read": 100, "output_text": 50, "cost_logged": 0.002, "status": "ok"}
        """),
    ),
)
