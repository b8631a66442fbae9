"""`llmtel pricing check|update|add`: price files, looked at and written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import asdict, replace

from llmtel.cli import options as o

if TYPE_CHECKING:
    from llmtel.cli.settings import Settings

File = Annotated[
    Path | None,
    typer.Argument(help="A price file  [default: the book as it is used here]", metavar="[FILE]"),
]


def check(
    file: File = None,
    config: o.Config = None,
    format_: o.Format = o.OutputFormat.TABLE,
    output: o.Output = None,
) -> int:
    """Look for mistakes in a price file, with file and line.

    Exit code 3 when the book would refuse it. Odd cache ratios, tiers that make no sense and old dates are
    warnings.
    """
    from llmtel.cli.output import write
    from llmtel.cli.prices import book_of, day_of, prices_of
    from llmtel.cli.settings import settle
    from llmtel.core.errors import ConfigError, Exit, UsageError
    from llmtel.pricing import book as books
    from llmtel.pricing import lint
    from llmtel.reports import price_book

    if file is not None and not file.is_file():
        raise UsageError(f"{file} is no file")
    today = day_of(None)
    settings = settle(config)
    remarks: list[lint.Remark] = []
    names = [str(file)] if file else []
    prices = None
    try:
        if file is not None:
            remarks = lint.mistakes(books.document(str(file), file))
        if not remarks:
            prices = prices_of(book_of(settings, [file] if file else (), None))
            theirs = [books.layer(str(path), path) for path in settings.pricing]
            looked = [books.layer(str(file), file)] if file else [*books.standing(), *theirs]
            remarks = [remark for layer in looked for remark in lint.warnings(layer, today)]
            names = [layer.name for layer in looked]
    except ConfigError as error:
        where, _, text = str(error).partition(": ")
        remarks = [lint.Remark("error", "refused", where, text)]
    write(price_book.checked([asdict(remark) for remark in remarks], names, prices), format_, output)
    return Exit.VIOLATED if any(remark.level == "error" for remark in remarks) else Exit.OK


class DataSet(StrEnum):
    """Where prices can be compared with."""

    GENAI = "genai-prices"
    LITELLM = "litellm"
    MODELS_DEV = "models.dev"


From = Annotated[
    DataSet,
    typer.Option(
        "--from", metavar="DATASET", help=f"The data set: {', '.join(DataSet)}", rich_help_panel=o.ASK
    ),
]
Given = Annotated[
    str | None,
    typer.Argument(help="Its file  [default: the package that is installed here]", metavar="[FILE]"),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="PATTERN",
        help="Only models like provider/model, e.g. openai/gpt-6*; with it, also those that the book has not",
        rich_help_panel=o.ASK,
    ),
]
Write = Annotated[
    bool, typer.Option("--write", help="Write the new rows; without it nothing is", rich_help_panel=o.SAY)
]
To = Annotated[
    Path | None,
    typer.Option(
        "--to", metavar="FILE", help="The price file to write  [default: your own]", rich_help_panel=o.SAY
    ),
]


def update(
    from_: From,
    file: Given = None,
    only: Only = None,
    write: Write = False,
    to: To = None,
    config: o.Config = None,
    format_: o.Format = o.OutputFormat.TABLE,
    output: o.Output = None,
) -> None:
    """Compare the book with another data set.

    Shows every rate that differs today. With --write, changed models get a new row from today on in your own
    price file; no row of the past is ever edited. Nothing is downloaded.
    """
    from llmtel.cli.output import write as show
    from llmtel.cli.prices import book_of, day_of, prices_of
    from llmtel.cli.settings import settle
    from llmtel.pricing import compare, foreign
    from llmtel.reports import price_book

    day = day_of(None)
    settings = settle(config)
    book = book_of(settings, [to] if to and to.exists() else (), None)
    quotes = foreign.quotes(from_.value, file, day)
    found = compare.compared(book, quotes, day, only or ())
    rows = [difference.row() for one in found.changed.values() for difference in one]
    new = [f"{quote.provider}/{quote.model}" for quote in found.missing]
    stanzas = compare.proposed(found if only else replace(found, missing=()), book, day, from_.value)
    if write and stanzas:
        _refuse_hidden(settings, to, stanzas)
    written = _written(stanzas, to) if write and stanzas else None
    show(
        price_book.updated(
            rows, found.compared, new, prices_of(book), from_.value, written, shown=bool(only)
        ),
        format_,
        output,
    )


Named = Annotated[
    str,
    typer.Argument(help="PROVIDER/MODEL=INPUT/OUTPUT, USD per million tokens", metavar="MODEL=INPUT/OUTPUT"),
]
CacheRead = Annotated[
    str | None,
    typer.Option("--cache-read", metavar="RATE", help="Rate of cached input", rich_help_panel=o.MONEY),
]
CacheWrite = Annotated[
    str | None,
    typer.Option("--cache-write", metavar="RATE", help="Rate of cache writes", rich_help_panel=o.MONEY),
]
Start = Annotated[
    str | None,
    typer.Option("--from", metavar="DAY", help="First UTC day of the price", rich_help_panel=o.MONEY),
]


def add(
    named: Named,
    cache_read: CacheRead = None,
    cache_write: CacheWrite = None,
    from_: Start = None,
    to: To = None,
    config: o.Config = None,
) -> None:
    """Give a model a price, in one line.

    Written into your own price file. A model that has a price gets a further row, and needs the day it holds
    from. Without a provider, the model has this price wherever its name is logged.
    """
    from llmtel.cli.output import write
    from llmtel.cli.prices import book_of, day_of
    from llmtel.cli.settings import settle
    from llmtel.pricing import addition
    from llmtel.reports import price_book

    settings = settle(config)
    book = book_of(settings, [to] if to and to.exists() else (), None)
    start = day_of(from_) if from_ else None
    rates = {"cache_read": cache_read, "cache_write_5m": cache_write}
    entries = addition.entries(book, named, {name: rate for name, rate in rates.items() if rate}, start)
    _refuse_hidden(settings, to, [place[1:] for place, _ in entries if place[0] == "models"])
    path, stanza = _put(entries, to)
    write(price_book.added(path, stanza), o.OutputFormat.TABLE, None)


def _refuse_hidden(settings: Settings, to: Path | None, models: Iterable[Sequence[str]]) -> None:
    """Raise `UsageError` where a price file of the configuration has one of `models` (provider and id).

    It lies over the user's own file, so what would be written there would never hold.
    """
    from llmtel.core.errors import UsageError
    from llmtel.pricing import book as books

    if to is not None:
        return
    wanted = {(provider, name.lower()) for provider, name in models}
    for path in settings.pricing:
        for provider, entries in books.layer(str(path), path).models.items():
            for name in entries:
                if (provider, name.lower()) in wanted:
                    raise UsageError(
                        f"{path} has {provider}/{name} too and lies over your own price file; write it "
                        f"there: --to {path}"
                    )


def _written(stanzas: Mapping[tuple[str, str], Mapping[str, object]], to: Path | None) -> str:
    return _put([(("models", *key), stanza) for key, stanza in stanzas.items()], to)[0]


def _put(entries: Sequence[tuple[tuple[str, ...], object]], to: Path | None) -> tuple[str, str]:
    """Write entries into a price file once the book accepts it so; its name, and what was written."""
    from llmtel.cli.output import put
    from llmtel.document import Document
    from llmtel.pricing import book as books
    from llmtel.pricing import edit
    from llmtel.pricing.loader import parse

    path = to or books.user_file()
    text = path.read_text("utf-8") if path.exists() else ""
    for place, value in entries:
        text = edit.with_entry(text, place, value)
    layer = parse(Document(str(path), text.encode()))
    before = books.standing() if to else [one for one in books.standing() if one.name != books.shown(path)]
    books.merged([*before, layer], ())
    put(text.encode(), path, folders=True, shared=True)
    return books.shown(path), "\n".join(
        f"{' > '.join(place)}: {edit.flow(value)}" for place, value in entries
    )
