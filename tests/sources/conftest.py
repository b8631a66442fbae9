"""Where the shared data is, and how calls are compared."""

from pathlib import Path

import polars as pl
import pytest

SHARED = Path(__file__).parents[2].parent / "shared"


@pytest.fixture
def shared():
    if not SHARED.is_dir():
        pytest.skip("the shared data is not here")
    return SHARED


def content(calls: pl.DataFrame) -> list[tuple[object, ...]]:
    """Calls without their places, in an order of their own."""
    plain = calls.drop("file", "line").with_columns(pl.col(pl.Categorical).cast(pl.String))
    return sorted(plain.rows(), key=repr)


@pytest.fixture
def same():
    def compare(one, other):
        assert content(one) == content(other)

    return compare
