"""llmtel's own lines are believed, as far as a field's words and ranges go."""

import json

import pytest

from llmtel import pipeline


@pytest.fixture
def read(tmp_path):
    def of(**fields):
        path = tmp_path / "calls.jsonl"
        line = {"llmtel_call": 1, "ts": "2026-09-01T10:00:00Z", "call_id": "c", "model": "m", **fields}
        path.write_text(json.dumps(line) + "\n")
        return pipeline.read([str(path)])

    return of


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "OK"),
        ("status", "weird"),
        ("grain", "weird"),
        ("error", "boom"),
        ("token_source", "guess"),
        ("sample_rate", 0),
        ("sample_rate", 10),
        ("sample_rate", -0.5),
        ("input_uncached", -1),
        ("request_count", -1),
    ],
)
def test_a_value_beyond_a_fields_words_or_range_is_unreadable_and_the_call_is_kept(read, field, value):
    reading = read(**{field: value})
    assert dict(reading.account.unreadable) == {field: 1}
    assert reading.account.calls == 1
    assert reading.calls["request_count"].to_list() == [1]
    if field not in ("request_count", "token_source", "grain"):
        assert reading.calls[field].to_list() == [None]


def test_known_words_and_an_empty_text_are_no_fault(read):
    reading = read(status="error", error="timeout", grain="call", sample_rate=1, feature="")
    assert not reading.account.unreadable
    assert reading.calls.select("status", "error", "feature").row(0) == ("error", "timeout", None)


def test_a_bucket_may_leave_open_how_many_requests_it_stands_for(read):
    assert read(grain="bucket", request_count=None).calls["request_count"].to_list() == [None]


def test_an_extra_pass_is_a_record_that_is_no_call(read):
    reading = read(request_count=0, input_uncached=5)
    assert (reading.account.records, reading.account.calls, reading.account.other) == (1, 0, 1)
    assert reading.calls["input_uncached"].to_list() == [5]
