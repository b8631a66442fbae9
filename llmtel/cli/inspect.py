"""`llmtel inspect`: how a file is read, and what of it is not."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from llmtel.cli import options as o
from llmtel.core.errors import Exit, UnreadableInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from llmtel.pipeline import NoFormat
    from llmtel.reading import Input
    from llmtel.reports.inspection import Look
    from llmtel.sources.source import Record, Source

ANY = "the file"
"""What a file is called where it is for others."""
File = Annotated[
    str | None,
    typer.Argument(
        help="The file to look at, a store, or - for standard input", metavar="[FILE]", show_default=False
    ),
]


def inspect(
    file: File = None,
    store: o.Store = None,
    input_format: o.InputFormat = None,
    map_: o.Map = None,
    config: o.Config = None,
    rejects: o.Rejects = False,
    share: o.Share = False,
    format_: o.Format = o.OutputFormat.TABLE,
    output: o.Output = None,
) -> int:
    """How a file is read, and what of it is not.

    Its format and why, what each field is read from, three calls as read, and what was not understood. For a
    file of no known format: which keys look like which fields, as a section of llmtel.yaml.
    """
    from llmtel.cli.narration import Progress
    from llmtel.cli.output import write
    from llmtel.cli.settings import settle
    from llmtel.pipeline import NoFormat
    from llmtel.reports.context import SHOWN_REJECTS
    from llmtel.reports.inspection import inspection

    settings = settle(config, map_)
    paths = o.asked_of(None if file is None else [file], store, settings.store)
    try:
        with Progress() as progress:
            reading = settings.read(paths, input_format=input_format, progress=progress, samples=True)
    except NoFormat as unread:
        if share:
            raise UsageError(
                "--share: the file is of no known format, and its keys may be anything"
            ) from None
        return _propose(unread, format_, output)
    shown = reading.rejects if rejects else reading.rejects[:SHOWN_REJECTS]
    if share:
        shared = [_shared(_look(one, reading.calls)) for one in reading.inputs]
        write(inspection(shared, reading.calls.clear(), reading.account, (), ()), format_, output)
        return Exit.OK
    looks = [_look(one, reading.calls) for one in reading.inputs]
    if not looks:
        looks = [_of_store(paths[0]) if settings.store_of(paths) else _of_nothing(path) for path in paths]
    write(inspection(looks, reading.calls, reading.account, shown, reading.notes), format_, output)
    return Exit.OK


def _propose(unread: NoFormat, format_: o.OutputFormat, output: Path | None) -> int:
    """Write which keys may be which fields. Raises `UnreadableInput` where none looks like any."""
    from llmtel.cli.output import write
    from llmtel.reports.proposal import Proposed, proposal
    from llmtel.sources.proposal import lacking, left, proposed

    guesses = proposed(unread.records)
    if not guesses:
        n = len(unread.records)
        of = "its record" if n == 1 else f"its first {n:,} records"
        msg = f"{unread.path}: no format claims it, and no key of {of} looks like one of a call"
        raise UnreadableInput(msg)
    shown = [
        Proposed(one.field, one.said, one.reason, [(other.said, other.reason) for other in one.others])
        for one in guesses
    ]
    lacks = lacking(guesses)
    rest = left(unread.records, guesses)
    write(proposal(unread.path, len(unread.records), shown, lacks, rest), format_, output)
    return Exit.UNREADABLE if lacks else Exit.OK


def _shared(look: Look) -> Look:
    """How a file of any name is read, without keys that nobody reads: these may be names of people."""
    return replace(look, file=ANY, decisions=(), unread=(), perhaps={})


def _of_store(path: str) -> Look:
    """A store was read before: how is said by llmtel inspect of its logs."""
    from llmtel.reports.inspection import Look

    return Look(path, "a store", f"llmtel store info {shlex.quote(path)} says what is in it", {}, ())


def _of_nothing(path: str) -> Look:
    """A file that has nothing in it."""
    from llmtel.reports.inspection import Look

    return Look(path, "empty", "there is no record in it", {}, ())


def _look(one: Input, calls: pl.DataFrame) -> Look:
    """What the reader knows of a file, in words."""
    from llmtel.reports.inspection import Look

    plan, verdict = one.plan, one.verdict
    source = plan.source if plan else None
    known = _known(one, calls)
    return Look(
        file=one.file,
        format=one.format or "unknown",
        why=_why(one),
        marks=_marks(one),
        mapping=_mapping(source, one.sample, known) if source else {},
        decisions=source.decisions if source else (),
        unread=verdict.unread(source) if verdict and source else (),
        perhaps=_perhaps(one, source, known) if source else {},
        inside=source is not None and source.records is not None,
    )


def _known(one: Input, calls: pl.DataFrame) -> set[str]:
    """The fields that a call of the file knows."""
    from llmtel.core.schema import FIELDS

    own = calls.filter(calls["file"] == one.file)
    return {name for name in FIELDS if own[name].null_count() < own.height}


def _mapping(source: Source, sample: Sequence[Record], known: set[str]) -> dict[str, list[str]]:
    """The paths that a field is read from: of many names for one thing those that the records have.

    A field that no call knows is left out where it has no path of its own in the records looked at.
    """
    from llmtel.core.schema import FIELDS
    from llmtel.sources.steps import roots

    found = {name: _paths(roots(source.calls, name)) for name in source.calls if name in FIELDS}
    there = _there(source, sample, {path for paths in found.values() for path in paths})
    shown = {name: [path for path in paths if path in there] for name, paths in found.items()}
    read = {path for name in known for path in shown.get(name, ())}
    return {
        name: shown[name] or paths for name, paths in found.items() if name in known or {*shown[name]} - read
    }


def _there(source: Source, sample: Sequence[Record], paths: set[str]) -> set[str]:
    """The paths at which some records have a value."""
    from llmtel.sources.raw import steps_of
    from llmtel.sources.source import lookup

    records = [
        inner for record in sample for inner in (source.records(record) if source.records else [record])
    ]
    return {
        path
        for path in paths
        if any(
            path in record or lookup(record, steps_of(path)) not in (None, "", [], {}) for record in records
        )
    }


def _perhaps(one: Input, source: Source, known: set[str]) -> dict[str, tuple[str, str]]:
    """What keys that nobody reads look like, with the reason: fields that no call of the file knows."""
    from llmtel.core.schema import LEAVES
    from llmtel.sources.maps import FACTS
    from llmtel.sources.proposal import beside

    if known & {*LEAVES}:
        known = known | FACTS.keys()
    return {guess.field: (guess.said, guess.reason) for guess in beside(one.sample, source, known)}


def _why(one: Input) -> str:
    """How many of the file's first records each format claims."""
    verdict = one.verdict
    if verdict is None or verdict.source is None:
        return "its first bytes say so"
    if verdict.forced:
        return "--input-format says so"
    name = verdict.source.name
    mine = verdict.claims[name]
    if mine == verdict.asked:
        return "its record looks like it" if mine == 1 else f"all of its first {mine} records look like it"
    others = ", ".join(f"{n} like {other}" for other, n in verdict.claims.most_common() if other != name)
    return f"{mine} of its first {verdict.asked} records look like it" + (f", {others}" if others else "")


def _marks(one: Input) -> tuple[str, ...]:
    """What records of the file have that those of other formats have not, each way of having it in words."""
    source = one.verdict.source if one.verdict else None
    if source is None:
        return ()
    borne = (
        mark.words() for record in one.sample if source.claims(record) for mark in source.marks_of(record)
    )
    return tuple(dict.fromkeys(words for words in borne if words))


def _paths(columns: list[str]) -> list[str]:
    """The paths of raw columns, each once, without their types."""
    from llmtel.sources.raw import written

    return [path for path in dict.fromkeys(map(written, columns)) if path]
