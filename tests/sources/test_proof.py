"""Samples and expectations as blocks of text."""

from datetime import UTC, datetime

from llmtel.sources.proof import lines, rows


def test_a_line_that_is_further_in_continues_the_record_above_it():
    block = """
        {"a":1,
          "b":"x y"}
        {"c":2}
    """
    assert lines(block) == '{"a":1,"b":"x y"}\n{"c":2}\n'


def test_a_long_text_may_be_broken_anywhere_even_before_a_space():
    assert lines("""
        id,words
        1,one
           two three
    """) == "id,words\n1,one two three\n"  # fmt: skip


def test_what_is_expected_has_times_as_they_are_read():
    (row,) = rows("""
        {"ts": "2026-09-01T10:00:00+00:00", "model": "m",
          "user": null}
    """)
    assert row == {"ts": datetime(2026, 9, 1, 10, tzinfo=UTC), "model": "m", "user": None}
