"""What came of a call, in llmtel's words: the kinds of error, from an HTTP status and the words of a log."""

from __future__ import annotations

import polars as pl

_WORDS: tuple[tuple[str, str], ...] = (
    (
        "content_filter",
        r"content[ _-]?filter|content_policy|guardrail|prohibited_content|^safety$|moderation",
    ),
    ("refusal", r"refus"),
    (
        "rate_limit",
        r"rate[ _-]?limit|throttl|quota|too[ _-]?many[ _-]?requests|resource[ _-]?exhausted|\b429\b",
    ),
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
_BAD_HTTP = 400
_BLOCKED = ("content_filter", "refusal")


WORD, TEXT, SUCCESS, ANSWERED = "@word", "@error_text", "@success", "@answered"
"""What a mapping may give instead of `status` and `error`: a status word, what an error says, a success flag, and
whether an answer was logged. `settled` makes `status` and `error` of them, with `http_status`."""

GOOD = (
    "ok",
    "success",
    "succeeded",
    "successful",
    "completed",
    "complete",
    "passed",
    "true",
    "200",
    "incomplete",
)
BAD = ("error", "failed", "failure", "fail", "exception", "false", "errored", "canceled", "expired")


def settled(calls: pl.DataFrame) -> pl.DataFrame:
    """Calls with `status` and `error` in place of what the mapping gave.

    An error text, a bad status word, a status ≥ 400 or a missing success make a call failed; a good word, a lower
    status, a success or an answer make it ok; nothing of these leaves it unknown.
    """
    given = [name for name in (WORD, TEXT, SUCCESS, ANSWERED) if name in calls.columns]
    if not given and ("status" in calls.columns or "http_status" not in calls.columns):
        return calls
    missing = {
        WORD: pl.String,
        TEXT: pl.String,
        SUCCESS: pl.Boolean,
        ANSWERED: pl.Boolean,
        "http_status": pl.Int64,
    }
    facts = calls.select(
        pl.col(name) if name in calls.columns else pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in missing.items()
    )
    facts = facts.with_columns(_word_is_good(facts[WORD]).alias("@good"))
    http, good = pl.col("http_status"), pl.col("@good")
    bad = ~good | (pl.col(TEXT).str.len_bytes() > 0) | (http >= _BAD_HTTP) | ~pl.col(SUCCESS)
    fine = good | http.is_between(100, _BAD_HTTP - 1) | pl.col(SUCCESS) | pl.col(ANSWERED)
    status = pl.when(bad).then(pl.lit("error")).when(fine).then(pl.lit("ok"))
    facts = facts.with_columns(status.alias("status"))
    return calls.drop(given).with_columns(facts["status"], _kinds(facts))


def _word_is_good(words: pl.Series) -> pl.Series:
    """Whether each status word is good (true), bad (false) or says nothing (null). Words are few, so each is judged once."""
    unique = words.drop_nulls().unique()
    if unique.is_empty():
        return pl.Series("@good", [None], dtype=pl.Boolean).new_from_index(0, words.len())
    lower = pl.col("word").str.to_lowercase()
    of_an_error = pl.any_horizontal(lower.str.contains(pattern) for _, pattern in _WORDS)
    judged = unique.alias("word").to_frame().select(
        "word", pl.when(lower.is_in(GOOD)).then(True).when(lower.is_in(BAD) | of_an_error).then(False).alias("good")
    )  # fmt: skip
    return words.replace_strict(judged["word"], judged["good"], default=None, return_dtype=pl.Boolean)


def _kinds(facts: pl.DataFrame) -> pl.Series:
    """The kind of error of every failed call. Most failures are alike, so each is judged once."""
    kinds = pl.Series("error", [None], dtype=pl.String).new_from_index(0, facts.height)
    bad = (facts["status"] == "error").fill_null(value=False)
    if not bad.any():
        return kinds
    text = pl.concat_str(TEXT, pl.when(~pl.col("@good")).then(pl.col(WORD)), separator=" ", ignore_nulls=True)
    failures = facts.filter(bad).select(text.alias("text"), pl.col("http_status").alias("http"))
    judged = failures.unique().with_columns(_judged().alias("kind"))
    found = failures.join(judged, on=["text", "http"], how="left", nulls_equal=True, maintain_order="left")
    return kinds.scatter(bad.arg_true(), found["kind"])


def _judged() -> pl.Expr:
    words, status = pl.col("text").str.to_lowercase(), pl.col("http")
    found = {kind: words.str.contains(pattern) for kind, pattern in _WORDS}
    chain = (
        pl.when(found["content_filter"])
        .then(pl.lit("content_filter"))
        .when(found["refusal"])
        .then(pl.lit("refusal"))
    )
    chain = (
        chain.when(status == 429).then(pl.lit("rate_limit"))  # noqa: PLR2004 (HTTP)
        .when(status.is_in([408, 504])).then(pl.lit("timeout"))
        .when(status.is_between(400, 499)).then(pl.lit("http_4xx"))
        .when(status >= 500).then(pl.lit("http_5xx"))  # noqa: PLR2004 (HTTP)
    )  # fmt: skip
    for kind, _ in _WORDS[len(_BLOCKED) :]:
        chain = chain.when(found[kind]).then(pl.lit(kind))
    return chain.otherwise(pl.lit("other"))
