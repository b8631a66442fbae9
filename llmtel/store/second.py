"""Data files read a second time, by a Parquet implementation of other makers (Arrow's in C++)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from llmtel.core.errors import UsageError
from llmtel.store.encryption import Secret

if TYPE_CHECKING:
    import pyarrow as pa

Sums = Mapping[str, tuple[Any, ...]]
"""For each column what all its values have in common, in whatever order: nulls, and sums or extremes."""


def refuse_missing() -> None:
    """Raise `UsageError` where Arrow is not installed."""
    try:
        import pyarrow.parquet  # noqa: F401, PLC0415 (45 MB that only this needs)
    except ImportError:
        raise UsageError("verify reads with pyarrow too: pip install 'llmtel[store]'") from None


def difference(data: bytes, secret: Secret | None, rows: pl.DataFrame) -> str | None:
    """What Arrow reads otherwise than Polars, which read `rows`; None where both agree."""
    import pyarrow as pa  # noqa: PLC0415 (as in `refuse_missing`)

    try:
        table = _arrow(data, secret)
    except (pa.ArrowException, OSError) as error:
        return f"Arrow cannot read it: {str(error).splitlines()[0][:100]}"
    if table.num_rows != rows.height:
        return f"{rows.height:,} rows, where Arrow reads {table.num_rows:,}"
    mine, theirs = _sums(rows), _sums_of_arrow(table)
    other = [name for name in mine if not _same(mine[name], theirs.get(name, ()))]
    return f"Arrow reads other values in {', '.join(other)}" if other else None


def _arrow(data: bytes, secret: Secret | None) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415 (as in `refuse_missing`)
    import pyarrow.parquet as pq  # noqa: PLC0415

    key = None
    if secret is not None:
        from pyarrow.parquet.encryption import create_decryption_properties  # noqa: PLC0415

        key = create_decryption_properties(secret.key, aad_prefix=secret.aad)
    return pq.ParquetFile(pa.BufferReader(data), decryption_properties=key).read()


def _sums(rows: pl.DataFrame) -> Sums:
    """Of a frame: of texts the bytes, of times the extremes, of numbers, flags and lists the sums."""
    found: dict[str, tuple[Any, ...]] = {}
    for column in rows:
        nulls, dtype = column.null_count(), column.dtype
        if dtype == pl.List:
            found[column.name] = (nulls, column.list.len().sum(), column.list.sum().sum())
        elif dtype == pl.Datetime:
            times = column.to_physical()
            found[column.name] = (nulls, times.min(), times.max())
        else:
            found[column.name] = (nulls, (column.str.len_bytes() if dtype == pl.String else column).sum())
    return found


def _sums_of_arrow(table: pa.Table) -> Sums:
    import pyarrow as pa  # noqa: PLC0415 (as in `refuse_missing`)
    import pyarrow.compute as pc  # noqa: PLC0415

    found: dict[str, tuple[Any, ...]] = {}
    for name, told in zip(table.column_names, table.columns, strict=True):
        column = told.cast(told.type.value_type) if pa.types.is_dictionary(told.type) else told
        if pa.types.is_large_list(column.type) or pa.types.is_list(column.type):
            members = pc.list_flatten(column)
            found[name] = (column.null_count, len(members), pc.sum(members, min_count=0).as_py())
        elif pa.types.is_timestamp(column.type):
            both = pc.min_max(column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64())).as_py()
            found[name] = (column.null_count, both["min"], both["max"])
        else:
            text = pa.types.is_large_string(column.type) or pa.types.is_string(column.type)
            total = pc.sum(pc.binary_length(column) if text else column, min_count=0).as_py()
            found[name] = (column.null_count, total)
    return found


def _same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether two implementations mean the same; sums of floats depend on their order."""
    return len(one) == len(other) and all(
        a == b or (isinstance(a, float) and isinstance(b, float) and math.isclose(a, b, rel_tol=1e-9))
        for a, b in zip(one, other, strict=True)
    )
