"""AlpacaEval's annotations: https://github.com/tatsu-lab/alpaca_eval.

One call of a judge each, who says which of two answers is better: 1 the first, 2 the second.
"""

from __future__ import annotations

from llmtel.sources import raw
from llmtel.sources.proof import lines, rows
from llmtel.sources.source import Mark, Source

SOURCES = (
    Source(
        name="alpaca_eval",
        help="AlpacaEval annotations: the judge's calls; the mean rating is the win rate",
        link="https://github.com/tatsu-lab/alpaca_eval",
        marks=(Mark(all=("annotator", "preference", "generator_1")),),
        calls={
            "cost_logged": raw.number("price_per_example"),
            "latency_ms": raw.number("time_per_example") * 1000,
            "rating": raw.number("preference") - 1,
            "feature": raw.text("dataset"),
            "prompt": raw.text("annotator"),
        },
        sample=lines("""
            {"generator_1":"base","generator_2":"mine","dataset":"koala","annotator":"judge_v2",
              "preference":1.75,"price_per_example":0.01,"time_per_example":0.5}
            {"generator_1":"base","generator_2":"mine","dataset":"koala","annotator":"judge_v2",
              "preference":1.5,"price_per_example":null,"time_per_example":null}
        """),
        expect=rows("""
            {"cost_logged": 0.01, "latency_ms": 500.0, "rating": 0.75, "feature": "koala",
              "prompt": "judge_v2", "ts": null, "model": null, "status": null}
            {"cost_logged": null, "latency_ms": null, "rating": 0.5}
        """),
    ),
)
