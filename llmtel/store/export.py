"""All calls of a store as one file, in the forms that llmtel reads."""

from __future__ import annotations

import io

import polars as pl

from llmtel.core.answers import FORMULA
from llmtel.core.schema import PARQUET_KEY, SCHEMA_VERSION
from llmtel.store.audit import audit
from llmtel.store.columns import KEPT
from llmtel.store.folder import Where
from llmtel.store.table import opened, readable


def parquet(place: Where) -> bytes:
    """A Parquet file as `llmtel ingest -o` writes it."""
    file = io.BytesIO()
    _calls(place).write_parquet(file, compression="zstd", metadata={PARQUET_KEY: str(SCHEMA_VERSION)})
    return file.getvalue()


def jsonl(place: Where) -> bytes:
    """Canonical JSONL: one object a call, under the names of the fields."""
    version = pl.lit(SCHEMA_VERSION).alias("llmtel_call")
    time = pl.col("ts").dt.to_string("iso:strict")
    file = io.BytesIO()
    _calls(place).with_columns(time).select(version, *KEPT).write_ndjson(file)
    return file.getvalue()


def csv(place: Where) -> bytes:
    """CSV with the names of the fields, `llmtel_call` first; `'` before what is a formula."""
    version = pl.lit(SCHEMA_VERSION).alias("llmtel_call")
    time = pl.col("ts").dt.to_string("iso:strict")
    texts = pl.col(pl.String, pl.Categorical).exclude("ts").cast(pl.String)
    inert = pl.when(texts.str.contains(f"^(?:{FORMULA})")).then("'" + texts).otherwise(texts)
    calls = _calls(place).with_columns(time).with_columns(inert.name.keep())
    file = io.BytesIO()
    calls.select(version, *KEPT).write_csv(file)
    return file.getvalue()


def _calls(place: Where) -> pl.DataFrame:
    table = opened(place)
    with readable(table.folder):
        calls = table.plain(table.files).select(KEPT).collect()
    audit(place, "export", calls.height, table.version, commits=0)
    return calls
