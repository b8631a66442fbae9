"""What came of a call: the status, and the kind of error in llmtel's words."""

import polars as pl
import pytest

from llmtel.core.schema import ERROR_KINDS
from llmtel.sources.outcome import ANSWERED, SUCCESS, TEXT, WORD, not_understood, settled

DTYPES = {
    WORD: pl.String,
    TEXT: pl.String,
    SUCCESS: pl.Boolean,
    ANSWERED: pl.Boolean,
    "http_status": pl.Int64,
    "finish_reason": pl.String,
}


def outcome(**facts):
    names = {"word": WORD, "text": TEXT, "success": SUCCESS, "answered": ANSWERED, "http": "http_status",
             "end": "finish_reason"}  # fmt: skip
    columns = {names[name]: [value] for name, value in facts.items()}
    calls = settled(pl.DataFrame(columns, schema={name: DTYPES[name] for name in columns}))
    assert not any(name.startswith("@") for name in calls.columns)
    return calls["status"].item(), calls["error"].item()


@pytest.mark.parametrize(
    ("kind", "http"),
    [("rate_limit", 429), ("timeout", 408), ("timeout", 504), ("http_4xx", 400), ("http_4xx", 404),
    ("http_4xx", 499),
     ("http_5xx", 500), ("http_5xx", 503), ("http_5xx", 529)],
)  # fmt: skip
def test_an_http_status_tells_the_kind(kind, http):
    assert outcome(http=http) == ("error", kind)
    assert outcome(http=http, text="something went wrong") == ("error", kind)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("rate_limit", "rate_limit_exceeded"), ("rate_limit", "RateLimitError"),
        ("rate_limit", "ThrottlingException"),
        ("rate_limit", "You exceeded your current quota"), ("rate_limit", "Error code: 429"),
        ("timeout", "timeout"), ("timeout", "APITimeoutError"), ("timeout", "Request timed out."),
        ("timeout", "DEADLINE_EXCEEDED"),
        ("http_4xx", "invalid_request_error"), ("http_4xx", "not_found_error"),
        ("http_4xx", "authentication_error"),
        ("http_4xx", "permission_error"), ("http_4xx", "model_not_found"), ("http_4xx", "tool_use_failed"),
        ("http_4xx", "context_length_exceeded"), ("http_4xx", "HTTP 413"),
        ("http_5xx", "overloaded_error"), ("http_5xx", "api_error"), ("http_5xx", "server_error"),
        ("http_5xx", "InternalServerError"), ("http_5xx", "502 Bad Gateway"),
        ("parse", "JSONDecodeError"), ("parse", "OutputParserException"), ("parse", "schema mismatch"),
        ("content_filter", "content_filter"), ("content_filter", "PROHIBITED_CONTENT"),
        ("content_filter", "SAFETY"),
        ("content_filter", "GUARDRAIL_INTERVENED"),
        ("refusal", "refusal"),
        ("cancelled", "canceled"), ("cancelled", "Request was aborted."),
        ("other", "boom"), ("other", "the 4290 th try"),
    ],
)  # fmt: skip
def test_the_words_of_an_error_tell_its_kind(kind, text):
    assert outcome(text=text) == ("error", kind)
    assert kind in ERROR_KINDS


@pytest.mark.parametrize(("kind", "text"), [("content_filter", "content_filter"), ("refusal", "refusal")])
@pytest.mark.parametrize("http", [200, 400, 429, 500, None])
def test_a_blocked_answer_is_blocked_whatever_its_http_status(kind, text, http):
    assert outcome(http=http, text=text) == ("error", kind)


def test_an_http_status_beats_the_words_of_the_error():
    assert outcome(http=503, text="invalid_request_error") == ("error", "http_5xx")


@pytest.mark.parametrize("word", ["ok", "success", "SUCCESS", "Completed", "200", "true", "incomplete"])
def test_a_good_status_word_makes_a_call_ok(word):
    assert outcome(word=word) == ("ok", None)


@pytest.mark.parametrize(
    ("word", "kind"),
    [("error", "other"), ("FAILED", "other"), ("expired", "other"), ("canceled", "cancelled"),
    ("timeout", "timeout"),
     ("rate_limited", "rate_limit"), ("500", "http_5xx")],
)  # fmt: skip
def test_a_bad_status_word_makes_a_call_failed_and_may_tell_the_kind(word, kind):
    assert outcome(word=word) == ("error", kind)


@pytest.mark.parametrize(
    "facts",
    [{"word": None}, {"word": "queued"}, {"text": None}, {"text": ""}, {"success": None},
    {"answered": False}, {"http": None}],
)  # fmt: skip
def test_nothing_that_tells_leaves_the_outcome_unknown(facts):
    assert outcome(**facts) == (None, None)


@pytest.mark.parametrize("facts", [{"success": True}, {"answered": True}, {"http": 200}, {"http": 302}])
def test_a_success_an_answer_or_a_low_http_status_make_a_call_ok(facts):
    assert outcome(**facts) == ("ok", None)


@pytest.mark.parametrize("bad", [{"text": "boom"}, {"word": "failed"}, {"success": False}, {"http": 500}])
def test_one_bad_sign_beats_every_good_one(bad):
    good = {"word": "ok", "text": None, "success": True, "answered": True, "http": 200}
    assert outcome(**{**good, **bad})[0] == "error"


def test_a_status_that_the_format_knows_is_left_alone():
    calls = pl.DataFrame({"status": ["ok"], "http_status": [500]})
    assert settled(calls).equals(calls)


def test_each_call_of_many_has_its_own_outcome():
    calls = pl.DataFrame(
        {TEXT: ["boom", None, "timeout", "boom", None], "http_status": [None, 200, 500, 429, None]},
        schema={TEXT: pl.String, "http_status": pl.Int64},
    )
    assert settled(calls).select("status", "error").rows() == [
        ("error", "other"), ("ok", None), ("error", "http_5xx"), ("error", "rate_limit"), (None, None),
    ]  # fmt: skip


def test_words_for_what_is_not_over_are_understood_and_others_are_counted():
    words = pl.Series(["in_progress", " Pending ", "", None, "erledigt", "kaputt", " ok "])
    calls = settled(pl.DataFrame({WORD: words}))
    assert calls["status"].to_list() == [None] * 6 + ["ok"]
    assert not_understood(words, calls["status"]) == 2


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        ("content_filter", "content_filter"), ("SAFETY", "content_filter"), ("RECITATION", "content_filter"),
        ("guardrail_intervened", "content_filter"), ("refusal", "refusal"),
    ],
)  # fmt: skip
def test_an_answer_that_ended_blocked_is_a_failure_whoever_logs_it_and_whatever_the_http_status(end, kind):
    assert outcome(end=end, answered=True, http=200) == ("error", kind)
    assert outcome(end=end, word="completed") == ("error", kind)
    assert outcome(end=end, text="bad request", http=400) == ("error", kind)


@pytest.mark.parametrize("end", ["stop", "length", "MAX_TOKENS", "max_tokens", "tool_calls", None])
def test_an_answer_that_ended_otherwise_is_none(end):
    assert outcome(end=end, answered=True) == ("ok", None)
