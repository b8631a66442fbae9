"""What is settled of all rows is what each group would say."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from llmtel.query.lower import ROWS
from llmtel.query.settled import settled

AGGREGATES = {
    f"{column}:{how}": getattr(pl.col(column), how)().cast(dtype)
    for column, kind in (("flag", pl.UInt32), ("whole", pl.Int64), ("part", pl.Float64))
    for how, dtype in (("count", pl.Int64), ("sum", kind))
}


def frame(rows):
    """Rows of (group, flag, whole, part)."""
    names = {"group": pl.String, "flag": pl.Boolean, "whole": pl.Int64, "part": pl.Float64}
    return pl.DataFrame(rows, names, orient="row")


@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"),
            st.sampled_from([True, None]) | st.booleans(),
            st.sampled_from([None, 1]),
            st.sampled_from([None, -1.0, 1.0]),
        ),
        max_size=6,
    )
)
def test_a_settled_aggregate_is_that_of_every_group(rows):
    made = frame(rows)
    told = settled(made.lazy(), AGGREGATES)
    groups = made.group_by("group").agg(pl.len().cast(pl.Int64).alias(ROWS), **AGGREGATES)
    assert groups.with_columns(e.alias(n) for n, e in told.items()).equals(groups)


def test_columns_of_one_kind_are_settled_and_others_are_not():
    made = frame([("a", True, None, 1.0), ("b", True, None, -1.0), ("b", True, None, None)])
    told = settled(made.lazy(), AGGREGATES)
    assert sorted(told) == ["flag:count", "flag:sum", "whole:count", "whole:sum"]
