"""`llmtel list`: what can be asked, and what can be read."""

from __future__ import annotations

from typing import Annotated

import typer

from llmtel.cli import options as o


def list_(
    what: Annotated[o.Listed, typer.Argument(help="What to list")],
    format_: o.Format = o.OutputFormat.TABLE,
    output: o.Output = None,
) -> None:
    """List the metrics, dimensions, fields or input formats that exist."""
    from llmtel.cli.output import write
    from llmtel.reports import catalogs

    if what is o.Listed.FORMATS:
        from llmtel.sources.formats import sources

        document = catalogs.formats((s.name, s.help, s.link) for s in sources().values())
    else:
        document = {
            o.Listed.METRICS: catalogs.metrics,
            o.Listed.DIMENSIONS: catalogs.dimensions,
            o.Listed.FIELDS: catalogs.fields,
        }[what]()
    write(document, format_, output)
