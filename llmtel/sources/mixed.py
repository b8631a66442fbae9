"""Calls among the other lines of an application's log: what such a log says besides is counted, and no call.

A call has a model, tokens or a latency, whether or not its value can be used. One that failed before any of
these were known is told by its failure and the id of its request.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import polars as pl
from msgspec.structs import replace

from llmtel.core.schema import LEAVES
from llmtel.sources.outcome import SUCCESS, TEXT, WORD, settled
from llmtel.sources.source import Source
from llmtel.sources.steps import roots

_MEASURED = ("model", "model_requested", "latency_ms", *LEAVES)
_OUTCOME = (WORD, TEXT, SUCCESS, "http_status")
_IDS = ("call_id", "response_id")
_CALL = "@call"


def calls_apart(source: Source) -> Source:
    """The source with the lines that tell of no call left out; of a table every row is a call.

    Where neither the mapping nor `reads` has what makes a call, nothing tells them apart, and all are calls.
    """
    measured = {root for name in _MEASURED if name in source.calls for root in roots(source.calls, name)}
    measured |= {root for expression in source.reads for root in expression.meta.root_names()}
    facts = sorted(name for name in measured if not name.endswith(":time"))  # every line has a time
    if not facts or source.layout == "csv":
        return source
    return replace(source, prepare=partial(_with_calls, facts=facts, source=source), keep=pl.col(_CALL))


def _with_calls(rows: pl.DataFrame, *, facts: Sequence[str], source: Source) -> pl.DataFrame:
    """The rows, with whether each is a call."""
    call = rows.select(pl.any_horizontal(_there(name, rows) for name in facts).alias(_CALL)).to_series()
    if not call.all():
        others = (~call).arg_true()
        call = call.scatter(others, _failed(rows[others], source))
    return rows.with_columns(call)


def _there(name: str, rows: pl.DataFrame) -> pl.Expr:
    """Whether a value is there: also one that could not be used."""
    value = pl.col(name)
    there = value.is_not_null() & (value != "") if rows.schema[name] == pl.String else value.is_not_null()
    if "unreadable" in rows.columns:
        there |= pl.col("unreadable").list.contains(name).fill_null(value=False)
    return there


def _failed(rows: pl.DataFrame, source: Source) -> pl.Series:
    """Which rows say that a request, whose id they have, failed."""
    asked = [source.calls[name].alias(name) for name in (*_OUTCOME, *_IDS) if name in source.calls]
    said = settled(rows.select(asked))
    named = (pl.col(name).str.len_bytes() > 0 for name in _IDS if name in said.columns)
    failed = (pl.col("status") == "error") & pl.any_horizontal(pl.lit(value=False), *named)
    return said.select(failed.fill_null(value=False)).to_series()
