"""The machine code decodes what is regular, gives back what is not, and need not be there."""

import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtel.sources import decode, native, raw
from llmtel.sources.formats import sources
from llmtel.sources.plan import Plan
from llmtel.sources.source import Source

USAGE = {"type": "str", "tokens": "count", "cache.read": "count"}
PLAN = Plan(
    Source(
        name="trial",
        help="",
        link="",
        calls={
            "ts": raw.time("time"),
            "model": raw.text("model"),
            "latency_ms": raw.number("latency"),
            "input_uncached": raw.count("usage.in"),
            "reasoning": raw.count("usage.cached.read"),
            "cache_read": raw.count("usage"),  # an object as well: never a count
            "finish_reason": raw.text("choices[1].reason"),
            "batch": raw.flag("batch"),
            "@items": raw.items("passes", USAGE),
        },
    )
)
built = pytest.mark.skipif(not native.is_there(), reason="llmtel was installed without a Rust compiler")


def rows(decoded):
    """What a decoded batch says: its rows, what was told of values, and the fates of lines."""
    raw_ = decoded.raw
    told = [name for name in ("coerced", "unreadable") if name in raw_.columns]
    faults = sorted(
        (name, row, *names) for name in told for row, names in raw_.select("row", name).iter_rows() if names
    )
    rest = raw_.drop(told)
    return (
        repr(rest.rows()),
        rest.columns,
        faults,
        decoded.rejects,
        decoded.other,
        decoded.blank,
        decoded.lines,
    )


def same_as_slowly(data, plan=PLAN):
    fast, slow = decode.decode(data, plan), decode.decode_slowly(data, plan)
    assert rows(fast) == rows(slow)


VALUES = st.sampled_from(
    [
        *r"""null|true|false|nul|NaN|0|-0|-0.0|7|-7|1.50|1e3|1E-2|1e400|0.1|1.|01|-|{|[|[[[{}]]]|{}|[]|[1]
""|"m"|"7"|" "|"é"|"twelve bytes"|"thirteen more"|"a\nb\u00e9\/\\"|"\ud83d\ude00"|"\ud83d"|"\ude00"|"\x"|"
123456789012345678|1234567890123456789|9223372036854775808|[null,null]|[{},{}]
{"in":3}|{"in":3,"in":4}|{"cached":{"read":5}}|{"cached":5}|{"x":{"in":1},"in":2}|{"\u0069n":1}
[{"reason":"a"},{"reason":"b"}]|[1,{"reason":null}]|[{},{"reason":7}]|[{"tokens":1.5}]|[{"cache":{}},null]
[{"type":"x","tokens":1},{"tokens":2,"cache":{"read":9}}]""".replace("\n", "|").split("|"),
        '"\x01"',
    ]
)
KEYS = st.sampled_from(
    ["time", "model", "latency", "usage", "choices", "batch", "passes", "other", "é", "mod\\u0065l"]
)
BLANK = st.sampled_from(["", "", "", " ", "\t", "  ", "\r"])


@st.composite
def lines(draw):
    """A line that is JSON more often than not."""
    members = draw(st.lists(st.tuples(KEYS, VALUES), max_size=4))
    blank = draw(BLANK)
    written = f",{blank}".join(f'"{key}"{blank}:{blank}{value}' for key, value in members)
    end = draw(st.sampled_from(["}", "}", "}", "}\r", "} ", ",}", "}}", "", "} x"]))
    return f"{draw(BLANK)}{{{written}{blank}{end}".encode()


@built
@settings(max_examples=300, deadline=None)
@given(st.lists(lines(), max_size=8), st.booleans())
def test_any_lines_have_the_rows_and_the_fates_that_each_has_alone(some, ended):
    same_as_slowly(b"\n".join(some) + b"\n" * ended)


@built
def test_what_is_regular_is_decoded_and_what_is_not_is_given_back_with_its_place():
    regular = b'{"model":"m","usage":{"in":3},"choices":[0,{"reason":"stop"}],"passes":[{"tokens":1}]}'
    odd = [b'{"model":1.5}', b"", b"not json", b'{"usage":[]}']
    found = PLAN.compiled.decode(b"\n".join([regular, *odd, regular]))
    assert found.odd == list(enumerate(odd, start=1))
    assert (found.lines, found.other, found.raw["row"].to_list()) == (6, 0, [0, 5])
    assert found.raw["usage.in:count"].to_list() == [3, 3]
    assert found.raw["choices[1].reason:str"].to_list() == ["stop", "stop"]


@built
def test_an_odd_line_leaves_nothing_of_itself_in_the_columns():
    lines_ = [
        b'{"model":"first","passes":[{"tokens":1}]}',
        b'{"model":"gone","latency":1.5,"batch":true,"passes":[{"tokens":8},{"tokens":"x"}]}',
        b'{"latency":2.5,"passes":[{"tokens":2},{"tokens":3}]}',
    ]
    found = PLAN.compiled.decode(b"\n".join(lines_))
    assert found.odd == [(1, lines_[1])]
    assert found.raw["model:str"].to_list() == ["first", None]
    assert found.raw["latency:number"].to_list() == [None, 2.5]
    assert "batch:bool" not in found.raw.columns
    [items] = [name for name in found.raw.columns if name.startswith("passes")]
    assert found.raw[items].list.eval(pl.element().struct["tokens"]).to_list() == [[1], [2, 3]]


@built
@settings(max_examples=500, deadline=None)
@given(
    st.from_regex(r"-?(0|[1-9]\d{0,20})(\.\d{1,20})?([eE][+-]?\d{1,3})?", fullmatch=True).filter(str.isascii)
)
def test_a_number_is_the_float_that_is_nearest_to_what_is_written(text):
    found = PLAN.compiled.decode(f'{{"model":"m","latency":{text}}}'.encode())
    if found.raw.height:
        assert repr(found.raw["latency:number"].item()) == repr(float(text) if text != "-0" else 0.0)
    else:
        assert abs(float(text)) >= 1e18


@built
def test_lines_of_which_many_are_odd_are_left_to_other_means():
    assert PLAN.compiled.decode(b'{"model":1.5}\n' * 1000) is None
    assert PLAN.compiled.decode((b'{"model":"m"}\n' * 99 + b'{"model":1.5}\n') * 10) is not None


@built
@pytest.mark.parametrize(
    "source",
    [one for one in sources().values() if one.layout == "json" and one.calls and one.records is None],
    ids=lambda source: source.name,
)
def test_most_lines_of_a_formats_own_sample_are_regular(source):
    """A property that holds because everything is given back would prove nothing."""
    records = source.sample.encode()
    found = Plan(source).compiled.decode(records)
    assert len(found.odd) <= found.lines / 2
    same_as_slowly(records, Plan(source))


@built
def test_what_is_both_an_array_and_an_object_is_left_to_other_means():
    calls = {"model": raw.text("made[0].model", "made.model")}
    plan = Plan(Source(name="trial", help="", link="", calls=calls))
    assert plan.compiled is None
    same_as_slowly(b'{"made":{"model":"m"}}\n{"made":[{"model":"n"}]}\n', plan)


@pytest.mark.parametrize("why", ["not built", "of another version"])
def test_without_the_machine_code_lines_are_read_all_the_same(monkeypatch, tmp_path, why):
    data = b"".join(json.dumps({"model": "m", "usage": {"in": n}}).encode() + b"\n" for n in range(9))
    expected = rows(decode.decode(data, Plan(PLAN.source)))
    if why == "not built":
        monkeypatch.setattr(native, "_LIBRARY", tmp_path / "libnative.so")
    else:
        monkeypatch.setattr(native, "_ABI", 0)
    native._library.cache_clear()
    try:
        plan = Plan(PLAN.source)
        assert plan.compiled is None
        assert not native.is_there()
        assert rows(decode.decode(data, plan)) == expected
    finally:
        monkeypatch.undo()
        native._library.cache_clear()
