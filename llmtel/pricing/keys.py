"""The few different circumstances among many calls: what a rate card depends on, as small columns.

A call's day, size and hour matter only against the days, thresholds and hours that the prices of its model
name, so each is reduced to how many of those it has reached. Calls with equal keys have the same rate card.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from itertools import accumulate
from typing import Any, TypeVar

import polars as pl
from msgspec import Struct

from llmtel.core.schema import INPUT_LEAVES
from llmtel.pricing.entries import Book, Price
from llmtel.pricing.match import Match
from llmtel.pricing.rates import Circumstances, effective

S = TypeVar("S")
T = TypeVar("T")

NAME = "name"
"""The column that numbers what a call's model and provider are called."""

_EPOCH = date(1970, 1, 1)
_MINUTE = 60_000_000
_DAY = 24 * 60 * _MINUTE
"""Microseconds."""

_PIECE = 2**18
"""Calls of one piece of memory that are looked at together."""
_LEAST = 2**15
"""Pieces that are smaller on the average are looked at as if they were one."""

_TELLING = ("ts", "input_uncached", "output_text")
"""Columns that lie as all others do, unless they have one value."""

_WIDEST = 2**22
"""Codes up to here are looked up in a list."""

_STANDARD = frozenset({"", "auto", "default", "standard", "on_demand"})
"""Service tiers that mean the list price (`on_demand` is Groq's and Amazon's word for it)."""


class Grid(Struct, frozen=True):
    """Where the prices of some models change: UTC days, input sizes, minutes of the day, regions."""

    days: tuple[date, ...]
    thresholds: tuple[int, ...]
    minutes: tuple[int, ...]
    regions: frozenset[str]

    @classmethod
    def of(cls, matches: Iterable[Match], book: Book) -> Grid:
        """The grid of the models that names led to."""
        models = {id(m.model): m.model for m in matches if m.model is not None}.values()
        rows = [
            (price, book.providers[model.provider].tier_inclusive)
            for model in models
            for price in model.prices
        ]
        agreed = {day for discount in book.discounts for day in discount.edges()}
        return cls(
            days=tuple(sorted({price.start for price, _ in rows if price.start is not None} | agreed)),
            thresholds=tuple(sorted({effective(t, inclusive=at) for price, at in rows for t in price.tiers})),
            minutes=tuple(sorted({minute for price, _ in rows for minute in _edges(price)})),
            regions=frozenset(region for model in models for region in model.region_factor),
        )

    def keys(self, calls: pl.DataFrame) -> list[pl.Expr]:
        """The key columns of calls: `NAME`, and what varies among them and a rate card can rest on."""
        keys = [pl.col(NAME)]
        # Microseconds since 1970: reading hours out of a time with a zone is ten times slower.
        moment = pl.col("ts").to_physical()
        if self.days:
            midnights = [(day - _EPOCH) // timedelta(microseconds=1) for day in self.days]
            keys.append(_reached(moment, midnights).alias("epoch"))
        size = pl.sum_horizontal(pl.col(leaf).cast(pl.Float64) for leaf in INPUT_LEAVES)
        bucket = (pl.col("request_count") > 1).fill_null(value=False)
        bucket |= (pl.col("grain") == "bucket").fill_null(value=False)
        # No call is larger than the largest of every leaf together, which are found in no time.
        most = pl.sum_horizontal(pl.col(leaf).max().clip(lower_bound=0) for leaf in INPUT_LEAVES)
        if self.thresholds and calls.select((most > self.thresholds[0]) | bucket.any()).item():
            above = _reached(size, [float(threshold + 1) for threshold in self.thresholds])
            keys += [pl.when(~bucket).then(above).otherwise(0).alias("band"), bucket.alias("bucket")]
        if self.minutes:
            keys.append(_reached(moment % _DAY // _MINUTE, self.minutes).alias("slot"))
        logged = ["batch", "service_tier", *(["region"] if self.regions else [])]
        keys += [pl.col(name) for name in logged if calls[name].null_count() < calls.height]
        return keys

    def circumstances(self, key: Mapping[str, Any]) -> Circumstances:
        """What a row of `keys` stands for, each number represented by the least that has the same key."""
        epoch, slot = key.get("epoch"), key.get("slot")
        band = key.get("band") or 0
        return Circumstances(
            day=None if epoch is None else self.days[epoch - 1] if epoch else date.min,
            input_tokens=self.thresholds[band - 1] + 1 if band else 0,
            minute=None if slot is None else self.minutes[slot - 1] if slot else 0,
            mode=_mode(key.get("batch"), key.get("service_tier")),
            region=(key.get("region") or "").strip().lower() or None,
            bucket=bool(key.get("bucket")),
        )


def in_pieces(calls: pl.DataFrame) -> Iterable[pl.DataFrame]:
    """The calls some at a time, as they lie in memory.

    What is made of a piece on the way is small, and its memory is taken only once: fresh memory for columns
    of ten million calls takes longer than what is done with them. What is made in the end lies as the calls
    do: otherwise Polars puts all columns in one piece, which takes them twice.
    """
    # Columns of one value have no pieces, and to look at all of them would make each of its value.
    sizes = max((calls[name].chunk_lengths() for name in _TELLING), key=len)
    if len(sizes) < 2 or calls.height < _LEAST * len(sizes):  # noqa: PLR2004 (one piece)
        return calls.iter_slices(_PIECE) if calls.height else [calls]
    return map(calls.slice, accumulate(sizes[:-1], initial=0), sizes)


def of_each(calls: pl.DataFrame, work: Callable[[pl.DataFrame], T]) -> list[T]:
    """What is made of each piece of some calls, in order; several at a time: Polars lets Python go on."""
    return _at_once(list(in_pieces(calls)), work)


def _at_once(pieces: Sequence[S], work: Callable[[S], T]) -> list[T]:
    if len(pieces) == 1:
        return [work(pieces[0])]
    # A thread that waits for Python's lock leaves its core to another.
    with ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        return list(pool.map(work, pieces))


def numbered(keys: Sequence[pl.DataFrame]) -> tuple[pl.DataFrame, pl.Series]:
    """The distinct rows of the keys of calls, and for each call the number of its own among them.

    `keys` are those of the pieces of the calls; a column that a piece does not have is null there.
    """
    parts = _at_once(keys, _numbered)
    distinct, number = _numbered(pl.concat([different for different, _ in parts], how="diagonal"))
    heights = [different.height for different, _ in parts]
    starts = accumulate(heights[:-1], initial=0)
    own = [number.slice(start, height) for start, height in zip(starts, heights, strict=True)]
    places = [at for _, at in parts]
    return distinct, pl.concat(_at_once(range(len(parts)), lambda i: own[i].gather(places[i])))


def _numbered(keys: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """The same of one piece.

    Columns are digits of one number: to tell rows of several columns apart takes five times as long.
    """
    number, width = None, 1
    for column in keys:
        if column.null_count() < keys.height:
            digit, size = _digit(column)
            if number is None:
                number, width = digit, size
                continue
            if width * size > _WIDEST:
                (number, width), (digit, size) = _dense(number, width), _dense(digit, size)
            number, width = number * size + digit, width * size
    if number is None:
        number = pl.zeros(keys.height, dtype=pl.UInt64, eager=True)
    if width <= _WIDEST:
        codes = number.cast(pl.UInt32)  # to look up by which takes half as long
        first = codes.arg_unique()
        number = _in_order(codes, codes.gather(first), width)
    else:
        first = number.arg_unique()
        number = number.rank("dense") - 1
        first = first.gather(number.gather(first).arg_sort())
    return keys[first], number


def _digit(column: pl.Series) -> tuple[pl.Series, int]:
    """The values of a column as numbers from 0 on (the highest is null), and how many there may be."""
    codes = (column.to_physical() if column.dtype == pl.Categorical else column).cast(pl.UInt64)
    highest = int(codes.max() or 0) + 1  # type: ignore[arg-type]  # of unsigned integers
    return codes.fill_null(highest) if codes.null_count() else codes, highest + 1


def _dense(codes: pl.Series, size: int) -> tuple[pl.Series, int]:
    """Different codes as the numbers from 0 on, and how many there are."""
    found = codes.unique()
    ranks = codes.rank("dense") - 1 if size > _WIDEST else _in_order(codes, found, size)
    return ranks.cast(pl.UInt64), len(found)


def _in_order(codes: pl.Series, found: pl.Series, size: int) -> pl.Series:
    """For each code, of which there may be `size`, its place in `found`."""
    places = pl.zeros(size, dtype=pl.UInt32, eager=True)
    return places.scatter(found, pl.int_range(len(found), dtype=pl.UInt32, eager=True)).gather(codes)


def _edges(price: Price) -> Iterable[int]:
    return () if price.off_peak is None else (edge for window in price.off_peak.windows for edge in window)


def _reached(value: pl.Expr, marks: Sequence[float]) -> pl.Expr:
    """How many of the rising `marks` a value has reached; null if it is unknown."""
    count = pl.lit(pl.Series(marks)).search_sorted(value, side="right")
    return pl.when(value.is_not_null()).then(count.cast(pl.UInt16))


def _mode(batch: bool | None, service_tier: str | None) -> str | None:  # noqa: FBT001 (a field of a call)
    tier = (service_tier or "").strip().lower()
    if batch:
        return "batch"
    return None if tier in _STANDARD else tier
