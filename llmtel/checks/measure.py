"""Calls → a side: every metric that the rules name, in every segment, as samples.

One pass over the rows for all rules of a split. The query layer says which columns a metric needs and how
they add up; here they are added by segment and cluster, and by segment and case.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

import polars as pl

from llmtel.checks.cells import Noun, cells, noun_of
from llmtel.checks.clusters import FIELDS as CLUSTER_FIELDS
from llmtel.checks.clusters import cluster
from llmtel.checks.private import stored_key
from llmtel.checks.rules import POOLED, Key, Rule, Split
from llmtel.checks.sampling import CLUSTER, SEGMENT, Sampling
from llmtel.checks.seen import seen
from llmtel.checks.side import Segment, Segments, Side
from llmtel.query import where
from llmtel.query.dimensions import TAGS, dimension
from llmtel.query.lower import BASE, completed
from llmtel.query.query import Query

Keep = Mapping[Split, Collection[Key]]


def needs(rules: Iterable[Rule]) -> frozenset[str]:
    """The fields of a call that the rules read."""
    found = {*BASE, *CLUSTER_FIELDS, "case"}
    for rule in rules:
        found |= rule.definition.needs
        found.update(*(dimension(name).needs for name in rule.split.by))
        found |= set(where.parse(rule.split.where).meta.root_names())
    return frozenset(found)


def tags(rules: Iterable[Rule]) -> tuple[str, ...]:
    """The extra keys that the rules are about, which the reader must keep."""
    found: dict[str, None] = {}
    for rule in rules:
        found |= dict.fromkeys(where.tags(rule.split.where))
        found |= {name.removeprefix(TAGS): None for name in rule.split.by if name.startswith(TAGS)}
    return tuple(found)


def measured(
    calls: pl.DataFrame,
    rules: Sequence[Rule],
    *,
    cluster_by: str = "auto",
    tz: str = "UTC",
    keep: Keep | None = None,
    label: str = "",
) -> Side:
    """What priced `calls` say about the rules.

    Of each split the largest segments are kept, with all of `keep` (those of the other side, `keys_of`), and
    the rest is pooled. Percentiles are exact and carry their histogram.
    """
    calls = completed(calls, needs(rules))
    calls = calls.with_columns(cluster(calls, cluster_by).alias(CLUSTER))
    splits: dict[Split, list[Rule]] = {}
    for rule in rules:
        splits.setdefault(rule.split, []).append(rule)
    found = {
        split: _segments(_within(calls, split, tz), split, members, tz, (keep or {}).get(split, ()))
        for split, members in splits.items()
    }
    noun = noun_of(calls)
    first, last = calls["ts"].min(), calls["ts"].max()
    return Side(
        found,
        _count(calls, noun),
        first if isinstance(first, datetime) else None,
        last if isinstance(last, datetime) else None,
        label,
        cells=cells(calls),
        seen=seen(calls),
        noun=noun,
    )


def keys_of(side: Side, rules: Iterable[Rule]) -> Keep:
    """The segments that a side keeps of the rules' splits, for `measured` to keep them too."""
    found = {rule.split: side.segments(rule.split) for rule in rules}
    return {split: tuple(segments) for split, segments in found.items() if segments is not None}


def _count(calls: pl.DataFrame, noun: Noun) -> float:
    """How many calls there are, or of a provider's sums, which know no single ones, how many requests."""
    if noun == "bucket":
        return float(calls.height)
    row = Query(("calls", "requests")).run(calls).rows[0]
    value = row["calls"] or row["requests"]
    return float(value) if isinstance(value, int | float) else 0.0


def _within(calls: pl.DataFrame, split: Split, tz: str) -> pl.DataFrame:
    """The calls that a split is about."""
    found = calls.filter(where.parse(split.where, tz)) if split.where else calls
    if split.window is None:
        return found
    slot = dimension(split.window).key(tz)
    return found.filter(slot == slot.max())


def _segments(
    calls: pl.DataFrame, split: Split, rules: Sequence[Rule], tz: str, keep: Collection[Key]
) -> Segments:
    metrics = dict.fromkeys(rule.metric for rule in rules)
    most = max(rule.settings.max_segments for rule in rules)
    numbered, keys = _numbered(calls, split, tz, most, keep)
    samples = Sampling(numbered, tuple(metrics)).samples()
    return {keys[i]: Segment(calls=n, samples=found) for i, (n, found) in sorted(samples.items())}


def _numbered(
    calls: pl.DataFrame, split: Split, tz: str, most: int, keep: Collection[Key]
) -> tuple[pl.DataFrame, list[Key]]:
    """The calls with the number of their segment, and the segments in order of it, the largest first."""
    if not split.by:
        return calls.with_columns(pl.lit(0, dtype=pl.UInt32).alias(SEGMENT)), [()]
    dims = [dimension(name) for name in split.by]
    # Text becomes categories, which are grouped and joined as integers.
    columns = {
        f"@{d.name}": d.key(tz) if d.time or d.numeric else d.key(tz).cast(pl.Categorical) for d in dims
    }
    calls = calls.with_columns(**columns)
    groups = calls.group_by(list(columns)).len()
    words = {d.name: d.words(pl.col(f"@{d.name}")).cast(pl.String) for d in dims}
    groups = groups.with_columns(**words).sort("len", *words, descending=[True, *(False for _ in words)])
    names: list[Key] = list(groups.select(list(words)).rows())
    others = [name for name in names if stored_key(split, name) in keep]
    shown = others if POOLED in keep else [name for name in names if name in {*names[:most], *others}]
    if len(shown) < len(names):
        places = {name: i for i, name in enumerate(shown)}
        numbers = [places.get(name, len(shown)) for name in names]
        shown = [*shown, POOLED]
    else:
        numbers = list(range(len(names)))
    groups = groups.select(*columns, pl.Series(SEGMENT, numbers, dtype=pl.UInt32))
    return calls.join(groups, on=list(columns), how="left", nulls_equal=True), shown
