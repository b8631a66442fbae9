"""One batch to calls: its lines decoded, mapped, placed in their files and accounted for."""

from __future__ import annotations

from collections import Counter

import orjson
import polars as pl
from msgspec import Struct, field

from llmtel.core.account import Account, Reject
from llmtel.sources import cells
from llmtel.sources.batches import Batch, CsvBatch, FrameBatch
from llmtel.sources.counted import (
    Counting,
    RecordOf,
    counted,
    records_of_lines,
    records_of_table,
    with_texts,
)
from llmtel.sources.decode import Decoded, decode, decode_slowly
from llmtel.sources.detect import claimant
from llmtel.sources.faults import CUT_OFF
from llmtel.sources.fingerprints import with_fingerprints
from llmtel.sources.formats import sources
from llmtel.sources.identity import once_in_a_row
from llmtel.sources.mapping import Mapped, map_rows
from llmtel.sources.nesting import decode_nested
from llmtel.sources.plan import Plan
from llmtel.sources.plugins import failed
from llmtel.sources.source import Record, Source
from llmtel.sources.texts import FINGERPRINT, PROMPT

_BLANKS_AND_BOM = b" \t\r\xef\xbb\xbf"


class Taken(Struct):
    """What a batch gave: frames of calls (with `@file`, the file's number), the account, rejects and remarks.

    A remark is counted under the name of the format that makes it and its own. `raw` are decoded rows that
    are not mapped yet: those of several batches are mapped together (`mapped`).
    """

    frames: list[pl.DataFrame] = field(default_factory=list)
    account: Account = field(default_factory=Account)
    rejects: list[Reject] = field(default_factory=list)
    remarks: Counter[tuple[str, str]] = field(default_factory=Counter)
    consumed: int = 0
    raw: pl.DataFrame | None = None
    plan: Plan | None = None


def take(batch: Batch | CsvBatch | FrameBatch, counting: Counting | None = None) -> Taken:
    """One batch decoded, and mapped unless its rows can be mapped together with those of other batches."""
    if isinstance(batch, FrameBatch):
        return _frame_taken(batch)
    decoded = _decoded(batch, counting)
    records = batch.records if isinstance(batch, CsvBatch) else decoded.lines
    account = Account(lines=decoded.lines, records=records, other=decoded.other, blank=decoded.blank)
    taken = Taken(account=account, consumed=batch.consumed)
    _refuse(decoded, batch, taken)
    source = batch.plan.source
    rows = batch.placed(decoded.raw)
    if source.family is not None and isinstance(batch, Batch):
        _take_family(rows, batch, taken, counting)
    elif source.whole or not {PROMPT, FINGERPRINT}.isdisjoint(rows.columns):
        # Texts are not held for longer than a batch.
        _add(_mapped(rows, source), batch.plan, batch.paths, taken)
    else:
        taken.raw, taken.plan = rows.drop("@segment"), batch.plan
    if counting is not None:
        taken.frames = [counted(frame, counting) for frame in taken.frames]
    return taken


def mapped(rows: list[pl.DataFrame], plan: Plan, paths: list[str]) -> Taken:
    """The calls among the decoded rows of several batches of one plan, less the copies near at hand.

    The list of `rows` is empty afterwards, so that nobody holds them longer than they are needed.
    """
    taken = Taken()
    whole = pl.concat(rows, how="diagonal", rechunk=True) if len(rows) > 1 else rows[0]
    rows.clear()
    _add(_mapped(whole, plan.source), plan, paths, taken)
    if plan.source.copies is not None:
        for place, frame in enumerate(taken.frames):
            taken.frames[place], copies = once_in_a_row(frame, plan.source.copies)
            taken.account.calls -= copies
            taken.account.duplicates += copies
    return taken


def _mapped(rows: pl.DataFrame, source: Source) -> Mapped:
    """The calls among raw rows. Raises `PluginError` where the expressions of another package fail."""
    try:
        return map_rows(rows, source)
    except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
        if source.package is None:
            raise
        raise failed(source, error) from error


def _frame_taken(batch: FrameBatch) -> Taken:
    calls = batch.frame.with_columns(pl.lit(batch.file, dtype=pl.UInt32).alias("@file"))
    passes = _passes(calls)
    account = Account(lines=calls.height, records=calls.height, calls=calls.height - passes, other=passes)
    return Taken([calls], account)


def _passes(calls: pl.DataFrame) -> int:
    """Rows that are extra passes of calls, and no calls of their own."""
    return int((calls["request_count"] == 0).sum())


def _refuse(decoded: Decoded, batch: Batch | CsvBatch, taken: Taken) -> None:
    """Lines that are no records: rejected, or unfinished where a file ends with the beginning of one."""
    for row, reason in decoded.rejects:
        if reason == CUT_OFF and row in batch.finals:
            taken.account.unfinished += 1
        else:
            taken.account.rejected += 1
            taken.rejects.append(Reject(*batch.locate(row), reason))


def _add(part: Mapped, plan: Plan, paths: list[str], taken: Taken) -> None:
    account = taken.account
    account.other += part.other.len()
    account.rejected += len(part.rejects)
    taken.rejects += [Reject(paths[file], line, reason) for file, line, reason in part.rejects]
    passes = 0 if plan.source.extra is not None else _passes(part.calls)
    account.calls += part.kept - len(part.rejects) - passes
    account.other += passes
    account.coerced.update(part.coerced)
    account.unreadable.update(part.unreadable)
    taken.remarks.update({(plan.source.name, remark): count for remark, count in part.remarks.items()})
    if part.calls.height:
        taken.frames.append(part.calls)


def _decoded(batch: Batch | CsvBatch, counting: Counting | None) -> Decoded:
    """The raw rows of a batch, with texts where these are counted, and the fate of the rest."""
    plan = batch.plan

    def finished(decoded: Decoded, record_of: RecordOf) -> Decoded:
        if counting is not None:
            decoded.raw = _with_texts(decoded.raw, record_of, plan.source, counting)
        return decoded

    if isinstance(batch, CsvBatch):
        raw = cells.raw_rows(batch.table, batch.places, plan)
        rejects = [(row, reason) for row, reason in batch.bad if reason]
        decoded = Decoded(raw, batch.lines, blank=len(batch.bad) - len(rejects), rejects=rejects)
        return finished(decoded, records_of_table(batch.table, batch.places))
    if plan.source.records is None:
        return finished(decode(batch.data, plan, batch.lines), records_of_lines(batch.data))
    return decode_nested(batch.data, plan, finished)


def _with_texts(raw: pl.DataFrame, record_of: RecordOf, source: Source, counting: Counting) -> pl.DataFrame:
    if counting.fingerprints:
        raw = with_fingerprints(raw, record_of, source)
    return with_texts(raw, record_of, source, every=counting.every)


def _take_family(rows: pl.DataFrame, batch: Batch, taken: Taken, counting: Counting | None) -> None:
    """Rows of a file that may mix the formats of a family: what its own does not take, another may claim."""
    own = _mapped(rows, batch.plan.source)
    _add(own, batch.plan, batch.paths, taken)
    if not own.other.len():
        return
    lines = batch.data.split(b"\n")
    for (name, _), found in _claimed(own.other.to_list(), lines, batch.plan.source).items():
        source = sources()[name]
        records = list(found.values())
        bound = source.bind(records, source) if source.bind is not None else source
        plan = Plan(batch.plan.shaped(bound, records))
        data = b"\n".join(lines[row] for row in found) + b"\n"
        raw = decode_slowly(data, plan).raw
        if counting is not None:
            raw = _with_texts(raw, records_of_lines(data), plan.source, counting)
        places = pl.Series("row", list(found), dtype=pl.UInt32).gather(raw["row"])
        part = _mapped(batch.placed(raw.with_columns(places)), plan.source)
        _add(part, plan, batch.paths, taken)
        taken.account.other -= len(found)


def _claimed(
    rows: list[int], lines: list[bytes], own: Source
) -> dict[tuple[str, str | None], dict[int, Record]]:
    """The records that another format of the family claims, by row, for each format and place of the body."""
    groups: dict[tuple[str, str | None], dict[int, Record]] = {}
    for row in rows:
        record = orjson.loads(lines[row].strip(_BLANKS_AND_BOM))
        name = None if own.claims(record) else claimant(record)
        if name is not None and sources()[name].family == own.family:
            groups.setdefault((name, sources()[name].prefix_in(record)), {})[row] = record
    return groups
