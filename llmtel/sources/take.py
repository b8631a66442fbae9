"""One batch to calls: its lines decoded, mapped, placed in their files and accounted for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import orjson
import polars as pl

from llmtel.core.account import Account, Reject
from llmtel.sources import cells
from llmtel.sources.batches import Batch, CsvBatch, FrameBatch
from llmtel.sources.decode import CUT_OFF, Decoded, decode, decode_slowly
from llmtel.sources.detect import claimant
from llmtel.sources.formats import sources
from llmtel.sources.mapping import Mapped, map_rows
from llmtel.sources.plan import Plan


@dataclass
class Taken:
    """What a batch gave: frames of calls (with `@file`, the file's number), the account, rejects and remarks.

    A remark is counted under the name of the format that makes it and its own.
    """

    frames: list[pl.DataFrame] = field(default_factory=list)
    account: Account = field(default_factory=Account)
    rejects: list[Reject] = field(default_factory=list)
    remarks: Counter[tuple[str, str]] = field(default_factory=Counter)
    consumed: int = 0


def take(batch: Batch | CsvBatch | FrameBatch, *, slowly: bool = False) -> Taken:
    """The calls of one batch. `slowly` looks at every line."""
    if isinstance(batch, FrameBatch):
        return _frame_taken(batch)
    decoded = _decoded(batch, slowly=slowly)
    source = batch.plan.source
    mapped = map_rows(batch.with_segments(decoded.raw) if source.whole else decoded.raw, source)
    parts = [(mapped, source.name)]
    if source.family is not None and mapped.other.len() and isinstance(batch, Batch):
        parts += _dispatched(batch, mapped.other)
    taken = Taken(account=Account(lines=batch.lines, records=batch.records, blank=decoded.blank), consumed=batch.consumed)
    taken.account.other = decoded.other + mapped.other.len() - sum(part.kept for part, _ in parts[1:])
    _refuse(decoded, batch, taken)
    for part, name in parts:
        _add(part, name, batch, taken)
    return taken


def _frame_taken(batch: FrameBatch) -> Taken:
    calls = batch.frame.with_columns(pl.lit(batch.file, dtype=pl.UInt32).alias("@file"))
    count = calls.height - calls.filter(pl.col("request_count") == 0).height
    return Taken([calls], Account(lines=count, records=count, calls=count))


def _refuse(decoded: Decoded, batch: Batch | CsvBatch, taken: Taken) -> None:
    """Lines that are no records: rejected, or unfinished where the last line of a file is the beginning of one."""
    for row, reason in decoded.rejects:
        if reason == CUT_OFF and row in batch.finals:
            taken.account.unfinished += 1
        else:
            taken.account.rejected += 1
            taken.rejects.append(Reject(*batch.locate(row), reason))


def _add(part: Mapped, name: str, batch: Batch | CsvBatch, taken: Taken) -> None:
    account = taken.account
    account.rejected += len(part.rejects)
    taken.rejects += [Reject(*batch.locate(row), reason) for row, reason in part.rejects]
    account.calls += part.kept - len(part.rejects)
    account.coerced.update(part.coerced)
    account.unreadable.update(part.unreadable)
    taken.remarks.update({(name, remark): count for remark, count in part.remarks.items()})
    if part.calls.height:
        taken.frames.append(batch.placed(part.calls, name))


def _decoded(batch: Batch | CsvBatch, *, slowly: bool) -> Decoded:
    if isinstance(batch, CsvBatch):
        raw = cells.raw_rows(batch.header, batch.rows, batch.places, batch.plan)
        blank = sum(not reason for _, reason in batch.bad)
        return Decoded(raw, batch.lines, blank=blank, rejects=[(row, reason) for row, reason in batch.bad if reason])
    return decode_slowly(batch.data, batch.plan) if slowly else decode(batch.data, batch.plan, batch.lines)


def _dispatched(batch: Batch, rows: pl.Series) -> list[tuple[Mapped, str]]:
    """Records of a mixed file that the file's own format does not take, each read by the format that claims it."""
    lines = batch.data.split(b"\n")
    groups: dict[str, list[int]] = {}
    for row in rows.to_list():
        record = orjson.loads(lines[row].strip(b" \t\r\xef\xbb\xbf"))
        name = claimant(record)
        if name is not None and sources()[name].family == batch.plan.source.family:
            groups.setdefault(f"{name} {sources()[name].prefix_in(record)}", []).append(row)
    parts = []
    for key, members in groups.items():
        source = sources()[key.split(" ")[0]]
        records = [orjson.loads(lines[row].strip(b" \t\r\xef\xbb\xbf")) for row in members]
        plan = Plan(source.bind(records, source) if source.bind else source)
        decoded = decode_slowly(b"\n".join(lines[row] for row in members) + b"\n", plan)
        places = pl.Series("row", members, dtype=pl.UInt32)
        mapped = map_rows(decoded.raw.with_columns(places.gather(decoded.raw["row"]).alias("row")), plan.source)
        parts.append((mapped, source.name))
    return parts
