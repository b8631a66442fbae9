"""The verdicts of a check as Markdown for a comment on a pull request, within a budget.

The first line is a marker by which a bot finds its comment and updates it in place. What does not fit goes
in this order: rows of what is folded away, what is folded away, causes, rows of the table; what was left out
is said. No table is cut in two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from llmtel.core.answers import Document, Judgement, Judgements, Line, Outcome
from llmtel.render.markdown import cell_code, code, escape, grid
from llmtel.render.pseudonyms import for_people

BUDGET = 60_000
"""GitHub cuts a comment off at 65,536 characters."""
SUMMARY_BYTES = 900 * 1024
"""GitHub drops a step summary of more than 1 MiB as a whole."""
_MARKS: dict[Outcome, str] = {"fail": "❌", "warn": "⚠️", "info": "–", "pass": "✅"}
_TITLE: dict[Outcome, str] = {"info": "ℹ️"}  # noqa: RUF001 (the sign is meant)
_UNSAFE_TAG = re.compile(r"[^\w.]+")
_HEADS = ("", "check", "segment", "before", "now", "change", "95 % interval", "limit")
_RIGHT = (False, False, False, True, True, True, False, True)
_MOST = 1_000_000


class _Room(Struct, frozen=True):
    """How many rows and causes are shown."""

    grave: int = _MOST
    causes: int = 10
    folded: int = _MOST


_ROOMS = (
    _Room(), _Room(folded=200), _Room(folded=50), _Room(folded=0), _Room(200, 3, 0), _Room(50, 3, 0),
    _Room(20, 0, 0), _Room(5, 0, 0), _Room(0, 0, 0),
)  # fmt: skip
"""The ways to fit, the first one preferred."""


def comment(document: Document, budget: int = BUDGET) -> str:
    """`document` in at most `budget` bytes of UTF-8, which are no fewer than its characters."""
    document = for_people(document)
    for room in _ROOMS:
        text = "\n".join(_parts(document, room)) + "\n"
        if len(text.encode()) <= budget:
            return text
    return text if budget >= BUDGET else ""


def _parts(document: Document, room: _Room) -> Iterator[str]:
    block = next(b for b in document.blocks if isinstance(b, Judgements))
    tag = _UNSAFE_TAG.sub("-", str(document.meta.get("tag", "default")))
    yield f"<!-- llmtel:check:{tag} -->"
    mark = _MARKS["pass"] if block.green else _TITLE.get(block.outcome, _MARKS[block.outcome])
    yield f"### {mark} {escape(document.title)}"
    if block.green:
        return
    grave = block.of("fail", "warn")
    named = len(grave) > 1
    yield from _table(grave[: room.grave], len(grave))
    for judged in grave[: room.causes]:
        yield from _why(judged, named=named)
    yield from _folded(block, room.folded)
    for judged in grave[: room.causes]:
        yield from _cases(judged)
    yield from _notes(document)


def _table(judged: Sequence[Judgement], of: int) -> Iterator[str]:
    if judged:
        yield "\n" + grid(_HEADS, _RIGHT, [_row(j) for j in judged])
    if len(judged) < of:
        yield f"\n*{of - len(judged):,} more, left out to fit*"


def _row(judged: Judgement) -> list[str]:
    now = escape(judged.now)
    grave = judged.outcome in ("fail", "warn")
    cells = [judged.before, judged.now, _state(judged) or judged.change, judged.interval, judged.limit]
    before, _, change, interval, limit = map(escape, cells)
    bold = (f"**{x}**" if judged.state == "fail" and x else x for x in (now, change))
    segment = cell_code(judged.segment) if judged.segment else "all"
    now, change = bold if grave else (now, change)
    return [_MARKS[judged.outcome], escape(judged.metric), segment, before, now, change, interval, limit]


def _state(judged: Judgement) -> str:
    return judged.reason if not judged.compared else ""


def _why(judged: Judgement, *, named: bool) -> Iterator[str]:
    """Where a change is from, what is new, and what can be done."""
    causes = " · ".join(
        f"{escape(c.text)} **{escape(c.figure)}**{f' ({escape(c.note)})' if c.note else ''}"
        for c in judged.causes
    )
    who = f" {cell_code(judged.name)}" if named else ""
    if judged.state != "fail":
        yield f"\n{cell_code(judged.name)}: {escape(judged.reason)}"
    causes += f" ({escape(judged.basis)})" if causes and judged.basis else ""
    said = (
        ("Why", causes),
        ("Mostly", escape(judged.who)),
        ("Month", escape(judged.month)),
        ("Since", escape(judged.since)),
        ("Rests on", escape(judged.rests)),
    )
    lines = [f"**{name}{who if name == 'Why' else ''}:** {text}  " for name, text in said if text]
    if judged.lever:
        command = f"  \n{code(judged.command)}" if judged.command else ""
        lines.append(f"**Next:** {escape(judged.lever)}{command}  ")
    if judged.message:
        lines.append(f"**Note:** {escape(judged.message)}  ")
    if lines:
        yield "\n" + "\n".join(lines)


def _folded(block: Judgements, most: int) -> Iterator[str]:
    """What passed and what was not compared, folded away."""
    rest = (*block.of("pass"), *block.of("info"))
    if not rest:
        return
    passed = len(block.of("pass"))
    parts = [f"{passed} passed"] if passed else []
    parts += [f"{len(rest) - passed} not compared"] if passed < len(rest) else []
    if not most:
        yield f"\n*{', '.join(parts)}; left out to fit*"
        return
    yield f"\n<details><summary>{', '.join(parts)}</summary>"
    yield from _table(rest[:most], len(rest))
    yield "\n</details>"


def _cases(judged: Judgement) -> Iterator[str]:
    """The cases that moved most, folded away."""
    if not judged.cases:
        return
    who = f" of {escape(judged.segment)}" if judged.segment else ""
    yield f"\n<details><summary>The cases whose {escape(judged.metric)}{who} moved most</summary>\n"
    rows = [[cell_code(c.name), escape(c.before), escape(c.now), escape(c.change)] for c in judged.cases]
    yield grid(("case", "before", "now", "change"), (False, True, True, True), rows)
    yield "\n</details>"


def _notes(document: Document) -> Iterator[str]:
    lines = [b for b in document.blocks if isinstance(b, Line)]
    said = [f"{escape(b.name)}: {code(b.text) if b.name == 'accept it' else escape(b.text)}" if b.name
            else escape(b.text) for b in lines]  # fmt: skip
    if said:
        yield f"\n<sub>{' · '.join(said)}</sub>"
