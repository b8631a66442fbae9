"""`llmtel reconcile`: the provider's bill against the logs."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct
from msgspec.structs import replace

from llmtel.cli import options as o
from llmtel.core.errors import Exit, UsageError

if TYPE_CHECKING:
    from llmtel.cli.settings import Settings
    from llmtel.core.account import Account
    from llmtel.core.answers import Document
    from llmtel.pricing.entries import Book
    from llmtel.query.reconciliation import Reconciliation
    from llmtel.reading import Reading
    from llmtel.reports.context import Context
    from llmtel.reports.reconciliation import Exports
    from llmtel.reports.sharing import Sharing

With = Annotated[
    list[str],
    typer.Option(
        "--with",
        metavar="EXPORT",
        help="The provider's usage or cost export: a file, folder or glob; repeat for more",
        rich_help_panel=o.ASK,
    ),
]
MaxGap = Annotated[
    str | None,
    typer.Option(
        "--max-gap",
        metavar="SHARE",
        help="Exit 3 when |billed − computed| ÷ billed, over the days of the bill, is more: 2%",
        rich_help_panel=o.ASK,
    ),
]
Allocate = Annotated[
    str | None,
    typer.Option(
        "--allocate",
        metavar="NAME",
        help="Share the bill out by a dimension of the logs (feature, user, …), by their computed cost",
        rich_help_panel=o.ASK,
    ),
]


def reconcile(
    paths: o.PathsOrStore = None,
    *,
    with_: With,
    max_gap: MaxGap = None,
    allocate: Allocate = None,
    since: o.Since = None,
    until: o.Until = None,
    pricing: o.PriceFiles = None,
    price: o.Price = None,
    store: o.Store = None,
    input_format: o.InputFormat = None,
    map_: o.Map = None,
    config: o.Config = None,
    strict: o.Strict = False,
    rejects: o.Rejects = False,
    share: o.Share = False,
    share_k: o.ShareK = None,
    format_: o.Format = o.OutputFormat.TABLE,
    output: o.Output = None,
) -> int:
    """The provider's bill against the logs, and where the difference is from.

    By day (UTC) and model: calls, tokens, cost as logged, as computed and as billed. The difference is split
    into what is not in the logs, not on the bill yet, counted differently and priced differently.
    """
    from llmtel.cli.output import write
    from llmtel.cli.settings import settle
    from llmtel.cli.shares import sharing
    from llmtel.cli.telling import exit_code
    from llmtel.findings.gaps import exceeds

    settings = settle(config, map_)
    question = Comparison(
        tuple(o.asked_of(paths, store, settings.store)), tuple(with_), _share(max_gap), allocate, since,
        until, tuple(pricing or ()), tuple(price or ()), input_format, rejects, time.monotonic(), settings,
        sharing(share, share_k, settings),
    )  # fmt: skip
    document, found, accounts = question.answer()
    write(document, format_, output)
    if exceeds(found, question.max_gap):
        return Exit.VIOLATED
    nothing = any(finding.kind == "nothing_compared" for finding in document.findings)
    codes = [exit_code(account, strict=strict) for account in accounts]
    return Exit.STRICT if strict and nothing else max(codes)


def _share(text: str | None) -> float | None:
    """A share that a person wrote: "2%" or "0.02". Raises `UsageError`."""
    from llmtel.core.units import SHARE

    share = None if text is None else SHARE.read(text)
    if share is not None and not 0 <= share <= 1:
        raise UsageError(f"--max-gap {text}: a share of the bill, like 2%, is between 0 and 100 %")
    return share


class Comparison(Struct, frozen=True):
    """What was asked, as the options say it."""

    logs: tuple[str, ...]
    exports: tuple[str, ...]
    max_gap: float | None
    allocate: str | None
    since: str | None
    until: str | None
    pricing: tuple[Path, ...]
    price: tuple[str, ...]
    input_format: str | None
    all_rejects: bool
    started: float
    settings: Settings
    sharing: Sharing | None = None

    def answer(self) -> tuple[Document, Reconciliation, tuple[Account, Account]]:
        """The document, what it is about, and the accounts of both sides. Wrong names raise first."""
        from llmtel import pipeline
        from llmtel.cli.narration import Progress
        from llmtel.cli.prices import book_of
        from llmtel.findings import coverage
        from llmtel.pricing import cost, names
        from llmtel.pricing.tokenizers import tokenizer_of
        from llmtel.query import timerange
        from llmtel.query.dimensions import dimension
        from llmtel.query.reconciliation import reconciled
        from llmtel.reports.reconciliation import reconciliation
        from llmtel.reports.sealing import sealed

        if self.allocate is not None and self.sharing is not None:
            raise UsageError("--allocate: a bill that is shared out is not fit for --share")
        if self.allocate is not None:
            dimension(self.allocate)
        span = timerange.parse_range(self.since, self.until, "UTC")
        book = book_of(self.settings, self.pricing, self.price)
        with Progress() as progress:
            logs = self.settings.read(
                self.logs,
                input_format=self.input_format,
                tags=self._tags(),
                progress=progress,
                tokenizer=tokenizer_of(book),
                within=(span.start, span.end),
            )
            bill = pipeline.read(self.exports, progress=progress)
        _refuse_other_grain(logs, bill)
        priced = [cost.priced(reading.calls, book, "computed") for reading in (logs, bill)]
        if span.bounded:
            priced = [side.filter(span.filter) for side in priced]
        if self.sharing is not None:
            priced = [self.sharing.masked(side) for side in priced]
        found = reconciled(*names.unified_sides(priced[0], priced[1], book))
        context = self._context(logs, book)
        exports = self._exports(bill)
        if self.sharing is not None:
            context = context.shared(self.sharing)
            exports = replace(exports, paths=("the bill",), rejects=(), notes=())
        document = reconciliation(
            found,
            context,
            exports,
            max_gap=self.max_gap,
            allocate=self.allocate,
            unpriced=coverage.unpriced(priced[0], context.command, context.alias),
        )
        return sealed(document, self.sharing), found, (logs.account, bill.account)

    def _tags(self) -> tuple[str, ...]:
        """The extra key that the bill is shared out by, which the reader must keep."""
        from llmtel.query.dimensions import TAGS

        name = self.allocate or ""
        return (name.removeprefix(TAGS),) if name.startswith(TAGS) else ()

    def _context(self, logs: Reading, book: Book) -> Context:
        from llmtel.findings.command import Command
        from llmtel.pricing.leaves import rates
        from llmtel.pricing.match import alias_stanza
        from llmtel.reports.context import Context, Prices

        options = {"--since": self.since, "--until": self.until, "--input-format": self.input_format}
        return Context(
            account=logs.account,
            prices=Prices(book.as_of.isoformat(), book.sha256, "computed", book.layers),
            command=Command(
                self.logs,
                (),
                {option: value for option, value in options.items() if value is not None},
                (
                    *(("--pricing", str(file)) for file in self.pricing),
                    *(("--price", price) for price in self.price),
                    *self.settings.typed,
                ),
            ),
            alias=partial(alias_stanza, book),
            rates=partial(rates, book=book),
            rejects=logs.rejects,
            notes=logs.notes,
            all_rejects=self.all_rejects,
            seconds=time.monotonic() - self.started,
            name="reconcile",
        )

    def _exports(self, bill: Reading) -> Exports:
        from llmtel.reports.context import SHOWN_REJECTS
        from llmtel.reports.reconciliation import Exports

        shown = bill.rejects if self.all_rejects else bill.rejects[:SHOWN_REJECTS]
        return Exports(self.exports, bill.account, shown, bill.notes)


def _refuse_other_grain(logs: Reading, bill: Reading) -> None:
    """Raise `UsageError` where an export stands among the logs, or a log among the exports."""
    for reading, grain, words in (
        (logs, "bucket", "is a provider's export: it belongs after --with"),
        (bill, "call", "is a log of single calls, no export: it belongs before --with"),
    ):
        files = reading.calls.filter(reading.calls["grain"] == grain)["file"]
        if files.len():
            raise UsageError(f"{files[0]} {words}")
