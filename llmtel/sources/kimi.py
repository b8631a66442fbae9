"""Wire logs of Kimi Code CLI: a request is logged at every attempt, and its usage as a record that follows.

Older files have only the usage, in status updates that name no model.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.agents import so_far

_OLD, _NEW = "message.payload.token_usage.", "usage."
TYPE, STEP = raw.text("type"), raw.text("turnStep")
COUNTS = {
    "input_uncached": raw.count(f"{_OLD}input_other", f"{_NEW}inputOther"),
    "cache_read": raw.count(f"{_OLD}input_cache_read", f"{_NEW}inputCacheRead"),
    "cache_write_5m": raw.count(f"{_OLD}input_cache_creation", f"{_NEW}inputCacheCreation"),
    "output_text": raw.count(f"{_OLD}output", f"{_NEW}output"),
}
IS_REQUEST = (TYPE == "llm.request").fill_null(value=False)
_IS_USAGE = (
    COUNTS["output_text"].is_not_null()
    & ((raw.text("message.type") == "StatusUpdate") | (TYPE == "usage.record")).fill_null(value=False)
    # what is of a session sums up what is of its turns
    & (raw.text("usageScope") != "session").fill_null(value=True)
)
_ATTEMPT = raw.text("attempt").str.extract(r"^(\d+)/").cast(pl.Int64, strict=False)


def with_calls(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with `@call` (the first row of each), its `@attempts`, and the usage that followed (`@FIELD`)."""
    step = so_far(pl.when(IS_REQUEST).then(STEP)).shift(1).over("@segment")
    kind = pl.when(IS_REQUEST).then(pl.lit("request")).when(_IS_USAGE).then(pl.lit("usage"))
    waiting = (so_far(kind).shift(1).over("@segment") == "request").fill_null(value=False)
    again = ((step == STEP) & (_ATTEMPT > 1)).fill_null(value=False)
    opens = (IS_REQUEST & ~again) | (_IS_USAGE & ~waiting)
    rows = rows.with_columns(opens.alias("@call"))
    group = ["@segment", pl.col("@call").cast(pl.Int64).cum_sum().over("@segment")]
    return rows.with_columns(
        _ATTEMPT.max().over(group).alias("@attempts"),
        *(
            pl.when(_IS_USAGE).then(value).max().over(group).alias(f"@{name}")
            for name, value in COUNTS.items()
        ),
    )
