"""Percentiles of large groups, which are counted before values are looked for."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from llmtel.query.lower import Quantile
from llmtel.query.percentiles import counted, percentiles

WANTED = [Quantile("v", None, at) for at in (0.0, 0.5, 0.95, 0.99, 1.0)]
VALUES = st.one_of(
    st.floats(allow_nan=False),
    st.floats(100, 110),
    st.sampled_from([-0.0, 0.0, -1.5, 2.0, 2.0000001, float("inf")]),
)


GROUPS = st.sampled_from(["a", "b", None])


@given(st.lists(st.tuples(GROUPS, GROUPS, VALUES), min_size=1, max_size=40), st.sampled_from([[], ["one"]]))
def test_large_groups_have_the_percentiles_that_small_ones_have(rows, keys):
    frame = pl.LazyFrame(rows, {"one": pl.String, "other": pl.String, "v": pl.Float64}, orient="row")
    in_small = percentiles(frame, keys, WANTED).collect()
    by_more_keys = counted(frame, ["one", "other"], "v")
    in_large = percentiles(frame, keys, WANTED, by_more_keys).collect()
    assert in_large.sort(keys).equals(in_small.sort(keys)) if keys else in_large.equals(in_small)


def test_whole_numbers_have_percentiles_between_them():
    frame = pl.LazyFrame({"group": ["a"] * 4, "v": [1, 2, 3, 10]})
    [row] = percentiles(frame, ["group"], WANTED[1:2], counted(frame, ["group"], "v")).collect().to_dicts()
    assert row == {"group": "a", "v:q0.5": 2.5}
