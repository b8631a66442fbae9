"""Lines of Claude Code's transcripts: which are calls, what failed before them, and what their path tells."""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.agents import folder
from llmtel.sources.anthropic import usage
from llmtel.sources.source import Mark

USE = "message.usage."
MODEL = raw.text("message.model")
SYNTHETIC = (MODEL == "<synthetic>").fill_null(value=False)
FAILED = raw.flag("isApiErrorMessage").fill_null(value=False)
HAS_USAGE = pl.any_horizontal(
    raw.count(name).is_not_null()
    for name in (f"{USE}input_tokens", f"{USE}output_tokens", "inputTokens", "outputTokens")
)
KEEP = (raw.text("type").fill_null("assistant") == "assistant") & (FAILED | (HAS_USAGE & ~SYNTHETIC))
"""Whether a line is of a call."""
_ATTEMPT = pl.when(raw.text("subtype") == "api_error").then(raw.code("retryAttempt"))
_SESSION = raw.text("sessionId")
# projects/<path with dashes>/<session>.jsonl, or …/<session>/subagents/agent-*.jsonl
_PLACE = r"(?:^|/)projects/[^/]*?(?<folder>[^/-]+)-*/(?<session>[^/]+?)(?:\.jsonl[^/]*|/.*)$"

SESSION = pl.coalesce(_SESSION, pl.col("@place").struct.field("session"))
FOLDER = pl.coalesce(folder(raw.text("cwd")), pl.col("@place").struct.field("folder"))
"""The working directory's last part; where a line has none, that of the folder that is named after it."""
_NEW = usage(USE)
LEAVES = {
    **_NEW,
    "input_uncached": pl.coalesce(_NEW["input_uncached"], raw.count("inputTokens")),
    "cache_read": pl.coalesce(_NEW["cache_read"], raw.count("cacheReadInputTokens")),
    "cache_write_5m": pl.coalesce(_NEW["cache_write_5m"], raw.count("cacheCreationInputTokens")),
    "output_text": pl.coalesce(_NEW["output_text"], raw.count("outputTokens")),
}
"""What a call used, also in the flat lines of old versions."""
READS = (_ATTEMPT, _SESSION, pl.col(raw.PATH))
"""What `prepared` reads beside the mapping."""


def prepared(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with `@retries` and `@place`, the folder and session that the path of their file names."""
    path = rows.select(raw.PATH)
    place = pl.col(raw.PATH).str.extract_groups(_PLACE).alias("@place")
    places = path.unique().with_columns(place)
    found = path.join(places, on=raw.PATH, how="left", nulls_equal=True, maintain_order="left")
    return _with_retries(rows).with_columns(found["@place"])


def _with_retries(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with `@retries`: the highest attempt of the errors logged before a call, in its session."""
    attempts = rows.select(_ATTEMPT.alias("attempt"))["attempt"]
    if attempts.null_count() == rows.height:
        return rows.with_columns(pl.lit(None, dtype=pl.Int64).alias("@retries"))
    session = _SESSION.fill_null("")
    marked = rows.with_columns(
        attempts.alias("@attempt"), KEEP.fill_null(value=False).alias("@call"), session.alias("@session")
    )
    since = pl.col("@call").cast(pl.Int64).cum_sum().over("@session") - pl.col("@call").cast(pl.Int64)
    latest = pl.col("@attempt").max().over("@session", since)
    return marked.with_columns(pl.when("@call").then(latest).alias("@retries")).drop(
        "@attempt", "@call", "@session"
    )


_CONTEXT = (
    "system", "summary", "attachment", "progress", "file-history-snapshot", "queue-operation",
    "custom-title", "agent-name", "permission-mode", "last-prompt", "ai-title", "pr-link",
)  # fmt: skip
"""Types of lines beside those of the two who speak."""
MARKS = (
    Mark(all=("message.usage.input_tokens",), none=("usageMetadata", "message.parts", "custom_id")),
    Mark(all=("inputTokens", "outputTokens", "message"), none=("usageMetadata", "message.parts")),
    Mark(
        any=("message.role", "message.content"),
        none=("usageMetadata", "message.parts"),
        values={"type": ("user", "assistant")},
    ),
    Mark(
        all=("sessionId",),
        none=("usageMetadata", "message.parts", "projectHash", "systemPayload"),
        values={"type": _CONTEXT},
    ),
    Mark(all=("leafUuid",), values={"type": ("summary",)}),
    Mark(all=("snapshot",), values={"type": ("file-history-snapshot",)}),
)
"""What shows a transcript of Claude Code."""
