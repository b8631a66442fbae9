"""Small cells: which rows of tables are not shown, so that no number of too few people can be worked out.

What is shown are sums over calls, so whoever reads a report can add and subtract: a row that is left out
follows from a total and the other rows, from a table by day and one by week, or from a row of another table
that is the same calls. So it is not enough to leave out small rows. Here everything that is shown together
is a system of linear equations over the finest groups of calls; a small row that is a combination of shown
rows is found by projection, and another row is held back until there is none (complementary suppression;
A. Hundepool et al., Statistical Disclosure Control, Wiley 2012, chapter 4).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from llmtel.core.errors import UsageError

Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]
Floats = NDArray[np.float64]

MOST = 1000
"""Rows that can be looked at together: the work grows with their cube."""
_NOTHING = 1e-9
"""A share of a row below which what the shown rows do not tell of it is rounding."""
_SMALLEST = 1e-6


class Cells(Struct, frozen=True, dict=True):
    """Rows of tables over the same calls.

    `members` (rows × groups) says of which groups of calls each row is made; `table` is the number of each
    row's table. Person `person[i]` has calls in group `group[i]`; a `stand_in` is not a user but a session
    whose user is not known. `persons` count where there are any, else stand-ins.
    """

    members: Flags
    table: Numbers
    group: Numbers
    person: Numbers
    stand_in: Flags

    def people(self, groups: Flags) -> int:
        """How many have calls in some of the groups."""
        here = groups[self.group]
        users = np.unique(self.person[here & ~self.stand_in]).size
        return int(users or np.unique(self.person[here & self.stand_in]).size)

    @cached_property
    def counts(self) -> Numbers:
        """People of each row."""
        return np.array([self.people(row) for row in self.members], dtype=np.int64)

    @cached_property
    def overlap(self) -> Floats:
        """How many groups each two rows have in common."""
        rows = self.members.astype(np.float64)
        return rows @ rows.T


def suppressed(cells: Cells, k: int, hidden: Flags | None = None) -> tuple[Flags, Flags]:
    """The rows of fewer than `k` people, and the others that must be held back with them.

    `hidden` are rows that are not shown anyway. A row of no calls has nothing to hide. Raises `UsageError`
    where there are too many rows to look at.
    """
    if len(cells.members) > MOST:
        raise UsageError(
            f"{len(cells.members):,} rows are too many to be shared, {MOST:,} can be checked together: "
            "ask for fewer with --top"
        )
    filled = cells.members.any(axis=1)
    small = filled & (cells.counts < k)
    hidden = small.copy() if hidden is None else small | hidden
    while (more := _held_back(cells, hidden, small, k)) is not None:
        hidden[more] = True
    return small, hidden & ~small


def _held_back(cells: Cells, hidden: Flags, small: Flags, k: int) -> int | None:
    """A row to hold back, because something small follows from those shown; None where nothing does."""
    shown = np.flatnonzero(~hidden & cells.members.any(axis=1))
    if not hidden.any() or not shown.size:
        return None
    inverse = np.linalg.pinv(cells.overlap[np.ix_(shown, shown)], hermitian=True)
    for table, rows in _secrets(cells, hidden, small, k):
        common = cells.overlap[np.ix_(shown, rows)].sum(axis=1)
        weights = inverse @ common
        size = cells.overlap[np.ix_(rows, rows)].sum()
        if size - common @ weights < _NOTHING * max(1.0, size):
            return int(shown[_chosen(cells, shown, weights, table)])
    return None


def _secrets(cells: Cells, hidden: Flags, small: Flags, k: int) -> Iterator[tuple[int, Numbers]]:
    """What nobody may work out: small rows, and hidden rows that are few people together."""
    for row in np.flatnonzero(small):
        yield int(cells.table[row]), np.array([row])
    sizes = np.diag(cells.overlap)
    for table in np.unique(cells.table[hidden]):
        rows = np.flatnonzero(hidden & (cells.table == table))
        within = {tuple(rows[cells.overlap[outer, rows] == sizes[rows]]) for outer in range(len(hidden))}
        for inner in sorted({tuple(rows), *within}):
            together = np.array(inner, dtype=np.int64)
            if together.size > 1 and cells.people(np.logical_or.reduce(cells.members[together])) < k:
                yield int(table), together


def _chosen(cells: Cells, shown: Numbers, weights: Floats, table: int) -> int:
    """Of the rows from which something follows the one to hold back.

    That is one of the same table if there is one, the heaviest, and of these the one of fewest people.
    """
    used = np.abs(weights) > _SMALLEST
    own = used & (cells.table[shown] == table)
    places = np.flatnonzero(own if own.any() else used)
    heavy = np.round(np.abs(weights[places]), 3)
    return int(min(zip(-heavy, cells.counts[shown[places]], places, strict=True))[2])
