"""The default rules, written into `llmtel.yaml` for whoever wants to change them."""

from __future__ import annotations

import os
from pathlib import Path

from llmtel.cli import options as o


def write_rules() -> tuple[str, str]:
    """Write the default rules as `checks:` into llmtel.yaml, beside what is there; the file, and what became.

    A file that has checks is kept.
    """
    from llmtel import config as configs
    from llmtel.checks.defaults import TEXT
    from llmtel.cli.output import put
    from llmtel.cli.settings import FILE, find

    found = find(Path.cwd())
    path = Path(FILE) if found is None else found
    shown = FILE if found is None else os.path.relpath(found)
    before = ""
    if found is not None:
        if "checks" in configs.load(found).said:
            return shown, "kept: it has checks"
        before = found.read_text(encoding="utf-8").rstrip("\n") + "\n\n"
    put((before + TEXT).encode(), path, shared=True)
    return shown, "rules written" if not before else "rules added"


def rules() -> None:
    """Write the default rules and say so."""
    tell([write_rules()], "change them as you like: llmtel check uses them from now on")


def tell(said: list[tuple[str, str]], next_: str) -> None:
    """Say what became of each file, and what to do next."""
    from llmtel.cli.output import write
    from llmtel.core.answers import Document, Line

    lines = (*(Line(what, name=path) for path, what in said), Line(next_, name="next"))
    write(Document("llmtel.init/1", "Init", lines), o.OutputFormat.TABLE, None)
