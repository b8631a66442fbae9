"""What the transcripts of coding agents have in common."""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.source import Remark

ORDER = "@order"
"""The place of a record in its file: of two copies with one id the later one holds."""


def folder(path: pl.Expr) -> pl.Expr:
    """The last component of a path, of either kind of slash: no more of a working directory is kept."""
    return path.str.extract(r"([^/\\]+)[/\\]*$")


def dated_by_answer(stamp: pl.Expr) -> dict[str, Remark]:
    """The remark of formats that stamp a call when it is over and do not say how long it took."""
    text = "{n} {record is|records are} dated by {its|their} answer, not by {its|their} request"
    return {"ts_is_end": Remark(stamp.is_not_null(), text)}


def of_file(value: pl.Expr) -> pl.Expr:
    """The first known value of a file, for all its rows (formats that see a file as a `whole`)."""
    return value.drop_nulls().first().over("@segment")


def so_far(value: pl.Expr) -> pl.Expr:
    """The latest known value of a file up to each row."""
    return value.forward_fill().over("@segment")


def in_order() -> pl.Expr:
    """`@order` of every row of a file."""
    return pl.int_range(pl.len()).over("@segment").alias(ORDER)


def with_session(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with `@session` and `@folder`, which a file's line of the type `session` tells."""
    opens = raw.text("type") == "session"
    return rows.with_columns(
        of_file(pl.when(opens).then(raw.text("id"))).alias("@session"),
        of_file(pl.when(opens).then(folder(raw.text("cwd")))).alias("@folder"),
    )
