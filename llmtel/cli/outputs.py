"""Several outputs of one answer: each a format, and a file or standard output."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from llmtel.cli.output import PLAIN_WIDTH, colored, encoded, put, show, width
from llmtel.core.errors import UsageError

if TYPE_CHECKING:
    from llmtel.core.answers import Document

TABLE, GITHUB = "table", "github"
SUMMARY = "GITHUB_STEP_SUMMARY"
"""The file whose Markdown GitHub shows on the page of a run; steps append to it."""


class Outputs(Struct, frozen=True):
    """Pairs of a format and its file; None is standard output."""

    wanted: tuple[tuple[str, Path | None], ...]

    @classmethod
    def of(cls, formats: Sequence[str] | None, files: Sequence[Path] | None) -> Outputs:
        """What `--format NAME[=FILE]` and `-o FILE` say. Raises `UsageError` before anything is read."""
        from llmtel.core.catalog import unknown
        from llmtel.render import VERDICTS

        pairs = [_pair(text) for text in formats or (TABLE,)]
        for name, _ in pairs:
            if name not in (TABLE, *VERDICTS):
                raise UsageError(f"--format {name}: {unknown('output format', name, (TABLE, *VERDICTS))}")
        left = list(files or ())
        placed = [(name, file or (left.pop(0) if left else None)) for name, file in pairs]
        if left:
            raise UsageError(f"-o {left[0]}: there are more files than formats without one")
        open_ = [name for name, file in placed if file is None and name != GITHUB]
        if open_[1:]:
            raise UsageError(
                f"{' and '.join(open_)} would mix on standard output: give all but one a file, "
                f"as in --format {open_[1]}=FILE"
            )
        return cls(tuple(placed))

    @property
    def is_public(self) -> bool:
        """Whether an answer goes where all who see the project see it: to annotations and step summaries."""
        return any(name == GITHUB for name, _ in self.wanted)

    def write(self, document: Document) -> None:
        """Write all of them; standard output first, so that a log has it if a file fails."""
        from llmtel.render import verdicts

        for name, file in sorted(self.wanted, key=lambda pair: pair[1] is not None):
            if file is None:
                show(verdicts(document, name, width=width(), color=colored()), name)
            else:
                put(encoded(verdicts(document, name, width=PLAIN_WIDTH, color=False)), file, folders=True)
        summary = os.environ.get(SUMMARY)
        if summary and self.is_public:
            _append(Path(summary), document)


def _pair(text: str) -> tuple[str, Path | None]:
    name, equals, file = text.partition("=")
    if equals and not file:
        raise UsageError(f"--format {text}: after = comes a file")
    return name.strip(), Path(file) if file else None


def _append(path: Path, document: Document) -> None:
    """The step summary: Markdown, appended to what other steps wrote."""
    from llmtel.render.comment import SUMMARY_BYTES, comment

    before = path.stat().st_size if path.exists() else 0
    with path.open("ab") as file:
        file.write(encoded(comment(document, max(0, SUMMARY_BYTES - before))))
