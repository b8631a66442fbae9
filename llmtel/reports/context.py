"""What a report stands on beside the calls: the account of reading, the prices and the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
from msgspec import Struct
from msgspec.structs import asdict, replace

from llmtel import __version__
from llmtel.core.account import Account, Note, Reject, Unmatched
from llmtel.core.answers import Finding, Table
from llmtel.findings.command import Command
from llmtel.findings.costs import Credit
from llmtel.findings.coverage import Alias
from llmtel.findings.grounds import Coverage, coverage
from llmtel.query.rollup import Rolled

if TYPE_CHECKING:
    from llmtel.checks.windows import Rates
    from llmtel.reports.sharing import Sharing

TOOL = {"name": "llmtel", "version": __version__}
SHOWN_REJECTS = 5
LOGS = "the logs"
"""What paths are called in a report for others."""
NAMELESS = frozenset(
    {"response_time", "counted", "stored_rejects", "rolled_up", "known", "retired", "expired"}
)
"""Kinds of notes that name neither file nor person, but in the command that they may end with."""
COMMAND = ": llmtel "


def nameless(notes: Sequence[Note]) -> tuple[Note, ...]:
    """The notes that may be in a report for others."""
    return tuple(
        replace(note, text=note.text.partition(COMMAND)[0])
        for note in notes
        if note.file is None and note.kind in NAMELESS
    )


class Prices(Struct, frozen=True):
    """Which prices were used: the date of the book, the hash of its content, and which cost counts.

    `layers` are the book's parts by name: the packaged file first, then those of the user that lie over it.
    `stated`: all costs are the log's own. `frozen` calls have the cost that was stored with them. `discounts`
    are those of the user, in words. `shown_in` is the currency that people see, with the rate and where it is
    from; machines get USD.
    """

    as_of: str
    sha256: str
    source: str = "auto"
    layers: tuple[str, ...] = ()
    stated: bool = False
    frozen: int = 0
    discounts: tuple[str, ...] = ()
    shown_in: Mapping[str, str | float] | None = None

    def shared(self) -> Prices:
        """The same for others: that there are own prices, not where."""
        shown_in = self.shown_in
        return replace(
            self,
            layers=(*self.layers[:1], *("own prices" for _ in self.layers[1:])),
            shown_in=None if shown_in is None else {**shown_in, "source": "own rates"},
        )

    def meta(self) -> dict[str, Any]:
        """The prices as JSON."""
        return {
            "as_of": self.as_of,
            "sha256": self.sha256,
            "cost_source": self.source,
            "layers": self.layers,
            **({"frozen": self.frozen} if self.frozen else {}),
            **({"discounts": self.discounts} if self.discounts else {}),
            **({"shown_in": self.shown_in} if self.shown_in else {}),
        }


class Context(Struct, frozen=True):
    """How the calls of a report came to be, and how to ask further.

    `rates` are those of the book for calls.
    `covered` are the first and last time of a call before any condition.
    `timeless` are the calls without a time that `--since/--until` left out (None: no such option).
    `unmatched` is what joined tables do not have.
    `seconds` is what the run took so far.
    `today` is the UTC day of the run, where the age of the book matters. `what_if` says in words at which
    other prices the calls are shown; `credits` are amounts that the user has with providers.
    `rolled` is what is known of further calls from rollups alone; `rolled_until` is up to when rollups have
    calls that are not in the answer.
    `all_rejects` asks for every rejected record to be shown, not the first few. `sharing` says that the
    report is for others.
    """

    account: Account
    prices: Prices
    command: Command
    alias: Alias
    rates: Rates
    tz: str = "UTC"
    rejects: Sequence[Reject] = ()
    notes: Sequence[Note] = ()
    unmatched: Sequence[Unmatched] = ()
    include_failed: bool = False
    all_rejects: bool = False
    covered: tuple[str | None, str | None] = (None, None)
    timeless: int | None = None
    seconds: float = 0.0
    today: date | None = None
    what_if: str | None = None
    credits: Sequence[Credit] = ()
    rolled: Rolled | None = None
    rolled_until: datetime | None = None
    name: str = "analyze"
    sharing: Sharing | None = None

    @property
    def subject(self) -> str:
        """What the report is about, in words: the paths, and the conditions on calls."""
        where = " ".join(condition for condition in self.command.where if condition.strip())
        return " ".join(self.command.paths) + (f" · where {where}" if where else "")

    @property
    def schema(self) -> str:
        """The versioned name of the JSON form."""
        return f"llmtel.{self.name}/1"

    @property
    def cells(self) -> pl.DataFrame | None:
        """The rollups that the answer is about beside the calls."""
        return None if self.rolled is None else self.rolled.cells

    def knows(self, calls: pl.DataFrame, field: str) -> bool:
        """Whether any call knows a field, of those that are there or of those in rollups."""
        if calls[field].null_count() < len(calls):
            return True
        return self.rolled is not None and not self.rolled.cells.is_empty() and self.rolled.knows(field)

    def shown_rejects(self) -> Sequence[Reject]:
        """The rejected records to show: the first few, or all where they were asked for."""
        return self.rejects if self.all_rejects else self.rejects[:SHOWN_REJECTS]

    def shared(self, sharing: Sharing) -> Context:
        """The same for others: without paths, places and rejected records."""
        return replace(
            self,
            command=Command((LOGS,), sharing.conditions(self.command.where), self.command.options),
            prices=self.prices.shared(),
            rejects=(),
            notes=nameless(self.notes),
            unmatched=(),
            sharing=sharing,
        )

    def range(self, calls: pl.DataFrame) -> list[str | None]:
        """The first and last time of a call, rolled up or not; the days where the report is for others."""
        rolled = [] if self.cells is None else [self.cells.select("ts")]
        times = time_range(pl.concat([calls.select("ts"), *rolled]), self.tz)
        return times if self.sharing is None else [time and time[: len("2026-11-13")] for time in times]

    def guarded(
        self, calls: pl.DataFrame, tables: Sequence[Table], found: Sequence[Finding]
    ) -> tuple[list[Table], tuple[Finding, ...]]:
        """Tables and findings as they may be shown: all of it, unless the report is for others."""
        if self.sharing is None:
            return list(tables), tuple(found)
        return self.sharing.guarded(calls, tables, found, self.tz)

    def meta(self, calls: pl.DataFrame, known_by: Coverage | None = None) -> dict[str, Any]:
        """The keys of the JSON form beside tables and findings; `known_by` is how the costs are known."""
        return {
            "tool": TOOL,
            "input": input_meta(self.account),
            "pricing": self.prices.meta(),
            **({} if self.sharing else {"coverage": (known_by or coverage(calls)).meta()}),
            **({"what_if": self.what_if} if self.what_if else {}),
            "tz": self.tz,
            "range": self.range(calls),
            **({} if self.timeless is None else {"without_time": self.timeless}),
            "include_failed": self.include_failed,
            **({} if self.rolled is None else {"rollups": self.rolled.meta()}),
            **remarks_meta(self.shown_rejects(), self.notes),
        }


def input_meta(account: Account) -> dict[str, Any]:
    """The account as JSON: every count, and the values coerced or unreadable, in sum and by field."""
    return {
        **{name: getattr(account, name) for name in Account.SUMS},
        "coerced": sum(account.coerced.values()),
        "unreadable": sum(account.unreadable.values()),
        "coerced_by_field": dict(sorted(account.coerced.items())),
        "unreadable_by_field": dict(sorted(account.unreadable.items())),
    }


def remarks_meta(rejects: Sequence[Reject], notes: Sequence[Note]) -> dict[str, Any]:
    """Rejected records with their places, and what the reader decided or noticed, as JSON."""
    return {"rejects": [asdict(reject) for reject in rejects], "notes": [_told(note) for note in notes]}


def time_range(calls: pl.DataFrame, tz: str) -> list[str | None]:
    """First and last time of a call, ISO 8601 with the offset of `tz`; None where no call has a time."""
    local = calls.select(first=pl.col("ts").min(), last=pl.col("ts").max()).with_columns(
        pl.all().dt.convert_time_zone(tz)
    )
    return [None if at is None else at.isoformat() for at in local.row(0)]


def _told(note: Note) -> dict[str, Any]:
    return {name: value for name, value in asdict(note).items() if name != "said"}
