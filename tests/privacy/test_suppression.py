"""Small cells, and what must be held back with them so that nobody can work them out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtel.core.errors import UsageError
from llmtel.privacy.suppression import MOST, Cells, suppressed


def cells(tables, people):
    """Tables as lists of rows, a row as the groups it is made of; `people` of each group, all different."""
    rows = [row for table in tables for row in table]
    members = np.array([[g in row for g in range(len(people))] for row in rows])
    numbers = np.array([i for i, table in enumerate(tables) for _ in table])
    group = np.repeat(np.arange(len(people)), people)
    return Cells(members, numbers, group, np.arange(group.size), np.zeros(group.size, dtype=bool))


def hidden(tables, people, k=5):
    small, held = suppressed(cells(tables, people), k)
    return np.flatnonzero(small).tolist(), np.flatnonzero(held).tolist()


TOTAL = [{0, 1, 2, 3}]


def test_where_nobody_is_few_nothing_is_hidden():
    assert hidden([TOTAL, [{0}, {1}, {2}, {3}]], [5, 6, 7, 8]) == ([], [])


def test_a_small_row_beside_a_total_takes_the_next_smallest_with_it():
    assert hidden([TOTAL, [{0}, {1}, {2}, {3}]], [9, 2, 7, 8]) == ([2], [3])


def test_without_a_total_a_small_row_is_hidden_alone():
    assert hidden([[{0}, {1}, {2}, {3}]], [9, 2, 7, 8]) == ([1], [])


def test_two_small_rows_that_are_few_together_need_a_third():
    assert hidden([TOTAL, [{0}, {1}, {2}, {3}]], [2, 2, 7, 8]) == ([1, 2], [3])


def test_two_small_rows_that_are_enough_together_hide_each_other():
    assert hidden([TOTAL, [{0}, {1}, {2}, {3}]], [3, 4, 7, 8]) == ([1, 2], [])


def test_a_pooled_tail_is_a_row_like_any_other():
    assert hidden([TOTAL, [{0}, {1}, {2, 3}]], [2, 9, 1, 5]) == ([1], [3])


def test_a_cell_of_a_cross_table_between_its_margins_takes_three_more():
    grid = [{0}, {1}, {2}, {3}]
    small, held = hidden([TOTAL, [{0, 1}, {2, 3}], [{0, 2}, {1, 3}], grid], [2, 9, 9, 9])
    assert (small, held) == ([5], [6, 7, 8])


def test_a_table_that_is_coarser_gives_nothing_away():
    small, held = hidden([TOTAL, [{0, 1}, {2, 3}], [{0}, {1}, {2}, {3}]], [2, 9, 9, 9])
    assert small == [3]
    assert 4 in held


def test_a_row_that_is_the_same_calls_as_a_small_one_is_hidden_too():
    small, held = hidden([TOTAL, [{0}, {1}, {2, 3}], [{0}, {1, 2, 3}]], [2, 6, 9, 9])
    assert set(small) == {1, 4}
    assert {2, 3} & set(held)
    assert 5 in held


def test_sessions_count_only_where_no_user_is_known():
    rows = Cells(
        np.array([[True, False], [False, True]]),
        np.array([0, 0]),
        np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]),
        np.arange(11),
        np.array([False, True, True, True, True, True, True, True, True, True, True]),
    )
    assert rows.counts.tolist() == [1, 5]


def test_calls_of_which_nobody_knows_whose_they_are_are_of_nobody():
    none = np.array([], dtype=np.int64)
    rows = Cells(np.array([[True]]), np.array([0]), none, none, none.astype(bool))
    assert suppressed(rows, 5)[0].tolist() == [True]


def test_too_many_rows_are_refused_and_not_looked_at_in_part():
    with pytest.raises(UsageError, match="--top"):
        hidden([[{0}] * (MOST + 1)], [1])


@st.composite
def published(draw):
    """Some partitions of a few groups, as a report has them, and the people of each group."""
    count = draw(st.integers(2, 7))
    people = draw(st.lists(st.integers(0, 9), min_size=count, max_size=count))
    tables = []
    for _ in range(draw(st.integers(1, 3))):
        of = draw(st.lists(st.integers(0, 3), min_size=count, max_size=count))
        tables.append([{g for g in range(count) if of[g] == row} for row in sorted(set(of))])
    return [[set(range(count))], *tables], people


@given(published())
def test_no_small_row_is_a_combination_of_rows_that_are_shown(case):
    tables, people = case
    known = cells(tables, people)
    small, held = suppressed(known, 5)
    shown = known.members[~(small | held)].astype(float)
    rank = np.linalg.matrix_rank(shown) if len(shown) else 0
    for row in known.members[small].astype(float):
        assert np.linalg.matrix_rank(np.vstack([shown, row])) == rank + 1
