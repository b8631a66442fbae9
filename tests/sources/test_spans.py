"""OpenTelemetry's typed and nested exports become flat records with plain values."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtel.sources.attributes import attributes, value_of
from llmtel.sources.detect import claimant
from llmtel.sources.spans import records


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ({"stringValue": "x"}, "x"),
        ({"stringValue": "12"}, "12"),
        ({"intValue": "12"}, 12),
        ({"intValue": 12}, 12),
        ({"doubleValue": 0.5}, 0.5),
        ({"doubleValue": "0.5"}, 0.5),
        ({"intValue": "many"}, "many"),
        ({"doubleValue": "Infinity"}, "Infinity"),
        ({"intValue": "9" * 30}, "9" * 30),
        ({"boolValue": False}, False),
        ({"arrayValue": {"values": [{"stringValue": "a"}, {"intValue": "1"}]}}, ["a", 1]),
        ({"arrayValue": {}}, []),
        ({"arrayValue": None}, []),
        ({"kvlistValue": {"values": [{"key": "a.b", "value": {"intValue": "1"}}]}}, {"a_b": 1}),
        ({"bytesValue": "AA=="}, None),
        ("already plain", "already plain"),
        (None, None),
    ],
)
def test_a_typed_value_is_its_plain_value(typed, plain):
    assert value_of(typed) == plain


def test_attributes_are_flat_with_underscores_for_dots():
    listed = [
        {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "3"}},
        {
            "key": "gen_ai.response.finish_reasons",
            "value": {"arrayValue": {"values": [{"stringValue": "stop"}]}},
        },
        {"key": "nested", "value": {"kvlistValue": {"values": []}}},
        {"value": {"stringValue": "without a key"}},
        "no attribute",
    ]
    expected = {"gen_ai_usage_input_tokens": 3, "gen_ai_response_finish_reasons": "stop"}
    assert attributes(listed) == expected
    assert attributes({"gen_ai.usage.input_tokens": 3}) == {"gen_ai_usage_input_tokens": 3}
    assert attributes(None) == attributes("text") == {}


@pytest.mark.parametrize("key", [["x"], {"x": 1}, 5, True])
def test_a_key_that_is_no_text_costs_no_other_attribute(key):
    odd = {"key": key, "value": {"stringValue": "y"}}
    found = attributes([odd, {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-4o"}}])
    assert found["gen_ai_request_model"] == "gpt-4o"


def test_keys_that_are_no_texts_are_not_taken_for_each_other():
    for key in (False, 0, 0.0):
        assert list(attributes([{"key": key, "value": {"intValue": "1"}}])) == [str(key).replace(".", "_")]


def flat(span):
    (record,) = records({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
    return record


@pytest.mark.parametrize(
    ("state", "rate"),
    [
        ("ot=th:0", 1.0),
        ("ot=th:8", 0.5),
        ("ot=th:c", 0.25),
        ("ot=th:fd70a4", 0.01),
        ("vendor=x,ot=rv:1;th:8", 0.5),
        (" ot=th:8 ", 0.5),
        ("vendor=th:8", None),
        ("ot=th:", None),
        ("ot=th:xyz", None),
        ("ot=th:-8", None),
        ("ot=th:123456789abcdef", None),
        ("", None),
        (None, None),
    ],
)
def test_a_sampling_threshold_is_the_share_of_spans_that_was_kept(state, rate):
    found = flat({"traceState": state})["sample_rate"]
    assert found == (None if rate is None else pytest.approx(rate, rel=1e-5))


@pytest.mark.parametrize(("value", "rate"), [(0.1, 0.1), (1, 1.0), (0, None), (1.5, None), ("0.1", None)])
def test_a_sampling_probability_may_be_an_attribute(value, rate):
    assert flat({"attributes": {"sampling.probability": value}})["sample_rate"] == rate


@pytest.mark.parametrize(
    ("code", "failed"), [(2, True), ("STATUS_CODE_ERROR", True), (1, False), (None, False)]
)
def test_a_status_may_be_a_number_or_a_name(code, failed):
    assert flat({"status": {"code": code}})["failed"] is failed


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("W47/95gDgQPSabYzgT/GDA==", "5b8efff798038103d269b633813fc60c"),
        ("7uGbfsPBsXQ=", "eee19b7ec3c1b174"),
        ("eee19b7ec3c1b174", "eee19b7ec3c1b174"),
        ("s=", "s="),
        ("", None),
        (None, None),
    ],
)
def test_ids_are_hexadecimal_also_where_they_were_written_in_base64(written, read):
    assert flat({"spanId": written})["span"] == read


def test_a_time_of_zero_is_not_set():
    assert (flat({"startTimeUnixNano": "5", "endTimeUnixNano": "0"})["took_ms"]) is None


def test_times_are_microseconds_and_durations_have_all_their_nanoseconds():
    record = flat({"startTimeUnixNano": "1790000000123456789", "endTimeUnixNano": 1790000001123456790})
    assert (record["start"], record["took_ms"]) == (1_790_000_000_123_456, 1000.000001)


def test_the_first_chunk_and_the_exception_are_found_among_the_events():
    chunk = "gen_ai.content.completion.chunk"
    events = [
        {"name": chunk, "timeUnixNano": "7000000"},
        {"name": chunk, "timeUnixNano": "9000000"},
        {"name": "exception", "attributes": [{"key": "exception.type", "value": {"stringValue": "Boom"}}]},
    ]
    record = flat({"events": events, "startTimeUnixNano": "2000000"})
    assert (record["first_ms"], record["exception"]) == (5.0, "Boom")


def test_spans_know_their_resource_and_their_scope():
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    scope = {"scope": {"name": "openai"}, "spans": [{"spanId": "a"}, {"spanId": "b"}]}
    found = list(records({"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}))
    assert [(one["span"], one["service"], one["scope"]) for one in found] == [
        ("a", "shop", "openai"),
        ("b", "shop", "openai"),
    ]


def test_a_span_that_was_printed_is_that_of_the_export():
    named = {"gen_ai.request.model": "gpt-5", "gen_ai.usage.input_tokens": 7}
    printed = {
        "name": "chat",
        "context": {"trace_id": "0xaa", "span_id": "0xbb", "trace_state": "[]"},
        "kind": "SpanKind.CLIENT",
        "parent_id": "0xcc",
        "start_time": "2026-09-01T10:00:00.000001Z",
        "end_time": "2026-09-01T10:00:01.500001Z",
        "status": {"status_code": "ERROR"},
        "attributes": named,
        "events": [{"name": "exception", "timestamp": "x", "attributes": {"exception.type": "Timeout"}}],
        "resource": {"attributes": {"service.name": "shop"}},
    }
    (found,) = records(printed)
    assert (found["trace"], found["span"], found["parent"]) == ("aa", "bb", "cc")
    assert (found["start"], found["took_ms"]) == (1_788_256_800_000_001, 1500.0)
    assert (found["failed"], found["exception"], found["service"]) == (True, "Timeout", "shop")
    assert claimant(printed) == "otlp"


def test_older_names_of_the_lists_are_read_alike():
    scope = {"spans": [{"spanId": "a"}]}
    (record,) = records({"batches": [{"instrumentationLibrarySpans": [scope]}]})
    assert record["span"] == "a"


def test_texts_of_log_events_that_are_numbers_are_numbers():
    event = {"body": "claude_code.api_request", "attributes": {"input_tokens": "12", "model": "12"}}
    (record,) = records(event)
    assert record["name"] == "claude_code.api_request"
    assert record["attributes"] == {"input_tokens": 12, "model": "12"}


def test_a_flat_log_event_is_dated_by_its_own_time_where_its_attributes_have_none():
    event = {"body": "claude_code.api_request", "timestamp": "2026-09-01T10:00:00Z", "attributes": {}}
    (record,) = records(event)
    assert record["stamp"] == "2026-09-01T10:00:00Z"


def test_attributes_of_log_events_are_plain_and_short():
    given = {"input_tokens": ["12", "13"], "model": ["gpt-5"], "nested": {"a": 1}, "text": "x" * 5000}
    (record,) = records({"body": "claude_code.api_request", "attributes": given})
    assert record["attributes"] == {"input_tokens": 12, "model": "gpt-5", "text": "x" * 4096}


def test_log_events_of_an_export_are_records_and_metrics_are_one_that_is_no_call():
    event = {"body": {"stringValue": "claude_code.api_request"}, "timeUnixNano": "5000"}
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [event]}]}]}
    assert [record["stamp"] for record in records(logs)] == [5]
    assert list(records({"resourceMetrics": [{}]})) == [{"kind": "metrics"}]


KEYS = (
    "key", "value", "values", "intValue", "arrayValue", "kvlistValue", "attributes", "events", "status",
    "resource", "scope", "scopeSpans", "spans", "traceState", "startTimeUnixNano",
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.sampled_from(["resourceSpans", "batches", "resourceLogs", "body"]), VALUES)
def test_no_export_of_any_shape_makes_the_reader_fail(key, value):
    assert all(record["kind"] for record in records({key: value, "attributes": value}))
