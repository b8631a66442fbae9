"""What a file is, by its first bytes, and how what is no JSON lines becomes them."""

import json

import pytest

from llmtel.sources import layout
from llmtel.sources.files import Undecodable


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", "empty"),
        (b" \n\r\n\t\n", "empty"),
        (b"\xef\xbb\xbf\n", "empty"),
        (b'{"a":1}\n{"a":2}\n', "jsonl"),
        (b'\xef\xbb\xbf{"a":1}', "jsonl"),
        (b'{"a":1}', "jsonl"),
        (b'{"a":1\n{"a":2}\n', "jsonl"),
        (b'{"a":\nnot json\n', "document"),
        (b'{\n  "a": 1\n}\n', "document"),
        (b'[{"a":1}]', "document"),
        (b"\n\n[\n", "document"),
        (b'event: message\ndata: {"a":1}\n', "events"),
        (b'data:{"a":1}\n', "events"),
        (b"a,b\n1,2\n", "csv"),
        (b"\xef\xbb\xbfa;b\n1;2\n", "csv"),
        (b"a\tb\n", "csv"),
        (b"INFO started\nINFO more\n", "text"),
        (b'INFO started\n{"a":1}\n', "jsonl"),
        (b"PAR1....", "parquet"),
        (b"SQLite format 3\x00", "sqlite"),
        ('{"a":1}'.encode("utf-16"), "utf16"),
    ],
)
def test_first_bytes_tell_what_a_file_is(head, kind):
    assert layout.kind_of(head) == kind


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"PK\x03\x04" + b"\x00" * 26 + b"_journal/start.json{", "inspect log dump FILE.eval > FILE.json"),
        (b"PK\x03\x04" + b"\x00" * 26 + b"report.xml", "a ZIP archive; give the files"),
        (b"\x7fELF\x02\x00\x00\x00", "binary data .it starts with 7f 45 4c 46"),
        ('{"a":1,"b":2}'.encode("utf-16-le"), "without a byte order mark"),
        (b"\n\x8a\x01\n\x10\n\x0e\n\x0cservice.name\x12\x06\n\x04shop", "OpenTelemetry in protobuf"),
    ],
)
def test_what_no_reader_can_take_is_refused_in_words(head, words):
    with pytest.raises(Undecodable, match=words):
        layout.kind_of(head)


def values(data):
    return [json.loads(line) for line in data.splitlines()]


def test_an_array_is_a_line_an_element_whatever_its_line_breaks():
    document = json.dumps([{"a": 1, "b": ["x", {"c": "two\nlines"}]}, 3, None], indent=2).encode()
    assert values(layout.as_lines(document, "document")) == json.loads(document)


def test_one_object_over_several_lines_is_one_line():
    assert values(layout.as_lines(b'\xef\xbb\xbf{\r\n "a": 1\r\n}\n', "document")) == [{"a": 1}]


def test_a_document_that_is_no_json_is_left_to_the_reader_of_lines():
    assert layout.as_lines(b'[{"a":1},\n{"a":', "document") == b'[{"a":1},\n{"a":'


def test_objects_over_several_lines_are_a_line_each_and_what_is_damaged_costs_one():
    good = json.dumps({"a": {"b": "}\n{"}}, indent=2)
    data = f"{good}\n{good}{good}\n{{\n  damaged\n}}\n\n{good}\n{good[:-9]}".encode()
    lines = [line.strip() for line in layout.as_lines(data, "document").splitlines()]
    assert [line for line in lines if line != lines[0]] == [b"{   damaged }", lines[-1]]
    assert (len(lines), json.loads(lines[4])) == (6, json.loads(good))


def test_events_keep_their_line_numbers():
    data = b'event: x\ndata: {"a":1}\n\ndata: [DONE]\ndata:{"a":2}'
    assert layout.as_lines(data, "events").split(b"\n") == [b"", b'{"a":1}', b"", b"", b'{"a":2}']


@pytest.mark.parametrize("form", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_becomes_utf8(form):
    text = '{"a":"é漢😀"}\n'
    mark = b"" if form == "utf-16" else "\ufeff".encode(form)
    assert layout.as_lines(mark + text.encode(form), "utf16").decode() == text


def test_damaged_utf16_is_refused_in_words():
    with pytest.raises(Undecodable, match="not UTF-16"):
        layout.as_lines(b"\xff\xfe\x00\xd8", "utf16")


def test_a_table_has_a_header_rows_and_what_does_not_fit():
    data = b'a, b\n1,2\n"x\ny",3\n\n1\n4,5'
    assert layout.rows_of_csv(data) == (
        ["a", "b"],
        [["1", "2"], ["x\ny", "3"], ["4", "5"]],
        [2, 4, 7],
        [(5, ""), (6, "1 fields, where the header has 2")],
    )


@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_the_header_tells_the_separator(separator):
    data = f"a{separator}b\n1{separator}2\n".encode()
    assert layout.rows_of_csv(data)[:2] == (["a", "b"], [["1", "2"]])


def test_a_cell_beyond_all_bounds_costs_its_row():
    data = b"a,b\n1,2\n" + b"x" * 200_000 + b",2\n3,4\n"
    _, rows, _, bad = layout.rows_of_csv(data)
    assert rows == [["1", "2"], ["3", "4"]]
    assert [reason.split(":")[0] for _, reason in bad] == ["not CSV"]


PAGE = b'{"data":[{"a":1},{"a":2}],"has_more":true}'


def test_pages_are_the_records_in_them_line_by_line():
    data = b"\n".join((b"\xef\xbb\xbf" + PAGE, b'{"data":[],"has_more":false}', b"nonsense", PAGE, b""))
    lines = layout.lines_of_pages(data).split(b"\n")
    assert lines == [b'{"a":1}', b'{"a":2}', b"", b"nonsense", b'{"a":1}', b'{"a":2}', b""]


@pytest.mark.parametrize(
    "line", [b"[]", b"3", b"nonsense", b'{"a":1}', b'{"a":[{"b":1}],"c":[{"d":1}]}', b'{"a":[1]}']
)
def test_lines_that_have_no_records_in_one_list_are_no_pages(line):
    assert layout.lines_of_pages(line + b"\n") == b""
    assert layout.lines_of_pages(PAGE + b"\n" + line + b"\n") == b'{"a":1}\n{"a":2}\n' + line + b"\n"
