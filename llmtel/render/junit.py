"""The verdicts of a check as JUnit XML, which GitLab, Jenkins, Azure and CircleCI read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from llmtel.core.answers import Document, Judgement
from llmtel.render.github import in_a_line
from llmtel.render.text import visible

_ILLEGAL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even escaped."""


def junit(document: Document) -> str:
    """One suite; a case for each check and segment: failed, skipped (nothing to compare) or passed."""
    judged = document.judgements
    failed = sum(_kind(j) == "failure" for j in judged)
    skipped = sum(_kind(j) == "skipped" for j in judged)
    seen: Counter[tuple[str, str]] = Counter()
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites tests="{len(judged)}" failures="{failed}" skipped="{skipped}">',
        f'<testsuite name="llmtel" tests="{len(judged)}" failures="{failed}" skipped="{skipped}" errors="0">',
        *(line for j in judged for line in _case(j, seen)),
        f"<system-out>{_text(document.closing)}</system-out>",
        "</testsuite>",
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _kind(judged: Judgement) -> str:
    if judged.outcome == "fail":
        return "failure"
    return "passed" if judged.compared else "skipped"


def _case(judged: Judgement, seen: Counter[tuple[str, str]]) -> Iterator[str]:
    name = judged.segment or "all"
    seen[judged.check, name] += 1
    again = f" ({seen[judged.check, name]})" if seen[judged.check, name] > 1 else ""
    where = {"classname": f"llmtel.{judged.check}", "name": f"{name}{again}"}
    yield f"<testcase {' '.join(f'{key}={_quoted(value)}' for key, value in where.items())}>"
    yield "<properties>"
    for key, value in judged.data.items():
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            yield f"<property name={_quoted(key)} value={_quoted(str(value))}/>"
    yield "</properties>"
    kind, said = _kind(judged), in_a_line(judged)
    if kind == "failure":
        causes = "\n".join(f"{c.text} {c.figure} {c.note}".strip() for c in judged.causes)
        yield f"<failure message={_quoted(said)} type={_quoted(judged.state)}>{_text(causes)}</failure>"
    elif kind == "skipped":
        yield f"<skipped message={_quoted(judged.reason)}/>"
    elif judged.outcome == "warn":
        yield f"<system-err>{_text(said)}</system-err>"
    yield "</testcase>"


def _text(text: str) -> str:
    from xml.sax.saxutils import escape  # noqa: PLC0415 (which loads urllib, and every report this module)

    return escape(_ILLEGAL.sub("", "\n".join(visible(line) for line in text.split("\n"))))


def _quoted(text: str) -> str:
    from xml.sax.saxutils import quoteattr  # noqa: PLC0415 (as above)

    return quoteattr(_ILLEGAL.sub("", visible(text)))
