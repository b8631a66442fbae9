"""The options that commands share, as Annotated types: a long list, since each option is declared once.

Nothing heavy is imported: `--help` must be quick.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class OutputFormat(StrEnum):
    """How an answer is written."""

    TABLE = "table"
    MARKDOWN = "markdown"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


class CostSource(StrEnum):
    """Which cost counts: the price book's, the log's, or the better of both for each call."""

    AUTO = "auto"
    COMPUTED = "computed"
    LOGGED = "logged"


ASK = "What to ask"
MONEY = "Prices"
READ = "Reading"
SAY = "Output"

PathsOrStore = Annotated[
    list[str] | None,
    typer.Argument(
        help="Files, folders (read recursively), globs, a store, or - for standard input",
        metavar="PATHS...",
        show_default=False,
    ),
]
Store = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="DIR",
        help="A store that llmtel ingest filled (a folder, or s3://…), in place of PATHS  [default without "
        "PATHS: the configuration's]",
        rich_help_panel=READ,
    ),
]
By = Annotated[
    list[str] | None,
    typer.Option(
        "--by",
        metavar="NAMES",
        help="Split by dimensions, e.g. model,region: one table over both; repeat for more tables",
        rich_help_panel=ASK,
    ),
]
Metrics = Annotated[
    list[str] | None,
    typer.Option(
        "--metrics",
        metavar="NAMES",
        help="Metrics to show, e.g. calls,cost,p95_latency  [default: those of the overview]",
        rich_help_panel=ASK,
    ),
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="FILTER",
        help="Only calls for which all of this holds: 'model=gpt-4o* latency_ms>2s'",
        rich_help_panel=ASK,
    ),
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        help="First day or moment: 2026-01-31, 7d, 2h, yesterday",
        rich_help_panel=ASK,
    ),
]
Until = Annotated[
    str | None,
    typer.Option("--until", metavar="TIME", help="Last day (inclusive) or moment", rich_help_panel=ASK),
]
Tz = Annotated[
    str | None,
    typer.Option(
        "--tz",
        metavar="ZONE",
        help="Time zone of days, hours and dates  [default: the configuration's, else UTC]",
        rich_help_panel=ASK,
    ),
]
Sort = Annotated[
    str | None,
    typer.Option(
        "--sort",
        metavar="NAME",
        help="Metric (largest first) or dimension to sort by; NAME:asc or NAME:desc turns it  "
        "[default: times in order, all else by cost]",
        rich_help_panel=ASK,
    ),
]
Top = Annotated[
    int | None,
    typer.Option(
        "--top",
        min=1,
        metavar="N",
        help='Rows of a table; the rest is pooled as "other"  [default: all; fewer in the overview]',
        rich_help_panel=ASK,
    ),
]
IncludeFailed = Annotated[
    bool, typer.Option("--include-failed", help="Count failed calls in latencies too", rich_help_panel=ASK)
]
PriceFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--pricing",
        metavar="FILE",
        help="A price file on top of the built-in book (repeatable)",
        rich_help_panel=MONEY,
    ),
]
Price = Annotated[
    list[str] | None,
    typer.Option(
        "--price",
        metavar="MODEL=IN/OUT",
        help="A price in $ per million tokens, e.g. acme-7b=0.2/0.6 (repeatable, or with commas)",
        rich_help_panel=MONEY,
    ),
]
Cost = Annotated[
    CostSource,
    typer.Option(
        "--cost",
        "--cost-source",
        metavar="SOURCE",
        help="Costs by the price book (computed), by the log (logged), or the better of both for each call "
        "(auto)",
        rich_help_panel=MONEY,
    ),
]
InputFormat = Annotated[
    str | None,
    typer.Option(
        "--input-format",
        metavar="NAME",
        help="Read as this format instead of detecting it; names: llmtel list formats",
        rich_help_panel=READ,
    ),
]
Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="FIELD=PATH",
        help="Read a field from there: user=metadata.uid, latency_ms=took:s (unit after a colon); repeatable",
        rich_help_panel=READ,
    ),
]
Join = Annotated[
    list[str] | None,
    typer.Option(
        "--join",
        metavar="FILE:FIELD",
        help="Columns of a CSV or JSON as dimensions, by a field: people.csv:user; repeatable",
        rich_help_panel=READ,
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="The configuration  [default: llmtel.yaml here or above, up to the repository's root]",
        rich_help_panel=READ,
    ),
]
Cache = Annotated[
    bool | None,
    typer.Option(
        "--cache/--no-cache",
        help="Keep what is read of logs, so that unchanged files are not read again  [default: the "
        "configuration's, else no]",
        show_default=False,
        rich_help_panel=READ,
    ),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict", help="Exit 4 when a record was rejected or a value unreadable", rich_help_panel=READ
    ),
]
Rejects = Annotated[
    bool,
    typer.Option("--rejects", help="List every rejected record, not the first five", rich_help_panel=READ),
]
Share = Annotated[
    bool,
    typer.Option(
        "--share",
        help="Fit for others: no names or ids of people, sessions, files; numbers of few users are left out",
        rich_help_panel=SAY,
    ),
]
ShareK = Annotated[
    int | None,
    typer.Option(
        "--share-k",
        metavar="K",
        help="With --share: users that a number rests on at least  [default: the configuration's, else 5]",
        rich_help_panel=SAY,
    ),
]
Format = Annotated[
    OutputFormat,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help=f"How to write the answer: {', '.join(OutputFormat)}",
        rich_help_panel=SAY,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Write to this file, not to standard output",
        rich_help_panel=SAY,
    ),
]


def asked_of(paths: list[str] | None, store: str | None, configured: str | None = None) -> list[str]:
    """What a command reads: its paths, or the store, or with neither the store of the configuration.

    Raises `UsageError` for paths beside a store, for nothing to read, and where there is no store, and
    `UnreadableInput` where one may not look whether there is one.
    """
    from llmtel.core.errors import UnreadableInput, UsageError

    if paths and store is not None:
        raise UsageError(f"{paths[0]} and --store {store}: a store is asked alone; leave one out")
    if paths:
        return paths
    said = store or configured
    if said is None:
        raise UsageError("missing argument 'PATHS...': logs to read, or a store with --store DIR")
    place = f"--store {store}" if store is not None else f"store: {said} (of the configuration)"
    try:
        is_there = any((Path(said) / log).is_dir() for log in ("_delta_log", "calls/_delta_log"))
    except PermissionError:
        raise UnreadableInput(f"{place}: permission denied") from None
    if not is_there and "://" not in said:
        option = "" if store is None else f" --store {store}"
        raise UsageError(f"{place}: there is no store; llmtel ingest LOGS{option} makes one")
    return [said]
