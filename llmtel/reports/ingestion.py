"""What `llmtel ingest` says: how many calls went where, and what did not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llmtel import __version__
from llmtel.core.account import Account, Note, Reject
from llmtel.core.answers import Document, Line
from llmtel.reports import trust
from llmtel.reports.context import input_meta, nameless
from llmtel.reports.sealing import sealed

if TYPE_CHECKING:
    from llmtel.reports.sharing import Sharing


def ingestion(
    account: Account,
    rejects: Sequence[Reject],
    notes: Sequence[Note],
    target: str | None,
    sharing: Sharing | None = None,
) -> Document:
    """The account of a run that wrote its calls to `target` (None: --strict forbade it)."""
    if sharing is not None:
        rejects, notes, target = (), nameless(notes), target and "…"
    calls = trust.in_calls(account.calls, account.noun)
    wrote = (
        f"{calls} → {target}"
        if target
        else f"{calls} read, nothing written: records were lost and --strict is given"
    )
    lines = (
        Line(wrote, grave=target is None),
        Line(f"{trust.files(account)} · {trust.records(account)}"),
        *trust.remarks(notes, rejects),
    )
    meta = {
        "tool": {"name": "llmtel", "version": __version__},
        "input": input_meta(account),
        "output": target,
    }
    return sealed(Document(schema="llmtel.ingest/1", title="Ingest", blocks=lines, meta=meta), sharing)
