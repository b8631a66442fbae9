"""Where every record went: the account that each run prints, and the sum that each run checks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace


class Reject(Struct, frozen=True):
    """A record that is not well-formed: where it is and why. Never its bytes, which may hold a secret."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


_CHOICE = re.compile(r"\{([^{}|]*)\|([^{}|]*)\}")


def in_number(said: str, n: int) -> str:
    """A sentence that is declared in both numbers, for `n`: "{n} {call is|calls are} late"."""
    return _CHOICE.sub(lambda found: found[1 if n == 1 else 2], said).replace("{n}", f"{n:,}")


class Note(Struct, frozen=True):
    """Something the reader decided or noticed that a person should know: kind, sentence, how often, where.

    `said` is the sentence in both numbers (`in_number`), where it was declared so.
    """

    kind: str
    text: str
    count: int = 1
    file: str | None = None
    said: str = ""

    @classmethod
    def of(cls, kind: str, said: str, n: int) -> Note:
        """A note on `n` things, of a sentence that is declared in both numbers."""
        return cls(kind, in_number(said, n), n, said=said)


def together(notes: Iterable[Note]) -> list[Note]:
    """Notes of several readings as of one: those that differ in their count alone are one with the sum.

    A note on a file stays as it is, each once.
    """
    found: dict[tuple[str, str | None, str], Note] = {}
    for note in notes:
        text = note.text if note.file is not None else note.text.replace(f"{note.count:,}", "{n}", 1)
        text = note.said or text
        key = (note.kind, note.file, text)
        before = found.get(key)
        if before is None or note.file is not None:
            found[key] = note
        else:
            n = before.count + note.count
            found[key] = replace(note, text=in_number(text, n), count=n)
    return list(found.values())


class Unmatched(Struct, frozen=True):
    """Values of a field that a joined file does not have, each with its calls; `keyless` calls have no value.

    `column` is one of the columns that the file would have given them.
    """

    file: str
    field: str
    column: str
    values: Mapping[str, int]
    keyless: int = 0


class Account(Struct):
    """The fate of every record of a run; `balance` is zero or the reader is wrong.

    A record is what the format iterates: a line, an array element, a span, a CSV row. `reconciled` are the
    calls whose token counts were not read by the plain rule, because their totals tell otherwise.
    `buckets` are those of the calls that are a provider's sums over many. `expired` calls are not stored: a
    store does no longer keep their days.
    `unreadable` and `coerced` count values by field, beside the records: a value that was there and could not
    be used, and one read from another type.
    """

    files: int = 0
    files_rejected: int = 0
    bytes: int = 0
    lines: int = 0
    records: int = 0
    calls: int = 0
    duplicates: int = 0
    rejected: int = 0
    other: int = 0
    blank: int = 0
    unfinished: int = 0
    expired: int = 0
    reconciled: int = 0
    buckets: int = 0
    unreadable: Counter[str] = field(default_factory=Counter)
    coerced: Counter[str] = field(default_factory=Counter)

    PARTS = ("calls", "duplicates", "rejected", "other", "blank", "unfinished", "expired")
    SUMS = ("files", "files_rejected", "bytes", "lines", "records", *PARTS, "reconciled", "buckets")

    @property
    def noun(self) -> str:
        """What its calls are called: a provider's sums are buckets."""
        return "bucket" if self.buckets else "call"

    def balance(self) -> int:
        """Records minus the sum of where they went: 0."""
        parts: int = sum(getattr(self, part) for part in self.PARTS)
        return self.records - parts

    def add(self, other: Account) -> None:
        """Take the counts of another part of the same run into this one."""
        for name in self.SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.unreadable.update(other.unreadable)
        self.coerced.update(other.coerced)
