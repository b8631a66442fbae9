"""Why a number of money moved: causes that add up, who and what is new, the cases, and what can be done."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from llmtel.checks import why
from llmtel.checks.cells import CELL_BY, Usage, cells
from llmtel.checks.check import Report, Result
from llmtel.checks.evidence import Traffic
from llmtel.checks.kinds import adds_up
from llmtel.checks.limits import is_money
from llmtel.checks.rules import POOLED, Key, Split
from llmtel.checks.samples import Quotient
from llmtel.checks.seen import first_seen, seen
from llmtel.checks.why import Reasons
from llmtel.core.answers import Cause, Moved
from llmtel.core.units import SHARE, TOKENS, USD
from llmtel.query import where
from llmtel.query.dimensions import dimension
from llmtel.reports.judging import MINUS, percent, signed
from llmtel.stats import adtributor
from llmtel.stats.adtributor import Explanation

_SMALL = 0.01
"""A cause below this share of all that moved is told with the others of its size."""
_MOST_CASES = 10
_MOST_NEW = 3
_PER = 1000
_DIGITS = 12
_WORDS = {"volume": "more calls", "mix": "mix", "price": "prices", "new": "new", "removed": "gone"}


@dataclass(frozen=True)
class Grounds:
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
    return {
        "causes": causes,
        "basis": basis,
        "who": _who(result, found, before, after, grounds.tz),
        "since": since(report.base.seen, {} if after is None else seen(after)),
        "cases": _cases(result, report, after),
        "lever": lever,
    }


def _segment(calls: pl.DataFrame | None, split: Split, key: Key, tz: str) -> pl.DataFrame | None:
    """The calls of a segment; None where they are not at hand."""
    if calls is None or key == POOLED or split.window:
        return None
    found = calls.filter(where.parse(split.where, tz)) if split.where else calls
    for name, value in zip(split.by, key, strict=True):
        of = dimension(name).value(tz).cast(pl.String)
        found = found.filter(of.is_null() if value is None else of == value)
    return found


@dataclass(frozen=True)
class _Bridge:
    """The reasons, the cells of both sides they are about, and the calls of the current side."""

    reasons: Reasons
    before: Mapping[Key, Usage]
    after: Mapping[Key, Usage]


def _bridge(
    result: Result, report: Report, before: pl.DataFrame | None, after: pl.DataFrame | None
) -> _Bridge | None:
    """The bridge between the cells of a segment; None where a file does not tell them apart."""
    match: dict[str, str | None] | None = {}
    if before is not None and after is not None:
        sides = cells(before), cells(after)
    else:
        match = _match(result)
        if match is None or report.base is None:
            return None
        sides = _only(report.base.cells, match), _only(report.current.cells, match)
    calls = [sum(usage.calls for usage in side.values()) for side in sides]
    if not all(calls):
        return None
    alike = 1.0 if adds_up(result.rule.definition) else calls[1] / calls[0]
    return _Bridge(why.explain(*sides, scale=(alike, 1.0)), *sides)


def _only(side: Mapping[Key, Usage], match: Mapping[str, str | None]) -> Mapping[Key, Usage]:
    places = {name: i for i, name in enumerate(CELL_BY)}
    return {
        key: usage
        for key, usage in side.items()
        if (len(key) == len(CELL_BY) and all(key[places[name]] == value for name, value in match.items()))
        or (not match)
    }  # fmt: skip


def _match(result: Result) -> dict[str, str | None] | None:
    """The segment as values of CELL_BY; None where it is picked by something else."""
    split = result.rule.split
    pairs = [term.partition("=") for term in split.where]
    plain = all(
        eq and not name.endswith(("!", ">", "<")) and not {*"*?"} & {*value} for name, eq, value in pairs
    )
    if result.key == POOLED or split.window or not plain:
        return None
    found: dict[str, str | None] = {name: value.strip("\"'") for name, _, value in pairs}
    found |= dict(zip(split.by, result.key, strict=True))
    return found if found.keys() <= {*CELL_BY} else None


def _basis(traffic: Traffic, calls: float, found: _Bridge, *, whole: bool) -> tuple[float, str]:
    """By what effects are multiplied to be dollars of a month, else of a thousand calls; in words too."""
    if whole:
        return 1.0, ""
    if traffic.calls_a_month and calls:
        return traffic.calls_a_month / calls, "a month"
    here = sum(usage.calls for usage in found.after.values())
    return _PER / here, f"per {_PER:,} calls"


def told(found: _Bridge, per: float = 1.0) -> tuple[tuple[Cause, ...], str]:
    """The causes in words, the largest first, and the lever of what drives the change."""
    everything = found.reasons.causes
    moved = math.fsum(abs(cause.effect) for cause in everything)
    if not moved:
        return (), ""
    large = [cause for cause in everything if abs(cause.effect) >= _SMALL * moved]
    small = [cause.effect for cause in everything if abs(cause.effect) < _SMALL * moved]
    effects = [cause.effect for cause in large] + ([math.fsum(small)] if small else [])
    texts = [(_text(cause, found), _note(cause, found)) for cause in large] + [("other", "")] * bool(small)
    figures = in_cents([effect * per for effect in effects])
    causes = [
        Cause(text, _dollars(figure, max(map(abs, figures))), abs(effect) / moved, note)
        for (text, note), figure, effect in zip(texts, figures, effects, strict=True)
    ]
    if not any(cause.line == "price" for cause in everything):
        causes.append(Cause("prices", f"{USD.head}0", 0.0))
    change = found.reasons.after - found.reasons.before
    driver = next((cause for cause in large if cause.effect * change > 0), large[0])
    return tuple(causes), driver.lever


def in_cents(amounts: Sequence[float]) -> list[float]:
    """Dollars rounded to cents that add up to their sum in cents; below a dollar they stay as they are.

    The cents that rounding leaves over go to those it moved most.
    """
    if max(map(abs, amounts), default=0.0) < 1:
        return list(amounts)
    floors = [math.floor(amount * 100) for amount in amounts]
    left = round(math.fsum(amounts) * 100) - sum(floors)
    order = sorted(range(len(amounts)), key=lambda i: floors[i] - amounts[i] * 100)
    for i in order[:left]:
        floors[i] += 1
    return [cents / 100 for cents in floors]


def _dollars(value: float, largest: float) -> str:
    """An amount beside others: whole dollars where they are large."""
    if largest >= 100:  # noqa: PLR2004 (three digits say enough)
        return f"{'+' if value >= 0 else MINUS}{USD.head}{abs(value):,.0f}"
    return signed(value, USD)


def _text(cause: why.Cause, found: _Bridge) -> str:
    name = _WORDS.get(cause.line, cause.line)
    if cause.line == "volume":
        return "more calls" if cause.effect > 0 else "fewer calls"
    if cause.line in ("new", "removed") and cause.key is not None:
        return f"{name}: {_cell(cause.key)}"
    del found
    return name


def _cell(key: Key) -> str:
    return "others" if key == POOLED else " with ".join(value or "(unknown)" for value in key)


def _note(cause: why.Cause, found: _Bridge) -> str:
    """From what to what: tokens a call, or the share of the cell that moved most."""
    if cause.before is not None and cause.after is not None:
        return f"{TOKENS.show(round(cause.before))} → {TOKENS.show(round(cause.after))} per call"
    if cause.line == "mix" and cause.key is not None:
        shares = [_share(side, cause.key) for side in (found.before, found.after)]
        return f"{_cell(cause.key)} {SHARE.show(shares[0])} → {SHARE.show(shares[1])}"
    return ""


def _share(side: Mapping[Key, Usage], key: Key) -> float:
    calls = sum(usage.calls for usage in side.values())
    return side[key].calls / calls if key in side and calls else 0.0


def _who(
    result: Result, found: _Bridge, before: pl.DataFrame | None, after: pl.DataFrame | None, tz: str
) -> str:
    """The values of the dimension that explain the change best, with the share that each explains."""
    fixed = {*result.rule.split.by, *(term.partition("=")[0] for term in result.rule.split.where)}
    scale = found.reasons.before / sum(usage.cost for usage in found.before.values() if usage.cost)
    if before is not None and after is not None:
        names = [name for name in why.SEARCHED if name not in fixed]
        best = why.search(before, after, dimensions=names, scale=scale, tz=tz)
        sizes = {e.dimension: after.select(dimension(e.dimension).value(tz).n_unique()).item() for e in best}
    else:
        split = _by_cells(found, fixed, scale)
        best = adtributor.explain(split)
        sizes = {name: len({*sides[0], *sides[1]}) for name, sides in split.items()}
    return explained([one for one in best if len(one.elements) < sizes[one.dimension]])


def _by_cells(
    found: _Bridge, fixed: set[str], scale: float
) -> dict[str, tuple[dict[str | None, float], dict[str | None, float]]]:
    """What cost by feature and by model, where nothing more is kept."""
    split = {}
    for place, name in enumerate(CELL_BY):
        sides: list[dict[str | None, float]] = [{}, {}]
        for costs, side, factor in zip(sides, (found.before, found.after), (scale, 1.0), strict=True):
            for key, usage in side.items():
                if key != POOLED:
                    costs[key[place]] = costs.get(key[place], 0.0) + usage.cost * factor
        if name not in fixed and len({*sides[0], *sides[1]}) > 1:
            split[name] = (sides[0], sides[1])
    return split


def explained(best: Sequence[Explanation[str | None]]) -> str:
    """The best explanation in words: "feature=chat (83 %), feature=rag (12 %)"."""
    for one in best:
        if len(one.elements) <= _MOST_NEW:
            return ", ".join(
                f"{one.dimension}={e.key if e.key is not None else '(unknown)'} ({e.power * 100:.0f} %)"
                for e in one.elements
            )
    return ""


def since(before: Mapping[str, Sequence[str]], after: Mapping[str, Sequence[str]]) -> str:
    """What is there for the first time: "prompt support@v4, first seen in this run (before: support@v3)"."""
    told = []
    for name, new, gone in first_seen(before, after):
        more = f" and {len(new) - _MOST_NEW} more" if len(new) > _MOST_NEW else ""
        was = f" (before: {', '.join(gone[:_MOST_NEW])})" if gone else ""
        told.append(f"{name} {', '.join(new[:_MOST_NEW])}{more}, first seen in this run{was}")
    return "; ".join(told)


def _cases(result: Result, report: Report, after: pl.DataFrame | None) -> tuple[Moved, ...]:
    """The paired cases that moved most, by the names that the logs at hand have for them."""
    if result.evidence.pairs is None or report.base is None or after is None:
        return ()
    samples = []
    for side in (report.base, report.current):
        segment = (side.segments(result.rule.split) or {}).get(result.key)
        samples.append(None if segment is None else segment.samples.get(result.rule.metric))
    old, new = samples
    if not isinstance(old, Quotient) or not isinstance(new, Quotient):
        return ()
    names = {_hash(name): name for name in after["case"].cast(pl.String).drop_nulls().unique()}
    both = [
        (name, old.cases[key][0] / old.cases[key][1], new.cases[key][0] / new.cases[key][1])
        for key, name in names.items()
        if key in old.cases and key in new.cases and old.cases[key][1] and new.cases[key][1]
    ]
    both.sort(key=lambda case: (-abs(case[2] - case[1]), case[0]))
    unit = result.rule.definition.unit
    return tuple(
        Moved(name, unit.show(b), unit.show(a), percent(a / b - 1) if b > 0 else signed(a - b, unit))
        for name, b, a in ((n, b * new.scale, a * new.scale) for n, b, a in both[:_MOST_CASES])
    )


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:_DIGITS]
