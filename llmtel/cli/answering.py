"""From a question on the command line to a document: read, price, narrow, report."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

from llmtel.cli.money import Money, credits_of
from llmtel.cli.settings import Settings
from llmtel.core.account import Account, Note
from llmtel.core.errors import UnreadableInput, UsageError

if TYPE_CHECKING:
    import polars as pl

    from llmtel.core.answers import Document
    from llmtel.findings.command import Command
    from llmtel.pricing.entries import Book
    from llmtel.query.timerange import TimeRange
    from llmtel.reports.context import Context
    from llmtel.reports.rolled import Asked
    from llmtel.reports.sharing import Sharing

UNASKED = ("call_id", "response_id", "trace", "line")
"""Fields that no table is split by: a million ids take a sixth of the memory."""
IN_NO_OVERVIEW = (
    "format", "file", "ttft_ms", "model_requested", "operation", "branch", "case", "finish_reason",
    "prompt_chars", "output_chars", "context_limit", "corrected", "escalated", "hallucination", "resolved",
)  # fmt: skip
"""Fields that the overview says nothing of, unless it is sorted by them."""
CostSource = Literal["auto", "computed", "logged"]


class Question(Struct, frozen=True):
    """What was asked, as the options say it. Wrong names raise `LlmtelError` before a byte is read.

    `sides` says that two of them are compared: with what each kind of token cost, beside the cost, and with
    prompts as cases where none are logged. `filters` are those of rules, beside the question's own.
    """

    paths: tuple[str, ...]
    by: tuple[tuple[str, ...], ...] = ()
    metrics: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    tz: str = "UTC"
    sort: str | None = None
    top: int | None = None
    include_failed: bool = False
    pricing: tuple[Path, ...] = ()
    price: tuple[str, ...] = ()
    cost_source: CostSource = "auto"
    input_format: str | None = None
    all_rejects: bool = False
    money: Money = field(default_factory=Money)
    settings: Settings = field(default_factory=Settings)
    sides: bool = False
    cache: bool | None = None
    sharing: Sharing | None = None
    filters: tuple[str, ...] = ()
    started: float = field(default_factory=time.monotonic)

    def analyze(self, nothing: UnreadableInput | None = None) -> tuple[Document, Account]:
        """The overview, or the tables asked for; and the account of reading.

        With `nothing` the answer is that of no calls, with the account of why none could be read.
        """
        from llmtel.query.query import Query
        from llmtel.reports.asked import asked
        from llmtel.reports.overview import overview
        from llmtel.reports.sealing import sealed
        from llmtel.reports.tables import DEFAULT

        for one in self.by or (("model",),):
            Query(self.metrics or DEFAULT, by=one, sort=self.sort, tz=self.tz)
            if self.sharing is not None:
                self.sharing.refuse(one, self.metrics)
        # Nobody knows how many people a cell rests on, so nothing of it is shared.
        narrow = bool(self.by or self.metrics) or self.sharing is not None
        calls, context = self._answer(
            "analyze", nothing, rolled=self.sharing is None, spare=() if narrow else IN_NO_OVERVIEW
        )
        calls = calls.drop(UNASKED)
        if not self.by and not self.metrics:
            document = overview(calls, context, top=self.top, sort=self.sort)
        else:
            document = asked(calls, context, by=self.by, metrics=self.metrics, sort=self.sort, top=self.top)
        return sealed(document, self.sharing), context.account

    def focus(self, nothing: UnreadableInput | None = None) -> tuple[Document, Account]:
        """The costs as a bill; what of the calls is not in it is said beside it."""
        from llmtel.cli.narration import narrate
        from llmtel.pricing.meters import metered
        from llmtel.reports import focus
        from llmtel.reports.rolled import KIND

        if self.sharing is not None:
            raise UsageError("--format focus is a bill by day and model, and not fit for --share")
        if self.by or self.metrics or self.money.what_if:
            raise UsageError(
                "--format focus is a bill of what was used: without --by, --metrics, --price-as or --as-of"
            )

        calls, context = self._answer("analyze", nothing)
        rows = metered(calls, self._book())
        unpriced = calls.filter(calls["cost_usd"].is_null())
        models = [str(name) for name in unpriced["model"].drop_nulls().unique().sort()]
        dated = unpriced["ts"].null_count()
        for note in context.notes:
            if note.kind == KIND:
                narrate(note.text)
        for said in focus.left_out(len(unpriced), calls["ts"].null_count() - dated, models):
            narrate(said)
        return focus.focus(rows, context.credits, context), context.account

    def calls(self, nothing: UnreadableInput | None = None) -> tuple[Document, Account]:
        """The calls themselves; with `nothing` as `analyze`."""
        from llmtel.reports.listing import listing, order
        from llmtel.reports.sealing import sealed

        field, _ = order(self.sort)
        if self.sharing is not None and self.sharing.hides(field):
            raise UsageError(f"--sort {field}: it is not shown in what is shared")
        calls, context = self._answer("calls", nothing)
        return sealed(listing(calls, context, sort=self.sort, top=self.top), self.sharing), context.account

    def priced(self, name: str) -> tuple[pl.DataFrame, Context]:
        """The priced calls that the question is about, for the command of that name, and their origin."""
        return self._answer(name, None)

    def unread(self, name: str) -> tuple[pl.DataFrame, Context]:
        """No calls, where the command of that name needs none."""
        return self._answer(name, UnreadableInput(""))

    def _answer(
        self,
        name: str,
        nothing: UnreadableInput | None,
        *,
        rolled: bool = False,
        spare: tuple[str, ...] = (),
    ) -> tuple[pl.DataFrame, Context]:
        """The priced calls that the question is about, and what the report says of their origin.

        `rolled`: rollups of further calls are in the answer too. `spare` are fields that the report does not
        look at.
        """
        import polars as pl

        from llmtel.cli.narration import Progress
        from llmtel.core.schema import TIME, empty_calls
        from llmtel.pricing import cost
        from llmtel.pricing.leaves import rates, with_leaf_costs
        from llmtel.pricing.match import alias_stanza
        from llmtel.pricing.tokenizers import tokenizer_of
        from llmtel.pricing.unused import unused
        from llmtel.query import timerange, where
        from llmtel.query.rollup import until
        from llmtel.reading import Reading
        from llmtel.reports.context import Context, time_range
        from llmtel.reports.rolled import left_out, told

        condition = where.parse(self.where, self.tz, self.settings.columns)
        span = timerange.parse_range(self.since, self.until, self.tz)
        book = self._book()
        imagined = self.money.imagined(book, self._wanted(), self.tz, self.settings.columns)
        if nothing is None:
            with Progress() as progress:
                reading = self.settings.read(
                    self.paths,
                    input_format=self.input_format,
                    tags=self._tags(),
                    progress=progress,
                    tokenizer=tokenizer_of(book),
                    within=(span.start, span.end),
                    without=self._unread(name, condition, spare),
                    filters=(*self.where, *self.filters, *self.money.deferrable),
                    fingerprints=self.sides,
                    cached=self._cached(book),
                ).of_one_grain()
        else:
            reading = Reading(empty_calls(), nothing.account, nothing.rejects, nothing.notes, ())
        calls = cost.priced(reading.calls, book, self.cost_source)
        if self.sides:
            calls = with_leaf_costs(calls, book)
        covered = calls if reading.covered is None else pl.DataFrame({"ts": reading.covered}, {"ts": TIME})
        first, last = time_range(covered, self.tz)
        if self.where:
            calls = calls.filter(condition)
        timeless = calls["ts"].null_count() if span.bounded else None
        if span.bounded:
            calls = calls.filter(span.filter)
        calls = imagined(calls)
        past, said = told(reading.cells if rolled else None, condition, self._asked(span, book.sha256))
        context = Context(
            account=reading.account,
            prices=self.money.prices(book, self.cost_source, calls),
            command=self._command(),
            alias=partial(alias_stanza, book),
            rates=partial(rates, book=book),
            tz=self.tz,
            rejects=reading.rejects,
            unmatched=self.settings.unmatched(calls, self.paths),
            notes=(
                *reading.notes,
                *(said if rolled else left_out(reading.cells)),
                *(Note("unused_price", text) for text in unused(reading.calls, book)),
            ),
            rolled=past,
            rolled_until=None if rolled else until(reading.cells),
            include_failed=self.include_failed,
            all_rejects=self.all_rejects,
            covered=(first, last),
            timeless=timeless,
            seconds=time.monotonic() - self.started,
            name=name,
            today=datetime.now(UTC).date(),
            what_if=self.money.what_if,
            credits=credits_of(calls, book),
        )
        if self.sharing is not None:
            return self.sharing.masked(calls), context.shared(self.sharing)
        return calls, context

    def _asked(self, span: TimeRange, book: str) -> Asked:
        """The question as far as rollups answer it otherwise than calls."""
        from llmtel.reports.rolled import Asked

        by = tuple(name for one in self.by for name in one)
        return Asked(by, self.tz, span, book, bool(self.money.what_if) or self.cost_source != "auto")

    def _unread(self, name: str, condition: pl.Expr, spare: tuple[str, ...]) -> tuple[str, ...]:
        """The fields that need not be read of a store."""
        if name != "analyze" or self.money.deferrable:
            return ()
        read = {*condition.meta.root_names(), *self._wanted(), *(join.field for join in self.settings.joins)}
        return tuple(field for field in (*UNASKED, *spare) if field not in read)

    def _cached(self, book: Book) -> tuple[str, ...] | None:
        """On what a reading rests beside the options, if it is cached: who counts texts is in the book."""
        asked = self.settings.caches if self.cache is None else self.cache
        if asked and self.settings.encrypted:
            raise UsageError(
                "a cache is not encrypted, and the configuration wants stores to be; use --no-cache"
            )
        return (book.sha256,) if asked else None

    def _book(self) -> Book:
        """The prices of this run."""
        from llmtel.pricing import book

        return book.load((*self.settings.pricing, *self.pricing), self.price)

    def _wanted(self) -> frozenset[str]:
        """The fields that the metrics asked for read."""
        from llmtel.query.metrics import METRICS

        named = (*self.metrics, *([self.sort.partition(":")[0]] if self.sort else ()))
        return frozenset[str]().union(*(METRICS[name].needs for name in named if name in METRICS))

    def _tags(self) -> tuple[str, ...]:
        """The extra keys that the question is about, which the reader must keep."""
        from llmtel.query import where
        from llmtel.query.dimensions import TAGS

        split = (name.removeprefix(TAGS) for one in self.by for name in one if name.startswith(TAGS))
        return tuple(dict.fromkeys((*where.tags((*self.where, *self.money.deferrable)), *split)))

    def _command(self) -> Command:
        """This command line, as findings extend it."""
        from llmtel.findings.command import Command

        given = {
            "--since": self.since,
            "--until": self.until,
            "--tz": self.tz if self.tz != self.settings.tz else None,
            "--input-format": self.input_format,
            "--price-as": self.money.price_as,
            "--as-of": self.money.as_of,
            "--cost": self.cost_source if self.cost_source != "auto" else None,
        }
        return Command(
            self.paths,
            self.where,
            {option: value for option, value in given.items() if value is not None},
            (
                *(("--pricing", str(file)) for file in self.pricing),
                *(("--price", price) for price in self.price),
                *self.settings.typed,
            ),
        )
