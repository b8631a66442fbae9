"""Filters as text, `model=gpt-4o* latency_ms > 2s and feature="my chat"`, taken apart into terms.

A term is a name, a comparison and a value, with or without blanks around the comparison. Terms stand side by
side, or with `and` between. What has blanks is quoted: the value, the name or the whole term.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from llmtel.core.errors import UsageError

_QUOTED = r"""(?:"[^"]*"|'[^']*')"""
_OPERATOR = r"==|=|!=|>=|<=|>|<"
_NAME = rf"""(?:{_QUOTED}|[^\s=!<>"'])+"""
_VALUE = rf"""(?:{_QUOTED}|[^\s"'])+"""
_AND = re.compile(r"(?:and|&&)\s+", re.IGNORECASE)
# What begins a term of its own is no value of the one before: `feature= model=x` asks for unknown features.
_NEXT = rf"""(?:and|&&)\s|[^\s=!<>"']+\s*(?:{_OPERATOR})"""
_TERM = re.compile(rf"({_NAME})\s*({_OPERATOR})(?:\s+(?!{_NEXT}))?({_VALUE})?", re.IGNORECASE)
_WORD = re.compile(_VALUE)
_WHOLE = re.compile(rf"""["']([^=!<>]+?)({_OPERATOR})(.*)["']""", re.DOTALL)
_NO_JOINTS = frozenset({"or", "||", "|", "not", "in", "like", "between"})


class Term(Struct, frozen=True):
    """A term as it was written, and its parts without quotes; `operator` is one of = != > >= < <=."""

    text: str
    name: str
    operator: str
    value: str


def terms(text: str) -> Iterator[Term]:
    """The terms of a text, from left to right. Raises `UsageError` at what is none."""
    rest, before = text.lstrip(), None
    while rest:
        joint = _AND.match(rest) if before else None
        if joint:
            rest, before = rest[joint.end() :], None
            continue
        found = _TERM.match(rest)
        word = found or _WORD.match(rest)
        if word is None:
            raise UsageError(f"--where {text}: a quotation mark is not closed")
        rest = rest[word.end() :].lstrip()
        before = _term(found) if found else _whole(word[0], text, before)
        if rest and before.text.endswith(","):
            raise UsageError(
                f"--where {text}: terms stand side by side, without commas; a value with one is quoted"
            )
        yield before


def _term(found: re.Match[str]) -> Term:
    return Term(found[0].strip(), _plain(found[1]), found[2].replace("==", "="), _plain(found[3] or ""))


def _whole(word: str, text: str, before: Term | None) -> Term:
    """The term of a word that is quoted as a whole."""
    found = _WHOLE.fullmatch(word)
    if found is None:
        raise UsageError(f"--where {text}: {_hint(word, before)}")
    return Term(word, found[1], found[2].replace("==", "="), found[3])


def _plain(text: str) -> str:
    return re.sub(_QUOTED, lambda quoted: quoted[0][1:-1], text)


def _hint(word: str, before: Term | None) -> str:
    """What is wrong with a word that belongs to no term."""
    if word.lower() in _NO_JOINTS:
        return (
            f"there is no {word!r}. All terms must hold; for several values there are * and ?, as in "
            "model=gpt-*, and for all but one !="
        )
    if before and before.value:
        return (
            f"{word!r} is not a filter. A value with blanks is quoted: "
            f'{before.name}{before.operator}"{before.value} {word}"'
        )
    return (
        f"{word!r} is not a filter. Write NAME=VALUE, with =, !=, >, >=, < or <=, and quote it for the "
        "shell, as in --where 'model=gpt-4o* latency_ms>2s'"
    )
