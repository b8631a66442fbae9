"""The answer of a question, written; and what its options and its account say besides."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from llmtel.cli.options import OutputFormat
from llmtel.core.account import Account
from llmtel.core.errors import Exit, UnreadableInput

if TYPE_CHECKING:
    from llmtel.core.answers import Document


ROWS_ALONE = frozenset({OutputFormat.CSV, OutputFormat.JSONL, OutputFormat.PARQUET})
"""Forms of an answer in which no sentence has a place."""


def tell(
    ask: Callable[[UnreadableInput | None], tuple[Document, Account]], fmt: OutputFormat, output: Path | None
) -> Account:
    """Write the answer of `ask`. Where nothing could be read JSON has the account, before that is raised.

    Rows alone have no place to say what of them is from rollups, so that is said beside them.
    """
    from llmtel.cli.narration import narrate
    from llmtel.cli.output import write
    from llmtel.reports.rolled import KIND

    try:
        document, account = ask(None)
    except UnreadableInput as nothing:
        if fmt is OutputFormat.JSON:
            write(ask(nothing)[0], fmt, output)
            sys.stdout.flush()
        raise
    write(document, fmt, output)
    if fmt in ROWS_ALONE:
        for note in document.meta.get("notes", ()):
            if note["kind"] == KIND:
                narrate(note["text"])
    return account


def words(given: Sequence[str] | None) -> tuple[str, ...]:
    """The words of an option that may be repeated and may hold several, separated by commas or spaces."""
    return tuple(word for text in given or () for word in re.split(r"[,\s]+", text) if word)


def exit_code(account: Account, *, strict: bool) -> int:
    """How reading went: 4 under `--strict` when a record, a file or a value was lost."""
    lost = account.rejected or account.files_rejected or sum(account.unreadable.values())
    return Exit.STRICT if strict and lost else Exit.OK
