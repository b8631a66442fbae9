"""YAML is read exactly, and what it would quietly read as something else is refused with its line."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from llmtel.core.errors import ConfigError
from llmtel.document import Document


def read(text):
    return Document("p.yaml", text.encode()).data


def test_numbers_are_what_stands_there():
    assert read("a: 0.1\nb: 12\nc: 1.50") == {"a": Decimal("0.1"), "b": Decimal(12), "c": Decimal("1.50")}


def test_days_are_days_and_other_forms_stay_text():
    assert read("a: 2025-06-10\nb: 2025-6-10") == {"a": date(2025, 6, 10), "b": "2025-6-10"}


def test_an_empty_file_says_nothing():
    assert read("# nothing yet\n") == {}


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\nb: 010", 2, "'010' would be read as int"),
        ("a: 0x1F", 1, "'0x1F'"),
        ("a: 1_000", 1, "'1_000'"),
        ("a:\n  utc: 16:30", 2, "'16:30'"),
        ("a: .inf", 1, "'.inf'"),
        ("a: .nan", 1, "'.nan'"),
        ("a: 1\nb: 2\na: 3", 3, "'a' stands here twice"),
        ("no: 1", 1, "a key must be text; 'no'"),
        ("2.0: 1", 1, "a key must be text; '2.0'"),
        ("a: &x {b: 1}\nc: *x", 1, "anchors and aliases"),
        ("a: {b: 1}\nc:\n  <<: {b: 2}", 3, "`<<` is not read"),
        ("a: 2025-02-30", 1, "no day 2025-02-30"),
        ("a: !!python/name:os.system x", 1, "would be read as"),
        ("a: }", 1, "no valid YAML"),
        ("- 1", 1, "the file must be a mapping"),
        ("a: 1\n---\nb: 2", 2, "no valid YAML"),
    ],
)
def test_what_would_surprise_is_refused_with_its_line(text, line, message):
    with pytest.raises(ConfigError) as raised:
        read(text)
    assert str(raised.value).startswith(f"p.yaml:{line}: ")
    assert message in str(raised.value)


def test_text_that_is_not_utf8_is_refused():
    with pytest.raises(ConfigError, match="not UTF-8"):
        Document("p.yaml", b"a: \xff")


def test_a_control_character_is_refused():
    with pytest.raises(ConfigError, match="no valid YAML"):
        Document("p.yaml", b"a: \x00")
