"""Evaluations that come as records of their own, and the spans that they judge.

https://github.com/open-telemetry/semantic-conventions-genai, event `gen_ai.evaluation.result`: it belongs to
the span it stands in or below, or names the response it judges.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.genai import CALLS, QUALITY

_EVALUATION = (raw.text("kind") == "evaluation").fill_null(value=False)


def with_evaluations(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with a column `@NAME` for each field of quality: what was said on the span, else by evaluations.

    An evaluation meets the span it names, or the response. Those of one span are taken together: the mean of
    ratings, yes where most say so.
    """
    rows = rows.with_columns(value.alias(f"@{name}") for name, value in QUALITY.items())
    judging = rows.filter(_EVALUATION)
    if judging.is_empty():
        return rows
    response = CALLS["response_id"].alias("@response")
    rows = rows.with_columns(response)
    for key in (["trace:str", "span:str"], ["@response"]):
        keys = ["@segment", *key]
        said = judging.with_columns(response).drop_nulls(keys).group_by(keys).agg(
            pl.col(f"@{name}").mean().alias(f"@said {name}") for name in QUALITY
        )  # fmt: skip
        rows = rows.join(said, on=keys, how="left", maintain_order="left")
        rows = rows.with_columns(
            pl.coalesce(f"@{name}", _as_said(name)).alias(f"@{name}") for name in QUALITY
        ).drop(f"@said {name}" for name in QUALITY)
    return rows.drop("@response")


def _as_said(name: str) -> pl.Expr:
    mean = pl.col(f"@said {name}")
    return mean if name == "rating" else mean >= 0.5  # noqa: PLR2004 (half of the evaluations)
