"""Usage and cost exports of providers, whose rows stand for many requests each: what they have in common."""

from __future__ import annotations

from typing import Any

import polars as pl

from llmtel.sources import raw
from llmtel.sources.source import Record, Remark

SUMS = {"grain": pl.lit("bucket"), "request_count": pl.lit(None, dtype=pl.Int64)}
"""The fields of a row that stands for many requests and does not say how many."""
PAGE_FOLLOWS = {
    "page_follows": Remark(
        raw.flag("page_follows"),
        "{n} {page of a usage export says|pages of usage exports say} that another one follows: is it here?",
    )
}
"""The remark on pages of an API whose last one is not among them, see `results`."""


def results(
    page: Record, start: str, inside: tuple[str, ...] = ("results", "result")
) -> list[dict[str, Any]]:
    """The results of a page's buckets, or of one bucket, each with its bucket's time, which is at `start`."""
    found = [
        {start: bucket.get(start), **result}
        for bucket in ([page] if start in page else page.get("data") or ())
        for result in next((bucket[key] for key in inside if bucket.get(key)), ())
    ]
    if found and page.get("has_more") is True:
        found[0]["page_follows"] = True
    return found


def dollars(amount: pl.Expr, currency: pl.Expr) -> pl.Expr:
    """A cost that is stated in dollars; unknown in another currency, whose rate no log has."""
    return pl.when(currency.str.to_uppercase() == "USD").then(amount)


def in_dollars_only(currency: pl.Expr) -> dict[str, Remark]:
    """The remark on costs that are stated in another currency."""
    text = "{n} {cost is|costs are} in another currency than USD and {counts|count} as unknown"
    return {"currency": Remark(currency.str.to_uppercase() != "USD", text)}


_ITEM = r"^([a-z0-9][\w.:-]*), [a-z ]*(?:input|output)"
"""A line item that is a model's: the model, and which of its tokens."""


def _openai() -> dict[str, pl.Expr]:
    cached, written = raw.count("input_cached_tokens"), raw.count("input_cache_write_tokens")
    audio, spoken = raw.count("input_audio_tokens"), raw.count("output_audio_tokens")
    full_rate = pl.coalesce(
        raw.count("input_uncached_tokens"),
        raw.count("input_tokens") - cached.fill_null(0) - written.fill_null(0),
    )
    return {
        **SUMS,
        "ts": raw.time("start_time"),
        "request_count": raw.count("num_model_requests"),
        "provider": pl.lit("openai"),
        "model": pl.coalesce(raw.text("model"), raw.text("line_item").str.extract(_ITEM)),
        "user": raw.text("user_id"),
        "project": raw.text("project_id"),
        "api_key": raw.text("api_key_id"),
        "input_uncached": full_rate - audio.fill_null(0),
        "cache_read": cached,
        "cache_write_5m": written,
        "input_audio": audio,
        "output_text": raw.count("output_tokens") - spoken.fill_null(0),
        "output_audio": spoken,
        "batch": raw.flag("batch"),
        "service_tier": raw.text("service_tier"),
    }


OPENAI = _openai()
"""OpenAI's usage, as its API and its dashboard name it. Text and image tokens are parts of the totals."""
