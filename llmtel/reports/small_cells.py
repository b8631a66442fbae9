"""Tables and findings about the same calls as cells: which of their rows have too few people behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import islice
from operator import and_

import numpy as np
import polars as pl

from llmtel.core.answers import HELD_BACK, SMALL, Cell, Table, Value
from llmtel.core.schema import FIELDS
from llmtel.privacy import suppression
from llmtel.privacy.suppression import Cells
from llmtel.query.dimensions import dimension

WHO = ("user", "session")
"""Who is behind a call, the first that is known."""


def suppressed(
    calls: pl.DataFrame, tables: Sequence[Table], segments: Sequence[Sequence[Cell]], k: int, tz: str
) -> tuple[list[list[str | None]], list[bool]]:
    """For each row of the tables why it has no values, and for each group of segments whether one is hidden.

    All are shown together. `k` people are enough; with 1, nothing is hidden.
    """
    sizes = [*(len(table.rows) for table in tables), *map(len, segments)]
    if k == 1 or not sum(sizes):
        return [[None] * len(table.rows) for table in tables], [False] * len(segments)
    places = {f"table {i}": (_places(calls, table, tz), len(table.rows)) for i, table in enumerate(tables)}
    places |= {
        f"segment {i}.{j}": (
            calls.select(
                pl.repeat(0, pl.len(), dtype=pl.Int32) - (~_within(cell, tz)).cast(pl.Int32)
            ).to_series(),
            1,
        )
        for i, cells in enumerate(segments)
        for j, cell in enumerate(cells)
    }
    numbers = [i for i, size in enumerate(sizes) for _ in range(size)]
    small, held = suppression.suppressed(_cells(calls, places, numbers), k)
    reasons = iter(_reasons(small, held, k))
    why = [list(islice(reasons, size)) for size in sizes]
    return why[: len(tables)], [any(group) for group in why[len(tables) :]]


def _people() -> pl.Expr:
    """How many are behind some calls: users, or, where none is known, sessions."""
    users, sessions = (pl.col(name).drop_nulls().n_unique() for name in WHO)
    return pl.when(users > 0).then(users).otherwise(sessions)


def enough(calls: pl.DataFrame, by: Sequence[str], k: int) -> bool:
    """Whether every group of calls is of `k` people at least."""
    return k == 1 or bool((calls.group_by(by).agg(people=_people())["people"] >= k).all())


def of_many(calls: pl.DataFrame, by: Sequence[str], k: int) -> pl.DataFrame:
    """The calls of the groups that are of `k` people at least, in their order."""
    if not by:
        return calls if calls.select(_people()).item() >= k else calls.clear()
    groups = calls.group_by(by).agg(people=_people()).filter(pl.col("people") >= k).select(by)
    return calls.join(groups, on=by, how="semi", nulls_equal=True, maintain_order="left")


def _reasons(small: suppression.Flags, held: suppression.Flags, k: int) -> Iterator[str | None]:
    for few, follows in zip(small, held, strict=True):
        yield SMALL.format(k) if few else HELD_BACK if follows else None


def _places(calls: pl.DataFrame, table: Table, tz: str) -> pl.Series:
    """For each call the number of its row; −1 where none is."""
    if not table.by:
        return pl.Series([0], dtype=pl.Int32).new_from_index(0, len(calls))
    named = [(i, row) for i, row in enumerate(table.rows) if not row.get("pooled")]
    rest = next((i for i, row in enumerate(table.rows) if row.get("pooled")), -1)
    keys = {name: [None if row[name] is None else str(row[name]) for _, row in named] for name in table.by}
    rows = pl.DataFrame(
        {**keys, "@": [i for i, _ in named]}, {**dict.fromkeys(keys, pl.String), "@": pl.Int32}
    )
    asked = calls.select(dimension(name).value(tz).cast(pl.String).alias(name) for name in table.by)
    found = asked.join(rows, on=list(table.by), how="left", nulls_equal=True, maintain_order="left")
    return found["@"].fill_null(rest)


def _within(cell: Cell, tz: str) -> pl.Expr:
    """Which calls are of a segment."""
    return reduce(and_, (_is(name, value, tz) for name, value in cell.items()), pl.lit(value=True))


def _is(name: str, value: Value | tuple[Value, ...], tz: str) -> pl.Expr:
    of = (pl.col(name) if name in FIELDS else dimension(name).value(tz)).cast(pl.String)
    values = value if isinstance(value, tuple) else (value,)
    known = [str(one) for one in values if one is not None]
    return (of.is_in(known) & of.is_not_null()) | (of.is_null() if None in values else pl.lit(value=False))


def _cells(calls: pl.DataFrame, places: Mapping[str, tuple[pl.Series, int]], table: Sequence[int]) -> Cells:
    """Rows over the finest groups of calls, and who has calls in each.

    `places` say for each call its row of a table, and how many rows that has.
    """
    whose = calls.select(pl.col(name).cast(pl.String) for name in WHO)
    frame = whose.with_columns(place.alias(name) for name, (place, _) in places.items())
    groups = frame.select(list(places)).unique(maintain_order=True).with_row_index("group")
    people = (
        frame.unique()
        .join(groups, on=list(places), how="left")
        .filter(pl.any_horizontal(pl.col(name).is_not_null() for name in WHO))
        .select(
            "group",
            stand_in=pl.col("user").is_null(),
            person=pl.coalesce(WHO).rank("dense"),
        )
    )
    members = [groups[name].to_numpy() == i for name, (_, size) in places.items() for i in range(size)]
    return Cells(
        np.array(members, dtype=bool).reshape(len(members), len(groups)),
        np.array(table, dtype=np.int64),
        people["group"].to_numpy().astype(np.int64),
        people["person"].to_numpy().astype(np.int64),
        people["stand_in"].to_numpy().astype(bool),
    )
