"""Paths to calls: the left half of the hourglass, told in one page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import polars as pl
from msgspec import Struct

from llmtel.core.account import Account, Note, Reject
from llmtel.core.errors import UnreadableInput, UsageError
from llmtel.core.schema import complete, empty_calls
from llmtel.reading import Input, Reading, counted
from llmtel.sources.counted import COUNTED, Counting, TokenizerOf
from llmtel.sources.files import Inputs, expand
from llmtel.sources.fingerprints import MOST_BYTES, with_cases
from llmtel.sources.formats import troubles
from llmtel.sources.identity import deduplicated
from llmtel.sources.items import Mishap, Seen
from llmtel.sources.maps import TYPED, Rule
from llmtel.sources.openings import OWN
from llmtel.sources.read import read_calls
from llmtel.sources.source import Record
from llmtel.sources.usage import RECONCILED
from llmtel.sources.wishes import Wishes

_TOLD = 5
"""Reasons why nothing could be read that are told in full."""


_NO_WISHES = Wishes()


class NoFormat(UnreadableInput):
    """Nothing could be read because no format claims it: `records` are the first of the file at `path`."""

    def __init__(self, unread: UnreadableInput, path: str, records: Sequence[Record]) -> None:
        super().__init__(str(unread), unread.account, unread.rejects, unread.notes)
        self.path = path
        self.records = records


class Gathered(Struct, frozen=True):
    """What was read of some files: `calls` as the reader has them, copies and all, and the fate of the rest.

    `calls` have `@file` (the number of the file among the inputs) and what tells which copy is preferred;
    `unclaimed` are the named files that open well and that no format claims.
    """

    calls: pl.DataFrame
    account: Account
    rejects: tuple[Reject, ...]
    notes: tuple[Note, ...]
    seen: tuple[Seen, ...]
    unclaimed: tuple[Mishap, ...] = ()


def gather(
    inputs: Inputs,
    *,
    input_format: str | None = None,
    wishes: Wishes = _NO_WISHES,
    progress: Callable[[int, int], None] | None = None,
    counting: Counting | None = None,
) -> Gathered:
    """The calls of some files with all their copies, and none where there are none; options as in `read`."""
    total = sum(inputs.sizes.values())
    told = None if progress is None else lambda done: progress(done, total)
    found = read_calls(inputs, input_format, wishes, told, counting)
    notes = (*(Note("plugin", text) for text in troubles()), *found.notes)
    rejects = tuple(sorted(found.rejects, key=lambda r: (r.file, r.line)))
    calls = _one_frame(found.frames, inputs.files)
    return Gathered(calls, found.account, rejects, notes, tuple(found.seen), tuple(found.unclaimed))


def read(  # noqa: PLR0913 (each is a wish of some command, and has a default)
    paths: Sequence[str],
    *,
    input_format: str | None = None,
    tags: Sequence[str] = (),
    rules: Sequence[Rule] = (),
    progress: Callable[[int, int], None] | None = None,
    tokenizer: TokenizerOf | None = None,
    count_all: bool = False,
    fingerprints: bool = False,
    samples: bool = False,
    through: Callable[[Inputs, Callable[[Inputs], Gathered]], Gathered] | None = None,
) -> Reading:
    """The calls of some paths: files, folders, globs or `-`.

    `tags` are extra keys to keep, `rules` fields to read from where a person says. `progress` is told bytes
    done and bytes in all. With a `tokenizer` the tokens of calls that have texts and no counts are counted,
    with `count_all` those of every call, beside what is logged; with `fingerprints` calls without a case have
    the hash of their prompt as one, where prompts are as cases are. `samples` keeps some records of every
    file. `through`, a cache, gives what is read of inputs and asks for what it has not. Raises `UsageError`
    for a path that does not exist and for a `--map` that finds nothing,
    `UnreadableInput` when there was input and nothing of it could be read.
    """
    inputs = expand(paths)
    asked = fingerprints and sum(inputs.sizes.values()) <= MOST_BYTES
    counting = None if tokenizer is None else Counting(tokenizer, count_all, asked)
    wishes = Wishes(tuple(rules), tuple(tags), samples)
    reader = partial(gather, input_format=input_format, wishes=wishes, progress=progress, counting=counting)
    found = reader(inputs) if through is None else through(inputs, reader)
    refuse_unread(found, paths, inputs)
    calls, duplicates, met = deduplicated(with_cases(found.calls))
    account = found.account
    account.calls -= duplicates
    account.duplicates += duplicates
    account.buckets = int((calls["grain"] == "bucket").sum())
    account.reconciled = int(calls[RECONCILED].sum()) if RECONCILED in calls.columns else 0
    twice = _given_twice(calls) if account.buckets else ()
    notes = (*found.notes, *met, *counted(calls), *skipped(inputs.skipped), *twice)
    counts = dict(calls["@file"].value_counts().iter_rows()) if "@file" in calls.columns else {}
    reading = Reading(
        complete(calls), account, found.rejects, notes,
        tuple(_input(seen, counts) for seen in found.seen),
        _beside(calls) if count_all else None,
    )  # fmt: skip
    if account.balance():
        msg = f"the account does not add up: {account}"
        raise AssertionError(msg)
    refuse_vain(rules, found.seen, reading.calls)
    return reading


def refuse_vain(rules: Sequence[Rule], seen: Sequence[Seen], calls: pl.DataFrame) -> None:
    """Raise where a path that was typed stands in no file, nor is the field known otherwise."""
    mapped = [dict(one.absent) for one in seen if one.format != OWN]
    for one in (field for rule in rules for field in rule.fields if field.origin == TYPED):
        if not mapped:
            raise UsageError(
                f"--map {one.field}={one.path}: what is read are calls already, whose fields are set"
            )
        known = one.field in calls.columns and calls[one.field].null_count() < calls.height
        if not known and all(one in absent for absent in mapped):
            raise UsageError(mapped[0][one])


def _one_frame(frames: list[pl.DataFrame], files: list[str]) -> pl.DataFrame:
    """All calls, each with the name of its file (those of a Parquet file keep the one they came from)."""
    if not frames:
        return empty_calls()
    names = pl.Series("file", files, dtype=pl.Categorical)
    # Frame by frame: a column in one piece beside those in many would be aligned by each query anew.
    named = [_with_names(frame, names.gather(frame["@file"])) for frame in frames]
    return pl.concat(named, how="diagonal") if len(named) > 1 else named[0]


def _with_names(calls: pl.DataFrame, names: pl.Series) -> pl.DataFrame:
    own = pl.col("file").cast(names.dtype)
    return calls.with_columns(pl.coalesce(own, names) if "file" in calls.columns else names)


def _given_twice(calls: pl.DataFrame) -> list[Note]:
    """A note on buckets that stand in two files with the same numbers: nothing else tells an export again."""
    facts = [name for name in calls.columns if name not in {"@file", "file", "line", "format"}]
    buckets = calls.lazy().filter(pl.col("grain") == "bucket")
    groups = buckets.group_by(facts).agg(pl.col("@file").n_unique().alias("@files")).collect()
    n = groups.filter(pl.col("@files") > 1).height
    text = f"buckets that stand in two files with the same numbers: {n:,}; an export given twice counts twice"
    return [Note("given_twice", text, n)] if n else []


def _beside(calls: pl.DataFrame) -> pl.DataFrame:
    """What was counted of each call's texts; null where no call had any."""
    names = zip(("prompt", "output"), COUNTED, strict=True)
    unknown = pl.repeat(None, pl.len(), dtype=pl.Int64)  # a literal alone would be one row
    return calls.select(
        (pl.col(column) if column in calls.columns else unknown).alias(name) for name, column in names
    )


def _input(seen: Seen, counts: dict[int, int]) -> Input:
    n = counts.get(seen.file, 0)
    return Input(seen.path, seen.format, seen.bytes, n, seen.verdict, seen.plan, seen.sample)


def skipped(left_out: Iterable[tuple[str, str]]) -> list[Note]:
    """Notes on what a walk through folders left out: (why, path) of each."""
    kinds: dict[str, list[str]] = {}
    for why, path in left_out:
        kinds.setdefault(why, []).append(path)
    return [
        Note(
            "skipped",
            f"skipped ({why}): {members[0]}" + (f" and {len(members) - 1} more" if members[1:] else ""),
            len(members),
        )
        for why, members in kinds.items()
    ]


def refuse_unread(found: Gathered, paths: Sequence[str], inputs: Inputs) -> None:
    """Raise `UnreadableInput` where there was input and nothing of it could be read; `paths` named it."""
    account = found.account
    read = account.calls + account.other + account.unfinished
    if read or (account.files and not account.files_rejected and not account.rejected):
        return
    reasons = [note.text for note in found.notes if note.kind in ("plugin", "file_rejected")]
    reasons += [str(reject) for reject in found.rejects]
    reasons += [f"{path}: {why}" for why, path in inputs.skipped]
    if not reasons:
        reasons = [f"{path}: no files in it" for path in paths]
    more = f"\n… and {len(reasons) - _TOLD} more" if len(reasons) > _TOLD else ""
    msg = "nothing could be read:\n" + "\n".join(reasons[:_TOLD]) + more
    unread = UnreadableInput(msg, account, tuple(found.rejects), (*found.notes, *skipped(inputs.skipped)))
    if found.unclaimed:
        raise NoFormat(unread, found.unclaimed[0].path, found.unclaimed[0].records)
    raise unread
