"""`llmtel inspect`: how a file is read, and what of it is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmtel.cli import options as o
from llmtel.core.errors import Exit

if TYPE_CHECKING:
    from llmtel.pipeline import Input, NoFormat
    from llmtel.reports.inspection import Look

File = Annotated[str, typer.Argument(help="The file to look at, or - for standard input", metavar="FILE")]


def inspect(
    file: File,
    input_format: o.InputFormat = None,
    map_: o.Map = None,
    config: o.Config = None,
    rejects: o.Rejects = False,
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
    try:
        with Progress() as progress:
            reading = settings.read([file], input_format=input_format, progress=progress)
    except NoFormat as unread:
        return _propose(unread, format_, output)
    shown = reading.rejects if rejects else reading.rejects[:SHOWN_REJECTS]
    looks = [_look(one) for one in reading.inputs]
    write(inspection(looks, reading.calls, reading.account, shown, reading.notes), format_, output)
    return Exit.OK


def _propose(unread: NoFormat, format_: o.OutputFormat, output: Path | None) -> int:
    """Write which keys may be which fields; raises again where none looks like any."""
    from llmtel.cli.output import write
    from llmtel.reports.proposal import Proposed, proposal
    from llmtel.sources.proposal import lacking, proposed

    guesses = proposed(unread.records)
    if not guesses:
        raise unread
    shown = [
        Proposed(one.field, one.said, one.reason, [(other.said, other.reason) for other in one.others])
        for one in guesses
    ]
    lacks = lacking(guesses)
    write(proposal(unread.path, len(unread.records), shown, lacks), format_, output)
    return Exit.UNREADABLE if lacks else Exit.OK


def _look(one: Input) -> Look:
    """What the reader knows of a file, in words."""
    from llmtel.core.schema import FIELDS
    from llmtel.reports.inspection import Look
    from llmtel.sources.steps import roots

    plan, verdict = one.plan, one.verdict
    source = plan.source if plan else None
    return Look(
        file=one.file,
        format=one.format or "unknown",
        why=_why(one),
        marks=_marks(one),
        mapping={name: _paths(roots(source.calls, name)) for name in source.calls if name in FIELDS}
        if source
        else {},
        decisions=source.decisions if source else (),
        unread=verdict.unread(source) if verdict and source else (),
    )


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
    """What a record of the format has, each way of having it in words."""
    source = one.verdict.source if one.verdict else None
    return tuple(w for mark in source.marks if (w := replace(mark, none=()).words())) if source else ()


def _paths(columns: list[str]) -> list[str]:
    """The paths of raw columns, each once, without their types."""
    return [path for path in dict.fromkeys(column.rpartition(":")[0] for column in columns) if path]
