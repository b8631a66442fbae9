"""`llmtel inspect` of a file that no format claims: which keys look like which fields, ready to paste."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from msgspec import Struct

from llmtel.core.answers import Document, Finding, Findings, Line, Snippet
from llmtel.core.units import COUNT
from llmtel.findings.command import Command
from llmtel.reports.context import TOOL

_MOST_LEFT = 12
"""Keys that look like nothing, as many as are named."""
_PLAIN = re.compile(r"[A-Za-z_][\w.\[\]/-]*(?::[a-z]+)?", re.ASCII)
_WORDS_OF_YAML = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


class Proposed(Struct, frozen=True):
    """A field, the path (with its unit) that looks like it, and why; others that may as well be it."""

    field: str
    path: str
    reason: str
    others: Sequence[tuple[str, str]] = ()


def proposal(
    file: str, records: int, guesses: Sequence[Proposed], lacking: Sequence[str], left: Sequence[str] = ()
) -> Document:
    """The mapping as a section of llmtel.yaml and as a command.

    `lacking` is what nothing looks like, `left` are the keys that look like nothing.

    Where several paths may be a field, the others stand below it as comments, and are told.
    """
    name = "standard input" if file == "-" else file
    unsure = [guess.field for guess in guesses if guess.others]
    command = Command((file,), repeated=tuple(("--map", f"{g.field}={g.path}") for g in guesses)).paste()
    finding = Finding(
        level="warning" if unsure or lacking else "info",
        kind="mapping",
        figure=COUNT.show(len(guesses)),
        text="fields look like keys of this file; check them, and read it so",
        command=None if lacking else command,
        evidence={"unsure": unsure, "lacking": list(lacking)},
    )
    said = f"no format claims {name}; judged by the names and values in {COUNT.show(records)} records of it"
    doubts = f"more than one reading fits {', '.join(unsure)}: the others stand in comments"
    return Document(
        schema="llmtel.inspect/1",
        title="Inspection",
        blocks=(
            Line(said),
            *([Line(doubts, grave=True)] if unsure else []),
            *(Line(f"nothing looks like {words}", grave=True) for words in lacking),
            *([Line(_named(left), name="not proposed")] if left else []),
            Snippet("a section for llmtel.yaml", tuple(_yaml(guesses)), "yaml"),
            Findings("What next", (finding,)),
        ),
        findings=(finding,),
        meta={
            "tool": TOOL,
            "files": [{"file": file, "format": None}],
            "proposal": [
                {
                    "field": guess.field,
                    "path": guess.path,
                    "reason": guess.reason,
                    "others": [{"path": path, "reason": reason} for path, reason in guess.others],
                }
                for guess in guesses
            ],
            "not_proposed": list(left),
        },
    )


def _named(keys: Sequence[str]) -> str:
    """Some keys by name; how many more there are."""
    more = len(keys) - _MOST_LEFT
    return ", ".join(keys[:_MOST_LEFT]) + (f" and {COUNT.show(more)} more" if more > 0 else "")


def _yaml(guesses: Sequence[Proposed]) -> list[str]:
    """The section, its reasons in comments that stand below each other."""
    rows = [
        row
        for guess in guesses
        for row in (
            (f"  {guess.field}: {_scalar(guess.path)}", guess.reason),
            *((f"  # {guess.field}: {_scalar(path)}", f"or this: {reason}") for path, reason in guess.others),
        )
    ]
    longest = max(len(text) for text, _ in rows)
    return ["map:", *(f"{text:<{longest}}  # {reason}" for text, reason in rows)]


def _scalar(path: str) -> str:
    """A path as YAML: in quotes unless it is plain."""
    plain = _PLAIN.fullmatch(path) and path.lower() not in _WORDS_OF_YAML
    return path if plain else json.dumps(path)
