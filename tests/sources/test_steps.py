"""Steps of a mapping are columns of their own, computed once and in order."""

import polars as pl
import pytest

from llmtel.sources.steps import Steps, fields, roots, with_steps

FRAME = pl.DataFrame({"a": [1, 2], "b": [10, 20]})


def evaluated(mapping):
    return with_steps(FRAME.lazy(), mapping).select(fields(mapping)).collect().to_dict(as_series=False)


def test_a_field_may_rest_on_steps_that_rest_on_steps():
    step = Steps()
    double = step(pl.col("a") * 2)
    sum_ = step(double + pl.col("b"))
    assert evaluated({**step, "x": sum_ * double}) == {"x": [24, 96]}


def test_equal_expressions_are_one_step():
    step = Steps()
    assert step(pl.col("a") + 1).meta == step(pl.col("a") + 1).meta
    assert len(step) == 1


def test_the_roots_of_a_field_are_the_columns_below_its_steps():
    step = Steps()
    mapping = {"x": step(step(pl.col("a")) + pl.col("b")), **step}
    assert set(roots(mapping, "x")) == {"a", "b"}


def test_steps_that_need_each_other_are_a_fault():
    mapping = {"@step 1": pl.col("@step 2"), "@step 2": pl.col("@step 1")}
    with pytest.raises(AssertionError, match="need each other"):
        evaluated(mapping)


def test_the_elements_of_a_list_are_no_column_of_their_own():
    summed = pl.col("x").list.eval(pl.element() + 1).list.sum()
    assert roots({"a": summed + pl.col("y")}, "a") == ["x", "y"]
