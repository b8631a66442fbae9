"""What gateways have in common: a cache of their own, and names that the application gives them."""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.outcome import ANSWERED, TEXT

_SAID = {
    "user": ("_user", "user", "user_id", "userId", "userID"),
    "session": ("session", "session_id", "sessionId", "conversation_id"),
    "feature": ("feature", "use_case", "app", "route", "team", "project"),
    "environment": ("_environment", "environment"),
}
"""Names that applications give to what a call is for, in the metadata that a gateway lets them add."""


def said(at: str) -> dict[str, pl.Expr]:
    """What the application's own metadata says, which stands at a path."""
    return {field: raw.text(*(f"{at}.{name}" for name in names)) for field, names in _SAID.items()}


def unless_cached(hit: pl.Expr, cost: pl.Expr, **durations: pl.Expr) -> dict[str, pl.Expr]:
    """Cost and durations of a call that the gateway may have answered itself: then for nothing, at once."""
    answered = hit.fill_null(value=False)
    spent = pl.when(answered).then(0.0).otherwise(cost)
    return {"cost_logged": spent, **{name: pl.when(~answered).then(ms) for name, ms in durations.items()}}


def _openrouter() -> dict[str, pl.Expr]:
    finish = raw.text("finish_reason_normalized", "finish_reason")
    cancelled = pl.when(raw.flag("cancelled")).then(pl.lit("cancelled"))
    failed = pl.coalesce(cancelled, pl.when(finish == "error").then(pl.lit("other")))
    return {
        "ts": raw.time("created_at"),
        "provider": pl.lit("openrouter"),
        "ttft_ms": raw.number("time_to_first_token_ms"),
        "finish_reason": finish,
        TEXT: failed,
        ANSWERED: failed.is_null(),
    }


OPENROUTER = _openrouter()
"""What OpenRouter's activity page and its API say of a generation under the same names."""
