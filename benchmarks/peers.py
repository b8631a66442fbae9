"""What llmtel is measured against: the same answers by hand-written code, with the columns known beforehand.

    python benchmarks/peers.py NAME PATH

Each prints its totals as JSON, so that a wrong answer is seen and its speed is not quoted.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

GROUPS = ("day", "model", "feature", "user_id")
SHARES = {"p50_latency": 0.5, "p95_latency": 0.95, "p99_latency": 0.99}
TOTALS = ("calls", "errors", "input_tokens", "cache_read_tokens", "output_tokens", *SHARES)


def polars_flat(path: Path) -> dict[str, Any]:
    """The floor of flat logs: a bare `scan_ndjson` of nine fields, and five groupings."""
    import polars as pl  # noqa: PLC0415 (each peer pays for its own imports only)

    text, count = pl.String(), pl.Int64()
    schema: dict[str, pl.DataType] = {
        "timestamp": text, "user_id": text, "feature": text, "model": text, "status": text,
        "input_tokens": count, "cached_input_tokens": count, "output_tokens": count,
        "latency_ms": pl.Float64(),
    }  # fmt: skip
    calls = pl.scan_ndjson(path, schema=schema).collect(engine="streaming")
    calls = calls.with_columns(pl.col("timestamp").str.slice(0, 10).alias("day"))
    failed = pl.col("status") == "error"
    latency = pl.col("latency_ms").filter(~failed)
    numbers = [
        pl.len().alias("calls"),
        failed.sum().alias("errors"),
        pl.col("input_tokens").sum(),
        pl.col("cached_input_tokens").sum().alias("cache_read_tokens"),
        pl.col("output_tokens").sum(),
        *(latency.quantile(share, "linear").alias(name) for name, share in SHARES.items()),
    ]
    lazy = calls.lazy()
    tables = pl.collect_all([lazy.select(numbers), *(lazy.group_by(name).agg(numbers) for name in GROUPS)])
    return tables[0].row(0, named=True)


def _duckdb(path: Path, query: str) -> list[tuple[Any, ...]]:
    """Rows of a query over `calls`, with every column declared."""
    import duckdb  # noqa: PLC0415 (as above)

    columns = (
        "{timestamp: 'TIMESTAMP', user_id: 'VARCHAR', feature: 'VARCHAR', model: 'VARCHAR', "
        "status: 'VARCHAR', latency_ms: 'DOUBLE', "
        "input_tokens: 'BIGINT', cached_input_tokens: 'BIGINT', output_tokens: 'BIGINT'}"
    )
    source = f"read_json('{path}', format='newline_delimited', ignore_errors=true, columns={columns})"
    numbers = (
        "count(*), count(*) FILTER (status = 'error'), sum(input_tokens), sum(cached_input_tokens), "
        "sum(output_tokens), quantile_cont(latency_ms, [0.5, 0.95, 0.99]) FILTER (status <> 'error')"
    )
    rows: list[tuple[Any, ...]] = []
    connection = duckdb.connect()
    for statement in query.format(source=source, numbers=numbers).split(";"):
        rows += connection.execute(statement).fetchall()
    return rows


def _totals(row: tuple[Any, ...]) -> dict[str, Any]:
    """One row of `numbers` by name."""
    *counts, percentiles = row
    return dict(zip(TOTALS, (*map(int, counts), *percentiles), strict=True))


def duckdb_flat(path: Path) -> dict[str, Any]:
    """DuckDB: the columns into a table, then five statements."""
    load = "CREATE TABLE calls AS SELECT *, timestamp::DATE AS day FROM {source} WHERE timestamp IS NOT NULL"
    grouped = "".join(f"; SELECT {name}, {{numbers}} FROM calls GROUP BY {name}" for name in GROUPS)
    rows = _duckdb(path, f"{load}; SELECT {{numbers}} FROM calls{grouped}")
    return _totals(next(row for row in rows if len(row) == len(TOTALS) - 2))


def duckdb_flat_sets(path: Path) -> dict[str, Any]:
    """DuckDB: one pass over the file, five grouping sets."""
    sets = ", ".join(f"({name})" for name in GROUPS)
    rows = _duckdb(
        path,
        f"SELECT {', '.join(GROUPS)}, {{numbers}} FROM (SELECT *, timestamp::DATE AS day FROM {{source}} "
        f"WHERE timestamp IS NOT NULL) GROUP BY GROUPING SETS ((), {sets}) ORDER BY count(*) DESC",
    )
    return _totals(rows[0][len(GROUPS) :])


def duckdb_store(store: Path) -> dict[str, Any]:
    """DuckDB over the data files of a store: five groupings with exact percentiles, one statement each."""
    import duckdb  # noqa: PLC0415 (as above)
    from deltalake import DeltaTable  # noqa: PLC0415 (as above)

    files = DeltaTable(str(store / "calls")).file_uris()
    numbers = (
        "count(*), count(*) FILTER (status = 'error'), sum(input_uncached + cache_read), sum(cache_read), "
        "sum(output_text), quantile_cont(latency_ms, [0.5, 0.95, 0.99]) FILTER (status <> 'error')"
    )
    source = "read_parquet($files, hive_partitioning = true, union_by_name = true)"
    connection = duckdb.connect()
    total, *_ = (
        connection.execute(f"SELECT {numbers} FROM {source} {group}", {"files": files}).fetchall()
        for group in ("", *(f'GROUP BY "{name}"' for name in ("day", "model", "feature", "user")))
    )
    *counts, percentiles = total[0]
    return dict(zip(TOTALS, (*map(int, counts), *percentiles), strict=True))


def polars_agent(folder: Path) -> dict[str, Any]:
    """The floor of transcripts: decode what is wanted of lines with usage, one line an answer, group."""
    import polars as pl  # noqa: PLC0415 (as above)

    counts = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")
    usage = pl.Struct({name: pl.Int64() for name in counts})
    message = pl.Struct({"id": pl.String(), "model": pl.String(), "usage": usage})
    line = pl.Struct({"timestamp": pl.String(), "requestId": pl.String(), "message": message})
    rows = (
        pl.scan_lines(sorted(folder.rglob("*.jsonl")))
        .filter(pl.col("line").str.contains('"usage":{', literal=True))
        .select(pl.col("line").str.json_decode(line).struct.unnest())
        .select(
            pl.col("timestamp").str.slice(0, 10).alias("day"), "requestId", pl.col("message").struct.unnest()
        )
        .unnest("usage")
        .collect(engine="streaming")
    )
    calls = rows.sort("output_tokens").group_by("id", "requestId").last().lazy()
    sums = [pl.len().alias("calls"), *(pl.col(name).sum() for name in counts)]
    tables = pl.collect_all(
        [calls.select(sums), *(calls.group_by(name).agg(sums) for name in ("day", "model"))]
    )
    number, fresh, read, written, output = tables[0].row(0)
    return {
        "calls": number, "input_tokens": fresh + read + written, "cache_read_tokens": read,
        "cache_write_tokens": written, "output_tokens": output,
    }  # fmt: skip


PEERS = {
    peer.__name__: peer for peer in (polars_flat, duckdb_flat, duckdb_flat_sets, duckdb_store, polars_agent)
}

if __name__ == "__main__":
    print(json.dumps(PEERS[sys.argv[1]](Path(sys.argv[2]))))
