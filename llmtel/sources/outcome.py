"""What came of a call, in llmtel's words: the kinds of error, from an HTTP status and the words of a log."""

from __future__ import annotations

import polars as pl

_WORDS: tuple[tuple[str, str], ...] = (
    ("content_filter", r"content[ _-]?filter|content_policy|guardrail|prohibited_content|^safety$|moderation"),
    ("refusal", r"refus"),
    ("rate_limit", r"rate[ _-]?limit|throttl|quota|too[ _-]?many[ _-]?requests|resource[ _-]?exhausted|\b429\b"),
    ("timeout", r"time[ _-]?d?[ _-]?out|timeout|deadline|\b(?:408|504)\b"),
    ("cancelled", r"cancel|abort"),
    ("parse", r"json[ _-]?decode|parse|validation[ _-]?error|invalid[ _-]?json|schema|output[ _-]?parser"),
    (
        "http_5xx",
        r"overloaded|api_error|server[ _-]?error|internal[ _-]?error|service[ _-]?unavailable|bad[ _-]?gateway|\b5\d\d\b|\b529\b|http_5xx",
    ),
    (
        "http_4xx",
        r"invalid_request|not_found|notfound|authentication|permission|unauthori[sz]ed|forbidden|bad[ _-]?request|model_not_found"
        r"|tool_use_failed|context[ _-]?length|context_window|request_too_large|invalid[_ ](?:api[_ ]key|type|value|image)|\b4\d\d\b|http_4xx",
    ),
)
_BLOCKED = ("content_filter", "refusal")


def error_kind(text: pl.Expr, http_status: pl.Expr | None = None) -> pl.Expr:
    """The kind of an error: null where neither a word nor a status ≥ 400 says that there was one.

    `content_filter` and `refusal` beat the status (Azure answers 400 to a filtered prompt), a status beats other words.
    """
    words = text.cast(pl.String).str.to_lowercase()
    found = {kind: words.str.contains(pattern) for kind, pattern in _WORDS}
    chain = pl.when(found["content_filter"]).then(pl.lit("content_filter")).when(found["refusal"]).then(pl.lit("refusal"))
    if http_status is not None:
        status = http_status
        chain = (
            chain.when(status == 429).then(pl.lit("rate_limit"))  # noqa: PLR2004 (HTTP)
            .when(status.is_in([408, 504])).then(pl.lit("timeout"))
            .when(status.is_between(400, 499)).then(pl.lit("http_4xx"))
            .when(status >= 500).then(pl.lit("http_5xx"))  # noqa: PLR2004 (HTTP)
        )  # fmt: skip
    for kind, _ in _WORDS[len(_BLOCKED):]:
        chain = chain.when(found[kind]).then(pl.lit(kind))
    return chain.when(words.str.len_bytes() > 0).then(pl.lit("other")).otherwise(None)


def status_of(error: pl.Expr, answered: pl.Expr) -> pl.Expr:
    """`error` where there is an error, `ok` where there is an answer, else unknown."""
    return pl.when(error.is_not_null()).then(pl.lit("error")).when(answered).then(pl.lit("ok"))
