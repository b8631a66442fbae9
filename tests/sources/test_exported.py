"""Spans that are read at once are what they are when each is looked at."""

import json

import polars as pl
import polars.testing
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from llmtel.sources import nesting
from llmtel.sources.exported import BEGINS, spans_at_once
from llmtel.sources.formats import sources
from llmtel.sources.plan import Plan

PLAN = Plan(sources()["otlp"])
EACH = Plan(replace(PLAN.source, at_once=None))


def attribute(key, kind, value):
    return {"key": key, "value": {kind: value}}


def span(*attributes, **other):
    return {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174",
        "parentSpanId": "",
        "name": "chat gpt-5",
        "startTimeUnixNano": "1790000000000000123",
        "endTimeUnixNano": "1790000001500000000",
        "attributes": list(attributes),
        **other,
    }


def export(*spans, resource=(), scope="demo"):
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": list(resource)},
                "scopeSpans": [{"scope": {"name": scope}, "spans": list(spans)}],
            }
        ]
    }


def lines(*records, compact=True):
    separators = (",", ":") if compact else None
    return b"".join(json.dumps(record, separators=separators).encode() + b"\n" for record in records)


def both_ways(data):
    """What is decoded of some lines, at once and one by one; and whether the first way was taken."""
    found = []
    for plan in (PLAN, EACH):
        records = []

        def finish(part, record_of, records=records):
            records += [json.dumps(record_of(row), sort_keys=True) for row in part.raw["row"]]
            return part

        decoded = nesting.decode_nested(data, plan, finish)
        faults = [
            decoded.raw[name].to_list() if name in decoded.raw.columns else [None] * decoded.raw.height
            for name in ("coerced", "unreadable")
        ]
        raw = decoded.raw.select("row", *PLAN.schema)
        found.append((raw, faults, sorted(records), decoded.lines, decoded.rejects))
    return *found, spans_at_once(data, PLAN.columns) is not None


def same(data):
    at_once, each, taken = both_ways(data)
    pl.testing.assert_frame_equal(at_once[0], each[0])
    assert at_once[1:] == each[1:]
    return taken, at_once[0]


MODEL = attribute("gen_ai.request.model", "stringValue", "gpt-5")
USUAL = {
    "counts": [attribute("gen_ai.usage.input_tokens", "intValue", "30"), MODEL],
    "counts as numbers": [attribute("gen_ai.usage.input_tokens", "intValue", 30)],
    "a cost": [attribute("gen_ai.usage.cost", "doubleValue", 0.1 + 0.2)],
    "a small cost": [attribute("gen_ai.usage.cost", "doubleValue", 1e-7)],
    "a whole cost": [attribute("gen_ai.usage.cost", "intValue", "3")],
    "a truth for a text": [attribute("gen_ai.request.model", "boolValue", True)],
    "a number for a text": [attribute("gen_ai.request.model", "intValue", "12")],
    "reasons": [
        {"key": "gen_ai.response.finish_reasons",
         "value": {"arrayValue": {"values": [{"stringValue": "stop"}, {"stringValue": "length"}]}}}
    ],
    "no reasons": [{"key": "gen_ai.response.finish_reasons", "value": {"arrayValue": {"values": []}}}],
    "an object": [{"key": "gen_ai.request.model", "value": {"kvlistValue": {"values": [MODEL]}}}],
    "messages": [
        attribute("gen_ai.prompt.0.content", "stringValue", "Grüße 😀"),
        attribute("gen_ai.prompt.1.content", "stringValue", "two"),
        attribute("input.value", "stringValue", "all of it"),
        attribute("gen_ai.output.messages", "stringValue", "x" * 9000),
    ],
    "a long name": [attribute("gen_ai.request.model", "stringValue", "ü" * 5000)],
    "no value": [{"key": "gen_ai.request.model", "value": {}}],
    "no key": [{"value": {"stringValue": "x"}}, MODEL],
    "nothing": [],
}  # fmt: skip


@pytest.mark.parametrize("attributes", USUAL.values(), ids=USUAL)
@pytest.mark.parametrize("compact", [True, False])
def test_usual_attributes_are_read_at_once(attributes, compact):
    taken, _ = same(lines(export(span(*attributes)), compact=compact))
    assert taken


UNUSUAL = {
    "a text for a count": [attribute("gen_ai.usage.input_tokens", "stringValue", "30")],
    "a fraction for a count": [attribute("gen_ai.usage.input_tokens", "doubleValue", 30.5)],
    "a truth for a count": [attribute("gen_ai.usage.input_tokens", "boolValue", True)],
    "a truth for a number": [attribute("gen_ai.usage.cost", "boolValue", True)],
    "a fraction for a text": [attribute("gen_ai.request.model", "doubleValue", 1e3)],
    "a number as no other writes it": [attribute("gen_ai.usage.input_tokens", "intValue", "007")],
    "a number that is none": [attribute("gen_ai.usage.input_tokens", "intValue", "many")],
    "a large number": [attribute("gen_ai.usage.input_tokens", "intValue", "9" * 19)],
    "an endless number": [attribute("gen_ai.usage.cost", "doubleValue", "Infinity")],
    "a name twice": [MODEL, attribute("gen_ai_request_model", "stringValue", "gpt-4o")],
    "a score": [attribute("eval.helpfulness.score", "doubleValue", 0.7)],
    "a sample": [attribute("sampling.probability", "doubleValue", 0.5)],
    "a plain value": [{"key": "gen_ai.request.model", "value": "gpt-5"}],
    "no attribute": ["gpt-5"],
    "half a character": [attribute("gen_ai.request.model", "stringValue", "\ud83d")],
}


@pytest.mark.parametrize("attributes", UNUSUAL.values(), ids=UNUSUAL)
def test_unusual_attributes_are_looked_at_one_by_one(attributes):
    taken, _ = same(lines(export(span(MODEL)), export(span(*attributes))))
    assert not taken


ERROR = {"name": "exception", "attributes": [attribute("exception.type", "stringValue", "Timeout")]}
CHUNK = {"name": "gen_ai.content.completion.chunk", "timeUnixNano": "1790000000250000123"}
SPANS = {
    "failed": {"status": {"code": 2}},
    "failed, in words": {"status": {"code": "STATUS_CODE_ERROR"}},
    "not failed": {"status": {"code": 1, "message": "fine"}},
    "no status": {"status": {}},
    "an exception": {"events": [ERROR, {"name": "log"}, {**ERROR, "attributes": []}]},
    "two exceptions": {"events": [{"name": "exception"}, ERROR]},
    "chunks": {"events": [CHUNK, {**CHUNK, "timeUnixNano": "1790000000950000123"}]},
    "a chunk without a time": {"events": [{"name": CHUNK["name"]}, CHUNK]},
    "no start": {"startTimeUnixNano": "0"},
    "no end": {"endTimeUnixNano": ""},
    "times as numbers": {"startTimeUnixNano": 1790000000000000123, "endTimeUnixNano": 1790000000000000124},
    "a parent": {"parentSpanId": "eee19b7ec3c1b175"},
    "no ids": {"traceId": None, "spanId": "", "parentSpanId": None},
    "no attributes": {"attributes": None},
}


@pytest.mark.parametrize("other", SPANS.values(), ids=SPANS)
def test_what_usual_spans_tell_is_read_at_once(other):
    taken, _ = same(lines(export(span(MODEL, **other), span(MODEL))))
    assert taken


@pytest.mark.parametrize(
    "other",
    [
        {"spanId": "7uGbfsPBsXQ="},
        {"traceState": "ot=th:8"},
        {"name": "gen_ai.evaluation.result"},
        {"startTimeUnixNano": "soon"},
        {"events": [{"name": "gen_ai.evaluation.result", "attributes": []}]},
        {"attributes": {"gen_ai.request.model": "gpt-5"}},
        {"status": "{}"},
    ],
    ids=str,
)
def test_what_unusual_spans_tell_is_looked_at_one_by_one(other):
    taken, _ = same(lines(export(span(MODEL, **other), span(MODEL))))
    assert not taken


NAMED = [
    attribute("service.name", "stringValue", "shop"),
    attribute("deployment.environment", "stringValue", "prod"),
]


UNNAMED = attribute("deployment.environment.name", "stringValue", "")
OF_ONE, OF_ANOTHER = export(span(MODEL)), export(span(), resource=NAMED)
OF_BOTH = {"resourceSpans": [*OF_ONE["resourceSpans"], *OF_ANOTHER["resourceSpans"]]}


@pytest.mark.parametrize(
    ("record", "taken"),
    [
        (OF_ANOTHER, True),
        (export(span(MODEL), resource=[*NAMED, UNNAMED]), True),
        (export(span(MODEL), scope=None), True),
        (OF_BOTH, True),
        ({"resourceSpans": []}, False),
        (export(), False),
        ({**export(span(MODEL)), "resourceLogs": []}, False),
        ({**export(span(MODEL)), "attributes": {}, "body": "x"}, False),
    ],
)
def test_whose_spans_these_are_is_told_of_each(record, taken):
    assert same(lines(record, export(span(MODEL))))[0] is taken


@pytest.mark.parametrize("column", ["attributes:str", "attributes.user_id.x:str", "start.x:str", "start:str"])
def test_columns_that_no_span_has_as_they_are_wanted_are_left_to_the_other_way(column):
    wanted = Plan(replace(PLAN.source, reads=(*PLAN.source.reads, pl.col(column))))
    data = lines(export(span(attribute("user.id", "stringValue", "u1"))))
    assert spans_at_once(data, PLAN.columns) is not None
    assert spans_at_once(data, wanted.columns) is None


def test_lines_of_all_kinds_keep_their_places(monkeypatch):
    monkeypatch.setattr(nesting, "_PIECE", 2000)
    event = {
        "body": "claude_code.api_request",
        "attributes": {"model": "claude-opus-4-8", "input_tokens": "20"},
    }
    unusual = export(span(*UNUSUAL["a text for a count"]))
    data = lines(export(span(MODEL), span()), event, unusual, event, *[export(span(MODEL))] * 9)
    _, raw = same(data + b'{"resourceSpans":[{"cut\n' + lines(event) + lines(export(span(MODEL)))[:-20])
    assert raw["row"].to_list() == [0, 0, *range(1, 13), 14]


VALUES = st.one_of(
    st.builds(lambda text: {"stringValue": text}, st.sampled_from(["", "gpt-5", "30", "0.5", "ü"])),
    st.builds(lambda n: {"intValue": n}, st.integers(-3, 2**63) | st.integers(-3, 99).map(str)),
    st.builds(lambda x: {"doubleValue": x}, st.floats(allow_nan=False) | st.sampled_from(["1e3", "NaN"])),
    st.builds(lambda x: {"boolValue": x}, st.booleans()),
    st.lists(st.sampled_from([{"stringValue": "a"}, {"intValue": "1"}, {}]), max_size=2).map(
        lambda x: {"arrayValue": {"values": x}}
    ),
    st.sampled_from([{}, None, {"kvlistValue": {}}, {"bytesValue": "AA=="}]),
)  # fmt: skip
KEYS = st.sampled_from([
    "gen_ai.request.model", "gen_ai.usage.input_tokens", "gen_ai.usage.cost", "http.response.status_code",
    "input.value", "gen_ai.prompt.0.content", "gen_ai.input.messages", "unread", "session.id",
])  # fmt: skip
ATTRIBUTES = st.lists(st.builds(lambda key, value: {"key": key, "value": value}, KEYS, VALUES), max_size=4)
TIMES = st.sampled_from([None, "", "0", "1790000000000000123", 1790000000000000123, "x", 1.79e18, "-5", True])
EVENTS = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["exception", CHUNK["name"], "log", None])},
        optional={"timeUnixNano": TIMES, "attributes": ATTRIBUTES | st.just(ERROR["attributes"])},
    ),
    max_size=3,
)
ANY_SPANS = st.lists(
    st.fixed_dictionaries(
        {"traceId": st.sampled_from(["t", "", None, 5])},
        optional={
            "spanId": st.sampled_from(["s", "", "u=", True]),
            "parentSpanId": st.sampled_from(["", "p"]),
            "startTimeUnixNano": TIMES,
            "endTimeUnixNano": TIMES,
            "attributes": ATTRIBUTES,
            "events": EVENTS,
            "status": st.sampled_from([None, {}, {"code": 2}, {"code": "2"}, {"code": 2.0}, {"code": True}]),
        },
    ),
    max_size=3,
)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.builds(lambda spans, owner: export(*spans, resource=owner), ANY_SPANS, ATTRIBUTES), max_size=3
    )
)
def test_whatever_an_export_holds_it_is_read_alike(exports):
    same(lines(*exports))


def test_what_begins_a_line_of_spans_is_what_the_exporters_write():
    assert all(lines(export(span()), compact=compact).startswith(BEGINS) for compact in (True, False))
