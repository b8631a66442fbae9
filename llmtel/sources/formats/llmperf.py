"""LLMPerf's individual responses and summaries: https://github.com/ray-project/llmperf.

A run's calls are one array without times or models: these stand in the run's summary, which is no call. What
failed carries zeros for what was never measured; an answer that was too short (-100) keeps its figures.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.outcome import SUCCESS, TEXT
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source

_CODE = raw.code("error_code")
_TOOK, _FIRST = raw.number("end_to_end_latency_s"), raw.number("ttft_s")
_MEASURED = _CODE.is_null() | (_TOOK > 0)
_TOO_SHORT = -100


def _if_measured(value: pl.Expr) -> pl.Expr:
    return pl.when(_MEASURED).then(value)


SOURCES = (
    Source(
        name="llmperf",
        help="LLMPerf results: *_individual_responses.json; a *_summary.json has no calls",
        link="https://github.com/ray-project/llmperf",
        marks=(
            Mark(all=("ttft_s", "end_to_end_latency_s", "error_code")),
            Mark(all=("results_num_requests_started",)),
        ),
        keep=_TOOK.is_not_null(),
        calls={
            "latency_ms": _if_measured(_TOOK * 1000),
            "ttft_ms": _if_measured(_FIRST * 1000),
            "input_uncached": _if_measured(raw.count("number_input_tokens")),
            "output_text": _if_measured(raw.count("number_output_tokens")),
            "feature": pl.col(raw.STEM),
            "output_chars": _if_measured(raw.text("GEN_TEXT").str.len_chars().cast(pl.Int64)),
            "http_status": pl.when(_CODE.is_between(400, 599)).then(_CODE),
            SUCCESS: _CODE.is_null(),
            TEXT: pl.when(_CODE == _TOO_SHORT).then(pl.lit("parse")),
        },
        sample=lines("""
            {"error_code":null,"error_msg":"","ttft_s":0.25,"end_to_end_latency_s":1.5,
              "number_total_tokens":700,"number_output_tokens":150,"number_input_tokens":550}
            {"error_code":429,"error_msg":"slow down","ttft_s":0,"end_to_end_latency_s":0,
              "number_output_tokens":1,"number_input_tokens":550}
            {"error_code":-100,"error_msg":"too short","ttft_s":0.5,"end_to_end_latency_s":0.75,
              "number_output_tokens":3,"number_input_tokens":550,"GEN_TEXT":"No."}
            {"results_num_requests_started":3,"model":"llama-3-8b","timestamp":1788256800}
        """),
        expect=rows("""
            {"ts": null, "model": null, "latency_ms": 1500.0, "ttft_ms": 250.0, "input_uncached": 550,
              "output_text": 150, "status": "ok", "feature": "sample"}
            {"status": "error", "error": "rate_limit", "http_status": 429, "latency_ms": null,
              "ttft_ms": null, "output_text": null}
            {"status": "error", "error": "parse", "http_status": null, "latency_ms": 750.0, "output_text": 3,
              "output_chars": 3}
        """),
    ),
)
