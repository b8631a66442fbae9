"""Data files: Parquet that Polars writes and reads, plain or encrypted on the same path."""

from __future__ import annotations

import io
import re
from hashlib import blake2b
from typing import Any
from uuid import uuid4

import polars as pl

from llmtel.core.schema import PARQUET_KEY, SCHEMA_VERSION
from llmtel.store.encryption import Secret

_KEY = re.compile("-(k[0-9a-f]{16})-")


def encoded(rows: pl.DataFrame, secret: Secret | None) -> bytes:
    """A data file of some rows."""
    file = io.BytesIO()
    rows.write_parquet(
        file,
        compression="zstd",
        metadata={PARQUET_KEY: str(SCHEMA_VERSION)},
        encryption=None if secret is None else secret.writing,
    )
    return file.getvalue()


def scanned(
    source: list[str] | bytes,
    secret: Secret | None,
    schema: pl.Schema | None,
    **options: Any,  # noqa: ANN401 (options of Polars)
) -> pl.LazyFrame:
    """The rows of data files; columns of `schema` that are not in them are null, texts may be categories."""
    return pl.scan_parquet(
        source,
        schema=schema,
        missing_columns="insert",
        hive_partitioning=False,
        glob=False,
        cast_options=pl.ScanCastOptions(categorical_to_string="allow"),
        decryption=None if secret is None else secret.reading,
        **options,
    )


def name_of(data: bytes, key: str) -> str:
    """A file's name, never used before: it has the id of its key (none in a plain file) and its checksum."""
    return "-".join([uuid4().hex, *([key] if key else []), checksum(data)]) + ".parquet"


def key_of(path: str) -> str:
    """The id of the key of a data file, from its name; "" where it is plain."""
    told = _KEY.search(path)
    return told[1] if told else ""


def checksum(data: bytes) -> str:
    """The BLAKE2b-128 of a data file, which its name ends in."""
    return blake2b(data, digest_size=16).hexdigest()
