"""The last look at a document that is for others: only what was guarded is let through."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from llmtel.core.answers import (
    HELD_BACK,
    Block,
    Change,
    Document,
    Finding,
    Findings,
    Headline,
    Judgements,
    Line,
    Table,
    Timeline,
)

if TYPE_CHECKING:
    from llmtel.reports.sharing import Sharing

META = frozenset((
    "tool", "input", "pricing", "what_if", "tz", "range", "without_time", "include_failed", "rejects",
    "notes",
))  # fmt: skip
"""Keys of a document beside its tables in which nothing is about few people."""
OF_VERDICTS = frozenset({"tag", "generated_at", "summary", "results"})
"""Those of verdicts, where these were looked at."""


def sealed(document: Document, sharing: Sharing | None, also: Collection[str] = ()) -> Document:
    """A document without what was not guarded, which it says; without `sharing` as it is.

    `also` are further keys of it in which nothing is about few people.
    """
    if sharing is None:
        return document
    blocks = [kept for block in document.blocks if (kept := _sealed_block(block, sharing.k)) is not None]
    judged = tuple(one for block in blocks if isinstance(block, Judgements) for one in block.judgements)
    tables = tuple(table for table in document.tables if table.least == sharing.k)
    known = META | {*also} | (OF_VERDICTS if judged else frozenset())
    return replace(
        document,
        blocks=(*blocks, *(Line(text, "shared") for text in _said(tables, sharing))),
        tables=tables,
        findings=tuple(_without_command(one) for one in document.findings if one.cells is not None),
        judgements=judged,
        meta={
            **{name: value for name, value in document.meta.items() if name in known},
            "shared": _meta(tables, sharing),
        },
    )


def _sealed_block(block: Block, least: int) -> Block | None:
    match block:
        case Table() | Change() | Judgements():
            return block if block.least == least else None
        case Findings():
            told = tuple(_without_command(one) for one in block.findings if one.cells is not None)
            return replace(block, findings=told) if told else None
        case Headline() | Timeline() | Line():
            return block
        case _:
            return None


def _said(tables: Sequence[Table], sharing: Sharing) -> list[str]:
    """What is not in a report, in words."""
    reasons = {row.get("suppressed") for table in tables for row in table.rows}
    said = []
    if reasons - {None}:
        held = "; …: held back, as one of these would follow from it" if HELD_BACK in reasons else ""
        said.append(f"<{sharing.k}: fewer than {sharing.k} users (sessions, where users are not known){held}")
    names = ", ".join(sharing.left_out)
    left = f"; {names} too, unless privacy: share: names them" if names else ""
    said.append(f"without names and ids of people, sessions, calls, files and hosts{left}")
    if sharing.k == 1:
        whose = "the key at hand" if sharing.own_key else "a key of this run, the same within it alone"
        said.append(f"users are pseudonyms of {whose}")
    return said


def _meta(tables: Sequence[Table], sharing: Sharing) -> Mapping[str, object]:
    """The same for machines."""
    from llmtel.reports.sharing import NEVER  # noqa: PLC0415 (slow to load, and there where there is sharing)

    hidden = sum(bool(row.get("suppressed")) for table in tables for row in table.rows)
    return {
        "least_people": sharing.k,
        "rows_without_values": hidden,
        "left_out": [*NEVER, *sharing.left_out],
        "key": sharing.pseudonyms.key_id if sharing.own_key else None,
    }


def _without_command(finding: Finding) -> Finding:
    """A finding without what to paste: who gets a report does not have the logs."""
    return replace(finding, command=None)
