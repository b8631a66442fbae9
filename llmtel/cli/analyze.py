"""`llmtel analyze`: the main job. Logs in, an answer out."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from llmtel.cli import money
from llmtel.cli import options as o


class AnalyzeFormat(StrEnum):
    """How the answer of `llmtel analyze` is written: like any other, or as a bill."""

    TABLE = "table"
    MARKDOWN = "markdown"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    FOCUS = "focus"


Format = Annotated[
    AnalyzeFormat,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help=f"How to write the answer: {', '.join(AnalyzeFormat)} (costs as a FOCUS 1.2 bill, CSV)",
        rich_help_panel=o.SAY,
    ),
]


def analyze(
    paths: o.PathsOrStore = None,
    by: o.By = None,
    metrics: o.Metrics = None,
    where: o.Where = None,
    since: o.Since = None,
    until: o.Until = None,
    tz: o.Tz = None,
    sort: o.Sort = None,
    top: o.Top = None,
    include_failed: o.IncludeFailed = False,
    pricing: o.PriceFiles = None,
    price: o.Price = None,
    cost_source: o.Cost = o.CostSource.AUTO,
    price_as: money.PriceAs = None,
    as_of: money.AsOf = None,
    deferrable: money.Deferrable = None,
    currency: money.ShownIn = None,
    rates: money.Rates = None,
    store: o.Store = None,
    input_format: o.InputFormat = None,
    map_: o.Map = None,
    join: o.Join = None,
    config: o.Config = None,
    cache: o.Cache = None,
    strict: o.Strict = False,
    rejects: o.Rejects = False,
    share: o.Share = False,
    share_k: o.ShareK = None,
    format_: Format = AnalyzeFormat.TABLE,
    output: o.Output = None,
) -> int:
    """Latency, tokens, cost and errors of logs.

    An overview of everything; with --by or --metrics, the tables asked for. What can be asked: llmtel list.
    """
    from llmtel.cli.answering import Question
    from llmtel.cli.settings import settle
    from llmtel.cli.shares import sharing
    from llmtel.cli.telling import exit_code, tell, words

    settings = settle(config, map_, join)
    question = Question(
        paths=tuple(o.asked_of(paths, store, settings.store)),
        by=tuple(dict.fromkeys(named for one in by or () if (named := settings.named(words([one]))))),
        metrics=words(metrics),
        where=tuple(where or ()),
        since=since,
        until=until,
        tz=tz or settings.tz,
        sort=settings.sorting(sort),
        top=top,
        include_failed=include_failed,
        pricing=tuple(pricing or ()),
        price=tuple(price or ()),
        cost_source=cost_source.value,
        money=money.Money(price_as, as_of, tuple(deferrable or ()), currency, rates),
        input_format=input_format,
        all_rejects=rejects,
        settings=settings,
        cache=cache,
        sharing=sharing(share, share_k, settings),
    )
    with question.money.shown():
        if format_ is AnalyzeFormat.FOCUS:
            return exit_code(tell(question.focus, o.OutputFormat.CSV, output), strict=strict)
        return exit_code(tell(question.analyze, o.OutputFormat(format_), output), strict=strict)
