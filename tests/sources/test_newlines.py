"""Lines are counted as Python counts their ends, however many bytes there are."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from llmtel.sources import newlines

_ATOMS = [b"\n", b"\r", b'"', b"#", b",", b"\x00", b"\x01", b"\xff", b"\xef\xbb\xbf", b"x", b"{}"]
_PIECES = st.sampled_from(_ATOMS)


def line_count(data: bytes) -> int:
    """Both ways to count: by machine code where it is there, and without it."""
    counted = newlines.line_count(data)
    assert newlines.counted_by_polars(data) == counted
    return counted


def _counted(data: bytes) -> int:
    return len(data.removesuffix(b"\n").split(b"\n")) if data else 0


@given(st.lists(_PIECES, max_size=9).map(b"".join))
def test_a_few_bytes_have_as_many_lines_as_they_have_ends_and_a_rest(data: bytes) -> None:
    assert line_count(data) == _counted(data)


@settings(max_examples=20)
@given(st.lists(_PIECES, min_size=1, max_size=9).map(b"".join), st.integers((4 << 20) - 20, (4 << 20) + 40))
def test_four_million_bytes_have_as_many_lines_too(piece: bytes, size: int) -> None:
    data = (piece * (size // len(piece) + 1))[:size]
    assert line_count(data) == _counted(data)


@given(st.lists(st.integers(0, 900), min_size=1, max_size=90), st.sampled_from([b"", b"x"]))
def test_long_and_short_lines_are_counted_alike(lengths: list[int], rest: bytes) -> None:
    data = b"".join(b"x" * length + b"\n" for length in lengths) + rest
    assert line_count(data) == _counted(data)
