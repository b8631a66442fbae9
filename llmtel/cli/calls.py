"""`llmtel calls`: the calls themselves, with where they stand and no text."""

from __future__ import annotations

from typing import Annotated

import typer

from llmtel.cli import options as o

Sort = Annotated[
    str | None,
    typer.Option(
        "--sort",
        metavar="FIELD",
        help="Field to sort by, largest first; FIELD:asc turns it  [default: ts, earliest first]",
        rich_help_panel=o.ASK,
    ),
]
Top = Annotated[int, typer.Option("--top", min=1, metavar="N", help="Calls to show", rich_help_panel=o.ASK)]


def calls(
    paths: o.PathsOrStore = None,
    where: o.Where = None,
    since: o.Since = None,
    until: o.Until = None,
    tz: o.Tz = None,
    sort: Sort = None,
    top: Top = 20,
    pricing: o.PriceFiles = None,
    price: o.Price = None,
    cost_source: o.Cost = o.CostSource.AUTO,
    store: o.Store = None,
    input_format: o.InputFormat = None,
    map_: o.Map = None,
    join: o.Join = None,
    config: o.Config = None,
    strict: o.Strict = False,
    rejects: o.Rejects = False,
    share: o.Share = False,
    share_k: o.ShareK = None,
    format_: o.Format = o.OutputFormat.TABLE,
    output: o.Output = None,
) -> int:
    """The calls themselves: file and line, ids and numbers, no text."""
    from llmtel.cli.answering import Question
    from llmtel.cli.settings import settle
    from llmtel.cli.shares import sharing
    from llmtel.cli.telling import exit_code, tell

    settings = settle(config, map_, join)
    question = Question(
        paths=tuple(o.asked_of(paths, store, settings.store)),
        where=tuple(where or ()),
        since=since,
        until=until,
        tz=tz or settings.tz,
        sort=sort,
        top=top,
        pricing=tuple(pricing or ()),
        price=tuple(price or ()),
        cost_source=cost_source.value,
        input_format=input_format,
        all_rejects=rejects,
        settings=settings,
        sharing=sharing(share, share_k, settings),
    )
    return exit_code(tell(question.calls, format_, output), strict=strict)
