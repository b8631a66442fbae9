"""Two sides, metric by metric, without limits: what moved, which way, and whether it is more than noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

from llmtel.checks.evidence import Sides, Traffic
from llmtel.checks.kinds import fewest_for_test
from llmtel.checks.rules import CONFIDENCE, Key, Rule, Split
from llmtel.checks.samples import Quotient, Share
from llmtel.checks.side import Side
from llmtel.checks.verdict import Evidence
from llmtel.query.measures import Ratio
from llmtel.query.metrics import METRICS
from llmtel.stats.bridge import rate_and_mix
from llmtel.stats.multiple import CORRECTIONS, Correction

Word = Literal[
    "better",
    "worse",
    "moved",
    "noise",
    "untested",
    "insufficient",
    "new",
    "missing",
    "unknown",
    "no_baseline",
]
FEWEST_CLUSTERS = 5
"""Below this many conversations (or pairs) a side an interval means nothing."""


class Compared(Struct, frozen=True):
    """One metric of one segment on both sides.

    `word`: `better` or `worse` as the metric says which way that is, else `moved`; `noise`, it may be chance;
    `untested`, it is a total; `unknown`, it is known of no call of one side. `p` is two-sided and corrected
    for all that were tested.
    """

    metric: str
    key: Key
    evidence: Evidence
    word: Word
    p: float | None


def rules_for(metrics: Sequence[str], by: Sequence[str] = (), where: Sequence[str] = ()) -> tuple[Rule, ...]:
    """What `measured` must find for a comparison. Raises `UnknownName` for a metric that does not exist."""
    split = Split(tuple(where), tuple(by))
    return tuple(Rule(METRICS[name].name, name, (), split) for name in metrics)


def compared(
    rules: Sequence[Rule],
    current: Side,
    base: Side,
    *,
    seed: str = "",
    correction: Correction = "bh",
    confidence: float = CONFIDENCE,
) -> list[Compared]:
    """Every metric and segment, in the order of the rules, those of the base alone last."""
    sides = Sides(current, base, Traffic.of(current), seed)
    found = [(rule, key, evidence) for rule in rules for key, evidence in sides.of(rule, everything=True)]
    p = [_two_sided(rule, evidence) for rule, _, evidence in found]
    tested = [i for i, one in enumerate(p) if one is not None]
    corrected = CORRECTIONS[correction]([x for x in p if x is not None])
    by_place = dict(zip(tested, corrected, strict=True))
    results = []
    for i, (rule, key, evidence) in enumerate(found):
        word = _word(rule, evidence, by_place.get(i), 1 - confidence)
        results.append(Compared(rule.metric, key, evidence, word, by_place.get(i)))
    return results


class Mixed(Struct, frozen=True):
    """The change of a metric over all segments: what they did themselves (`within`), and the rest (`mix`)."""

    metric: str
    within: float
    mix: float


def mixed(rules: Sequence[Rule], current: Side, base: Side) -> list[Mixed]:
    """Of each quotient that is split how much is of the segments, and how much because calls moved.

    A segment of one side alone would have had the same number on the other.
    """
    found = []
    for rule in rules:
        expr = rule.definition.expr
        if not rule.split.by or not isinstance(expr, Ratio) or expr.under.how == "distinct":
            continue
        before, after = (_parts(rule, side) for side in (base, current))
        totals = [sum(weight for weight, _ in side.values()) for side in (before, after)]
        keys = [*dict.fromkeys((*before, *after))]
        if len(keys) < 2 or not _much_in_common(before, after):  # noqa: PLR2004 (one segment has no mix)
            continue
        nothing = (0.0, None)
        weights = [
            [side.get(key, nothing)[0] / total for key in keys]
            for side, total in zip((before, after), totals, strict=True)
        ]
        values = [
            [(side.get(key) or other[key])[1] for key in keys]
            for side, other in ((before, after), (after, before))
        ]
        within, mix = rate_and_mix((weights[0], weights[1]), (values[0], values[1]))
        found.append(Mixed(rule.metric, within, mix))
    return found


def _much_in_common(*sides: Mapping[Key, tuple[float, float]]) -> bool:
    """Whether the segments of both sides are at least half of each: days, for one, never are."""
    both = set.intersection(*(set(side) for side in sides))
    weights = [
        (sum(side[key][0] for key in both), sum(weight for weight, _ in side.values())) for side in sides
    ]
    return all(0 < whole <= 2 * common for common, whole in weights)


def _parts(rule: Rule, side: Side) -> dict[Key, tuple[float, float]]:
    """By segment how much it weighs in the whole, and its number."""
    found = {}
    for key, segment in (side.segments(rule.split) or {}).items():
        sample = segment.samples.get(rule.metric)
        if isinstance(sample, Share | Quotient) and sample.point is not None:
            weight = sample.rate.n if isinstance(sample, Share) else float(sample.data.counts.sum())
            found[key] = (weight, sample.point)
    return found


def _two_sided(rule: Rule, evidence: Evidence) -> float | None:
    if evidence.p_rise is None or evidence.p_fall is None or _few(rule, evidence):
        return None
    return min(1.0, 2 * min(evidence.p_rise, evidence.p_fall))


def _few(rule: Rule, evidence: Evidence) -> bool:
    fewest = fewest_for_test(rule.definition)
    if any(x is not None and x < fewest for x in evidence.n):
        return True
    counts = (evidence.pairs[0],) if evidence.pairs else evidence.clusters
    return any(x is not None and x < FEWEST_CLUSTERS for x in counts)


def _word(rule: Rule, evidence: Evidence, p: float | None, alpha: float) -> Word:
    if evidence.held != "both":
        return "no_baseline" if evidence.held == "none" else evidence.held
    if (evidence.base is None) != (evidence.current is None) and 0 in evidence.n:
        return "unknown"
    if evidence.absolute is None or (evidence.tested and p is None):
        return "insufficient"
    if p is None:
        return "untested"
    if p >= alpha:
        return "noise"
    better = rule.definition.better
    if better is None:
        return "moved"
    return "better" if (evidence.absolute < 0) == (better == "lower") else "worse"
