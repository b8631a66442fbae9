"""The fast ways of reading and the exact one give the same rows and the same rejects for the same bytes.

What is decoded by machine code where that is there is decoded by Polars elsewhere: `both` asks both.
"""

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtel import pipeline
from llmtel.core.errors import UnreadableInput
from llmtel.sources import decode, raw, take
from llmtel.sources.formats import sources
from llmtel.sources.plan import Plan
from llmtel.sources.source import Source

SHARED = Path(__file__).parents[2].parent / "shared"
PLAN = Plan(
    Source(
        name="trial",
        help="",
        link="",
        calls={
            "ts": raw.time("timestamp"),
            "model": raw.text("model"),
            "latency_ms": raw.number("latency_ms"),
            "input_uncached": raw.count("usage.prompt_tokens"),
            "finish_reason": raw.text("choices[0].finish_reason"),
            "batch": raw.flag("batch"),
            "http_status": raw.code("status_code"),
        },
    )
)
GOOD = b'{"timestamp":"2026-09-01T10:00:00Z","model":"m","latency_ms":1.5,"usage":{"prompt_tokens":3}}\n'


def both(data, plan=PLAN):
    slowly = decode.decode_slowly(data, plan)
    assert facts(decode.decode_by_query(data, plan)) == facts(slowly)
    return decode.decode(data, plan), slowly


WAYS = pytest.mark.parametrize("way", [decode.decode, decode.decode_by_query])


def facts(decoded):
    rows = decoded.raw.drop("coerced", "unreadable", strict=False)
    lists = {
        name: [value or None for value in decoded.raw[name].to_list()]
        for name in ("coerced", "unreadable")
        if name in decoded.raw.columns
    }
    faults = {
        name: [(row, value) for row, value in zip(rows["row"], values, strict=True) if value]
        for name, values in lists.items()
    }
    known = {name: value for name, value in faults.items() if value}
    return rows.rows(), known, sorted(decoded.rejects), decoded.other, decoded.blank, decoded.lines


def rows_of(*lines):
    one, other = both(b"\n".join(lines) + b"\n")
    assert facts(one) == facts(other)
    return one


LINES = [
    b'{"model":"m"}',
    b' {"model":"m"} ',
    b"",
    b"  \t",
    b"null",
    b"[1]",
    b'"x"',
    b"3",
    b"not json",
    b'{"model":"m"',
    b'{"model":"m"}{"model":"n"}',
    b'{"model":"m"} x',
    b'{"model":"\xff"}',
    b'{"model":"a\\ud83d\\ude00b"}',
    b'{"model":"a\\ud83db"}',
    b'{"model":"a\\ud83d\\u0041"}',
    b'{"model":"\\uD83D\\uDE00\\ud83d"}',
    b'{"model":"\\ude00"}',
    b'{"model":"a\\uDE00b"}',
    b'{"model":"\\\\ud83d"}',
    b'{"model":12}',
    b'{"model":1.50}',
    b'{"model":true}',
    b'{"model":{"name":"m"}}',
    b'{"model":["m"]}',
    b'{"usage":{"prompt_tokens":"10"}}',
    b'{"usage":{"prompt_tokens":10.0}}',
    b'{"usage":{"prompt_tokens":10.5}}',
    b'{"usage":{"prompt_tokens":true}}',
    b'{"usage":{"prompt_tokens":1e3}}',
    b'{"usage":{"prompt_tokens":9223372036854775808}}',
    b'{"usage":{"prompt_tokens" : 7 }}',
    b'{"usage":3}',
    b'{"usage":null}',
    b'{"usage":[]}',
    b'{"latency_ms":"12"}',
    b'{"latency_ms":"12 ms"}',
    b'{"latency_ms":true}',
    b'{"latency_ms":1}',
    b'{"latency_ms":1e400}',
    b'{"latency_ms":NaN}',
    b'{"batch":1}',
    b'{"batch":"yes"}',
    b'{"choices":[]}',
    b'{"choices":[{"finish_reason":"stop"},{"finish_reason":"length"}]}',
    b'{"choices":[null]}',
    b'{"choices":{"finish_reason":"stop"}}',
    b'{"timestamp":1788000000}',
    b'{"timestamp":1788000000.25}',
    b'{"status_code":"200"}',
    b'{"status_code":200.0}',
    b'{"usage":{"prompt_tokens":1},"usage":{"prompt_tokens":"x"}}',
    b'{"model":1,"model":{"a":2}}',
    b'\xef\xbb\xbf{"model":"m"}',
    b'{"model":"m"}\r',
    b"\x00\x00\x00",
    b'{"x":' + b"[" * 2000 + b"]" * 2000 + b"}",
]


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_a_line_has_the_same_fate_alone_among_good_lines_and_looked_at_slowly(line):
    alone = facts(rows_of(line))
    among = facts(rows_of(GOOD.strip(), line, GOOD.strip()))
    fields = [name for name in among[0] if name[0] == 1]
    assert [row[1:] for row in alone[0]] == [row[1:] for row in fields]
    assert [reason for _, reason in alone[2]] == [reason for _, reason in among[2]]


def test_all_lines_at_once_have_the_fates_they_have_alone():
    together = facts(rows_of(*LINES))
    singly = [facts(rows_of(line)) for line in LINES]
    assert [row[1:] for row in together[0]] == [row[1:] for one in singly for row in one[0]]
    assert len(together[2]) == sum(len(one[2]) for one in singly)


@pytest.mark.parametrize(
    ("value", "read", "how"),
    [
        ('"10"', 10, "coerced"),
        ("10.0", 10, "coerced"),
        ("10.5", None, "unreadable"),
        ("true", None, "unreadable"),
        ('"ten"', None, "unreadable"),
        ("9223372036854775808", None, "unreadable"),
        ('""', None, None),
        ("10", 10, None),
    ],
)
def test_a_count_of_another_type_is_coerced_or_unreadable_and_told(value, read, how):
    decoded = rows_of(b'{"usage":{"prompt_tokens":' + value.encode() + b"}}")
    column = "usage.prompt_tokens:count"
    assert decoded.raw[column].to_list() == [read]
    told = {
        name: decoded.raw[name].to_list()[0]
        for name in ("coerced", "unreadable")
        if name in decoded.raw.columns
    }
    assert {name for name, columns in told.items() if columns and column in columns} == (
        {how} if how else set()
    )


@WAYS
@pytest.mark.parametrize("bad", [[500], [0], [1000], [3, 4, 5], list(range(0, 1001, 7)), list(range(1001))])
def test_a_bad_line_in_a_large_batch_costs_one_line(monkeypatch, bad, way):
    monkeypatch.setattr(decode, "PIECE", 1024)
    lines = [b"{bad}\n" if row in bad else GOOD for row in range(1001)]
    decoded = way(b"".join(lines), PLAN)
    assert decoded.lines == 1001
    assert decoded.raw["row"].to_list() == [row for row in range(1001) if row not in bad]
    assert [row for row, _ in decoded.rejects] == bad


@WAYS
def test_a_line_longer_than_a_piece_that_fails_costs_itself(monkeypatch, way):
    monkeypatch.setattr(decode, "PIECE", 1024)
    long = b'{"bad": "' + b"x" * 50_000 + b'"\n'
    decoded = way(GOOD * 3 + long + long + GOOD * 3, PLAN)
    assert decoded.raw["row"].to_list() == [0, 1, 2, 5, 6, 7]
    assert [row for row, _ in decoded.rejects] == [3, 4]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["prompt_tokens", "finish_reason", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)
RECORDS = st.dictionaries(
    st.sampled_from(
        ["timestamp", "model", "latency_ms", "usage", "choices", "batch", "status_code", "other"]
    ),
    VALUES,
    max_size=5,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(RECORDS, min_size=1, max_size=6))
def test_records_of_any_shape_are_read_the_same_both_ways(records):
    data = b"".join(json.dumps(record).encode() + b"\n" for record in records)
    one, other = both(data)
    assert facts(one) == facts(other)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_bytes_are_read_the_same_both_ways(data):
    source = data.draw(
        st.sampled_from([source for source in sources().values() if source.layout == "json" and source.calls])
    )
    text = bytearray(source.sample.encode() * 2)
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(text) - 1))
        text[place] = data.draw(st.integers(0, 255) | st.sampled_from(list(b'{}[]":,\\\n')))
    one, other = both(bytes(text), Plan(source))
    assert facts(one) == facts(other)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_at_all_make_the_reader_fail(data):
    one, other = both(data)
    assert facts(one) == facts(other)
    assert one.lines == one.raw.height + one.other + one.blank + len(one.rejects)


def read_or_refused(path):
    try:
        return pipeline.read([str(path)])
    except UnreadableInput as refusal:
        return str(refusal)


def test_whole_files_are_read_the_same_both_ways(same, monkeypatch):
    if not SHARED.is_dir():
        pytest.skip("the shared data is not here")
    paths = [*(SHARED / "fixtures").rglob("*.json*"), *(SHARED / "traces").rglob("*session.jsonl")]
    fast = {path: read_or_refused(path) for path in paths}
    for way in (decode.decode_slowly, decode.decode_by_query):
        monkeypatch.setattr(take, "decode", lambda data, plan, _count, way=way: way(data, plan))
        for path, one in fast.items():
            other = read_or_refused(path)
            if isinstance(one, str) or isinstance(other, str):
                assert one == other
                continue
            same(one.calls, other.calls)
            assert one.rejects == other.rejects
            assert one.account == other.account
    assert sum(not isinstance(one, str) for one in fast.values()) > 40


def test_empty_input_has_no_rows():
    one, other = both(b"")
    assert one.raw.height == other.raw.height == 0
    assert one.raw.schema["row"] == pl.UInt32
