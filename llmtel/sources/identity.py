"""Which rows are one call: rows that share `call_id` or `response_id` on equal or adjacent days, and which copy wins.

A row without an id is never a duplicate. Which copy wins never depends on the order of arrival: the format's preferred
copy (`Source.copies`), else the one with more known fields, else the one whose content has the smaller hash.
"""

from __future__ import annotations

import polars as pl

from llmtel.core.schema import FIELDS
from llmtel.sources.formats import sources

_MOSTLY = 0.5
_IDS = ("call_id", "response_id")
_PLACE = frozenset({"file", "line", "format", "grain", "request_count"})
_CALL = pl.col("request_count").fill_null(1) > 0


def deduplicated(calls: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Calls without their duplicates, and how many those were.

    Extra passes of a call (`request_count` 0) meet only by their own ids and are not counted.
    """
    ids = [name for name in _IDS if name in calls.columns]
    if not ids or not any(_repeats(calls[name]) for name in ids):
        return calls, 0
    calls = calls.with_row_index("@row")
    keys = _keys(calls, ids)
    suspects = keys.filter(pl.any_horizontal(pl.col(name).is_not_null() & pl.col(name).is_duplicated() for name in ids))
    if suspects.is_empty():
        return calls.drop("@row"), 0
    ranked = _ranked(calls, _components(suspects, ids))
    losers = ranked.filter(pl.col("@place") > 0)
    dropped = losers.filter(_CALL).height
    kept = calls.filter(~pl.col("@row").is_in(losers["@row"].implode()))
    return _with_sums_of_copies(kept, ranked).drop("@row"), dropped


def _repeats(ids: pl.Series) -> bool:
    """Whether an id may stand twice. Hashes are enough: equal ones only lead to a closer look."""
    known = ids.drop_nulls().hash()
    return known.n_unique() < known.len()


def _keys(calls: pl.DataFrame, ids: list[str]) -> pl.DataFrame:
    """The ids that are keys: an id that most of a file repeats at other times (a session's) is none.

    Formats that write a call several times (`copies`) repeat their ids on purpose.
    """
    columns = ["@row", "@file", "format", "request_count", *ids, *(["ts"] if "ts" in calls.columns else [])]
    keys = calls.select(columns).with_columns(pl.col(name).cast(pl.String) for name in ("format", *ids))
    if "ts" not in columns:
        return keys.with_columns(pl.lit(None, dtype=pl.Datetime("us", "UTC")).alias("ts"))
    copied = [source.name for source in sources().values() if source.copies is not None]
    for name in ids:
        known = keys.filter(pl.col(name).is_not_null() & ~pl.col("format").is_in(copied))
        shares = known.group_by("@file").agg(pl.col(name).n_unique() / pl.struct(name, "ts").n_unique() < _MOSTLY)
        vague = shares.filter(name)["@file"]
        if vague.len():
            keys = keys.with_columns(pl.when(~pl.col("@file").is_in(vague.implode())).then(pl.col(name)).alias(name))
    return keys


def _components(suspects: pl.DataFrame, ids: list[str]) -> pl.DataFrame:
    """Rows with `@group`: joined by shared ids, directly or through others, then parted where days are apart."""
    label = pl.col("@group")
    groups = suspects.with_columns(pl.col("@row").alias("@group"))
    while True:
        before = groups["@group"]
        for name in ids:
            # an extra pass has the id of its call with a suffix, so it never joins the call
            groups = groups.with_columns(pl.when(pl.col(name).is_not_null()).then(label.min().over(name)).otherwise(label))
        if groups["@group"].equals(before):
            break
    day = pl.col("ts").dt.epoch("d")
    apart = day.is_null() | (day - day.shift(1).over("@group") > 1)
    steps = groups.sort("@group", "ts", nulls_last=True).with_columns(
        apart.fill_null(value=False).cast(pl.Int32).alias("@apart"), pl.col("ts").is_null().alias("@timeless")
    )
    first_timeless = pl.col("@timeless") & ~pl.col("@timeless").shift(1).over("@group").fill_null(value=False)
    part = pl.when(pl.col("@timeless")).then(first_timeless.cast(pl.Int32)).otherwise(pl.col("@apart"))
    return steps.with_columns(part.cum_sum().over("@group").alias("@part")).select("@row", "@group", "@part")


def _ranked(calls: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """The suspects with `@place` in their group: 0 is the copy that is kept."""
    copies = calls.join(groups, on="@row", how="inner")
    fields = [name for name in copies.columns if name in FIELDS]
    content = [pl.col(name).cast(pl.String) if copies.schema[name] == pl.Categorical else pl.col(name) for name in fields]
    known = pl.sum_horizontal(pl.col(name).is_not_null() for name in fields if name not in _PLACE)
    preferred = sorted(name for name in copies.columns if name.startswith("@prefer"))
    copies = copies.with_columns(known.alias("@known"), pl.struct(content).hash(0).alias("@hash"))
    order = ["@group", "@part", *preferred, "@known", "@hash"]
    descending = [False, False, *(True for _ in preferred), True, False]
    sorted_copies = copies.sort(order, descending=descending, nulls_last=True)
    return sorted_copies.with_columns(pl.int_range(pl.len()).over("@group", "@part").alias("@place"))


def _with_sums_of_copies(kept: pl.DataFrame, ranked: pl.DataFrame) -> pl.DataFrame:
    """The kept copies with what their format takes over all copies: the earliest time, the largest count of retries."""
    for source in sources().values():
        if source.copies is None:
            continue
        group = ("@group", "@part")
        over = [pl.col(name).min().over(*group).alias(name) for name in source.copies.earliest if name in ranked.columns]
        over += [pl.col(name).max().over(*group).alias(name) for name in source.copies.largest if name in ranked.columns]
        of_format = ranked.filter(pl.col("format").cast(pl.String) == source.name)
        if not over or of_format.is_empty():
            continue
        taken = of_format.with_columns(over).filter(pl.col("@place") == 0)
        names = [name for name in (*source.copies.earliest, *source.copies.largest) if name in ranked.columns]
        kept = kept.update(taken.select("@row", *names), on="@row", how="left")
    return kept
