"""Percentiles of large groups, which are counted before values are looked for."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from llmtel.query.lower import Quantile
from llmtel.query.percentiles import percentiles

WANTED = [Quantile("v", None, at) for at in (0.0, 0.5, 0.95, 0.99, 1.0)]
VALUES = st.one_of(
    st.floats(allow_nan=False),
    st.floats(100, 110),
    st.sampled_from([-0.0, 0.0, -1.5, 2.0, 2.0000001, float("inf")]),
)


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), VALUES), min_size=1, max_size=40))
def test_large_groups_have_the_percentiles_that_small_ones_have(rows):
    frame = pl.LazyFrame(rows, {"group": pl.String, "v": pl.Float64}, orient="row")
    one, other = (
        percentiles(frame, ["group"], WANTED, large=large).collect().sort("group") for large in (False, True)
    )
    assert one.equals(other)


def test_whole_numbers_have_percentiles_between_them():
    frame = pl.LazyFrame({"group": ["a"] * 4, "v": [1, 2, 3, 10]})
    [row] = percentiles(frame, ["group"], WANTED[1:2], large=True).collect().to_dicts()
    assert row == {"group": "a", "v:q0.5": 2.5}
