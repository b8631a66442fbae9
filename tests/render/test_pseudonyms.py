"""Pseudonyms in sentences are as short for people as in tables, and whole for machines and in commands."""

import json

import pytest

from llmtel.core.answers import (
    Card,
    Cause,
    Column,
    Document,
    Finding,
    Findings,
    Headline,
    Judgement,
    Judgements,
    Line,
    Table,
)
from llmtel.render import render
from llmtel.render.comment import comment
from llmtel.render.terminal import terminal

ADA, BOB = ("u_4b1f" + digest * 4 for digest in ("00c0ffee", "0badcafe"))


def users(*names):
    column = Column("user", "user", "", kind="dimension")
    return Table(("user",), (), (column,), [{"user": name} for name in names], title="user")


@pytest.fixture
def document():
    finding = Finding("info", "user", f"{ADA} costs most, {BOB} least", command=f"llmtel --where user={ADA}")
    blocks = (
        Headline(f"about {ADA}", (Card("who", "1", (f"mostly {ADA}",)),)),
        users(ADA, BOB),
        Findings("found", (finding,)),
        Line(f"session s_4b1f{'0' * 32} of user={BOB}"),
    )
    return Document("llmtel.x/1", "Title", blocks, (users(ADA, BOB),), (finding,))


@pytest.mark.parametrize("fmt", ["table", "markdown"])
def test_sentences_show_pseudonyms_as_tables_do(document, fmt):
    text = render(document, fmt, width=200, color=False)
    assert text.replace(f"llmtel --where user={ADA}", "").count(ADA) == text.count(BOB) == 0
    assert text.count("u_4b1f00c0ffee…") == 4
    assert text.count("u_4b1f0badcafe…") == 3
    assert f"llmtel --where user={ADA}" in text
    assert "s_4b1f00000000…" in text


def test_machines_have_them_whole(document):
    told = json.loads(render(document, "json", width=80, color=False))
    assert told["findings"][0]["text"] == document.findings[0].text
    assert {row["user"] for row in told["tables"][0]["rows"]} == {ADA, BOB}


def test_two_that_begin_alike_are_told_apart_all_over_an_answer():
    one, other = (f"u_4b1f{'a' * 20}{digit}{'0' * 11}" for digit in "12")
    text = render(Document("x/1", "", (users(one), Line(f"see {other}"))), "table", width=200, color=False)
    assert f"see {other[:27]}…" in text
    assert f"{one[:27]}…" in text


def test_a_verdict_about_a_user_names_the_user_in_short():
    judged = Judgement(
        "cost-user", f"cost{{user={ADA}}}", "cost", f"user={ADA}", "fail", "fail", "above", now="$2",
        causes=(Cause(f"more calls of {ADA}", "$1", 1.0),), who=f"user={BOB} (80 %)", lever="look",
        command=f"llmtel calls --where user={ADA}",
    )  # fmt: skip
    document = Document("llmtel.check/1", "1 failed", (Judgements("FAIL", "fail", "1 failed", (judged,)),))
    for text in (terminal(document, 200, color=False), comment(document)):
        assert "user=u_4b1f0badcafe…" in text
        assert text.count(ADA) == text.count(f"--where user={ADA}") == 1
        assert BOB not in text
