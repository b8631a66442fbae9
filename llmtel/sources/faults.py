"""What is wrong with a line that is no record, in words that never repeat its bytes."""

from __future__ import annotations

import orjson

LONGEST_LINE = 32 << 20
CUT_OFF = "not JSON: the line ends too early"
"""The reason of a line that is the beginning of an object: unfinished, when it is the last of a file."""


def parsed(text: bytes) -> dict[str, object] | str:
    """The object that a line is, or why it is none."""
    if len(text) > LONGEST_LINE:
        return f"a line longer than {LONGEST_LINE >> 20} MB"
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return _reason(text, error)
    except RecursionError:
        return "nested too deeply"
    if not isinstance(value, dict):
        kind = {list: "an array", str: "a text", type(None): "null", bool: "a boolean"}.get(
            type(value), "a number"
        )
        return f"{kind}, where an object was expected"
    return value


def _reason(text: bytes, error: orjson.JSONDecodeError) -> str:
    """Why a line is no JSON, in words that never repeat its bytes."""
    if b"\x00" in text:
        return "NUL bytes: the writer crashed, or this is not text"
    try:
        text.decode()
    except UnicodeDecodeError as fault:
        cut = fault.end == len(text) and fault.reason == "unexpected end of data"
        return CUT_OFF if cut else f"not UTF-8 (byte {fault.start + 1})"
    message = str(error.msg).split(": line")[0]
    if text[:1] == b"{" and message == "unexpected end of data":
        return CUT_OFF
    if text[:1] == b"{" and ("unexpected content" in message or "trailing" in message):
        return "more than one JSON value in the line"
    return f"not JSON (column {error.colno}: {message})"
