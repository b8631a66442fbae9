"""Text: hostile characters are seen, widths are those of a terminal, wrapped lines fit."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtel.render.text import clip, pad, visible, width, wrap


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("two\r\nlines\t", r"two\r\nlines\t"),
        ("\x9b2J", r"\x9b2J"),
        ("user\u202egnp.exe", r"user\u202egnp.exe"),
        ("ad\u200bmin", r"ad\u200bmin"),
        ("\u3164", r"\u3164"),
        ("broken \udc80", r"broken \udc80"),
        ("tag \U000e0041", r"tag \U000e0041"),
    ],
)
def test_what_hides_or_commands_is_shown_as_an_escape(text: str, seen: str) -> None:
    assert visible(text) == seen


@pytest.mark.parametrize("text", ["plain", "Zoë", "東京", "🚀", "👩\u200d💻", "❤️", "नमस्ते"])
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_a_joiner_that_joins_no_emoji_is_shown() -> None:
    assert visible("a\u200db") == r"a\u200db"


@pytest.mark.parametrize(
    ("text", "cells"), [("abc", 3), ("東京", 4), ("🚀", 2), ("e\u0301", 1), ("❤️", 2), ("\uff46\uff55", 4)]
)
def test_width_counts_the_cells_of_a_terminal(text: str, cells: int) -> None:
    assert width(text) == cells


def test_padding_aligns_wide_characters() -> None:
    assert pad("東京", 6) == "東京  "
    assert pad("東京", 6, right=True) == "  東京"


def test_a_clipped_text_ends_in_an_ellipsis() -> None:
    assert clip("abcdef", 4) == "abc…"
    assert clip("東京都", 4) == "東…"
    assert clip("abcd", 4) == "abcd"


def test_a_long_name_breaks_after_its_punctuation() -> None:
    assert wrap("anthropic.claude-sonnet-4-5-20250929-v1:0", 20) == [
        "anthropic.claude-",
        "sonnet-4-5-20250929-",
        "v1:0",
    ]


@given(st.text())
def test_visible_text_has_no_hidden_character_and_stays_as_it_is(text: str) -> None:
    seen = visible(text)
    assert visible(seen) == seen
    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in seen)


@given(st.text().map(visible), st.integers(2, 30))
def test_wrapped_lines_fit_and_lose_nothing_but_blanks(text: str, cells: int) -> None:
    lines = wrap(text, cells)
    assert all(width(line) <= cells for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
