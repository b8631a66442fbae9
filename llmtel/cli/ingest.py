"""`llmtel ingest`: logs to a store, or to one Parquet file; every command reads either like a log."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmtel.cli import options as o
from llmtel.core.errors import Exit, UsageError

if TYPE_CHECKING:
    from llmtel.cli.settings import Settings
    from llmtel.cli.storing import Storing
    from llmtel.reading import Reading
    from llmtel.reports.sharing import Sharing
    from llmtel.store.location import Folder

Target = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="The Parquet file to write", rich_help_panel=o.SAY),
]
Encrypt = Annotated[
    bool,
    typer.Option(
        "--encrypt",
        help="Encrypt a new store, with the key of the configuration (store: encryption:), else that of the "
        "variable LLMTEL_STORE_KEY",
        rich_help_panel=o.SAY,
    ),
]
Store = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="DIR",
        help="The store that takes what is new of the logs, made where there is none  [default without -o: "
        "the configuration's]",
        rich_help_panel=o.SAY,
    ),
]


Paths = Annotated[
    list[str] | None,
    typer.Argument(
        help="Files, folders (read recursively), globs, or - for standard input",
        metavar="PATHS...",
        show_default=False,
    ),
]
RetryRejects = Annotated[
    bool,
    typer.Option(
        "--retry-rejects",
        help="Read the rejected records of the store again from their files, before PATHS or without any",
        rich_help_panel=o.READ,
    ),
]
Follow = Annotated[
    bool,
    typer.Option(
        "--follow",
        help="Go on with what is written to the logs, new and rotated files too, until Ctrl-C",
        rich_help_panel=o.READ,
    ),
]
FreezeCost = Annotated[
    bool,
    typer.Option(
        "--freeze-cost",
        help="Store the costs of today's price book with the calls, to be shown as they are now for ever",
        rich_help_panel=o.SAY,
    ),
]


def ingest(
    paths: Paths = None,
    output: Target = None,
    store: Store = None,
    encrypt: Encrypt = False,
    input_format: o.InputFormat = None,
    map_: o.Map = None,
    join: o.Join = None,
    config: o.Config = None,
    strict: o.Strict = False,
    rejects: o.Rejects = False,
    retry_rejects: RetryRejects = False,
    follow: Follow = False,
    freeze_cost: FreezeCost = False,
    share: o.Share = False,
) -> int:
    """Write the calls of logs to a store, or to one Parquet file.

    Every command reads either like a log. A store is read on: only what is new of the logs is taken, each
    call once. Prices are not in it: a cost is found when it is asked for. Nor are names: users, sessions and
    traces are kept as pseudonyms, unless llmtel.yaml says privacy: {users: plain}. A file has what logs have.
    """
    from llmtel.cli.settings import settle
    from llmtel.cli.shares import sharing

    _refuse_together(
        {
            "--store": store,
            "--encrypt": encrypt,
            "--retry-rejects": retry_rejects,
            "--follow": follow,
            "--freeze-cost": freeze_cost,
        },
        output,
    )
    if not paths and not retry_rejects:
        raise UsageError("missing argument 'PATHS...': logs to read")
    settings = settle(config, map_, join)
    shared = sharing(share, None, settings)
    if output is not None:
        return _to_file(paths or [], output, settings, input_format, shared, strict=strict, rejects=rejects)
    from llmtel.cli.storing import Storing

    if join:
        raise UsageError("--join: tables are joined when the store is asked")
    storing = Storing(
        settings,
        _place(store, settings),
        input_format,
        strict=strict,
        freeze_cost=freeze_cost,
        encrypted=encrypt or settings.encrypted,
        sharing=shared,
    )
    if retry_rejects:
        storing.retry(paths or [])
    if follow:
        return _followed(storing, paths or [], rejects=rejects)
    return storing.run(paths, all_rejects=rejects) if paths else Exit.OK


def _refuse_together(of_stores: Mapping[str, object], output: Path | None) -> None:
    """Raise for options of stores beside a file to write to."""
    for option, given in of_stores.items():
        if output is not None and given:
            raise UsageError(
                f"{option} and -o {output}: ingest writes to a store or to a file; leave one out"
            )


def _place(store: str | None, settings: Settings) -> Folder:
    from llmtel.store.folder import at

    folder = store or settings.store
    if folder is None:
        raise UsageError("ingest needs a place to write to: --store DIR, store: in llmtel.yaml, or -o FILE")
    return at(folder, settings.ring)


def _followed(storing: Storing, paths: list[str], *, rejects: bool) -> int:
    from llmtel.cli.following import Following, refuse

    if storing.strict:
        raise UsageError("--strict with --follow: a log that grows has no end at which nothing may be lost")
    refuse(paths)
    return Following(storing, paths).run(all_rejects=rejects)


def _to_file(
    paths: list[str],
    output: Path,
    settings: Settings,
    input_format: str | None,
    sharing: Sharing | None,
    *,
    strict: bool,
    rejects: bool,
) -> int:
    """Read everything and write it in place of what is there."""
    from llmtel.cli.narration import Progress
    from llmtel.cli.output import write
    from llmtel.cli.telling import exit_code
    from llmtel.pricing import book as books
    from llmtel.pricing.tokenizers import tokenizer_of
    from llmtel.reports.context import SHOWN_REJECTS
    from llmtel.reports.ingestion import ingestion

    with Progress() as progress:
        reading = settings.read(
            paths,
            input_format=input_format,
            progress=progress,
            tokenizer=tokenizer_of(books.load(settings.pricing)),
        ).of_one_grain()
    code = exit_code(reading.account, strict=strict)
    if not code:
        _keep(reading, output)
    shown = reading.rejects if rejects else reading.rejects[:SHOWN_REJECTS]
    write(
        ingestion(reading.account, shown, reading.notes, None if code else str(output), sharing),
        o.OutputFormat.TABLE,
        None,
    )
    return code


def _keep(reading: Reading, path: Path) -> None:
    """Write the calls in place of what is there: never half a file. Raises `UsageError`."""
    import io
    import json

    from llmtel import __version__
    from llmtel.cli.output import put
    from llmtel.core.schema import IMAGINED, PARQUET_KEY, PRICED, SCHEMA_VERSION

    provenance = {
        "tool": f"llmtel {__version__}",
        "inputs": [
            {"file": i.file, "format": i.format, "bytes": i.bytes, "calls": i.calls} for i in reading.inputs
        ],
    }
    file = io.BytesIO()
    reading.calls.drop({*PRICED, *IMAGINED} - {"price_reason"}).write_parquet(
        file,
        compression="zstd",
        metadata={PARQUET_KEY: str(SCHEMA_VERSION), "llmtel_provenance": json.dumps(provenance)},
    )
    put(file.getvalue(), path)
