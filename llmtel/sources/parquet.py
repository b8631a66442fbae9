"""Parquet files: calls that llmtel wrote, or a table of somebody else's."""

from __future__ import annotations

import re

import polars as pl

from llmtel.core.schema import CATEGORIES, FIELDS, PARQUET_KEY, SCHEMA_VERSION
from llmtel.sources.files import Undecodable


def opened(data: bytes) -> tuple[pl.DataFrame, bool]:
    """The frame in a file, and whether it is calls that llmtel wrote. Raises `Undecodable`."""
    try:
        version = pl.read_parquet_metadata(data).get(PARQUET_KEY, "")
        own = re.fullmatch("[0-9]{1,9}", version) is not None
        if own and int(version) > SCHEMA_VERSION:
            msg = f"written by a newer llmtel (schema {version}, this one reads {SCHEMA_VERSION})"
            raise Undecodable(msg)
        frame = pl.read_parquet(data)
    except pl.exceptions.PolarsError as error:
        msg = f"a damaged Parquet file: {str(error).splitlines()[0]}"
        raise Undecodable(msg) from error
    return (_calls_in(frame), True) if own else (frame, False)


def _calls_in(frame: pl.DataFrame) -> pl.DataFrame:
    """The calls of a Parquet file that llmtel wrote. Raises `Undecodable` for other columns than its."""
    calls = frame.select(name for name in frame.columns if name in FIELDS)
    plain = calls.lazy().with_columns(pl.col(pl.Categorical).cast(pl.String)).collect_schema()
    if plain != {name: FIELDS[name].dtype for name in plain} or "request_count" not in plain:
        msg = "a Parquet file whose columns are not those that llmtel writes; read the logs again"
        raise Undecodable(msg)
    # a field that no call of the file knows was written as plain text, and a store has more categories
    dtypes = {name: pl.Categorical if name in CATEGORIES else pl.String for name in plain}
    return calls.with_columns(
        pl.col(name).cast(dtypes[name]) for name, of in plain.items() if of == pl.String
    )
