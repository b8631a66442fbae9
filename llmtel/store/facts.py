"""What a store holds, in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from llmtel.store import rejected
from llmtel.store.folder import Where
from llmtel.store.table import opened


@dataclass(frozen=True)
class Facts:
    """`formats` are the calls of each format and the log files they came from; times are UTC."""

    calls: int
    days: int
    files: int
    size: int
    version: int
    rejects: int
    first: datetime | None
    last: datetime | None
    formats: tuple[tuple[str, int, int], ...]


def facts(place: Where) -> Facts:
    """The numbers of a store; of its files only the columns that they need are read."""
    table = opened(place)
    files = table.files
    counts = (
        table.plain(files)
        .filter(pl.col("request_count").fill_null(1) > 0)
        .group_by("format")
        .agg(pl.len(), pl.col("llmtel_source").n_unique())
        .sort("len", "format", descending=[True, False])
        .select("format", "len", "llmtel_source")
        .collect()
    )
    first, last = files.select(a=pl.col("first").min(), b=pl.col("last").max()).row(0)
    return Facts(
        calls=int(counts["len"].sum()),
        days=files["day"].n_unique(),
        files=files.height,
        size=int(files["size"].sum()),
        version=table.version,
        rejects=len(rejected.kept(place)),
        first=first,
        last=last,
        formats=tuple(counts.iter_rows()),
    )
