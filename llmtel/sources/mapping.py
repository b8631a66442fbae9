"""Raw rows to calls: the mapping of a source evaluated, its values checked, and every loss counted."""

from __future__ import annotations

from collections import Counter

import polars as pl
from msgspec import Struct, field

from llmtel.core.schema import CATEGORIES, FIELDS, LEAVES, polars_schema
from llmtel.sources.outcome import WORD, not_understood, settled
from llmtel.sources.source import Source
from llmtel.sources.steps import fields, is_step, roots, with_steps
from llmtel.sources.texts import FINGERPRINT, TEXT_COLUMNS
from llmtel.sources.usage import MISMATCH
from llmtel.sources.values import LONGEST_TEXT, is_secret, limits, times

REFUSED_TIME = "a time in no accepted form"


class Mapped(Struct):
    """The calls of some raw rows, and what happened to the other rows and to single values.

    `kept` rows are calls or were rejected (a call may have extra rows), `rejects` are (file, line, reason),
    and `other` the `row`s of the rest.
    """

    calls: pl.DataFrame
    kept: int = 0
    other: pl.Series = field(default_factory=lambda: pl.Series("row", [], dtype=pl.UInt32))
    rejects: list[tuple[int, int, str]] = field(default_factory=list)
    coerced: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)
    remarks: Counter[str] = field(default_factory=Counter)


def map_rows(rows: pl.DataFrame, source: Source) -> Mapped:
    """The calls among raw rows (raw columns, `row`, `@file`, `line`, and maybe `coerced` and `unreadable`).

    A row that `keep` leaves out is *other*; one that is refused, or whose time is in no accepted form, is
    rejected.
    """
    rows, assumed_utc, bad_time = _with_times(rows, source)
    if source.prepare is not None:
        rows = source.prepare(rows)
    steps = with_steps(rows.lazy(), source.calls)
    selected = steps.select(*_service_columns(rows, source, bad_time), *fields(source.calls)).collect()
    mapped = _kept(selected) if source.keep is not None else Mapped(selected, selected.height)
    _reject(mapped)
    _count_raw_values(mapped, source)
    _count_remarks(mapped, source)
    _settle(mapped)
    _drop_secrets(mapped)
    _check_values(mapped, source)
    if assumed_utc and not source.utc:
        mapped.remarks["utc"] += assumed_utc
    if source.extra is not None:
        mapped.calls = source.extra(mapped.calls)  # noqa: S610 (no query of Django)
    mapped.calls = _as_fields(mapped.calls, source)
    return mapped


def _kept(rows: pl.DataFrame) -> Mapped:
    """The rows that are calls; where all are, as in most logs, nothing is copied."""
    keep = rows["@keep"]
    calls = rows.drop("@keep")
    return (
        Mapped(calls, calls.height)
        if keep.all()
        else Mapped(calls.filter(keep), int(keep.sum()), calls.filter(~keep)["row"])
    )


def _with_times(rows: pl.DataFrame, source: Source) -> tuple[pl.DataFrame, int, list[str]]:
    """Rows with their times read, how many had no offset, and the names of columns that mark a bad `ts`."""
    stamps = set(source.calls["ts"].meta.root_names()) if "ts" in source.calls else set()
    assumed, bad, read = 0, [], []
    for name in rows.columns:
        if not name.endswith(":time"):
            continue
        text = rows[name]
        column, utc = times(text)
        assumed += utc if name in stamps else 0
        read.append(column.alias(name))
        if column.null_count() == text.null_count() or name not in stamps:
            continue
        failed = column.is_null() & text.is_not_null() & (text.str.strip_chars() != "")
        if failed.any():
            bad.append(f"@bad {name}")
            read.append(failed.alias(bad[-1]))
    return rows.with_columns(read) if read else rows, assumed, bad


def _service_columns(rows: pl.DataFrame, source: Source, bad_time: list[str]) -> list[pl.Expr]:
    """What is needed to account for a row, in columns whose names begin with `@`."""
    columns = [pl.col("row"), pl.col("@file"), pl.col("line")]
    columns += [pl.col(name).alias(f"@{name}") for name in ("coerced", "unreadable") if name in rows.columns]
    columns += [pl.col(name) for name in (*TEXT_COLUMNS, FINGERPRINT) if name in rows.columns]
    if source.keep is not None:
        columns.append(source.keep.fill_null(value=False).alias("@keep"))
    refused = source.refuse if source.refuse is not None else pl.lit(None, dtype=pl.String)
    if bad_time:
        refused = pl.coalesce(refused, pl.when(pl.any_horizontal(bad_time)).then(pl.lit(REFUSED_TIME)))
    if source.refuse is not None or bad_time:
        columns.append(refused.alias("@refused"))
    columns += [
        remark.when.fill_null(value=False).alias(f"@remark {name}") for name, remark in source.remarks.items()
    ]
    if source.copies is not None:
        columns += [
            key.cast(pl.Int64).cast(pl.Float64).alias(f"@prefer {i}")
            for i, key in enumerate(source.copies.prefer)
        ]
    return columns


def _reject(mapped: Mapped) -> None:
    if "@refused" not in mapped.calls.columns:
        return
    refused = mapped.calls.filter(pl.col("@refused").is_not_null())
    mapped.rejects = list(refused.select("@file", "line", "@refused").iter_rows())
    mapped.calls = mapped.calls.filter(pl.col("@refused").is_null()).drop("@refused")


def _count_raw_values(mapped: Mapped, source: Source) -> None:
    """Values of other types and unusable ones, under the first field that reads them."""
    told = {"@coerced": mapped.coerced, "@unreadable": mapped.unreadable}
    columns = [column for column in told if column in mapped.calls.columns]
    field_of = _field_of_column(source) if columns else {}
    loose = {name for expression in source.loose for name in expression.meta.root_names()}
    for column in columns:
        names = mapped.calls.select(
            pl.col(column).explode(empty_as_null=True, keep_nulls=True).drop_nulls().alias("name")
        )
        for name, count in names.filter(~pl.col("name").is_in(loose)).group_by("name").len().iter_rows():
            told[column][field_of.get(name, name.rsplit(":", 1)[0])] += count
    mapped.calls = mapped.calls.drop(columns)


def _field_of_column(source: Source) -> dict[str, str]:
    """The first field that each raw column is read for."""
    found: dict[str, str] = {}
    for name in source.calls:
        if not is_step(name):
            for root in roots(source.calls, name):
                found.setdefault(root, name)
    return found


def _settle(mapped: Mapped) -> None:
    """What came of the calls; a word for it that says nothing is unreadable where nothing else tells."""
    words = mapped.calls.get_column(WORD, default=None)
    mapped.calls = _without_placeholders(settled(mapped.calls))
    if words is not None and (n := not_understood(words, mapped.calls["status"])):
        mapped.unreadable["status"] += n


def _without_placeholders(calls: pl.DataFrame) -> pl.DataFrame:
    """Failed calls that log no tokens but zeros used nothing that is known: their leaves are null."""
    found = [name for name in LEAVES if name in calls.columns]
    if not found or "status" not in calls.columns:
        return calls
    empty = (pl.col("status") == "error").fill_null(value=False) & (pl.sum_horizontal(found) == 0)
    if not calls.select(empty.any()).item():
        return calls
    return calls.with_columns(pl.when(~empty).then(pl.col(name)).alias(name) for name in found)


def _drop_secrets(mapped: Mapped) -> None:
    """Keys of an API themselves, where a log has them in place of their ids."""
    if "api_key" not in mapped.calls.columns:
        return
    secret = mapped.calls.select(is_secret(pl.col("api_key")).fill_null(value=False)).to_series()
    if secret.any():
        mapped.remarks["secret"] += int(secret.sum())
        mapped.calls = mapped.calls.with_columns(pl.when(~secret).then(pl.col("api_key")).alias("api_key"))


def _count_remarks(mapped: Mapped, source: Source) -> None:
    told = {f"@remark {name}": name for name in source.remarks}
    if MISMATCH in mapped.calls.columns:
        told[MISMATCH] = "usage_mismatch"
    if not told:
        return
    sums = mapped.calls.select(pl.col(told).sum()).row(0)
    mapped.remarks.update({name: int(n) for name, n in zip(told.values(), sums, strict=True) if n})
    mapped.calls = mapped.calls.drop(told)


def _check_values(mapped: Mapped, source: Source) -> None:
    """Values beyond what is possible become null and are counted; empty texts are null, long ones cut.

    Fields of few words are checked where the log itself gives them.
    """
    schema, calls = polars_schema(), mapped.calls
    calls = calls.with_columns(
        pl.col(name).cast(schema[name])
        for name, dtype in calls.schema.items()
        if name in schema and dtype not in (schema[name], pl.Categorical)
    )
    logged = [
        name for name in calls.columns if name in FIELDS and (name in source.calls or not FIELDS[name].words)
    ]
    limited = {name: limits(name) for name in logged}
    masks = {name: mask for name, mask in limited.items() if mask is not None}
    if "cost_logged" in masks and "grain" in calls.columns:  # a bill has credits
        masks["cost_logged"] &= (pl.col("cost_logged") >= 0) | (pl.col("grain") != "bucket")
    # tags are JSON, whose values were cut one by one
    texts = [
        name
        for name, dtype in calls.schema.items()
        if dtype == pl.String and name in schema and name != "tags"
    ]
    faults = calls.select(
        *(mask.sum().alias(f"bad {name}") for name, mask in masks.items()),
        *((pl.col(name).str.len_bytes() > LONGEST_TEXT).any().alias(f"long {name}") for name in texts),
        *((pl.col(name) == "").any().alias(f"empty {name}") for name in texts),
    ).row(0, named=True)
    bad = {name: faults[f"bad {name}"] for name in masks if faults[f"bad {name}"]}
    mapped.unreadable.update(bad)
    long = [name for name in texts if faults[f"long {name}"]]  # bytes are counted faster than characters
    cut = calls.select((pl.col(long).str.len_chars() > LONGEST_TEXT).sum()).row(0) if long else ()
    if sum(cut):
        mapped.remarks["cut"] += sum(cut)
    mapped.calls = calls.with_columns(
        *(pl.when(~masks[name]).then(pl.col(name)).alias(name) for name in bad),
        *(pl.col(name).str.head(LONGEST_TEXT) for name in long),
    ).with_columns(
        pl.when(pl.col(name) != "").then(pl.col(name)).alias(name)
        for name in texts
        if faults[f"empty {name}"]
    )


def _as_fields(calls: pl.DataFrame, source: Source) -> pl.DataFrame:
    """Columns that follow from others, and categories for the fields of few values."""
    new = [pl.lit(source.name).alias("format")]
    if "grain" not in calls.columns:
        new.append(pl.lit("call").alias("grain"))
    if "request_count" in calls.columns and "grain" in calls.columns:
        one = pl.when(pl.col("grain") == "call").then(pl.col("request_count").fill_null(1))
        new.append(one.otherwise("request_count").alias("request_count"))
    if "request_count" not in calls.columns:
        new.append(pl.lit(1, dtype=pl.Int64).alias("request_count"))
    known = [pl.col(name).is_not_null() for name in LEAVES if name in calls.columns]
    if known and "token_source" not in calls.columns:
        new.append(pl.when(pl.any_horizontal(known)).then(pl.lit("logged")).alias("token_source"))
    calls = calls.drop("row").with_columns(new)
    return calls.with_columns(
        pl.col(name).cast(pl.Categorical) for name in CATEGORIES if name in calls.columns
    )
