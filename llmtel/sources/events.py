"""Log events of coding agents that tell of a call: Claude Code, Codex, Gemini CLI and Qwen Code.

https://code.claude.com/docs/en/monitoring-usage, https://google-gemini.github.io/gemini-cli/docs/cli/telemetry,
https://developers.openai.com/codex/config-advanced. They are exported over OpenTelemetry and read as `spans`
makes records of them: attributes have `_` for the dots of their names.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw

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
    return raw.text(*(f"attributes.{name}" for name in names))


def count(*names: str) -> pl.Expr:
    """A count: the first known of some attributes."""
    return raw.count(*(f"attributes.{name}" for name in names))


def number(*names: str) -> pl.Expr:
    """A number: the first known of some attributes."""
    return raw.number(*(f"attributes.{name}" for name in names))


NAME = raw.text("name")
# of Codex it is how long one event of the answer took
EVENT_MS = pl.when(~NAME.str.starts_with("codex.").fill_null(value=False)).then(number("duration_ms"))
HTTP = raw.code("attributes.http_response_status_code", "attributes.status_code")
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
_GIVEN, _WRITTEN = count("input_token_count"), count("output_token_count")
_CACHE_READ = count("cache_read_tokens", "cached_content_token_count", "cached_token_count")
_CACHE_WRITE = count("cache_creation_tokens", "cache_write_token_count")
_REASONING = count("thoughts_token_count", "reasoning_token_count")
COUNTS = {
    # Gemini's tools are beside its prompt (Codex has the total there), Claude's cache is beside its input
    "input": pl.when(_GEMINI)
    .then(_GIVEN + count("tool_token_count").fill_null(0))
    .when(_CODEX)
    .then(_GIVEN)
    .otherwise(count("input_tokens") + _CACHE_READ.fill_null(0) + _CACHE_WRITE.fill_null(0)),
    "output": pl.when(_GEMINI)
    .then(_WRITTEN + _REASONING.fill_null(0))
    .otherwise(pl.coalesce(_WRITTEN, count("output_tokens"))),
    "cache_read": _CACHE_READ,
    "cache_write": _CACHE_WRITE,
    "reasoning": _REASONING,
}
"""What an event counts, as `usage.Counts` has it: totals, and what is inside them."""
ERROR = pl.coalesce(text("error_type", "error", "error_message"), raw.text("exception"))
FAILED = (
    raw.flag("failed").fill_null(value=False)
    | NAME.str.ends_with(".api_error").fill_null(value=False)
    | _CODEX_FAILED.fill_null(value=False)
)


def of_event(name: str, span: pl.Expr) -> pl.Expr:
    """A count as an event has it, or as a span does."""
    return pl.when(IS_EVENT).then(COUNTS[name]).otherwise(span)
