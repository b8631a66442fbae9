"""What kind of text a file is, by its first bytes; and what is no JSON lines made into them.

A JSON array or a single object over several lines becomes lines; the ordinal of an element stands for its
line number. Server-sent events lose their `data:`. UTF-16 with a byte order mark becomes UTF-8.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any, Literal

import msgspec
import orjson

from llmtel.sources.files import PARQUET, SQLITE, ZIP, Unclaimed, Undecodable
from llmtel.sources.nested import object_in

Kind = Literal["empty", "jsonl", "document", "events", "csv", "parquet", "sqlite", "utf16", "text"]

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_PEEKED = 1024
"""Bytes of a file's beginning in which text has no NUL."""
_NAME_IN_ZIP = 30
"""Where a ZIP archive has the name of its first member."""
_PIECES = (b'"message_start"', b'"message_delta"')
_OTLP = re.compile(rb"\n[^{\[]{1,99}?(?:service\.name|telemetry\.sdk\.\w{1,9})\x12")
"""How OpenTelemetry's traces begin in protobuf: with the attributes of what sent them."""
_DECODER = json.JSONDecoder()
_FEWEST_BYTES = 8
"""Bytes from which UTF-16 without a mark is told: four letters."""


def kind_of(head: bytes) -> Kind:
    """What a file is, from its first block of decoded bytes. Raises `Undecodable` for what cannot be read."""
    if head.startswith(PARQUET):
        return "parquet"
    if head.startswith(SQLITE):
        return "sqlite"
    if head.startswith(ZIP):
        _refuse_archive(head)
    if head.startswith(_UTF16):
        return "utf16"
    if _OTLP.match(head):
        raise Undecodable(
            "OpenTelemetry in protobuf; export it as JSON, as the collector's file exporter does"
        )
    _refuse_utf16(head)
    if b"\x00" in head[:_PEEKED] and head[:1] not in (b"{", b"[", b"\x00"):
        msg = f"no format claims it: binary data (it starts with {head[:4].hex(' ')})"
        raise Unclaimed(msg)
    text = head.removeprefix(codecs.BOM_UTF8).lstrip(b" \t\r\n\x0b\x0c")
    return _kind_of_text(text) if text else "empty"


def _kind_of_text(text: bytes) -> Kind:
    """What a text is, from its first block without blanks before it."""
    if text[:1] == b"[":
        return "document"
    if text[:1] == b"{":
        return "document" if _opens_document(text) else "jsonl"
    if re.match(rb"(?:event|data|id|retry): ?", text):
        return "events"
    return "csv" if _is_header(text.split(b"\n", 1)[0]) else "jsonl" if b"{" in text else "text"


def _refuse_archive(head: bytes) -> None:
    """A ZIP archive is refused; that of a log of Inspect by name, told by the name of its first member."""
    if re.match(rb"(?:_journal/|samples/|header\.json)", head[_NAME_IN_ZIP:]):
        msg = "a log of Inspect in its own container; make JSON of it: inspect log dump FILE.eval > FILE.json"
        raise Undecodable(msg)
    raise Unclaimed("a ZIP archive; give the files that are in it")


def _refuse_utf16(head: bytes) -> None:
    """Latin letters in UTF-16 (little end first) have a zero in every second byte, and nowhere else."""
    sample = head[:1024]
    zeros = sample[1::2].count(0)
    if len(sample) >= _FEWEST_BYTES and zeros > len(sample) // 4 and sample[::2].count(0) == 0:
        msg = "looks like UTF-16 without a byte order mark; convert it to UTF-8"
        raise Undecodable(msg)


def _opens_document(text: bytes) -> bool:
    """Whether the first line is the beginning of an object that goes on below it."""
    end = text.find(b"\n")
    following = text[end + 1 : end + 4096].lstrip()
    if end < 0 or not following or following[:1] == b"{":
        return False
    first = text[:end]
    try:
        orjson.loads(first)
    except orjson.JSONDecodeError as error:
        return "unexpected end of data" in str(error)
    return False


def _is_header(line: bytes) -> bool:
    return b"{" not in line and any(separator in line for separator in (b",", b"\t", b";"))


def as_lines(data: bytes, kind: Kind) -> bytes:
    """A whole UTF-16 text, document or stream of events as lines of JSON. Raises `Undecodable`."""
    if kind == "utf16":
        return _transcoded(data)
    if kind == "events":
        return _lines_of_events(data)
    lines = _lines_of_document(data)
    return data if lines is None else lines


def _transcoded(data: bytes) -> bytes:
    try:
        return data.decode("utf-16").encode()
    except UnicodeDecodeError as error:
        msg = f"not UTF-16, though it begins so: {error.reason}"
        raise Undecodable(msg) from error


def _lines_of_document(data: bytes) -> bytes | None:
    """A JSON array's elements, or one object or several, as lines; None when the beginning is no JSON."""
    text = data.strip().removeprefix(codecs.BOM_UTF8)
    try:
        if text[:1] == b"[":
            elements = [bytes(element) for element in msgspec.json.decode(text, type=list[msgspec.Raw])]
        else:
            msgspec.json.decode(text, type=msgspec.Raw)
            elements = [text]
    except (msgspec.DecodeError, RecursionError):
        elements = list(_objects(text)) if text[:1] == b"{" else []
        if not elements:
            return None
    lines = [element.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n" for element in elements]
    return b"".join(lines)


def fault_of(data: bytes, kind: Kind) -> str:
    """Why a document, or a line that is alone, is no JSON, and where; "" where it is, or there are more."""
    if kind != "document" and b"\n" in data.strip():
        return ""
    try:
        orjson.loads(data.removeprefix(codecs.BOM_UTF8))
    except orjson.JSONDecodeError as error:
        return str(error)
    return ""


def lines_of_pages(data: bytes) -> bytes:
    """Lines with the elements of each page in its place, or nothing where no line is a page.

    A page is an object with one list of objects; so answer many programming interfaces:
    `{"data": [{…}, {…}], "has_more": false}`. What is none stays as it is, and a page with nothing in it is
    an empty line.
    """
    lines: list[bytes] = []
    pages = 0
    for line in data.removeprefix(codecs.BOM_UTF8).split(b"\n"):
        elements = _elements_of_page(line)
        pages += elements is not None
        lines += [line] if elements is None else [orjson.dumps(one) for one in elements] or [b""]
    return b"\n".join(lines) if pages else b""


def _elements_of_page(line: bytes) -> list[Any] | None:
    """The elements of the page that a line is, None where it is none."""
    try:
        page = orjson.loads(line)
    except (orjson.JSONDecodeError, RecursionError):
        return None
    lists = [value for value in page.values() if isinstance(value, list)] if isinstance(page, dict) else []
    full = [value for value in lists if any(isinstance(element, dict) for element in value)]
    return full[0] if len(full) == 1 else [] if lists and not any(lists) else None


def _objects(text: bytes) -> Iterator[bytes]:
    """Objects over several lines, one after the other, as they were written; none where the first is cut.

    What is no JSON costs one element: up to the next line that begins an object.
    """
    whole = text.decode(errors="surrogateescape")
    at, good = 0, False
    while at < len(whole):
        try:
            end = _DECODER.raw_decode(whole, at)[1]
        except (ValueError, RecursionError):
            if not good:
                return
            following = whole.find("\n{", at + 1)
            end = following if following >= 0 else len(whole)
        good = True
        yield whole[at:end].encode(errors="surrogateescape")
        while end < len(whole) and whole[end].isspace():
            end += 1
        at = end


def _lines_of_events(data: bytes) -> bytes:
    """Server-sent events: each `data:` as its payload, the rest as empty lines, so that numbers hold.

    Anthropic sends a message in pieces: it comes whole where it started.
    """
    lines = []
    for line in data.split(b"\n"):
        payload = line.strip().removeprefix(b"data:").strip() if line.startswith(b"data:") else b""
        lines.append(payload if payload[:1] == b"{" else b"")
    _put_together(lines)
    return b"\n".join(lines)


def _put_together(lines: list[bytes]) -> None:
    """Put what later pieces of a message say into its start: usage grows from piece to piece, the last holds.

    https://platform.claude.com/docs/en/build-with-claude/streaming
    """
    start, message = 0, dict[str, Any]()
    for number, line in enumerate(lines):
        if not any(word in line for word in _PIECES):
            continue
        try:
            event = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if event.get("type") == "message_start":
            start, message = number, object_in(event, "message")
        elif event.get("type") == "message_delta" and message:
            later = {key: value for key, value in object_in(event, "usage").items() if value is not None}
            message |= object_in(event, "delta") | {"usage": object_in(message, "usage") | later}
            lines[number] = b""
        else:
            continue
        lines[start] = orjson.dumps(message)


Rows = tuple[list[str], list[list[str]], list[int], list[tuple[int, str]]]


def separator_of(text: str) -> str:
    """What separates the names of the header: a comma, a tab or a semicolon."""
    return max(",\t;", key=text.split("\n", 1)[0].count)


def rows_of_csv(data: bytes) -> Rows:
    """A CSV or TSV: header, rows, the line each row ends on, (line, reason) of rows that do not fit."""
    text = data.removeprefix(codecs.BOM_UTF8).decode(errors="replace")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator_of(text))
    header: list[str] = []
    rows: list[list[str]] = []
    numbers: list[int] = []
    bad: list[tuple[int, str]] = []
    while True:
        try:
            for row in reader:
                if row and len(row) == len(header):
                    rows.append(row)
                    numbers.append(reader.line_num)
                elif header:
                    bad.append((reader.line_num, misfit(len(row), len(header)) if row else ""))
                else:
                    header = [name.strip() for name in row]
        except csv.Error as error:
            bad.append((reader.line_num, f"not CSV: {error}"))
        else:
            return header, rows, numbers, bad


def misfit(fields: int, wanted: int) -> str:
    """Why a row of so many fields does not fit a header."""
    return f"{fields} fields, where the header has {wanted}"
