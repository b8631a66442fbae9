"""What `llmtel redact` says: which files were copied where, and what was replaced, never the values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from llmtel.core.answers import Column, Document, Line, Row, Table
from llmtel.core.units import COUNT
from llmtel.reports.context import TOOL

KINDS: Mapping[str, str] = {
    "text": "Texts of prompts, answers and whatever is no single word, left out",
    "sentence": "Sentences of errors, of which the words that tell their kind are kept",
    "user": "Users, by pseudonyms",
    "id": "Ids of sessions, traces, requests and the like, by pseudonyms",
    "path": "Paths, of which the last part is kept",
    "personal": "Values whose key says that they are personal or secret",
    "key": "Keys that are no names but texts",
    "line": "Lines that could not be read, which may hold anything",
}
"""What is replaced beside what the rules find."""


class Shared(Struct, frozen=True):
    """A file and its copy and format, or `why` there is none; what was replaced, by kind or rule."""

    file: str
    target: str | None
    format: str | None
    why: str
    counts: Mapping[str, int]

    def nameless(self, number: int) -> Shared:
        """The same for others: a file by its number, not its path."""
        return replace(self, file=f"log {number}", target=self.target and f"copy {number}")


def redaction(files: Sequence[Shared], rules: Mapping[str, str], notes: Sequence[str]) -> Document:
    """The account of a run; `rules` are the names of the rules with what they find."""
    meanings = {**KINDS, **rules}
    sums: Counter[str] = Counter()
    for one in files:
        sums.update(one.counts)
    copied = [one for one in files if one.target]
    rows: list[Row] = [
        {
            "what": name,
            "count": sums[name],
            "files": sum(1 for one in files if one.counts.get(name)),
            "help": meanings[name],
        }
        for name in meanings
        if sums[name]
    ]
    by_file: list[Row] = [
        {"file": one.file, "copy": one.target, "format": one.format, "what": name, "count": count}
        for one in files
        for name, count in one.counts.items()
    ]
    lines = [Line(f"{one.file} → {one.target}", name="copy") for one in copied]
    lines += [
        Line(f"{one.file}: {one.why}", name="not_copied", grave=True) for one in files if not one.target
    ]
    table = Table((), (), _COLUMNS, rows, title="replaced")
    return Document(
        schema="llmtel.redact/1",
        title="Redacted",
        blocks=(*lines, *([table] if rows else []), *(Line(note, name="note") for note in notes)),
        tables=(table, Table((), (), _BY_FILE, by_file, title="by_file")),
        meta={
            "tool": TOOL,
            "files": [
                {"file": one.file, "copy": one.target, "format": one.format, "why": one.why} for one in files
            ],
            "notes": list(notes),
        },
    )


def _text(name: str, help_: str) -> Column:
    return Column(name, name, help_, "field")


_WHAT = _text("what", "The rule, or the kind of value")
_COUNT = Column("count", "count", "How often it was replaced", "field", COUNT)
_COLUMNS = (
    _WHAT,
    _COUNT,
    Column("files", "files", "In how many files", "field", COUNT),
    _text("help", "What it is"),
)
_BY_FILE = (
    _text("file", "The file"),
    _text("copy", "Its copy"),
    _text("format", "What it was read as"),
    _WHAT,
    _COUNT,
)
