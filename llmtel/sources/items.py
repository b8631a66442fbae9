"""What comes of opening files: batches of their records, and what happened to each file."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from llmtel.core.account import Account
from llmtel.sources.batches import Batch, CsvBatch, FrameBatch
from llmtel.sources.detect import Verdict
from llmtel.sources.maps import Mapped
from llmtel.sources.plan import Plan
from llmtel.sources.source import Record


class Mishap(Struct, frozen=True):
    """A file that could not be decoded, that nobody claims, or (no reason) that is empty.

    `records` are the first ones of a file that opens well and that nobody claims.
    """

    path: str
    reason: str
    account: Account
    records: Sequence[Record] = ()


class Seen(Struct, frozen=True):
    """A file that is being read: its number among the inputs, its format, and what was decided for it.

    `absent` are the mapped fields whose path is in no record looked at, each with a sentence about it;
    `sample` are the records looked at, where they are wanted; `unfinished`: a line at its end was left.
    """

    path: str
    file: int
    format: str | None
    bytes: int = 0
    plan: Plan | None = None
    verdict: Verdict | None = None
    absent: tuple[tuple[Mapped, str], ...] = ()
    sample: Sequence[Record] = ()
    unfinished: bool = False


Item = Batch | CsvBatch | FrameBatch | Mishap | Seen
