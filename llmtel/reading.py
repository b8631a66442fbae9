"""What was read, of logs or of a store. The calls of a store are told of without what reads logs."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl
from msgspec import Struct

from llmtel.core.account import Account, Note, Reject
from llmtel.core.errors import UsageError

if TYPE_CHECKING:
    from llmtel.sources.detect import Verdict
    from llmtel.sources.plan import Plan
    from llmtel.sources.source import Record
    from llmtel.store.table import Table

_TOLD = 5
"""Files of each kind that a message names."""


class Input(Struct, frozen=True):
    """A file that was read: its format, bytes on disk, and its calls (a duplicate belongs to one file).

    `verdict` is why it has that format, `plan` how its records are read (None: they are calls already), and
    `sample`, where it was wanted, some of its records.
    """

    file: str
    format: str | None
    bytes: int
    calls: int
    verdict: Verdict | None = None
    plan: Plan | None = None
    sample: Sequence[Record] = ()


class Reading(Struct, frozen=True):
    """What was read: `calls` (all FIELDS, unpriced), and the fate of everything else.

    `counted`, where every text was counted: the tokens of each call's texts in their base encoding
    (`prompt`, `output`), row by row beside `calls`; null where there was no text. `covered`, where not all
    calls were read, are the first and last time of all. `cells` are the rollups of days of a store whose
    calls have expired.
    """

    calls: pl.DataFrame
    account: Account
    rejects: tuple[Reject, ...]
    notes: tuple[Note, ...]
    inputs: tuple[Input, ...]
    counted: pl.DataFrame | None = None
    covered: tuple[datetime | None, datetime | None] | None = None
    cells: pl.DataFrame | None = None

    def of_one_grain(self) -> Reading:
        """This reading. Raises `UsageError` where it has calls and a provider's sums over the same calls."""
        if not 0 < self.account.buckets < self.calls.height:
            return self
        files = {
            grain: dict.fromkeys(self.calls.filter(pl.col("grain") == grain)["file"].cast(pl.String))
            for grain in ("call", "bucket")
        }
        logs, exports = ([str(name) for name in files[grain]] for grain in ("call", "bucket"))
        cut = max(len(logs), len(exports)) > _TOLD
        more = (
            f" ({len(logs)} files with calls, {len(exports)} with sums; the first are named)" if cut else ""
        )
        msg = (
            f"{logs[0]} has single calls and {exports[0]} a provider's sums over many: together every "
            "request would count twice. To compare them: llmtel reconcile "
            + shlex.join([*logs[:_TOLD], *(word for name in exports[:_TOLD] for word in ("--with", name))])
            + more
        )
        raise UsageError(msg)


def of_store(
    table: Table,
    since: datetime | None = None,
    until: datetime | None = None,
    without: Collection[str] = (),
) -> Reading:
    """The calls of a store in a range of time, without some fields; arguments as those of `store.read`."""
    from llmtel.store import rejected  # noqa: PLC0415 (who reads logs does not pay for it)
    from llmtel.store.read import stored  # noqa: PLC0415 (as above)

    found = stored(table, since, until, without)
    calls = found.calls
    passes = int(calls.select((pl.col("request_count") == 0).sum()).item())
    account = Account(
        files=found.files, bytes=found.size, records=calls.height, calls=calls.height - passes, other=passes
    )
    lost = len(rejected.kept(table.folder))
    some = "1 record was" if lost == 1 else f"{lost:,} records were"
    text = f"{some} rejected when the store took them: llmtel store rejects {table.folder}"
    notes = (Note("stored_rejects", text, lost),) if lost else ()
    told = (*notes, *counted(calls))
    return Reading(calls, account, (), told, (), covered=found.covered, cells=found.cells)


def counted(calls: pl.DataFrame) -> list[Note]:
    """How many calls' tokens are not the provider's, but counted here."""
    if "token_source" not in calls.columns:
        return []
    levels = dict(calls["token_source"].value_counts().iter_rows())
    exact, estimated = levels.get("tokenizer", 0), levels.get("estimated", 0)
    if not exact + estimated:
        return []
    n = exact + estimated
    rough = f", {estimated:,} of them estimated by their models' families" if estimated else ""
    text = f"tokens of {n:,} {'call' if n == 1 else 'calls'} were counted from texts{rough}"
    return [Note("counted", text, n)]
