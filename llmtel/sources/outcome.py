"""What came of a call, in llmtel's words: the kinds of error, from an HTTP status and the words of a log."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache

import polars as pl

WORD, TEXT, SUCCESS, ANSWERED = "@word", "@error_text", "@success", "@answered"
"""What a mapping may give instead of `status` and `error`: a status word, what an error says, a success flag,
and whether an answer was logged. `settled` makes `status` and `error` of them, with `http_status`."""

_BLOCKED = {
    "content_filter": (
        "content[ _-]?filter", "content_policy", "guardrail", "prohibited_content", "^safety$", "moderation"
    ),
    "refusal": ("refus",),
}  # fmt: skip
"""Words of answers that were blocked: these beat the HTTP status (Azure answers 400 to a filtered prompt)."""
_FAILED = {
    "rate_limit": (
        "rate[ _-]?limit", "throttl", "quota", "too[ _-]?many[ _-]?requests", "resource[ _-]?exhausted",
        r"\b429\b",
    ),
    "timeout": ("time[ _-]?d?[ _-]?out", "deadline", r"\b(?:408|504)\b"),
    "cancelled": ("cancel", "abort"),
    "parse": (
        "json[ _-]?decode", "parse", "validation[ _-]?error", "invalid[ _-]?json", "schema",
        "output[ _-]?parser",
    ),
    "http_5xx": (
        "overloaded", "api_error", "server[ _-]?error", "internal[ _-]?error", "service[ _-]?unavailable",
        "bad[ _-]?gateway", r"\b5\d\d\b", "http_5xx",
    ),
    "http_4xx": (
        "invalid_request", "not_found", "notfound", "authentication", "permission", "unauthori[sz]ed",
        "forbidden", "bad[ _-]?request", "tool_use_failed", "context[ _-]?length", "context_window",
        "request_too_large", "invalid[_ ](?:api[_ ]key|type|value|image)", r"\b4\d\d\b", "http_4xx",
    ),
}  # fmt: skip
"""Words of other failures, whose HTTP status is asked first: patterns of lower-case text, best kind first."""
_PATTERNS = {kind: "|".join(words) for kind, words in (_BLOCKED | _FAILED).items()}
JUDGED = "(?i)" + "|".join(_PATTERNS.values())
"""Every word by which kinds are told: all that must be kept of a sentence for the same answer."""
_BAD_HTTP = 400

_GOOD = (
    "ok", "success", "succeeded", "successful", "completed", "complete", "passed", "true", "200", "incomplete"
)  # fmt: skip
_BAD = ("error", "failed", "failure", "fail", "exception", "false", "errored", "canceled", "expired")
_OPEN = (
    "pending", "queued", "in_progress", "in progress", "running", "started", "processing", "streaming",
    "unknown", "none", "null",
)  # fmt: skip
"""Words for what is not over, or not known: they are understood, and tell no outcome."""
_ENDED_BLOCKED = {"refusal": "refusal"} | dict.fromkeys(
    (
        "content_filter", "content_filtered", "guardrail_intervened", "safety", "model_armor",
        "prohibited_content", "blocklist", "spii", "recitation", "image_safety", "image_prohibited_content",
        "image_recitation",
    ),
    "content_filter",
)  # fmt: skip
"""Reasons for which an answer ended that are a failure, whoever logs them and whatever the HTTP status."""
_FEW = 16
"""So many words, or failures that differ, are judged once for all batches: a log has few."""
_FACTS = {
    WORD: pl.String, TEXT: pl.String, SUCCESS: pl.Boolean, ANSWERED: pl.Boolean, "http_status": pl.Int64
}  # fmt: skip


def joined(texts: Sequence[pl.Expr]) -> pl.Expr:
    """Several texts about an error as one, null where none says anything."""
    if len(texts) == 1:
        return texts[0]
    text = pl.concat_str(texts, separator=" ", ignore_nulls=True)
    return pl.when(text != "").then(text)


def settled(calls: pl.DataFrame) -> pl.DataFrame:
    """Calls with `status` and `error` in place of what the mapping gave.

    An error text, a bad status word, a status ≥ 400, a missing success or an answer that ended blocked make
    a call failed; a good word, a lower status, a success or an answer make it ok; nothing of these leaves it
    unknown.
    """
    calls = _with_blocked(calls)
    given = [name for name in (WORD, TEXT, SUCCESS, ANSWERED) if name in calls.columns]
    if not given and ("status" in calls.columns or "http_status" not in calls.columns):
        return calls
    facts = calls.select(
        pl.col(name) if name in calls.columns else pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in _FACTS.items()
    )
    facts = facts.with_columns(word_is_good(facts[WORD]).alias("@good"))
    http, good = pl.col("http_status"), pl.col("@good")
    bad = ~good | (pl.col(TEXT).str.len_bytes() > 0) | (http >= _BAD_HTTP) | ~pl.col(SUCCESS)
    fine = good | http.is_between(100, _BAD_HTTP - 1) | pl.col(SUCCESS) | pl.col(ANSWERED)
    error, ok = (pl.lit(word, dtype=pl.Categorical) for word in ("error", "ok"))
    status = pl.when(bad).then(error).when(fine).then(ok)
    facts = facts.with_columns(status.alias("status"))
    return calls.drop(given).with_columns(facts["status"], _kinds(facts))


def _with_blocked(calls: pl.DataFrame) -> pl.DataFrame:
    """Calls with an error's text where their answer ended blocked, unless the log itself gives the status."""
    if "finish_reason" not in calls.columns or "status" in calls.columns:
        return calls
    reasons = calls["finish_reason"].drop_nulls().unique().cast(pl.String)
    ends = {end: _ENDED_BLOCKED[end.lower()] for end in reasons if end.lower() in _ENDED_BLOCKED}
    if not ends:
        return calls
    why = pl.col("finish_reason").cast(pl.String).replace_strict(ends, default=None, return_dtype=pl.String)
    said = [pl.col(TEXT)] if TEXT in calls.columns else []
    return calls.with_columns(pl.coalesce(why, *said).alias(TEXT))


def not_understood(words: pl.Series, statuses: pl.Series) -> int:
    """How many status words are there, are the only sign of what came of their calls, and say nothing."""
    alone = words.filter(statuses.is_null() & words.is_not_null())
    return int((~alone.str.strip_chars().str.to_lowercase().is_in([*_OPEN, ""])).sum())


def word_is_good(words: pl.Series) -> pl.Series:
    """Whether each status word is good, bad or (null) says nothing. Words are few: each is judged once."""
    unique = words.drop_nulls().unique()
    good, bad = _goodness_of_few(frozenset(unique)) if len(unique) <= _FEW else _goodness(unique)
    told = pl.when(_one_of(good)).then(statement=True).when(_one_of(bad)).then(statement=False)
    return words.to_frame(WORD).with_columns(told.alias("@good"))["@good"]


def _one_of(words: Collection[str]) -> pl.Expr:
    """Whether a word is one of some; to compare it with each of few takes a fraction of a search."""
    word = pl.col(WORD)
    if len(words) > _FEW:
        return word.is_in(words)
    return pl.any_horizontal(pl.lit(value=False), *(word == one for one in words))


@lru_cache(64)
def _goodness_of_few(words: frozenset[str]) -> tuple[list[str], list[str]]:
    return _goodness(list(words))


def _goodness(words: Sequence[str] | pl.Series) -> tuple[list[str], list[str]]:
    """The good and the bad ones of different words."""
    lower = pl.col("word").str.strip_chars().str.to_lowercase()
    good = lower.is_in(_GOOD)
    bad = lower.is_in(_BAD) | pl.any_horizontal(lower.str.contains(pattern) for pattern in _PATTERNS.values())
    every = pl.DataFrame({"word": words}, schema={"word": pl.String})
    return every.filter(good)["word"].to_list(), every.filter(bad & ~good)["word"].to_list()


def _kinds(facts: pl.DataFrame) -> pl.Series:
    """The kind of error of every failed call. Most failures are alike, so each is judged once."""
    bad = (facts["status"] == "error").fill_null(value=False)
    text = pl.concat_str(TEXT, pl.when(~pl.col("@good")).then(pl.col(WORD)), separator=" ", ignore_nulls=True)
    failures = facts.filter(bad).select(text.alias("text"), pl.col("http_status").alias("http"))
    unique = failures.unique()
    kinds = _kinds_of_few(frozenset(unique.iter_rows())) if len(unique) <= _FEW else _judged(unique)
    found = failures.join(kinds, on=list(unique.columns), how="left", nulls_equal=True, maintain_order="left")
    numbers = pl.Series([None], dtype=pl.UInt32).new_from_index(0, facts.height)
    return kinds["error"].gather(numbers.scatter(bad.arg_true(), found["number"]))


@lru_cache(64)
def _kinds_of_few(failures: frozenset[tuple[str | None, int | None]]) -> pl.DataFrame:
    return _judged(pl.DataFrame(list(failures), schema={"text": pl.String, "http": pl.Int64}, orient="row"))


def _judged(failures: pl.DataFrame) -> pl.DataFrame:
    """Different failures (`text`, `http`) with their kind of `error`, numbered (`number`)."""
    kind = _kind().cast(pl.Categorical).alias("error")
    return failures.with_columns(kind).with_row_index("number")


def _kind() -> pl.Expr:
    """The kind of a failure: `text` tells blocked answers, then `http` decides, then the words of `text`."""
    words, status = pl.col("text").str.to_lowercase(), pl.col("http")
    said = {kind: words.str.contains(pattern) for kind, pattern in _PATTERNS.items()}
    rules = (
        *((kind, said[kind]) for kind in _BLOCKED),
        ("rate_limit", status.is_in([429])),
        ("timeout", status.is_in([408, 504])),
        ("http_4xx", status.is_between(400, 499)),
        ("http_5xx", status >= 500),  # noqa: PLR2004 (HTTP)
        *((kind, said[kind]) for kind in _FAILED),
    )
    return pl.coalesce(*(pl.when(rule).then(pl.lit(kind)) for kind, rule in rules), pl.lit("other"))
