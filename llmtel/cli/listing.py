"""`llmtel list`: what can be asked, and what can be read."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from llmtel.cli import options as o


class Listed(StrEnum):
    """What `llmtel list` can list."""

    METRICS = "metrics"
    DIMENSIONS = "dimensions"
    FIELDS = "fields"
    FORMATS = "formats"
    REDACTIONS = "redactions"


def list_(
    what: Annotated[Listed, typer.Argument(help=", ".join(Listed), metavar="WHAT")],
    format_: o.Format = o.OutputFormat.TABLE,
    output: o.Output = None,
) -> None:
    """What can be asked for, and what can be read."""
    from llmtel.cli.output import write
    from llmtel.reports import catalogs

    if what is Listed.FORMATS:
        from llmtel.cli.narration import narrate
        from llmtel.sources.formats import sources, troubles

        for trouble in troubles():
            narrate(trouble)
        brought = {s.name: f" (of the package {s.package})" for s in sources().values() if s.package}
        document = catalogs.formats(
            (s.name, s.evidence, s.help + brought.get(s.name, ""), s.link) for s in sources().values()
        )
    else:
        document = catalogs.CATALOGS[what]()
    write(document, format_, output)
