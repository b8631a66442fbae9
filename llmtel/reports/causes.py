"""Why a number of money moved: causes that add up, who and what is new, the cases, and what can be done."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import polars as pl
from msgspec import Struct
from msgspec.structs import asdict

from llmtel.checks import why
from llmtel.checks.cells import CELL_BY, Usage, cells, matching
from llmtel.checks.check import Report, Result
from llmtel.checks.evidence import Traffic
from llmtel.checks.kinds import adds_up
from llmtel.checks.limits import is_money
from llmtel.checks.private import stored_key
from llmtel.checks.rules import POOLED, Key, Rule, Split
from llmtel.checks.samples import Quotient
from llmtel.checks.seen import Seen, first_seen, seen
from llmtel.checks.side import Side
from llmtel.checks.why import Reasons
from llmtel.core.answers import LEVER, Cause, Moved
from llmtel.query import where
from llmtel.query.dimensions import dimension
from llmtel.reports.bridges import Sides, dollars, rests_on, told
from llmtel.reports.judging import percent, signed
from llmtel.stats import adtributor
from llmtel.stats.adtributor import Explanation

_MOST_CASES = 10
_MOST_NEW = 3
_PER = 1000
_DIGITS = 12
_SAME = 1e-9
"""Relative difference of two sums that comes from adding up alone."""
Costs = dict[str | None, float]
"""Dollars by the value of a dimension."""
_LIFT = 1.2
"""Values that have hardly more of the change than of the cost explain nothing: all moved alike."""


class Grounds(Struct, frozen=True):
    """The calls of both sides, where they are at hand; of a baseline file there are none."""

    before: pl.DataFrame | None
    after: pl.DataFrame
    tz: str = "UTC"


def reasons(result: Result, report: Report, grounds: Grounds) -> dict[str, Any]:
    """What a judgement says of where a change of money is from; nothing where that cannot be told."""
    if report.base is None or result.evidence.held != "both" or not is_money(result.rule.definition):
        return {}
    after = _segment(grounds.after, result.rule.split, result.key, grounds.tz)
    before = _segment(grounds.before, result.rule.split, result.key, grounds.tz)
    found = _bridge(result, report, before, after)
    if found is None:
        return {}
    whole = adds_up(result.rule.definition)
    per, basis = _basis(report.traffic, report.current.calls, found, whole=whole)
    causes, lever = told(found, per)
    new = {} if after is None else seen(after)
    there = Grounds(before, grounds.after if after is None else after, grounds.tz)
    return {
        "causes": causes,
        "basis": basis,
        "who": _who({*_fixed(result), *renamed(report.base.seen, new)}, found, there, per),
        "since": since(report.base.seen, new, None if before is None else seen(before)),
        "rests": rests_on(found, (_calls(report.base, result), _calls(report.current, result))),
        "cases": _cases(result, report, after),
        "lever": lever,
    }


def _calls(side: Side, result: Result) -> float:
    """All calls of a segment, also those whose cost is unknown."""
    split = result.rule.split
    segment = (side.segments(split) or {}).get(stored_key(split, result.key))
    return segment.calls if segment is not None else 0.0


class Bridged(Struct, frozen=True):
    """Why the cost of all calls is another: the reasons, and what is said of them."""

    reasons: Reasons
    causes: tuple[Cause, ...]
    who: str
    since: str
    lever: str
    rests: str = ""

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """What is said of the change by name, as far as there is anything to say."""
        facts = (("mostly", self.who), ("since", self.since), ("rests on", self.rests), (LEVER, self.lever))
        return tuple((name, text) for name, text in facts if text)

    def meta(self, method: why.Method = "shapley") -> dict[str, Any]:
        """The bridge as JSON: dollars, effects by line (also in whole cents), causes, and what is said."""
        reasons = self.reasons
        return {
            "method": method,
            "before": reasons.before,
            "after": reasons.after,
            "effects": dict(reasons.bridge.effects),
            "cents": reasons.bridge.cents(),
            "causes": [asdict(cause) for cause in reasons.causes],
            "who": self.who,
            "since": self.since,
            "lever": self.lever,
            "rests": self.rests,
        }


def bridged(report: Report, grounds: Grounds, method: why.Method) -> Bridged | None:
    """The bridge between the costs of both sides; None where a side has none."""
    if report.base is None:
        return None
    sides = report.base.cells, report.current.cells
    if not all(sides):
        return None
    noun = report.current.noun
    found = Sides(why.explain(*sides, method=method, noun=noun), *sides, noun)
    causes, lever = told(found)
    who = _who(renamed(report.base.seen, report.current.seen), found, grounds)
    rests = rests_on(found, (report.base.calls, report.current.calls))
    return Bridged(found.reasons, causes, who, since(report.base.seen, report.current.seen), lever, rests)


def _segment(calls: pl.DataFrame | None, split: Split, key: Key, tz: str) -> pl.DataFrame | None:
    """The calls of a segment; None where they are not at hand."""
    if calls is None or key == POOLED or split.window or len(key) < len(split.by):
        return None
    found = calls.filter(where.parse(split.where, tz)) if split.where else calls
    for name, value in zip(split.by, key, strict=True):
        of = dimension(name).value(tz).cast(pl.String)
        found = found.filter(of.is_null() if value is None else of == value)
    return found


def _bridge(
    result: Result, report: Report, before: pl.DataFrame | None, after: pl.DataFrame | None
) -> Sides | None:
    """The bridge between the cells of a segment; None where a file does not tell them apart."""
    if before is not None and after is not None:
        sides = cells(before), cells(after)
    else:
        match = matching(result.rule.split, result.key)
        if match is None or report.base is None:
            return None
        sides = _only(report.base.cells, match), _only(report.current.cells, match)
    calls = [sum(usage.calls for usage in side.values()) for side in sides]
    if not all(calls):
        return None
    alike = 1.0 if adds_up(result.rule.definition) else calls[1] / calls[0]
    noun = report.current.noun
    return Sides(why.explain(*sides, scale=(alike, 1.0), noun=noun), *sides, noun)


def _only(side: Mapping[Key, Usage], match: Mapping[str, str | None]) -> Mapping[Key, Usage]:
    places = {name: i for i, name in enumerate(CELL_BY)}
    return {
        key: usage
        for key, usage in side.items()
        if (len(key) == len(CELL_BY) and all(key[places[name]] == value for name, value in match.items()))
        or (not match)
    }  # fmt: skip


def _basis(traffic: Traffic, calls: float, found: Sides, *, whole: bool) -> tuple[float, str]:
    """By what effects are multiplied to be dollars of a month, else of a thousand calls; in words too."""
    if whole:
        return 1.0, ""
    if traffic.calls_a_month and calls:
        return traffic.calls_a_month / calls, "a month"
    here = sum(usage.calls for usage in found.after.values())
    return _PER / here, f"per {_PER:,} {found.noun}s"


def _who(fixed: Collection[str], found: Sides, grounds: Grounds, per: float = 1.0) -> str:
    """The values of the dimension that explain the change best, `fixed` ones aside; none of no change."""
    if math.isclose(found.reasons.before, found.reasons.after, rel_tol=_SAME):
        return ""
    scale = found.reasons.before / sum(usage.cost for usage in found.before.values() if usage.cost)
    before, after, tz = grounds.before, grounds.after, grounds.tz
    if before is not None:
        names = [name for name in why.SEARCHED if name not in fixed]
        best = why.search(before, after, dimensions=names, scale=scale, tz=tz)
        sizes = {e.dimension: after.select(dimension(e.dimension).value(tz).n_unique()).item() for e in best}
        told = [one for one in best if len(one.elements) < sizes[one.dimension] and _tells(one)]
        return explained(told, per)
    return pointed_at(by_cells(found, fixed, scale), per)


def pointed_at(split: Mapping[str, tuple[Costs, Costs]], per: float = 1.0) -> str:
    """The values of the dimension that explain a change best, of the dollars of both sides by dimension."""
    sizes = {name: len({*before, *after}) for name, (before, after) in split.items()}
    best = adtributor.explain(split)
    return explained([one for one in best if len(one.elements) < sizes[one.dimension] and _tells(one)], per)


def _tells(one: Explanation[str | None]) -> bool:
    """Whether it explains anything: not where all moved alike, nor that most calls did not fail."""
    alike = one.lift < _LIFT
    return not alike and (one.dimension != "error" or all(e.key is not None for e in one.elements))


def renamed(before: Seen, after: Seen) -> set[str]:
    """Dimensions whose values are others than before: that is told by itself, and explains nothing."""
    names = {name for name, _, _ in first_seen(before, after)}
    return names | ({"prompt_version"} if "prompt" in names else set())


def _fixed(result: Result) -> frozenset[str]:
    """The dimensions that the segment fixes."""
    split = result.rule.split
    return frozenset((*split.by, *(term.partition("=")[0] for term in split.where)))


def by_cells(found: Sides, fixed: Collection[str], scale: float = 1.0) -> dict[str, tuple[Costs, Costs]]:
    """What cost by feature and by model, where nothing more is kept."""
    split = {}
    for place, name in enumerate(CELL_BY):
        sides: tuple[Costs, Costs] = ({}, {})
        for costs, side, factor in zip(sides, (found.before, found.after), (scale, 1.0), strict=True):
            for key, usage in side.items():
                if key != POOLED:
                    costs[key[place]] = costs.get(key[place], 0.0) + usage.cost * factor
        if name not in fixed and len({*sides[0], *sides[1]}) > 1:
            split[name] = sides
    return split


def explained(best: Sequence[Explanation[str | None]], per: float = 1.0) -> str:
    """The best explanation in words, in dollars: "user=u-0417 (+$13.25), user=u-2 (+$1.10)"."""
    for one in best:
        if len(one.elements) <= _MOST_NEW:
            return ", ".join(
                f"{one.dimension}={e.key if e.key is not None else '(unknown)'} "
                f"({dollars(e.change * per, abs(e.change * per))})"
                for e in one.elements
            )
    return ""


def since(before: Seen, after: Seen, had: Seen | None = None) -> str:
    """What is there for the first time: "prompt support@v4, first seen in this run (before: support@v3)".

    `had` is what the segment itself had before, where that is known.
    """
    told = []
    for name, new, lost in first_seen(before, after):
        gone = [one for one in lost if had is None or one in had.get(name, ())]
        more = f" and {len(new) - _MOST_NEW} more" if len(new) > _MOST_NEW else ""
        was = f" (before: {', '.join(gone[:_MOST_NEW])})" if gone else ""
        told.append(f"{name} {', '.join(new[:_MOST_NEW])}{more}, first seen in this run{was}")
    return "; ".join(told)


def _cases(result: Result, report: Report, after: pl.DataFrame | None) -> tuple[Moved, ...]:
    """The paired cases that moved most."""
    if result.evidence.pairs is None or report.base is None or after is None:
        return ()
    return moved_cases(result.rule, result.key, (report.base, report.current), after)[:_MOST_CASES]


def moved_cases(rule: Rule, key: Key, sides: tuple[Side, Side], after: pl.DataFrame) -> tuple[Moved, ...]:
    """All cases of both sides, those that moved most first, by the names that the logs at hand have for them.

    A baseline knows cases by hashes alone.
    """
    found = [(side.segments(rule.split) or {}).get(key) for side in sides]
    old, new = (None if segment is None else segment.samples.get(rule.metric) for segment in found)
    if not isinstance(old, Quotient) or not isinstance(new, Quotient):
        return ()
    both = []
    for name in after["case"].cast(pl.String).drop_nulls().unique():
        pairs = [sample.cases.get(_hash(name), (0.0, 0.0)) for sample in (old, new)]
        if all(under for _, under in pairs):
            both.append((name, *(over / under * new.scale for over, under in pairs)))
    # Nine digits: equal moves are in order of their names, whatever the last bits of the sums.
    both.sort(key=lambda case: (-float(f"{abs(case[2] - case[1]):.9g}"), case[0]))
    unit = rule.definition.unit
    return tuple(
        Moved(name, unit.show(b), unit.show(a), percent(a / b - 1) if b > 0 else signed(a - b, unit), b, a)
        for name, b, a in both
    )


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:_DIGITS]
