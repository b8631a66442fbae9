"""Values that no honest program writes cost themselves, never the run and never their neighbours."""

import json

import polars as pl
import pytest

from llmtel import pipeline
from llmtel.core.errors import UnreadableInput
from llmtel.sources.formats import sources


@pytest.fixture
def read(tmp_path):
    def of(*lines, **options):
        path = tmp_path / "log.jsonl"
        path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
        return pipeline.read([str(path)], **options)

    return of


def call(second=0, **more):
    return {"timestamp": f"2026-09-01T10:00:{second:02}Z", "model": "m", **more}


def span(name="s1", tokens="30", **more):
    attributes = [
        {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
        {"key": "gen_ai.usage.input_tokens", "value": {"intValue": tokens}},
    ]
    times = {"startTimeUnixNano": "1790000000000000000", "endTimeUnixNano": "1790000001500000000"}
    return {"traceId": "t", "spanId": name, "name": "chat", "attributes": attributes, **times, **more}


def export(*spans):
    return {"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}


@pytest.mark.parametrize("odd", ["n/a", "0.5.5", "1e999", ""])
def test_a_latency_that_is_no_number_does_not_keep_the_others_from_telling_their_unit(read, odd):
    reading = read(*(call(i, latency=value) for i, value in enumerate([0.5, 0.6, odd, 0.7])))
    assert reading.calls["latency_ms"].to_list() == [500.0, 600.0, None, 700.0]


def test_latencies_none_of_which_is_a_number_are_not_read(read):
    reading = read(call(0, latency="0.5.5"), call(1, latency="1.1.1"))
    assert reading.calls["latency_ms"].null_count() == 2


@pytest.mark.parametrize(
    "bad",
    [
        None,
        3,
        "text",
        span("bad", startTimeUnixNano="inf"),
        span("bad", startTimeUnixNano="nan"),
        span("bad", startTimeUnixNano=1e300),
        span("bad", startTimeUnixNano="9" * 5000),
        span("bad", tokens="9" * 30),
        span("bad", tokens="9" * 5000),
        span("bad", traceState="ot=th:zz"),
        span("bad", attributes=[{"key": "x", "value": {"arrayValue": [1]}}]),
        span("bad", attributes=[{"key": "x", "value": {"arrayValue": {"values": 3}}}]),
        span("bad", attributes=[{"key": "x", "value": {"kvlistValue": 3}}]),
        span("bad", events=[None, {"name": "exception", "attributes": 3}]),
        span("bad", status=[2]),
    ],
)  # fmt: skip
def test_a_malformed_span_costs_itself_and_not_the_other_spans_of_its_line(read, bad):
    reading = read(export(bad, span("s2")))
    kept = reading.calls.filter(pl.col("call_id") == "t/s2")
    assert kept["input_uncached"].to_list() == [30]
    assert reading.account.balance() == 0


def test_tokens_beyond_64_bits_are_unreadable_and_told(read):
    reading = read(export(span(tokens="9" * 30), span("s2")))
    assert sorted(reading.calls["input_uncached"].to_list(), key=str) == [30, None]
    assert reading.account.unreadable == {"input_uncached": 1}


def test_a_status_of_thousands_of_digits_is_no_http_status(read):
    assert read(call(status="4" * 5000)).calls["http_status"].to_list() == [None]


def test_first_lines_that_two_formats_claim_alike_do_not_decide_against_the_rest(read):
    stray = sources()["codex"].sample.split("\n", maxsplit=1)[0]
    reading = read(*[stray] * 5, *(call(i, request_id=f"r{i}") for i in range(40)))
    assert reading.inputs[0].format == "generic"


def test_only_texts_of_more_than_1024_characters_are_cut_and_told(read):
    bytes_alone = read(call(feature="漢" * 600))
    assert not [note for note in bytes_alone.notes if note.kind == "cut"]
    both = read(call(feature="漢" * 1025), call(1, feature="é" * 1024))
    assert sorted(both.calls["feature"].cast(pl.String).str.len_chars()) == [1024, 1024]
    assert [note.count for note in both.notes if note.kind == "cut"] == [1]


def test_a_long_tag_is_cut_and_told_as_any_text_is(read):
    tags = {"a": "漢" * 1025, "b": "é" * 1024, "c": "x" * 5000}
    reading = read(call(feature="漢" * 1025, tags=tags), tags=tuple(tags))
    assert [len(value) for value in json.loads(reading.calls["tags"][0]).values()] == [1024] * 3
    assert [note.count for note in reading.notes if note.kind == "cut"] == [3]


@pytest.mark.parametrize(
    ("frame", "version"),
    [
        ({"model": ["m"], "request_count": [1]}, "abc"),
        ({"model": ["m"], "request_count": [1]}, "99"),
        ({"model": ["m"]}, "1"),
        ({"model": [1], "request_count": [1]}, "1"),
        ({"model": ["m"], "request_count": ["x"]}, "1"),
        ({"model": ["m"], "request_count": [1], "ts": ["2026-09-01"]}, "1"),
    ],
)
def test_a_parquet_file_that_only_says_it_is_llmtels_is_refused_in_words(tmp_path, frame, version):
    path = tmp_path / "calls.parquet"
    pl.DataFrame(frame).write_parquet(path, metadata={"llmtel_schema": version})
    with pytest.raises(UnreadableInput, match="llmtel"):
        pipeline.read([str(path)])


@pytest.mark.parametrize(
    "key",
    [
        "sk-proj-" + "a1B2c3D4e5F6g7H8",
        " Bearer sk-ant-api03-" + "x" * 40,
        "AIza" + "Sy0" * 12,
        "gsk_" + "Z9y" * 12,
        "Ab3" * 28,
    ],
)
def test_an_api_key_itself_is_dropped_and_told(read, key):
    reading = read({"ts": "2026-09-01T10:00:00Z", "model": "m", "api_key": key})
    assert reading.calls["api_key"].to_list() == [None]
    assert [note.kind for note in reading.notes] == ["secret"]


@pytest.mark.parametrize(
    "key", ["key_4Tz9", "apikey_01Rj2N8SVvo6BePZj99NhmiT", "88dc28d0f030c55e" * 4, "sk-...1f9c", "team shop"]
)
def test_the_id_the_hash_and_the_name_of_an_api_key_are_kept(read, key):
    reading = read({"ts": "2026-09-01T10:00:00Z", "model": "m", "api_key_id": key})
    assert reading.calls["api_key"].cast(str).to_list() == [key]
    assert not reading.notes
