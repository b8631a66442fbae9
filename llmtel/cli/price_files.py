"""`llmtel pricing check|update|add`: price files, looked at and written."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from llmtel.cli import options as o

File = Annotated[
    Path | None,
    typer.Argument(help="A price file  [default: the book as it is used here]", metavar="[FILE]"),
]


def check(file: File = None, format_: o.Format = o.OutputFormat.TABLE, output: o.Output = None) -> int:
    """Look for mistakes in a price file, with file and line.

    Exit code 3 when the book would refuse it. Odd cache ratios, tiers that make no sense and old dates are
    warnings.
    """
    from llmtel.cli.output import write
    from llmtel.cli.prices import day_of, prices_of
    from llmtel.core.errors import ConfigError, Exit
    from llmtel.pricing import book as books
    from llmtel.pricing import lint
    from llmtel.reports import price_book

    today = day_of(None)
    remarks: list[lint.Remark] = []
    names = [str(file)] if file else []
    prices = None
    try:
        if file is not None:
            remarks = lint.mistakes(books.document(str(file), file))
        if not remarks:
            layers = books.standing()
            own = books.load([file] if file else ())
            prices = prices_of(own)
            looked = [books.layer(str(file), file)] if file else layers
            remarks = [remark for layer in looked for remark in lint.warnings(layer, today)]
            names = [layer.name for layer in looked]
    except ConfigError as error:
        where, _, text = str(error).partition(": ")
        remarks = [lint.Remark("error", "refused", where, text)]
    write(price_book.checked([asdict(remark) for remark in remarks], names, prices), format_, output)
    return Exit.VIOLATED if any(remark.level == "error" for remark in remarks) else Exit.OK
