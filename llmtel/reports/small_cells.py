"""Tables and findings about the same calls as cells: which of their rows have too few people behind them."""

from __future__ import annotations

from collections.abc import Sequence
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

    All are shown together. `k` people are enough; with 1, nothing is hidden. As all calls are shown too, the
    calls outside of a segment are a row like those in it.
    """
    places = [(_places(calls, table, tz), len(table.rows)) for table in tables]
    places += [(_place(calls, cell, tz), 2) for cells in segments for cell in cells]
    sizes = [*(len(table.rows) for table in tables), *(2 * len(cells) for cells in segments)]
    numbers = [i for i, size in enumerate(sizes) for _ in range(size)]
    if k == 1 or not numbers:
        reasons: list[str | None] = [None] * len(numbers)
    else:
        reasons = _reasons(*suppression.suppressed(_cells(calls, places, numbers), k), k)
    told = iter(reasons)
    why = [list(islice(told, size)) for size in sizes]
    return why[: len(tables)], [any(group) for group in why[len(tables) :]]


def of_both(
    sides: Sequence[pl.DataFrame], tables: Sequence[tuple[pl.Expr, Table]], k: int, tz: str
) -> list[list[str | None]]:
    """For each row of tables over the calls of several sides that meet a condition why it has no values.

    A row that one side must hide has none of another.
    """
    numbers = [i for i, (_, table) in enumerate(tables) for _ in table.rows]
    if k == 1 or not numbers:
        return [[None] * len(table.rows) for _, table in tables]
    every = []
    for side in sides:
        met = [pl.when(where).then(_places(side, table, tz)).otherwise(-1) for where, table in tables]
        places = side.select(one.alias(str(i)) for i, one in enumerate(met)).get_columns()
        every.append(
            _cells(side, [(p, len(t.rows)) for p, (_, t) in zip(places, tables, strict=True)], numbers)
        )
    small = held = np.zeros(len(numbers), dtype=bool)
    before = -1
    while before < (before := int((small | held).sum())):
        for cells in every:
            few, more = suppression.suppressed(cells, k, small | held)
            small, held = small | few, held | more
    told = iter(_reasons(small, held & ~small, k))
    return [list(islice(told, len(table.rows))) for _, table in tables]


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


def _reasons(small: suppression.Flags, held: suppression.Flags, k: int) -> list[str | None]:
    return [
        SMALL.format(k) if few else HELD_BACK if follows else None
        for few, follows in zip(small, held, strict=True)
    ]


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


def _place(calls: pl.DataFrame, cell: Cell, tz: str) -> pl.Series:
    """0 for each call of a segment, 1 for the others."""
    within = _within(cell, tz).fill_null(value=False) | pl.repeat(value=False, n=pl.len())
    return calls.select((~within).cast(pl.Int32)).to_series()


def _within(cell: Cell, tz: str) -> pl.Expr:
    """Which calls are of a segment."""
    return reduce(and_, (_is(name, value, tz) for name, value in cell.items()), pl.lit(value=True))


def _is(name: str, value: Value | tuple[Value, ...], tz: str) -> pl.Expr:
    of = (pl.col(name) if name in FIELDS else dimension(name).value(tz)).cast(pl.String)
    values = value if isinstance(value, tuple) else (value,)
    known = [str(one) for one in values if one is not None]
    return (of.is_in(known) & of.is_not_null()) | (of.is_null() if None in values else pl.lit(value=False))


def _cells(calls: pl.DataFrame, places: Sequence[tuple[pl.Series, int]], table: Sequence[int]) -> Cells:
    """Rows over the finest groups of calls, and who has calls in each.

    `places` say for each call its row of a table, and how many rows that has.
    """
    whose = calls.select(pl.col(name).cast(pl.String) for name in WHO)
    names = [f"place {i}" for i in range(len(places))]
    frame = whose.with_columns(place.alias(name) for name, (place, _) in zip(names, places, strict=True))
    groups = frame.select(names).unique(maintain_order=True).with_row_index("group")
    people = (
        frame.unique()
        .join(groups, on=names, how="left")
        .filter(pl.any_horizontal(pl.col(name).is_not_null() for name in WHO))
        .select(
            "group",
            stand_in=pl.col("user").is_null(),
            person=pl.coalesce(WHO).rank("dense"),
        )
    )
    at = [groups[name].to_numpy() for name in names]
    members = [place == i for place, (_, size) in zip(at, places, strict=True) for i in range(size)]
    return Cells(
        np.array(members, dtype=bool).reshape(len(members), len(groups)),
        np.array(table, dtype=np.int64),
        people["group"].to_numpy().astype(np.int64),
        people["person"].to_numpy().astype(np.int64),
        people["stand_in"].to_numpy().astype(bool),
    )
