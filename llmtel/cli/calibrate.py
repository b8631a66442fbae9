"""`llmtel calibrate`: how a family of models counts tokens, learned from logs that have texts and counts."""

from __future__ import annotations

from llmtel.cli import options as o


def calibrate(
    paths: o.Paths,
    pricing: o.PriceFiles = None,
    input_format: o.InputFormat = None,
    map_: o.Map = None,
    config: o.Config = None,
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
    from llmtel.pricing.calibration import factors
    from llmtel.pricing.tokenizers import tokenizer_of
    from llmtel.reports.calibration import calibration

    settings = settle(config, map_)
    book = book_of(settings, pricing, None)
    with Progress() as progress:
        reading = settings.read(
            paths,
            input_format=input_format,
            progress=progress,
            tokenizer=tokenizer_of(book),
            count_all=True,
        )
    found = factors(reading.calls, reading.counted, book)
    write(calibration([factor.row() for factor in found], day_of(None)), format_, output)
