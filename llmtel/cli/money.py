"""Money as a question may want it: what if, savings, credits, and the currency that people see."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from msgspec import Struct

from llmtel.cli import options as o

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

    from llmtel.findings.costs import Credit
    from llmtel.pricing.entries import Book, Model
    from llmtel.reports.context import Prices

PriceAs = Annotated[
    str | None,
    typer.Option(
        "--price-as",
        metavar="MODEL",
        help="What if: the same tokens at the prices of this model",
        rich_help_panel=o.MONEY,
    ),
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="DAY",
        help="What if: the same tokens at the prices of this day",
        rich_help_panel=o.MONEY,
    ),
]
Deferrable = Annotated[
    list[str] | None,
    typer.Option(
        "--deferrable",
        metavar="FILTER",
        help="Calls whose latency does not matter, for the metric batch_savings: 'feature=nightly-*'",
        rich_help_panel=o.MONEY,
    ),
]
ShownIn = Annotated[
    str | None,
    typer.Option(
        "--currency",
        metavar="CODE",
        help="Show money to people in this currency, at the rate of --rates; machines get USD",
        rich_help_panel=o.MONEY,
    ),
]
Rates = Annotated[
    Path | None,
    typer.Option(
        "--rates",
        metavar="FILE",
        help="A file of exchange rates: {as_of: 2026-11-20, source: ECB, rates: {EUR: 0.92}}  "
        "[default: rates.yaml beside your own price file]",
        rich_help_panel=o.MONEY,
    ),
]

BATCH = "savable_by_batch"


class Money(Struct, frozen=True):
    """The options about money of `llmtel analyze`, as they were given."""

    price_as: str | None = None
    as_of: str | None = None
    deferrable: tuple[str, ...] = ()
    currency: str | None = None
    rates: Path | None = None

    @property
    def what_if(self) -> str | None:
        """At which other prices the calls are shown, in words."""
        parts = [f"as {self.price_as}"] if self.price_as else []
        parts += [f"at the prices of {self.as_of}"] if self.as_of else []
        return f"priced {' '.join(parts)}" if parts else None

    def imagined(
        self, book: Book, fields: Collection[str], tz: str, columns: Collection[str] = ()
    ) -> Callable[[pl.DataFrame], pl.DataFrame]:
        """What to do to priced calls: other prices, and those of `fields` that are savings.

        `columns` are those of joined tables, which a filter may name. Raises `UsageError` for a model, day
        or filter that cannot be, before anything is read.
        """
        from llmtel.core.errors import UsageError
        from llmtel.query import where

        model, day = self._other_prices(book)
        waits = where.parse(self.deferrable, tz, columns) if self.deferrable else None
        if BATCH in fields and waits is None:
            raise UsageError(
                "batch_savings is about calls that can wait: name them with --deferrable 'feature=nightly-*'"
            )
        if waits is not None and BATCH not in fields:
            raise UsageError(
                "--deferrable is for the metric batch_savings: ask for it, --metrics cost,batch_savings"
            )

        def done(calls: pl.DataFrame) -> pl.DataFrame:
            from llmtel.pricing import savings, what_if

            calls = savings.with_savings(calls, book, fields, waits)
            return what_if.repriced(calls, book, model, day) if model or day else calls

        return done

    def _other_prices(self, book: Book) -> tuple[Model | None, date | None]:
        """The model and the day at whose prices calls are shown."""
        if self.what_if is None:
            return None, None
        from llmtel.cli.prices import day_of
        from llmtel.pricing.describe import model_meant

        model = model_meant(book, self.price_as) if self.price_as else None
        return model, day_of(self.as_of) if self.as_of else None

    def prices(
        self, book: Book, source: Literal["auto", "computed", "logged"], calls: pl.DataFrame
    ) -> Prices:
        """What a report says of the prices that these calls have."""
        from llmtel.pricing import cost
        from llmtel.reports.context import Prices

        frozen = 0 if self.what_if or source != "auto" else int(cost.frozen(calls).sum())
        whole = "frozen" if frozen == calls.height > 0 else source
        counts = "computed" if self.what_if else whole
        shown = self._exchange if self.currency else None
        discounts = tuple(_discount(d.provider, d.percent, d.models) for d in book.discounts)
        return Prices(
            book.as_of.isoformat(), book.sha256, counts, book.layers,
            stated=cost.is_stated(calls) and not self.what_if, frozen=frozen,
            discounts=discounts, shown_in=shown,
        )  # fmt: skip

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show money in the currency asked for. Raises `UsageError` or `ConfigError`."""
        from llmtel.core.units import money_in

        if self.currency is None:
            yield
            return
        rate = self._exchange
        with money_in(str(rate["code"]), float(rate["per_usd"])):
            yield

    @property
    def _exchange(self) -> Mapping[str, str | float]:
        from llmtel.pricing import exchange

        return exchange.rate(self.rates, self.currency or "USD")


def _discount(provider: str, percent: object, models: tuple[str, ...]) -> str:
    return f"{provider} {percent} %" + (f" on {', '.join(models)}" if models else "")


def credits_of(calls: pl.DataFrame, book: Book) -> tuple[Credit, ...]:
    """The credits of the book, with what priced calls used of them."""
    from llmtel.findings.costs import Credit
    from llmtel.pricing.balance import balances

    return tuple(
        Credit(b.provider, b.usd, b.used, b.end.isoformat() if b.end else None) for b in balances(calls, book)
    )
