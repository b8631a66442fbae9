"""`llmtel store`: what is in a store, whether it is whole, and the work that keeps it small."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import asdict

from llmtel.cli import options as o
from llmtel.core.errors import Exit, UsageError

if TYPE_CHECKING:
    from datetime import date

    from llmtel.store.location import Folder

Dir = Annotated[
    str | None,
    typer.Argument(
        metavar="[DIR]",
        help="The store: a folder, or s3://…  [default: the configuration's]",
        show_default=False,
    ),
]
User = Annotated[str, typer.Option("--user", metavar="NAME", help="The user, as the logs name them")]
OlderThan = Annotated[
    str | None,
    typer.Option(
        "--older-than",
        metavar="TIME",
        help="Days before this go: 90d, 12w, 2026-01-31  [default: privacy: retention: of the configuration]",
        show_default=False,
    ),
]
Alone = Annotated[
    bool,
    typer.Option(
        "--alone",
        help="Nobody else writes to the store now: in an object store, too, its earlier versions go at once, "
        "and not after 7 days",
    ),
]
NoRollup = Annotated[bool, typer.Option("--no-rollup", help="Leave nothing of the days that go")]
File = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="calls.parquet, calls.csv or calls.jsonl",
        rich_help_panel=o.SAY,
    ),
]


def info(
    folder: Dir = None,
    share: o.Share = False,
    share_k: o.ShareK = None,
    format_: o.Format = o.OutputFormat.TABLE,
    output: o.Output = None,
    config: o.Config = None,
) -> None:
    """Calls, days, formats and size of a store."""
    from llmtel.cli.output import write
    from llmtel.cli.people import People
    from llmtel.cli.settings import settle
    from llmtel.cli.shares import sharing
    from llmtel.reports import keeping, shared_store
    from llmtel.store.facts import facts, persons

    settings = settle(config)
    shared = sharing(share, share_k, settings)
    found = asdict(facts(at := place(folder, config)))
    kept, formats = asdict(found.pop("kept")), found.pop("formats")
    figures = found | kept | {"keys_missing": People(at, settings.config).lost()}
    if shared is None:
        document = keeping.info(str(at), figures, formats)
    else:
        document = shared_store.info(persons(at), figures, formats, shared)
    write(document, format_, output)


def verify(
    folder: Dir = None,
    share: o.Share = False,
    format_: o.Format = o.OutputFormat.TABLE,
    output: o.Output = None,
    config: o.Config = None,
) -> int:
    """Check every data file against the log: bytes, rows, days, and that no call stands twice.

    Exit code 3 where something is wrong; each fault is named.
    """
    from llmtel.cli.output import write
    from llmtel.reports import keeping, shared_store
    from llmtel.store import verify as verifying
    from llmtel.store.table import opened

    at = place(folder, config)
    faults = verifying.faults(at)
    files, orphans = opened(at).files.height, len(verifying.orphans(at))
    document = keeping.verified(str(at), faults, orphans, files)
    write(shared_store.verified(len(faults), orphans, files) if share else document, format_, output)
    return Exit.VIOLATED if faults else Exit.OK


def rejects(
    folder: Dir = None,
    share: o.Share = False,
    format_: o.Format = o.OutputFormat.TABLE,
    output: o.Output = None,
    config: o.Config = None,
) -> None:
    """Records that were no calls when the store took them: where they are and why, never their bytes."""
    from llmtel.cli.output import write
    from llmtel.reports import keeping, shared_store
    from llmtel.store import rejected

    found = rejected.kept(at := place(folder, config))
    document = shared_store.rejected(found) if share else keeping.rejected(str(at), found)
    write(document, format_, output)


def export(output: File, folder: Dir = None, config: o.Config = None) -> None:
    """Write all calls of a store to one file, which every command reads: Parquet, JSONL or CSV."""
    from llmtel.cli.output import put
    from llmtel.store import export as exporting

    kinds = {".parquet": exporting.parquet, ".csv": exporting.csv, ".jsonl": exporting.jsonl}
    if output.suffix not in kinds:
        *most, last = kinds
        raise UsageError(
            f"-o {output}: the file ends in {', '.join(most)} or {last}, which says what is written"
        )
    put(kinds[output.suffix](place(folder, config)), output)


def compact(folder: Dir = None, config: o.Config = None) -> None:
    """Make one data file of each day that has several."""
    from llmtel.store.rewrite import compact as work

    done = work(at := place(folder, config))
    tell(at, "compact", f"{done.before:,} data files → {done.after:,}", before=done.before, after=done.after)


def forget(user: User, folder: Dir = None, alone: Alone = False, config: o.Config = None) -> None:
    """Remove a user's calls from a store, and from its earlier versions.

    The user is found under every key at hand, and the cache of analyze --cache goes. Logs, exports and
    reports are not touched, and it says which there are: a log that still has the user brings them back.
    """
    from llmtel import cache
    from llmtel.cli.narration import narrate
    from llmtel.cli.people import People, not_at_hand
    from llmtel.cli.settings import settle
    from llmtel.reports.trust import in_calls
    from llmtel.store.rewrite import forget as work

    at = place(folder, config, alone=alone)
    people = People(at, settle(config).config)
    names, missing = people.pseudonyms_of(user)
    done = work(at, names)
    cache.clear()
    text = f"{in_calls(done.gone)} removed, {earlier(at)}"
    tell(at, "forget", text, _out_of_reach(at), removed=done.gone)
    if missing:
        narrate(f"{not_at_hand(missing)}: what is left of the user under it cannot be found, by anyone")


def rollup(
    folder: Dir = None,
    since: o.Since = None,
    until: o.Until = None,
    pricing: o.PriceFiles = None,
    config: o.Config = None,
) -> None:
    """Make the rollups of days, or make them anew: sums and histograms by hour, which outlive the calls.

    Answers are read from them once the calls have expired; store expire makes them by itself.
    """
    from llmtel.cli.retiring import prices
    from llmtel.cli.settings import settle
    from llmtel.query.timerange import parse_range
    from llmtel.reports.trust import in_calls
    from llmtel.store.rollups import roll_up

    span = parse_range(since, until)
    first = None if span.start is None else span.start.date()
    after = None if span.end is None else (span.end + timedelta(days=1, microseconds=-1)).date()
    made = roll_up(at := place(folder, config), prices(settle(config), pricing or ()), first, after)
    of = f"{in_calls(made.calls)} of {in_calls(made.days, 'day')}"
    text = f"{of} → {in_calls(made.cells, 'cell')}, {made.size:,} bytes"
    tell(at, "rollup", text, days=made.days, calls=made.calls, cells=made.cells, bytes=made.size)


def expire(
    folder: Dir = None,
    older_than: OlderThan = None,
    no_rollup: NoRollup = False,
    alone: Alone = False,
    pricing: o.PriceFiles = None,
    config: o.Config = None,
) -> None:
    """Remove whole days that are older than a time; what they come to stays, by hour, in rollups.

    Calls without a time stay. Calls of such a day that come later are not stored.
    """
    from llmtel.cli.retiring import first_kept, prices
    from llmtel.cli.settings import settle
    from llmtel.reports.trust import in_calls
    from llmtel.store.retention import expire as work

    settings = settle(config)
    before = _day(older_than) if older_than else first_kept(settings)
    if before is None:
        raise UsageError("how old? --older-than 90d says it, or privacy: {retention: 90d} in llmtel.yaml")
    at = place(folder, config, alone=alone)
    done = work(at, before, None if no_rollup else prices(settings, pricing or ()))
    kept = (
        f"; rollups of {done.rollups.days:,} days: {done.rollups.size:,} bytes" if done.rollups.days else ""
    )
    gone = f"{in_calls(done.calls)} of {in_calls(done.days, 'day')}"
    text = f"{gone} before {before} removed, {earlier(at)}{kept}"
    tell(at, "expire", text, removed=done.calls, days=done.days, rolled_up=done.rollups.calls)


def place(path: str | None, config: Path | None = None, *, alone: bool = False) -> Folder:
    """The store that a path is, or that of the configuration. `alone`: nobody else writes to it now.

    Raises `UsageError` where it is none, and `UnreadableInput` where one may not look whether it is one.
    """
    from llmtel.cli.settings import settle
    from llmtel.store.folder import at, by_one
    from llmtel.store.location import CALLS

    settings = settle(config)
    path = path or settings.store
    if path is None:
        raise UsageError("missing argument 'DIR': the store, which store: in llmtel.yaml may name")
    found = settings.store_of([path])
    if found is None:
        at(path).names(CALLS)  # where one may not look, it says that
        raise UsageError(f"{path}: there is no store; llmtel ingest LOGS --store {path} makes one")
    return by_one(found) if alone else found


def _out_of_reach(at: Folder) -> str:
    """What of a store's people stands elsewhere; where an export went is not written down, only when."""
    from llmtel.store.audit import AUDIT
    from llmtel.store.folder import noted

    days = sorted({str(one.get("at"))[:10] for one in noted(at, AUDIT) if one.get("what") == "export"})
    exports = f"exports of {', '.join(days)}" if days else "exports (none is known)"
    return (
        f"out of reach: {exports}, reports and baselines in files, copies of the store, and the logs, "
        "which bring the user back when they are read again from their start"
    )


def earlier(at: Folder) -> str:
    """What becomes of the earlier versions of a store."""
    if at.alone:
        return "also from earlier versions"
    return "but for versions of the last 7 days, since others may be writing: repeat it with --alone"


def _day(text: str) -> date:
    from llmtel.query.timerange import parse_time

    if re.fullmatch(r"\d+", text):
        raise UsageError(f"--older-than {text}: days or weeks? Write {text}d or {text}w")
    return parse_time("--older-than", text)[0].date()


def tell(at: Folder, what: str, *texts: str, **figures: int | str) -> None:
    """Say what was done to a store."""
    from llmtel.cli.output import write
    from llmtel.reports import keeping

    write(keeping.done(str(at), what, *texts, **figures), o.OutputFormat.TABLE, None)
