"""The packaged book, books with a layer on top, and calls to price."""

from __future__ import annotations

from datetime import UTC, datetime
from textwrap import dedent

import polars as pl
import pytest

from llmtel.core import schema
from llmtel.pricing import book, cost

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
CALL = {"ts": NOON, "grain": "call", "request_count": 1, "input_uncached": 1000, "output_text": 100}


@pytest.fixture(autouse=True, scope="session")
def no_own_prices(tmp_path_factory):
    """No price file of the machine that runs the tests, for fixtures of wider scope too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("nobody")))
        patch.delenv("LLMTEL_PRICING", raising=False)
        patch.delenv("XDG_CONFIG_HOME", raising=False)
        yield


@pytest.fixture(scope="session")
def packaged(no_own_prices):  # noqa: ARG001 (it must come first)
    return book.load()


@pytest.fixture
def layered(tmp_path):
    """Load the packaged book under one layer per text."""

    def load(*texts, prices=()):
        paths = [tmp_path / f"prices{i}.yaml" for i, _ in enumerate(texts)]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(dedent(text), encoding="utf-8")
        return book.load(paths, prices)

    return load


@pytest.fixture(scope="session")
def frame():
    """Calls of 1,000 input and 100 output tokens at noon of 2026-06-01, but for what is given."""

    def calls(*rows):
        return pl.DataFrame(
            [{**dict.fromkeys(schema.FIELDS), **CALL, **row} for row in rows], schema=schema.polars_schema()
        )

    return calls


@pytest.fixture(scope="session")
def ask(packaged, frame):
    """What one call costs: the columns of PRICED."""

    def answer(prices=None, source="auto", **call):
        priced = cost.priced(frame(call), prices or packaged, source)
        return priced.select(schema.PRICED).row(0, named=True)

    return answer
