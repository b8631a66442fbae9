"""Claude Code transcripts: `~/.claude/projects/**/*.jsonl`.

One answer is written as several lines, one a content block, with early copies while it streams; resumed
sessions and side chains repeat them. Copies are one call: the whole line with the most output wins, a main
line before a side chain's. Nobody documents the format; the paths are those of real transcripts.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.agents import dated_by_answer, folder
from llmtel.sources.anthropic import ADVISORS, ttl_unknown, usage, with_advisors
from llmtel.sources.outcome import ANSWERED, TEXT
from llmtel.sources.source import Copies, Mark, Source

_USE = "message.usage."
_MODEL = raw.text("message.model")
_SYNTHETIC = (_MODEL == "<synthetic>").fill_null(value=False)
_FAILED = raw.flag("isApiErrorMessage").fill_null(value=False)
_HAS_USAGE = pl.any_horizontal(
    raw.count(name).is_not_null()
    for name in (f"{_USE}input_tokens", f"{_USE}output_tokens", "inputTokens", "outputTokens")
)
_BY_ASSISTANT = raw.text("type").fill_null("assistant") == "assistant"
_KEEP = _BY_ASSISTANT & (_FAILED | (_HAS_USAGE & ~_SYNTHETIC))
_ATTEMPT = pl.when(raw.text("subtype") == "api_error").then(raw.code("retryAttempt"))
_FOLDER = folder(raw.text("cwd"))
_NEW = usage(_USE)
_OUTPUT = pl.coalesce(raw.count(f"{_USE}output_tokens"), raw.count("outputTokens"))


def with_retries(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with `@retries`: the highest attempt of the errors logged before a call, in its session."""
    attempts = rows.select(_ATTEMPT.alias("attempt"))["attempt"]
    if attempts.null_count() == rows.height:
        return rows.with_columns(pl.lit(None, dtype=pl.Int64).alias("@retries"))
    session = pl.col("sessionId:str").fill_null("")
    marked = rows.with_columns(
        attempts.alias("@attempt"), _KEEP.fill_null(value=False).alias("@call"), session.alias("@session")
    )
    since = pl.col("@call").cast(pl.Int64).cum_sum().over("@session") - pl.col("@call").cast(pl.Int64)
    latest = pl.col("@attempt").max().over("@session", since)
    return marked.with_columns(pl.when("@call").then(latest).alias("@retries")).drop(
        "@attempt", "@call", "@session"
    )


SOURCES = (
    Source(
        name="claude_code",
        help="Claude Code transcripts (~/.claude/projects)",
        link="https://code.claude.com/docs/en/claude-directory",
        marks=(
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
                values={
                    "type": (
                        "system",
                        "summary",
                        "attachment",
                        "progress",
                        "file-history-snapshot",
                        "queue-operation",
                        "custom-title",
                        "agent-name",
                        "permission-mode",
                        "last-prompt",
                        "ai-title",
                        "pr-link",
                    )
                },
            ),
            Mark(all=("leafUuid",), values={"type": ("summary",)}),
            Mark(all=("snapshot",), values={"type": ("file-history-snapshot",)}),
        ),
        markers=('"usage"', '"isApiErrorMessage"', '"api_error"', '"inputTokens"'),
        careful=('"api_error"',),
        keep=_KEEP,
        prepare=with_retries,
        reads=(_ATTEMPT, raw.text("sessionId")),
        calls={
            "ts": raw.time("timestamp"),
            "provider": pl.lit("anthropic"),
            "call_id": pl.coalesce(raw.text("requestId"), raw.text("message.id")),
            "response_id": raw.text("message.id"),
            "session": raw.text("sessionId"),
            "model": pl.when(~_SYNTHETIC).then(_MODEL),
            "feature": pl.coalesce(raw.text("attributionSkill"), raw.text("attributionPlugin"), _FOLDER),
            "project": _FOLDER,
            "branch": raw.text("gitBranch"),
            "agent": raw.text("agentId"),
            "finish_reason": raw.text("message.stop_reason"),
            **_NEW,
            "input_uncached": pl.coalesce(_NEW["input_uncached"], raw.count("inputTokens")),
            "cache_read": pl.coalesce(_NEW["cache_read"], raw.count("cacheReadInputTokens")),
            "cache_write_5m": pl.coalesce(_NEW["cache_write_5m"], raw.count("cacheCreationInputTokens")),
            "output_text": pl.coalesce(_NEW["output_text"], raw.count("outputTokens")),
            ADVISORS: _NEW[ADVISORS],
            "cost_logged": raw.number("costUSD"),
            "retries": pl.col("@retries"),
            "http_status": raw.code("apiErrorStatus"),
            TEXT: pl.when(_FAILED)
            .then(raw.text("error").fill_null("unknown error"))
            .when(raw.text("message.stop_reason") == "refusal")
            .then(pl.lit("refusal")),
            ANSWERED: _HAS_USAGE,
        },
        copies=Copies(
            prefer=(~raw.flag("isSidechain").fill_null(value=False), _OUTPUT, raw.time("timestamp")),
            earliest=("ts",),
            largest=("retries",),
        ),
        remarks={
            "ttl_unknown": ttl_unknown(_USE),
            **dated_by_answer(raw.time("timestamp")),
        },
        extra=with_advisors,
        sample='{"type":"user","timestamp":"2026-09-01T10:00:00.000Z","sessionId":"s1",'
        '"cwd":"/home/me/shop","message":{"role":"user"}}\n'
        '{"type":"assistant","timestamp":"2026-09-01T10:00:04.000Z","sessionId":"s1","cwd":"/home/me/shop",'
        '"gitBranch":"main",'
        '"requestId":"req_1","message":{"id":"msg_1","model":"claude-sonnet-4-6","usage":{"input_tokens":3,'
        '"output_tokens":1,'
        '"cache_read_input_tokens":2000,"cache_creation_input_tokens":500}}}\n'
        '{"type":"assistant","timestamp":"2026-09-01T10:00:06.000Z","sessionId":"s1","cwd":"/home/me/shop",'
        '"gitBranch":"main",'
        '"requestId":"req_1","message":{"id":"msg_1","model":"claude-sonnet-4-6","usage":{"input_tokens":3,'
        '"output_tokens":240,'
        '"cache_read_input_tokens":2000,"cache_creation_input_tokens":500}}}\n',
        expect=(
            {
                "call_id": "req_1",
                "input_uncached": 3,
                "cache_read": 2000,
                "cache_write_5m": 500,
                "output_text": 240,
                "project": "shop",
                "branch": "main",
                "session": "s1",
                "provider": "anthropic",
                "status": "ok",
            },
        ),
    ),
)
