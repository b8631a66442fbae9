"""`llmtel calibrate`: how a family of models counts tokens, learned from logs that have texts and counts."""

from __future__ import annotations

from typing import Annotated

import typer

from llmtel.cli import options as o

Store = Annotated[
    str | None,
    typer.Option("--store", metavar="DIR", help="Refused: a store keeps no texts to count", hidden=True),
]


def calibrate(
    paths: o.PathsOrStore = None,
    pricing: o.PriceFiles = None,
    store: Store = None,
    input_format: o.InputFormat = None,
    map_: o.Map = None,
    config: o.Config = None,
    share: o.Share = False,
    share_k: o.ShareK = None,
    format_: o.Format = o.OutputFormat.TABLE,
    output: o.Output = None,
) -> None:
    """Learn how models count tokens, from calls that have both texts and counts.

    Prints what to put into a price file, so that calls without counts are estimated as these models count.
    """
    from llmtel.cli.narration import Progress
    from llmtel.cli.output import write
    from llmtel.cli.prices import book_of, day_of
    from llmtel.cli.settings import settle
    from llmtel.cli.shares import sharing
    from llmtel.pricing.calibration import factors
    from llmtel.pricing.tokenizers import tokenizer_of
    from llmtel.reports.calibration import calibration
    from llmtel.reports.sealing import sealed

    settings = settle(config, map_)
    shared = sharing(share, share_k, settings)
    book = book_of(settings, pricing, None)
    with Progress() as progress:
        reading = settings.read(
            o.asked_of(paths, store),
            input_format=input_format,
            progress=progress,
            tokenizer=tokenizer_of(book),
            count_all=True,
        )
    calls, counted = reading.calls, reading.counted
    if shared is not None and counted is not None:
        kept = shared.listable(shared.masked(calls).with_row_index("@row"), ["provider", "model"])
        calls, counted = calls[kept["@row"]], counted[kept["@row"]]
    found = factors(calls, counted, book)
    document = calibration(
        [factor.row() for factor in found], day_of(None), None if shared is None else shared.k
    )
    write(sealed(document, shared, ["tokenizers"]), format_, output)
