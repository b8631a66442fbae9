"""The developer vectors of the design (../shared), where they are there."""

import json
import math
from pathlib import Path

import pytest

VECTORS = Path(__file__).parents[2].parent / "shared/vectors/stats.json"


@pytest.fixture(scope="session")
def vectors():
    if not VECTORS.is_file():
        pytest.skip("the shared data is not here")
    return json.loads(VECTORS.read_text())


@pytest.fixture(scope="session")
def near():
    def compare(found, expected):
        return math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-12)

    return compare
