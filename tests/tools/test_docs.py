"""Documentation made from the program, and the README's commands are those that the checks run."""

from __future__ import annotations

from pathlib import Path

import make_docs
import pytest

ROOT = Path(__file__).parents[2]


def test_a_block_is_replaced_and_the_text_around_it_stays():
    text = "before\n<!-- exits: made by tools/make_docs.py -->\nold\n<!-- end -->\nafter\n"
    made = make_docs.with_blocks(text, {"exits": "new\n"})
    assert made == text.replace("old", "new")
    assert make_docs.with_blocks(made, {"exits": "new\n"}) == made


def test_a_block_that_nobody_makes_is_an_error():
    with pytest.raises(KeyError, match="nothing"):
        make_docs.with_blocks("<!-- nothing: made by tools/make_docs.py -->\n<!-- end -->", {})


def test_a_cell_with_a_bar_stays_one_cell():
    assert make_docs.table(("a", "b"), iter([("x|y", "z")])).splitlines()[-1] == r"| x\|y | z |"


def test_seconds_of_the_capture_are_no_difference(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("5 calls · 0.4 s\n", "utf-8")
    assert make_docs.same(page, "5 calls · 1.2 s\n")
    assert not make_docs.same(page, "6 calls · 0.4 s\n")
    assert not make_docs.same(tmp_path / "none.md", "6 calls")


def test_every_exit_code_is_explained():
    assert set(make_docs.EXITS) == set(make_docs.Exit)


def test_every_option_has_its_words():
    page = make_docs.page_of_commands()
    assert "| `--since TIME` |" in page
    assert "table, markdown, json, jsonl, csv, parquet  [default: table] |" in page
    assert "--by model,region --metrics" in page
    assert "None" not in page
    assert "|  |" not in page


def test_the_readme_opens_with_two_commands_and_the_checks_run_the_second():
    commands = [
        line.strip()
        for line in (ROOT / "README.md").read_text("utf-8").splitlines()
        if line.startswith("    ")
    ]
    assert commands[0].endswith("llmtel analyze sample_logs/")
    assert commands[1] in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
