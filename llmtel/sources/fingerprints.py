"""Which calls asked the same: a hash of the prompt stands for the case of an evaluation that logs none.

The text is hashed while it is at hand and is never kept. A hash does not tell the text, but whoever guesses a
text can confirm it.
"""

from __future__ import annotations

import hashlib

import polars as pl

from llmtel.sources.counted import RecordOf
from llmtel.sources.source import Record, Source
from llmtel.sources.texts import FINGERPRINT, texts_of

MOST_BYTES = 100_000_000
"""Evaluations are small; of larger logs no prompt is hashed, as that costs more than reading them."""
_DIGITS = 12
_PROBED = 8
_LEAST, _OFTEN = 30, 5
"""Prompts are cases where there are as many, and each is asked at most as often, on average."""


def with_fingerprints(raw: pl.DataFrame, record_of: RecordOf, source: Source) -> pl.DataFrame:
    """The raw rows with the hash of what was asked, where one of the first has a text."""
    if not source.speaks or raw.is_empty():
        return raw
    rows = raw["row"].to_list()
    if not any(map(_hashed, map(record_of, rows[:_PROBED]))):
        return raw
    found = pl.Series(FINGERPRINT, [_hashed(record_of(row)) for row in rows], dtype=pl.String)
    return raw.with_columns(found)


def _hashed(record: Record) -> str | None:
    """The hash of the texts of a prompt, told apart; None without any."""
    asked = texts_of(record).prompt
    if not asked:
        return None
    together = "\0".join(asked).encode(errors="replace")
    return f"prompt {hashlib.sha256(together).hexdigest()[:_DIGITS]}"


def with_cases(calls: pl.DataFrame) -> pl.DataFrame:
    """The calls, those without a case under the hash of their prompt, where prompts are as cases are."""
    if FINGERPRINT not in calls.columns:
        return calls
    prints = calls[FINGERPRINT].drop_nulls()
    distinct = prints.n_unique()
    calls, named = calls.drop(FINGERPRINT), calls[FINGERPRINT]
    if distinct < _LEAST or len(prints) > _OFTEN * distinct:
        return calls
    logged = calls["case"].cast(pl.String) if "case" in calls.columns else None
    return calls.with_columns((named if logged is None else logged.fill_null(named)).alias("case"))
