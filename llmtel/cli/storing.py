"""`llmtel ingest --store`: the reader and the store brought together, and what is said of it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from llmtel.cli import options as o
from llmtel.cli.people import People
from llmtel.core.account import Account, Note, Reject, together
from llmtel.core.errors import Exit, LlmtelError, UsageError

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

    from llmtel.cli.settings import Settings
    from llmtel.pipeline import Gathered
    from llmtel.pricing.entries import Book
    from llmtel.reports.sharing import Sharing
    from llmtel.sources.counted import Counting
    from llmtel.sources.files import Inputs
    from llmtel.sources.items import Mishap
    from llmtel.store.ingest import Ingested
    from llmtel.store.location import Folder
    from llmtel.store.policy import Policy
    from llmtel.store.table import Table


class _Lost(LlmtelError):
    """Records were lost and `--strict` forbids to write."""

    exit_code = Exit.STRICT

    def __init__(self, found: Gathered) -> None:
        super().__init__("records were lost and --strict is given")
        self.found = found


class Stopped(Exception):
    """It was asked to stop, between two commits."""


class Storing(Struct, dict=True):
    """One ingest: where to, how logs are read, and what became of the records so far.

    `skipped`: why, by the paths of the files that were left out.
    """

    settings: Settings
    folder: Folder
    input_format: str | None
    strict: bool
    freeze_cost: bool = False
    encrypted: bool = False
    sharing: Sharing | None = None
    account: Account = field(default_factory=Account)
    rejects: list[Reject] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    unclaimed: list[Mishap] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    first_kept: date | None = None
    _opened: Table | None = None
    _asked: tuple[Sequence[str], Inputs] | None = None

    @cached_property
    def policy(self) -> Policy:
        """What the store keeps of people; where it is to be made, that is said."""
        people = People(self.folder, self.settings.config)
        self._opened = people.table
        policy = replace(people.policy(), freeze=self._freeze())
        self.notes += [*people.begun(policy), *(self._locked() if people.is_new else ())]
        return policy

    def _locked(self) -> list[Note]:
        """What is said of encryption once, when the store is made. Raises `UsageError` for a missing key."""
        if not self.encrypted:
            return []
        ring = self.folder.ring
        text = (
            f"encrypted with the key {ring.first()} of {ring.sources[0].called}: keep a copy of it. "
            "Who loses the key loses the store: there is no way back"
        )
        return [Note("encryption", text)]

    def run(self, paths: Sequence[str], *, all_rejects: bool) -> int:
        """Take what is new and say how much; the exit code. With `strict` all is one commit or none."""
        from llmtel.sources.files import expand

        inputs = expand(paths)
        self._asked = paths, inputs
        code, known = Exit.OK, 0
        if not inputs.files and not inputs.unreadable:
            self._refuse_unread(paths, inputs)
        try:
            done = self.take(inputs)
        except _Lost as lost:
            self._add(lost.found)
            code = Exit.STRICT
        else:
            known = done.known
            if not known:
                self._refuse_unread(paths, inputs)
            self.count(done.calls)
            self.retire()
        self.say(_unchanged(known), all_rejects=all_rejects, written=not code)
        return code

    def take(self, inputs: Inputs, *, stopped: Callable[[], bool] = lambda: False) -> Ingested:
        """Take what is new of some files; between two commits it may be `stopped`."""
        from llmtel.store.ingest import AT_ONCE, ingest

        read, at_once = self._reader(stopped), None if self.strict else AT_ONCE
        policy = self.policy
        snapshot, self._opened = self._opened, None  # a later look must see what others did
        done = ingest(
            self.folder,
            inputs,
            read,
            self._add,
            policy=policy,
            at_once=at_once,
            encrypted=self.encrypted,
            snapshot=snapshot,
        )
        self.account.calls -= done.expired
        self.account.expired += done.expired
        self.first_kept = done.first_kept
        return done

    def count(self, calls: int) -> None:
        """Calls that were read and are not among so many new ones are copies of others."""
        calls = min(max(calls, 0), self.account.calls)
        self.account.duplicates += self.account.calls - calls
        self.account.calls = calls

    def say(self, notes: Sequence[Note] = (), *, all_rejects: bool = False, written: bool = True) -> None:
        """The account of what was read."""
        from llmtel.cli.output import write
        from llmtel.pipeline import skipped
        from llmtel.reports.context import SHOWN_REJECTS
        from llmtel.reports.ingestion import ingestion

        shown = self.rejects if all_rejects else self.rejects[:SHOWN_REJECTS]
        told = (
            *together(self.notes),
            *skipped((why, path) for path, why in self.skipped.items()),
            *self._late(),
            *(self._open() if written else ()),
            *notes,
            *self.settings.notes(),
        )
        write(
            ingestion(self.account, shown, told, str(self.folder) if written else None, self.sharing),
            o.OutputFormat.TABLE,
            None,
        )

    def retire(self) -> None:
        """Let days expire that the configuration keeps no longer."""
        from llmtel.cli.retiring import retire

        if (done := retire(self.folder, self.settings)) is not None:
            said = (
                f"{{n}} {{call|calls}} of {done.days:,} {'day' if done.days == 1 else 'days'} {{has|have}} "
                "expired (privacy: retention:); what {it|they} came to stays in rollups"
            )
            self.notes.append(Note.of("retired", said, done.calls))

    def _open(self) -> list[Note]:
        """That others may read the store, and what mends it."""
        from llmtel.store.folder import is_open

        text = f"others may read it: chmod -R go= {shlex.quote(str(self.folder))}"
        return [Note("open", text)] if is_open(self.folder) else []

    def _late(self) -> list[Note]:
        """What came too late to be stored."""
        n = self.account.expired
        text = (
            f"{n:,} {'call is' if n == 1 else 'calls are'} of days that have expired, and not stored: "
            f"the store keeps days from {self.first_kept} on"
        )
        return [Note("expired", text, n)] if n else []

    def retry(self, paths: Sequence[str]) -> None:
        """Read the rejected records of the store again; files that were renamed may be among `paths`."""
        from llmtel.cli.output import write
        from llmtel.reports import shared_store
        from llmtel.reports.keeping import retried
        from llmtel.sources.files import expand
        from llmtel.store.retry import retry

        if People(self.folder, self.settings.config).kept is None:
            raise UsageError(f"--store {self.folder}: there is no store, and so no rejected record to read")
        done = retry(self.folder, self._reader(), expand(paths).files, self.policy)
        figures = done.read, done.calls, done.still, done.lost
        document = (
            retried(str(self.folder), *figures) if self.sharing is None else shared_store.retried(*figures)
        )
        write(document, o.OutputFormat.TABLE, None)

    def _add(self, found: Gathered) -> None:
        taken = {seen.path for seen in found.seen}  # one that was no log at an earlier look may be one now
        self.notes[:] = [one for one in self.notes if one.kind != "file_rejected" or one.file not in taken]
        self.skipped = {path: why for path, why in self.skipped.items() if path not in taken}
        self.account.add(found.account)
        self.rejects += found.rejects
        self.notes += found.notes
        self.unclaimed += found.unclaimed

    def _refuse_to_begin_with(self, found: Gathered, inputs: Inputs) -> None:
        """Raise where all files are read for a store that is to be made, and nothing of them could be."""
        from llmtel import pipeline
        from llmtel.store.making import begun

        if self._asked is not None and inputs.files == self._asked[1].files and not begun(self.folder):
            pipeline.refuse_unread(found, self._asked[0], inputs)

    def _refuse_unread(self, paths: Sequence[str], inputs: Inputs) -> None:
        """Raise where nothing of all could be read."""
        import polars as pl

        from llmtel import pipeline

        read = pipeline.Gathered(
            pl.DataFrame(), self.account, tuple(self.rejects), tuple(self.notes), (), tuple(self.unclaimed)
        )
        pipeline.refuse_unread(read, paths, inputs)

    def _freeze(self) -> Callable[[pl.DataFrame], pl.DataFrame] | None:
        """What stores costs with their calls, where that is asked for."""
        if not self.freeze_cost:
            return None
        from llmtel.core.schema import PRICED
        from llmtel.pricing import cost
        from llmtel.store.columns import frozen

        return lambda calls: frozen(calls, cost.priced(calls, self._book).select(PRICED), self._book.sha256)

    @cached_property
    def _book(self) -> Book:
        from llmtel.pricing import book as books

        return books.load(self.settings.pricing)

    @cached_property
    def _counting(self) -> Counting:
        from llmtel.pricing.tokenizers import tokenizer_of
        from llmtel.sources.counted import Counting

        return Counting(tokenizer_of(self._book))

    def _reader(self, stopped: Callable[[], bool] = lambda: False) -> Callable[[Inputs], Gathered]:
        from llmtel import pipeline
        from llmtel.cli.narration import Progress
        from llmtel.cli.telling import exit_code
        from llmtel.sources.wishes import Wishes

        settings = self.settings

        def read(inputs: Inputs) -> Gathered:
            if stopped():
                raise Stopped
            with Progress() as progress:
                found = pipeline.gather(
                    inputs,
                    input_format=self.input_format,
                    wishes=Wishes(settings.rules, settings.config.tags if settings.config else ()),
                    progress=progress,
                    counting=self._counting,
                )
            if not self.account.records:  # nothing was taken so far
                pipeline.refuse_vain(settings.rules, found.seen, found.calls)
            if exit_code(found.account, strict=self.strict):
                raise _Lost(found)
            self._refuse_to_begin_with(found, inputs)
            self.skipped |= {path: why for why, path in inputs.skipped}
            return found

        return read


def _unchanged(known: int) -> list[Note]:
    text = f"{known:,} {'file has' if known == 1 else 'files have'} nothing new since the store took them"
    return [Note("known", text, known)] if known else []
