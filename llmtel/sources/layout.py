"""From a file's first bytes to lines of one JSON object each: what kind of text a file is, and documents undone.

A JSON array or a single object over several lines becomes lines; the ordinal of an element stands for its line number.
Server-sent events lose their `data:`. UTF-16 with a byte order mark becomes UTF-8.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from typing import Literal

import msgspec
import orjson

from llmtel.sources.files import PARQUET, SQLITE, Undecodable

Kind = Literal["empty", "jsonl", "document", "events", "csv", "parquet", "utf16", "binary", "text"]

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LONGEST_DOCUMENT = 1 << 30


def kind_of(head: bytes) -> Kind:
    """What a file is, from its first block of decoded bytes. Raises `Undecodable` for what no reader can take."""
    if head.startswith(PARQUET):
        return "parquet"
    if head.startswith(SQLITE):
        msg = "an SQLite database, which llmtel does not read; export it as JSON lines"
        raise Undecodable(msg)
    if head.startswith(_UTF16):
        return "utf16"
    _refuse_utf16(head)
    text = head.removeprefix(codecs.BOM_UTF8).lstrip(b" \t\r\n\x0b\x0c")
    if not text:
        return "empty"
    if text[:1] == b"[":
        return "document"
    if text[:1] == b"{":
        return "document" if _opens_document(text) else "jsonl"
    if re.match(rb"(?:event|data|id|retry): ?", text):
        return "events"
    if b"\x00" in text[:4096] and b"{" not in text[:4096]:
        return "binary"
    return "csv" if _is_header(text.split(b"\n", 1)[0]) else "jsonl" if b"{" in text else "text"


def _refuse_utf16(head: bytes) -> None:
    sample = head[:1024]
    if len(sample) >= 8 and sample[1::2].count(0) > len(sample) // 4 and sample[::2].count(0) == 0:  # noqa: PLR2004
        msg = "looks like UTF-16 without a byte order mark; convert it to UTF-8"
        raise Undecodable(msg)


def _opens_document(text: bytes) -> bool:
    """Whether the first line is the beginning of an object that goes on, and the next one is no object of its own."""
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


def transcoded(data: bytes) -> bytes:
    """UTF-16 with its byte order mark as UTF-8. Raises `Undecodable`."""
    try:
        return data.decode("utf-16").encode()
    except UnicodeDecodeError as error:
        msg = f"not UTF-16, though it begins so: {error.reason}"
        raise Undecodable(msg) from error


def lines_of_document(data: bytes) -> bytes | None:
    """A JSON array's elements, or one object, as lines; None when the whole is no JSON."""
    text = data.strip().removeprefix(codecs.BOM_UTF8)
    try:
        if text[:1] == b"[":
            elements = [bytes(element) for element in msgspec.json.decode(text, type=list[msgspec.Raw])]
        else:
            msgspec.json.decode(text, type=msgspec.Raw)
            elements = [text]
    except (msgspec.DecodeError, RecursionError):
        return None
    return (
        b"\n".join(element.replace(b"\n", b" ").replace(b"\r", b" ") for element in elements) + b"\n"
        if elements
        else b""
    )


def lines_of_events(data: bytes) -> bytes:
    """Server-sent events as lines: the payload of each `data:`, an empty line for the rest, so that numbers hold."""
    lines = []
    for line in data.split(b"\n"):
        payload = line.strip().removeprefix(b"data:").strip() if line.startswith(b"data:") else b""
        lines.append(payload if payload[:1] == b"{" else b"")
    return b"\n".join(lines)


Rows = tuple[list[str], list[list[str]], list[int], list[tuple[int, str]]]


def rows_of_csv(data: bytes) -> Rows:
    """A CSV or TSV: header, rows, the line each row ends on, and (line, reason) of those that do not fit the header."""
    text = data.removeprefix(codecs.BOM_UTF8).decode(errors="replace")
    first = text.split("\n", 1)[0]
    separator = max(",\t;", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    header: list[str] = []
    rows: list[list[str]] = []
    numbers: list[int] = []
    bad: list[tuple[int, str]] = []
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return header, rows, numbers, bad
        except csv.Error as error:
            bad.append((reader.line_num, f"not CSV: {error}"))
            continue
        if not header:
            header = [name.strip() for name in row]
        elif not row:
            bad.append((reader.line_num, ""))
        elif len(row) != len(header):
            bad.append((reader.line_num, f"{len(row)} fields, where the header has {len(header)}"))
        else:
            rows.append(row)
            numbers.append(reader.line_num)
