"""Parquet: one table with typed columns, and what they mean in the file's metadata."""

from __future__ import annotations

import io
from collections.abc import Sequence

from llmtel.core.answers import Column, Document, Value
from llmtel.render.json import meaning
from llmtel.render.rows import flat


def parquet(document: Document) -> bytes:
    """The answer as a Parquet file (zstd); `rows.flat` says how several tables become one.

    The file's metadata has the document's keys (`schema`, `pricing`, `tz`, …) and `columns`, each as JSON.
    """
    import polars as pl  # noqa: PLC0415 (the other formats start without Polars)

    table = flat(document)
    types = {bool: pl.Boolean, int: pl.Int64, float: pl.Float64, str: pl.String}
    series = []
    for column in table.columns:
        values = [row.get(column.id) for row in table.rows]
        kind = _kind(column, values)
        cells = [v if v is None else kind(v) for v in values]
        series.append(pl.Series(column.id, cells, types[kind]))
    file = io.BytesIO()
    metadata = meaning(document, table.columns)
    pl.DataFrame(series).write_parquet(file, compression="zstd", metadata=metadata)
    return file.getvalue()


def _kind(column: Column, values: Sequence[Value]) -> type[bool | int | float | str]:
    """The narrowest type that holds every known value of a column."""
    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return float if column.unit else str
    if len(kinds) == 1:
        return kinds.pop()
    return float if kinds == {int, float} else str
