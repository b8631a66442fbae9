"""Which rows are one call, and which copy of it wins.

Rows that share `call_id` or `response_id` on equal or adjacent days (UTC) are one call. A row without an id
is never a duplicate. Which copy wins never depends on the order of arrival: the format's preferred copy
(`Source.copies`), else the one with more known fields, else the one whose content has the smaller hash. Of
copies in several formats the richer one takes what the others know (`meeting`).
"""

from __future__ import annotations

import polars as pl
from msgspec import Struct

from llmtel.core.account import Note
from llmtel.core.schema import FIELDS, TIME, VAGUE, complete
from llmtel.sources.formats import sources
from llmtel.sources.meeting import PLACE, met
from llmtel.sources.source import Copies

_MOSTLY = 0.5
_IDS = ("call_id", "response_id")
_CALL = pl.col("request_count").fill_null(1) > 0
_NO_GROUPS = pl.DataFrame(schema={"@row": pl.UInt32, "@kept": pl.UInt32})


class Resolved(Struct, frozen=True):
    """What became of the copies of calls.

    `kept` are the rows that stay, `dropped` how many calls were copies of others, `notes` on calls in several
    formats. `groups` has the rows that met others, by their ordinals: `@row`, and `@kept`, the row that stays
    for it.
    """

    kept: pl.DataFrame
    dropped: int
    notes: list[Note]
    groups: pl.DataFrame


def deduplicated(calls: pl.DataFrame) -> tuple[pl.DataFrame, int, list[Note]]:
    """Calls without their duplicates, how many those were, and a note on calls in several formats.

    Extra passes of a call (`request_count` 0) meet only by their own ids and are not counted.
    """
    found = resolved(calls)
    return found.kept, found.dropped, found.notes


def once_a_file(calls: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Calls without the copies that their format writes of them into one file, and how many those were.

    What is left gives the same calls as all copies: the preferred one of each day is among it, with what is
    taken over all of them. Calls of formats that write each once are as they were.
    """
    copied = {source.name for source in sources().values() if source.copies is not None}
    if calls.is_empty() or "ts" not in calls.columns or not set(calls["format"].unique()) <= copied:
        return calls, 0
    marked = calls.with_columns(
        pl.lit(None, dtype=pl.String).alias(VAGUE), pl.col("ts").dt.date().alias("@day")
    )
    ids = [name for name in _IDS if name in calls.columns]
    found = resolved(marked, ("@file", "@day", "format", *ids))
    return found.kept.drop(VAGUE, "@day"), found.dropped


def once_in_a_row(calls: pl.DataFrame, copies: Copies) -> tuple[pl.DataFrame, int]:
    """Calls of one format, in the order of their lines, without copies that stand beside a preferred one.

    And how many those were. What is left gives the same calls as all copies (`once_a_file`); most copies of
    an answer stand beside each other, and are found here for a fraction of what it costs to look for them
    everywhere.
    """
    ids = [name for name in _IDS if name in calls.columns]
    if not ids or "ts" not in calls.columns or calls.is_empty():
        return calls, 0
    facts = (pl.col("@file"), pl.col("ts").dt.date(), *map(pl.col, ids))
    same = pl.all_horizontal(fact.eq_missing(fact.shift()) for fact in facts)
    again = same & pl.any_horizontal(pl.col(name).is_not_null() for name in ids)
    taken = _over_all_copies(copies, calls)
    preferred = sorted(name for name in calls.columns if name.startswith("@prefer"))
    rows = calls.select((~again).cum_sum().alias("@run"), *taken, *preferred).with_row_index("@row")
    if rows["@run"][-1] == calls.height:
        return calls, 0
    rows = rows.with_columns(expression.over("@run") for expression in taken.values())
    for name in preferred:
        rows = rows.filter(pl.col(name).eq_missing(pl.col(name).max().over("@run")))
    kept = calls[rows["@row"]].with_columns(rows.select(*taken))
    return kept, calls.filter(_CALL).height - kept.filter(_CALL).height


def resolved(calls: pl.DataFrame, apart: tuple[str, ...] = ()) -> Resolved:
    """Calls without their duplicates, and which rows were one call.

    Only rows that are equal in the columns of `apart` are copies of each other. What `vague` has marked is no
    key; where nothing is marked, it is found out.
    """
    ids = [name for name in _IDS if name in calls.columns]
    if not any(_repeats(calls[name]) for name in ids):
        return Resolved(calls, 0, [], _NO_GROUPS)
    calls = calls.with_row_index("@row")
    keys = _keys(calls, ids, apart)
    suspects = keys.filter(
        pl.any_horizontal(pl.col(name).is_not_null() & pl.col(name).is_duplicated() for name in ids)
    )
    if suspects.is_empty():
        return Resolved(calls.drop("@row"), 0, [], _NO_GROUPS)
    groups = _components(suspects, ids)
    ranked = _ranked(calls, groups)
    winners = ranked.filter(pl.struct("@group", "@part").is_first_distinct())
    losers = groups.filter(~pl.col("@row").is_in(winners["@row"].implode()))["@row"].implode()
    dropped = calls.filter(pl.col("@row").is_in(losers) & _CALL).height
    kept = _with_sums_of_copies(calls.filter(~pl.col("@row").is_in(losers)), calls, groups)
    kept, notes = met(kept, calls, ranked)
    stays = winners.select("@group", "@part", pl.col("@row").alias("@kept"))
    members = groups.join(stays, on=["@group", "@part"], how="left").select("@row", "@kept")
    return Resolved(kept.drop("@row"), dropped, notes, members)


def vague(calls: pl.DataFrame) -> pl.DataFrame:
    """Calls with `VAGUE`: the names of their ids that are no keys, as most of a file repeats them.

    An id that stands in a file at many times is a session's. Formats that write a call several times
    (`copies`) repeat their ids on purpose.
    """
    ids = [name for name in _IDS if name in calls.columns and _repeats(calls[name])]
    copied = [source.name for source in sources().values() if source.copies is not None]
    marks = []
    for name in ids if not set(calls["format"].unique()) <= set(copied) else ():
        known = calls.lazy().filter(
            pl.col(name).is_not_null() & ~pl.col("format").cast(pl.String).is_in(copied)
        )
        ts = "ts" if "ts" in calls.columns else pl.lit(None, dtype=TIME).alias("ts")
        hashed = known.select("@file", pl.col(name).hash(), ts)
        shares = hashed.group_by("@file").agg(
            pl.col(name).n_unique() / pl.struct(name, "ts").n_unique() < _MOSTLY
        )
        files = shares.filter(name).collect()["@file"]
        if files.len():
            marks.append(pl.when(pl.col("@file").is_in(files.implode())).then(pl.lit(name)))
    told = pl.concat_str(marks, separator=" ", ignore_nulls=True) if marks else pl.lit(None, dtype=pl.String)
    return calls.with_columns(pl.when(told != "").then(told).alias(VAGUE))


def _repeats(ids: pl.Series) -> bool:
    """Whether an id may stand twice. Hashes are enough: equal ones only lead to a closer look."""
    known = ids.drop_nulls().hash()
    return known.n_unique() < known.len()


def _keys(calls: pl.DataFrame, ids: list[str], apart: tuple[str, ...]) -> pl.DataFrame:
    """`@row`, `ts` and the ids that are keys, as 64-bit hashes."""
    if VAGUE not in calls.columns:
        calls = vague(calls)
    ts = pl.col("ts") if "ts" in calls.columns else pl.lit(None, dtype=TIME).alias("ts")
    keys = []
    for name in ids:
        key = pl.col(name).is_not_null() & ~pl.col(VAGUE).fill_null("").str.contains(name, literal=True)
        value = pl.struct(pl.col(name).alias("@key"), *apart) if apart else pl.col(name)
        keys.append(pl.when(key).then(value.hash()).alias(name))
    return calls.select("@row", ts, *keys)


def _components(suspects: pl.DataFrame, ids: list[str]) -> pl.DataFrame:
    """`@row` with `@group` (rows that share ids, directly or through others) and `@part` (days not apart)."""
    label = pl.col("@group")
    groups = suspects.with_columns(pl.col("@row").alias("@group"))
    while True:
        before = groups["@group"]
        for name in ids:
            groups = groups.with_columns(
                pl.when(pl.col(name).is_not_null()).then(label.min().over(name)).otherwise(label)
            )
        if groups["@group"].equals(before):
            break
    day = pl.col("ts").dt.epoch("d")
    ordered = groups.select("@row", "@group", day.alias("@day")).sort("@group", "@day", nulls_last=True)
    same_group = pl.col("@group") == pl.col("@group").shift(1)
    apart = (pl.col("@day") - pl.col("@day").shift(1) > 1).fill_null(value=False)
    first_timeless = pl.col("@day").is_null() & pl.col("@day").shift(1).is_not_null()
    parted = (same_group & (apart | first_timeless)).fill_null(value=False)
    return ordered.select("@row", "@group", parted.cast(pl.UInt32).cum_sum().alias("@part"))


def _ranked(calls: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """The copies that may be kept (`@row`, `@group`, `@part`, `format`), the first of each part to be kept.

    Each format has its say on its own copies, in its order of preference; of what is left, also of several
    formats, the richer copy comes first.
    """
    preferred = sorted(name for name in calls.columns if name.startswith("@prefer"))
    own, rows = ["@group", "@part", "format"], groups.sort("@row")
    chosen = calls.filter(pl.col("@row").is_in(rows["@row"].implode())).select("format", *preferred)
    ranked = pl.concat([rows, chosen], how="horizontal")
    if preferred:
        best = [pl.col(name).eq_missing(pl.col(name).first().over(own)) for name in preferred]
        ranked = ranked.sort(
            *own, *preferred, descending=[False] * len(own) + [True] * len(preferred), nulls_last=True
        ).filter(pl.all_horizontal(best))
    ranked = ranked.select("@row", *own)
    shared = pl.struct("@group", "@part").is_duplicated()
    return pl.concat([ranked.filter(~shared), _by_wealth(calls, ranked.filter(shared))])


def _by_wealth(calls: pl.DataFrame, tied: pl.DataFrame) -> pl.DataFrame:
    """Copies that no format prefers: in each part most known fields come first, then the small hash."""
    copies = calls.join(tied.select("@row"), on="@row", how="semi")
    # all FIELDS in their order, since which columns there are, and in which order, depends on the other files
    content = complete(copies).with_columns(pl.col(pl.Categorical).cast(pl.String))
    for source in sources().values():  # what is taken over all copies tells none from another
        if source.copies is not None:
            of_format = pl.col("format") == source.name
            content = content.with_columns(
                pl.when(~of_format).then(pl.col(name)).alias(name)
                for name in (*source.copies.earliest, *source.copies.largest)
            )
    known = pl.sum_horizontal(pl.col(name).is_not_null() for name in FIELDS if name not in PLACE)
    # what points at people last, so that the choice is the same where pseudonyms stand in its place
    impersonal = [name for name in content.columns if name in FIELDS and FIELDS[name].privacy != "personal"]
    hashes = {"@hash": pl.struct(impersonal).hash(0), "@last": pl.struct(pl.all()).hash(0)}
    order = content.select(copies["@row"], copies["@file"].alias("@in"), known.alias("@known"), **hashes)
    ordered = tied.join(order, on="@row", how="left").sort(
        "@group", "@part", "@known", *hashes, "@in", descending=[False, False, True, False, False, False]
    )
    return ordered.select(tied.columns)


def _over_all_copies(copies: Copies, calls: pl.DataFrame) -> dict[str, pl.Expr]:
    """What is taken over all copies of a call, by field."""
    earliest = {name: pl.col(name).min() for name in copies.earliest if name in calls.columns}
    return earliest | {name: pl.col(name).max() for name in copies.largest if name in calls.columns}


def _with_sums_of_copies(kept: pl.DataFrame, calls: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """The kept copies with what their format takes over all copies: the earliest time, the most retries."""
    for source in sources().values():
        if source.copies is None:
            continue
        taken = _over_all_copies(source.copies, calls)
        if not taken or not (kept["format"] == source.name).any():
            continue
        copies = calls.filter(pl.col("format") == source.name).select("@row", *taken)
        members = groups.join(copies, on="@row", how="inner")
        sums = members.group_by("@group", "@part").agg(
            expression.alias(f"@{name}") for name, expression in taken.items()
        )
        rows = groups.join(sums, on=["@group", "@part"], how="left").drop("@group", "@part")
        kept = kept.join(rows, on="@row", how="left", maintain_order="left")
        of_format = pl.col("format") == source.name
        kept = kept.with_columns(
            pl.when(of_format).then(pl.coalesce(f"@{name}", name)).otherwise(pl.col(name)).alias(name)
            for name in taken
        ).drop(f"@{name}" for name in taken)
    return kept
