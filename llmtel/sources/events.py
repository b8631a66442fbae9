"""Log events of coding agents that tell of a call: Claude Code, Codex, Gemini CLI and Qwen Code.

https://code.claude.com/docs/en/monitoring-usage, https://google-gemini.github.io/gemini-cli/docs/cli/telemetry,
https://developers.openai.com/codex/config-advanced. They are exported over OpenTelemetry and read as `spans`
makes records of them: attributes have `_` for the dots of their names.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import gemini, raw
from llmtel.sources.usage import Counts, leaves

_EVENTS = tuple(
    f"{agent}.{event}"
    for agent, event in (
        ("claude_code", "api_request"), ("claude_code", "api_error"), ("gemini_cli", "api_response"),
        ("gemini_cli", "api_error"), ("qwen-code", "api_response"), ("qwen-code", "api_error"),
    )
)  # fmt: skip
"""Log events of coding agents that tell of one call each. Codex has none: see `_CODEX_DONE`."""


def text(*names: str) -> pl.Expr:
    """A text: the first known of some attributes."""
    return pl.coalesce(*(raw.text(f"attributes.{name}") for name in names))


def count(*names: str) -> pl.Expr:
    """A count: the first known of some attributes."""
    return pl.coalesce(*(raw.count(f"attributes.{name}") for name in names))


def number(*names: str) -> pl.Expr:
    """A number: the first known of some attributes."""
    return pl.coalesce(*(raw.number(f"attributes.{name}") for name in names))


NAME = raw.text("name")
# of Codex it is how long one event of the answer took
EVENT_MS = pl.when(~NAME.str.starts_with("codex.").fill_null(value=False)).then(number("duration_ms"))
HTTP = pl.coalesce(raw.code("attributes.http_response_status_code"), raw.code("attributes.status_code"))
_CODEX = NAME.str.starts_with("codex.").fill_null(value=False)
# a request is logged when its answer begins, what it used with the last event of the answer
_CODEX_DONE = (
    NAME.is_in(["codex.sse_event", "codex.websocket_event"])
    & (text("event_kind") == "response.completed")
    & count("input_token_count").is_not_null()
)
_CODEX_FAILED = (NAME == "codex.api_request") & ((HTTP >= 400) | text("error_message").is_not_null())  # noqa: PLR2004 (HTTP)
IS_EVENT = (NAME.is_in(_EVENTS) | _CODEX_DONE | _CODEX_FAILED).fill_null(value=False)
"""Whether a record is the event of a call."""
_GEMINI = NAME.str.contains(r"^(?:gemini_cli|qwen-code)\.").fill_null(value=False)
_COUNTS = {
    "prompt": "input", "candidates": "output", "cached": "cached_content", "thoughts": "thoughts",
    "tool": "tool", "total": "total",
}  # fmt: skip
_GEMINI_LEAVES = gemini.counted({name: count(f"{key}_token_count") for name, key in _COUNTS.items()})
_CODEX_LEAVES = leaves(
    Counts(
        input=count("input_token_count"),
        output=count("output_token_count"),
        cache_read=count("cached_token_count"),
        cache_write=count("cache_write_token_count"),
        reasoning=count("reasoning_token_count"),
    )
)
_CLAUDE_LEAVES = {
    "input_uncached": count("input_tokens"),
    "cache_read": count("cache_read_tokens"),
    "cache_write_5m": count("cache_creation_tokens"),
    "output_text": count("output_tokens"),
}
ERROR = pl.coalesce(text("error_type", "error", "error_message"), raw.text("exception"))
FAILED = (
    raw.flag("failed").fill_null(value=False)
    | NAME.str.ends_with(".api_error").fill_null(value=False)
    | _CODEX_FAILED.fill_null(value=False)
)


def of_event(leaf: str, span: pl.Expr) -> pl.Expr:
    """A leaf as its kind of event counts it, or as a span does."""
    return (
        pl.when(~IS_EVENT)
        .then(span)
        .when(_GEMINI)
        .then(_GEMINI_LEAVES.get(leaf))
        .when(_CODEX)
        .then(_CODEX_LEAVES.get(leaf))
        .otherwise(_CLAUDE_LEAVES.get(leaf))
    )
