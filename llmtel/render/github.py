"""What the runner of GitHub Actions reads: annotations, and text in which it finds no commands.

A printed line that begins with `::` is a command to the runner, also after blanks, and so is `##[` anywhere
in a line (https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions).
"""

from __future__ import annotations

import re

from llmtel.core.answers import Document, Judgement
from llmtel.render.text import visible

MOST = 10
"""More annotations of a kind and step are dropped without a word."""
_KINDS = {"fail": "error", "warn": "warning"}
_COMMAND = re.compile(r"(?m)^(\s*)::|##\[")


def github(document: Document) -> str:
    """A line for each failure and warning, the gravest first, at most `MOST`; the last says how many more."""
    grave = [j for j in document.judgements if j.outcome in _KINDS]
    told = grave if len(grave) <= MOST else grave[: MOST - 1]
    lines = [_annotation(j) for j in told]
    if more := len(grave) - len(told):
        lines.append(f"::notice title=llmtel::… and {more} more: see the summary")
    return "".join(f"{line}\n" for line in lines)


def _annotation(judged: Judgement) -> str:
    kind = _KINDS[judged.outcome]
    where = {"file": judged.file, "line": judged.line and str(judged.line), "title": judged.check}
    properties = ",".join(f"{name}={_property(value)}" for name, value in where.items() if value)
    return f"::{kind} {properties}::{_data(in_a_line(judged))}"


def in_a_line(judged: Judgement) -> str:
    """A verdict in a sentence: "feature=chat: $0.0115, before $0.0100 (+15 %, 95 %: +6 … +25 %); limit …"."""
    inside = ", ".join(
        part for part in (judged.change, f"95 %: {judged.interval}" if judged.interval else "") if part
    )
    before = f", before {judged.before}" if judged.before else ""
    limit = f"; limit {judged.limit}" if judged.limit else ""
    reason = "" if judged.state == "fail" and judged.change else f": {judged.reason}"
    month = f"; {judged.month}" if judged.month else ""
    return f"{judged.name} {judged.now}{before}{f' ({inside})' if inside else ''}{limit}{reason}{month}"


def _data(text: str) -> str:
    return _runner(text)


def _property(text: str) -> str:
    return _runner(text).replace(":", "%3A").replace(",", "%2C")


def _runner(text: str) -> str:
    """Text of a command: no line breaks, no percent sign that is one of ours, no second command."""
    return re.sub(r"##\[", "# #[", visible(text)).replace("%", "%25")


def inert(text: str) -> str:
    """Text to print on a runner: what it would take for a command begins with a backslash."""
    return _COMMAND.sub(lambda m: f"{m[1]}\\::" if m[0].endswith("::") else "#\\#[", text)


def inert_json(text: str) -> str:
    """JSON to print on a runner; it stays the same JSON."""
    return text.replace("##[", "#\\u0023[")
