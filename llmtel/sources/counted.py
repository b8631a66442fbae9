"""Tokens of calls whose log has texts and no counts: counted while the text is at hand, then forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import cast

import orjson
import polars as pl
from msgspec import Struct, field

from llmtel.core.schema import LEAVES, polars_schema
from llmtel.sources.source import Record, Source
from llmtel.sources.steps import roots
from llmtel.sources.texts import FRAMING, OUTPUT, PROMPT, TEXT_COLUMNS, texts_of
from llmtel.tokens.counting import Counter, Tokenizer

TokenizerOf = Callable[[str | None, str | None], Tokenizer]
"""The tokenizer of a provider's model, as they are logged."""
RecordOf = Callable[[int], Record]
"""The record of a row of a batch."""
COUNTED = ("@counted_input", "@counted_output")
"""Tokens of the texts in the base encoding, beside the logged ones, where all texts are counted."""
_WORDS = ("provider", "model", "token_source")
_NEW = ("input_uncached", "output_text", "token_source", "prompt_chars", "output_chars")
_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    PROMPT: pl.List(pl.String),
    FRAMING: pl.Int64,
    OUTPUT: pl.List(pl.String),
}


class Counting(Struct):
    """How texts are counted: the tokenizer of each model, and whether `every` call's are, to compare.

    `fingerprints` asks for the hash of each prompt.
    """

    tokenizer: TokenizerOf
    every: bool = False
    fingerprints: bool = False
    counter: Counter = field(default_factory=Counter)


def with_texts(raw: pl.DataFrame, record_of: RecordOf, source: Source, *, every: bool) -> pl.DataFrame:
    """The raw rows, those without token counts (or `every` one) with the texts of their records."""
    if not source.speaks or raw.is_empty():
        return raw
    counts = [name for leaf in LEAVES if leaf in source.calls for name in roots(source.calls, leaf)]
    if not every and counts and not min(raw[name].null_count() for name in counts):
        return raw
    unknown = [pl.col(name).is_null() for name in counts]
    silent = raw if every else raw.filter(pl.all_horizontal(pl.lit(value=True), *unknown))
    found = [(row, texts_of(record_of(row))) for row in silent["row"]]
    spoken = [(row, texts.prompt, texts.framing, texts.output) for row, texts in found if texts]
    if not spoken:
        return raw
    texts = pl.DataFrame(spoken, schema=_SCHEMA, orient="row")
    return raw.join(texts, on="row", how="left", maintain_order="left")


def records_of_lines(data: bytes) -> RecordOf:
    """The records of some lines, by their place."""
    lines: list[bytes] = []

    def record(row: int) -> Record:
        if not lines:  # most batches have counts everywhere and are never cut up
            lines.extend(data.split(b"\n"))
        try:
            return cast("Record", orjson.loads(lines[row].strip(b" \t\r\xef\xbb\xbf")))
        except orjson.JSONDecodeError:  # a line that only the typed decode takes
            return {}

    return record


def records_of_table(table: pl.DataFrame, places: Iterable[int]) -> RecordOf:
    """The rows of a table of texts, by their place."""
    at: dict[int, int] = {}

    def record(place: int) -> Record:
        if not at:  # most tables have counts everywhere, and none of their rows is asked for
            at.update((place, row) for row, place in enumerate(places))
        return table.row(at[place], named=True)

    return record


def counted(calls: pl.DataFrame, counting: Counting) -> pl.DataFrame:
    """`calls` without their texts; those that did not fail and have no token counts have counted ones.

    `token_source` says what these rest on: `tokenizer` (the model's own encoding) or `estimated`. Where every
    call is counted, to compare, the logged counts stay and the columns `COUNTED` stand beside them.
    """
    if PROMPT not in calls.columns:
        return calls
    types = polars_schema(("provider", "model", *_NEW)) | dict.fromkeys(_WORDS, pl.Categorical())
    missing = [name for name in types if name not in calls.columns]
    whole = calls.with_columns(pl.lit(None, dtype=types[name]).alias(name) for name in missing)
    wanted = pl.col(PROMPT).is_not_null()
    if not counting.every:
        silent = pl.all_horizontal(pl.col(name).is_null() for name in LEAVES if name in whole.columns)
        failed = pl.col("status") == "error" if "status" in whole.columns else pl.lit(value=False)
        wanted &= silent & ~failed.fill_null(value=False)
    whole = whole.with_row_index("@at")
    spoken = whole.filter(wanted).with_columns(pl.col("provider", "model").cast(pl.String))
    found = [_numbers(rows, counting) for rows in spoken.partition_by("provider", "model")]
    whole = whole.drop(TEXT_COLUMNS)
    if found:
        whole = whole.join(pl.concat(found), on="@at", how="left", maintain_order="left")
    if found and not counting.every:
        whole = whole.with_columns(pl.coalesce(name, f"@new {name}").alias(name) for name in _NEW)
        whole = whole.drop(COUNTED)
    return whole.drop("@at", *(f"@new {name}" for name in _NEW), strict=False)


def _numbers(rows: pl.DataFrame, counting: Counting) -> pl.DataFrame:
    """What is counted in rows of one model: `@at`, the fields to fill, and tokens of the base encoding."""
    tokenizer = counting.tokenizer(rows["provider"][0], rows["model"][0])
    asked, answered = (_tokens(rows[name], tokenizer.base, counting.counter) for name in (PROMPT, OUTPUT))
    asked = asked + rows[FRAMING].fill_null(0)
    exact = tokenizer.exact and counting.counter.ranked
    new = {
        "input_uncached": asked * tokenizer.factor,
        "output_text": answered * tokenizer.factor,
        "prompt_chars": _characters(rows[PROMPT]),
        "output_chars": _characters(rows[OUTPUT]),
    }
    columns = {f"@new {name}": value.round().cast(pl.Int64) for name, value in new.items()}
    level = pl.lit("tokenizer" if exact else "estimated").cast(pl.Categorical)
    return pl.DataFrame(
        {"@at": rows["@at"], **columns, **dict(zip(COUNTED, (asked, answered), strict=True))}
    ).with_columns(level.alias("@new token_source"))


def _tokens(texts: pl.Series, base: str, counter: Counter) -> pl.Series:
    """The tokens of each row's texts together; null where there are none."""
    flat = texts.explode(empty_as_null=False, keep_nulls=False)
    counts = iter(counter.counts(flat.to_list(), base))
    sums = [sum(next(counts) for _ in range(length)) or None for length in texts.list.len().fill_null(0)]
    return pl.Series(sums, dtype=pl.Int64)


def _characters(texts: pl.Series) -> pl.Series:
    lengths = texts.list.eval(pl.element().str.len_chars()).list.sum()
    return pl.select(pl.when(lengths > 0).then(lengths)).to_series()
