"""`llmtel pricing list|show|explain`: what the book says, and why a call costs what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmtel.cli import options as o

if TYPE_CHECKING:
    from datetime import date

    from llmtel.cli.settings import Settings
    from llmtel.pricing.entries import Book, Model
    from llmtel.reports.context import Prices

Provider = Annotated[
    str | None,
    typer.Option("--provider", metavar="NAME", help="Only this provider's models", rich_help_panel=o.ASK),
]
Day = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        "--date",
        metavar="DAY",
        help="Prices of this day (UTC)  [default: today]",
        rich_help_panel=o.ASK,
    ),
]
ModelName = Annotated[str, typer.Argument(help="provider/model, or a name as logs have it", metavar="MODEL")]


def list_(
    provider: Provider = None,
    as_of: Day = None,
    pricing: o.PriceFiles = None,
    price: o.Price = None,
    config: o.Config = None,
    format_: o.Format = o.OutputFormat.TABLE,
    output: o.Output = None,
) -> None:
    """The models of the book with the rates of a day.

    Marked are rows that rest on a single data set, and rows of which a part is not confirmed.
    """
    from llmtel.cli.output import write
    from llmtel.cli.settings import settle
    from llmtel.core.errors import UsageError
    from llmtel.pricing import describe
    from llmtel.reports import price_book

    day = day_of(as_of)
    book = book_of(settle(config), pricing, price)
    rows = describe.listed(book, day, provider)
    if not rows:
        raise UsageError(f"there is no provider {provider!r}; known: {', '.join(book.providers)}")
    write(price_book.listing(rows, prices_of(book), day.isoformat(), provider), format_, output)


def show(
    model: ModelName,
    provider: Provider = None,
    as_of: Day = None,
    pricing: o.PriceFiles = None,
    price: o.Price = None,
    config: o.Config = None,
    format_: o.Format = o.OutputFormat.TABLE,
    output: o.Output = None,
) -> None:
    """Every row of one model: its days, rates, source and confidence."""
    from llmtel.cli.output import write
    from llmtel.cli.settings import settle
    from llmtel.pricing import describe
    from llmtel.reports import price_book

    day = day_of(as_of)
    book = book_of(settle(config), pricing, price)
    found = describe.model_meant(book, model, provider)
    rows = describe.shown(book, found, day)
    example = _example(book, found, day)
    write(
        price_book.shown(describe.facts(book, found), rows, prices_of(book), day.isoformat(), example),
        format_,
        output,
    )


def book_of(settings: Settings, pricing: Sequence[Path] | None, price: Sequence[str] | None) -> Book:
    """The book as it is used here: the files of the configuration, then those of options."""
    from llmtel.pricing import book

    return book.load((*settings.pricing, *(pricing or ())), price or ())


def _example(book: Book, model: Model, day: date) -> str:
    """A worked example: a plain call of 10,000 input and 1,000 output tokens at noon of `day`."""
    from datetime import UTC, datetime, time

    import polars as pl

    from llmtel.core.schema import complete
    from llmtel.pricing import explain

    at = datetime.combine(day, time(12), tzinfo=UTC)
    call = {"ts": [at], "provider": [model.provider], "model": [model.id], "request_count": [1]}
    counts = {"input_uncached": [10_000], "output_text": [1_000]}
    why = explain.explained(complete(pl.DataFrame({**call, **counts})), book, "computed")
    if why.cost is None:
        return f"a call on {day} has no price: {explain.reason_words(why.reason or '')}"
    return f"10,000 tokens in and 1,000 out on {day} cost ${why.cost:.6g}"


def day_of(text: str | None) -> date:
    """The UTC day of an option, or today. Raises `UsageError`."""
    from datetime import UTC, date, datetime

    from llmtel.core.errors import UsageError

    if text is None:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no day; days are written 2026-01-31") from error


def prices_of(book: Book, source: str = "auto") -> Prices:
    """What a report says of the book."""
    from llmtel.reports.context import Prices

    return Prices(book.as_of.isoformat(), book.sha256, source, book.layers)
