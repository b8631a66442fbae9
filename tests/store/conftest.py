"""What tests of the store share."""

import json
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from llmtel import pipeline
from llmtel.sources.files import expand
from llmtel.store import ingest as ingests
from llmtel.store.read import stored

pytest.importorskip("deltalake")


def line(i, *, ids=True, day=None, **fields):
    """A line of an application's log; with `ids` it has an id of its own."""
    record = {
        "timestamp": f"2026-09-{day or 1 + i % 5:02}T10:{i // 60 % 60:02}:{i % 60:02}Z",
        **({"request_id": f"r{i}"} if ids else {}),
        "model": f"m{i % 3}",
        "prompt_tokens": 10 + i,
        "completion_tokens": i,
        "latency_ms": 100.5 + i,
        "user": f"u{i % 7}",
        **fields,
    }
    return json.dumps(record) + "\n"


class Store:
    """A store, and the logs that it takes."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def ingest(self, *paths, expecting=None, meanwhile=lambda found: found, **options):
        names = [str(path) for path in paths]
        read = partial(pipeline.gather, input_format=expecting)
        return ingests.ingest(self.folder, expand(names), lambda inputs: meanwhile(read(inputs)), **options)

    @property
    def calls(self):
        return stored(self.folder).calls

    def lines(self):
        """File and line of every call, sorted."""
        rows = self.calls.select(pl.col("file").cast(pl.String), "line").rows()
        return sorted((Path(file).name, at) for file, at in rows)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")
