"""The parts of a cache put together: what one reading of all files would have given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import polars as pl
from msgspec.structs import replace

from llmtel.cache.parts import Part
from llmtel.core.account import Account, Note, Reject, together
from llmtel.core.schema import empty_calls
from llmtel.pipeline import Gathered
from llmtel.sources.files import Inputs
from llmtel.sources.items import Seen
from llmtel.sources.maps import Rule


def whole(
    frames: list[tuple[Part, pl.DataFrame]], unkept: list[Gathered], inputs: Inputs, rules: tuple[Rule, ...]
) -> Gathered:
    """All parts as one reading of the inputs."""
    account = Account()
    for part, _ in frames:
        told = {**part.account, "unreadable": Counter(part.account["unreadable"])}
        account.add(Account(**{**told, "coerced": Counter(part.account["coerced"])}))
        inputs.skipped += [(why, path) for why, path in part.skipped]
    calls = [numbered(frame, [file.path for file in part.files], inputs) for part, frame in frames]
    rejects = [Reject(*one) for part, _ in frames for one in part.rejects]
    notes = [Note(*one) for part, _ in frames for one in part.notes]
    seen = {one.path: one for part, _ in frames for one in _seen(part, inputs, rules)}
    for found in unkept:
        account.add(found.account)
        calls.append(found.calls)
        rejects += found.rejects
        notes += found.notes
        seen |= {one.path: replace(one, file=inputs.files.index(one.path)) for one in found.seen}
    held = [frame for frame in calls if frame.height]
    every = pl.concat(held, how="diagonal_relaxed").rechunk() if held else empty_calls()
    if held and not every["@file"].is_sorted():
        every = every.sort("@file", maintain_order=True)
    return Gathered(
        every,
        account,
        tuple(sorted(rejects, key=lambda one: (one.file, one.line))),
        tuple(_in_order(notes, inputs)),
        tuple(sorted(seen.values(), key=lambda one: one.file)),
        tuple(one for found in unkept for one in found.unclaimed),
    )


def numbered(calls: pl.DataFrame, files: list[str], inputs: Inputs) -> pl.DataFrame:
    """Calls of a part with the numbers that its files have among the inputs."""
    if not calls.height:
        return calls
    order = {path: number for number, path in enumerate(inputs.files)}
    numbers = pl.Series([order.get(path) for path in files], dtype=pl.UInt32)
    return calls.with_columns(numbers.gather(calls["@file"]).alias("@file"))


def _seen(part: Part, inputs: Inputs, rules: tuple[Rule, ...]) -> Iterator[Seen]:
    mapped = {(one.field, one.path): one for rule in rules for one in rule.fields}
    order = {path: number for number, path in enumerate(inputs.files)}
    for path, name, size, absent in part.seen:
        told = tuple((mapped[of, at], words) for of, at, words in absent)
        yield Seen(path, order[path], name, size, absent=told)


def _in_order(notes: list[Note], inputs: Inputs) -> list[Note]:
    """Notes as one reading tells them: of the reader, of each file, and remarks with their sums."""
    order = {path: number for number, path in enumerate(inputs.files)}
    ranks = {"plugin": -1}
    last = len(order)

    def place(note: Note) -> tuple[int, str]:
        if note.file is not None:
            return order.get(note.file, last), ""
        return ranks.get(note.kind, last + 1), note.kind

    return sorted(together(notes), key=place)
