"""Results of a check → judgements: each number and each reason in the words that people read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from llmtel.checks.check import Report, Result
from llmtel.checks.kinds import adds_up
from llmtel.checks.limits import Limit
from llmtel.checks.rules import POOLED
from llmtel.checks.verdict import Evidence
from llmtel.core.answers import Judgement, Outcome
from llmtel.core.units import COUNT, SHARE, USD, Unit
from llmtel.stats.rates import Interval

MINUS = "−"
_WHOLE = 10
_TINY = 1e-6
"""Below this a p-value is a matter of the tail's form."""


def judgement(result: Result, report: Report) -> Judgement:
    """The verdict about one segment, in words; its causes are added where somebody looked for them."""
    evidence, metric = result.evidence, result.rule.definition
    before, now = evidence.base, evidence.current
    return Judgement(
        check=result.rule.id,
        name=result.name,
        metric=metric.name.replace("_", " "),
        segment=segment(result),
        state=result.state,
        outcome=_outcome(result),
        reason=_reason(result),
        before="" if evidence.held in ("none", "new") else metric.unit.show(before),
        now="" if evidence.held == "missing" else metric.unit.show(now),
        change=change(result),
        interval=interval(result),
        limit=limit(result),
        about=about(result),
        month=_month(result, report),
        message=result.rule.message if _outcome(result) in ("fail", "warn") else None,
        details=details(result),
        value=now,
        unit=metric.unit,
        labels=_labels(result),
        file=result.rule.file,
        line=result.rule.line,
        data=data(result),
    )


def _reason(result: Result) -> str:
    """Why it is so, with the calls that would tell where these do not, and what to beware of."""
    if result.exempt is not None:
        return f"exempt: {result.exempt}"
    evidence = result.evidence
    needed, fewest = evidence.needed or 0, min((n for n in evidence.n if n is not None), default=0)
    unsure = result.state == "inconclusive" and needed > fewest and not result.rule.proven
    more = f" (about {COUNT.show(needed)} {evidence.noun}s a side would tell)" if unsure else ""
    # What to beware of in a comparison does not matter where it is not judged.
    notes = () if result.state == "insufficient" and evidence.absolute is not None else evidence.notes
    return "; ".join((f"{result.verdict.reason}{more}", *notes))


def _outcome(result: Result) -> Outcome:
    return result.reaction


def segment(result: Result) -> str:
    """The segment without the metric: `feature=chat`; empty for all calls."""
    return result.name[len(result.rule.metric) :].strip("{}")


def _labels(result: Result) -> Mapping[str, str]:
    """The segment as labels of a metric; what rows a split pools is `other`."""
    split = result.rule.split
    shown = ("other",) * len(split.by) if result.key == POOLED else result.key
    return {
        **{name: value or "" for name, value in zip(split.by, shown, strict=False)},
        **({"where": ", ".join(split.where)} if split.where else {}),
    }


def change(result: Result) -> str:
    """How much it moved: relative, or in points where the metric is a share."""
    unit = result.rule.definition.unit
    return moved(result.evidence, unit, relative=unit is not SHARE or _relative(result.verdict.limit))


def interval(result: Result) -> str:
    """The two-sided interval of the change: "+17 … +28 %"."""
    unit = result.rule.definition.unit
    return between(result.evidence, unit, relative=unit is not SHARE or _relative(result.verdict.limit))


def moved(evidence: Evidence, unit: Unit, *, relative: bool) -> str:
    """A change: relative where that is wanted and can be, in points for shares, else in the unit."""
    if evidence.absolute is None or evidence.held != "both":
        return ""
    if not evidence.absolute:
        return "±0"
    if relative and evidence.relative is not None and math.isfinite(evidence.relative):
        return percent(evidence.relative)
    return points(evidence.absolute) if unit is SHARE else signed(evidence.absolute, unit)


def between(evidence: Evidence, unit: Unit, *, relative: bool) -> str:
    """The interval of a change, in the same terms."""
    if relative and evidence.relative_interval is not None:
        return _between(evidence.relative_interval, "%")
    found = evidence.absolute_interval
    if unit is SHARE or found is None:
        return _between(found, "pp")
    return f"{signed(found.low, unit)} … {signed(found.high, unit)}"


def limit(result: Result) -> str:
    """What may be: "+10 %", "8 s", with the floors that a change must reach."""
    found, rule = result.verdict.limit, result.rule
    if found is None:
        return ""
    sign = ("+" if found.sign > 0 else MINUS) if found.is_change else ("≤ " if found.sign > 0 else "≥ ")
    floors = [one.text for one in (rule.min_abs, rule.min_impact) if one] if found.is_change else []
    least = f", and at least {' and '.join(floors)}" if floors else ""
    return f"{sign}{spaced(found.amount.text)}{least}"


def spaced(text: str) -> str:
    """An amount with a space before its unit: "10%" → "10 %"."""
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz%")
    return f"{number} {text[len(number) :]}" if number and number != text else text


def about(result: Result) -> str:
    """On what the numbers rest: paired cases, or calls of both sides."""
    evidence = result.evidence
    if evidence.pairs is not None:
        both, new, gone = evidence.pairs
        more = [f"{n:,} {word}" for n, word in ((new, "new"), (gone, "gone")) if n]
        return f"{both:,} paired cases" + (f" ({', '.join(more)})" if more else "")
    before, now = evidence.n
    if now is None or not evidence.tested:
        return ""
    return evidence.counted(now) if before is None else f"{before:,} → {evidence.counted(now)}"


def details(result: Result) -> tuple[tuple[str, str], ...]:
    """How a verdict was found: the sizes, the test, and what the rule asks of them."""
    evidence, settings = result.evidence, result.rule.settings
    clusters = [f"{n:,}" for n in evidence.clusters if n is not None]
    grouped = f", {' → '.join(clusters)} conversations" if clusters and not evidence.pairs else ""
    said = {
        "rests on": f"{about(result)}{grouped}",
        "asked": f"{settings.min_samples} {evidence.noun}s and {settings.min_clusters} conversations a side, "
        "or pairs",
        "test": "" if result.p is None else _test(result),
        "proof": evidence.needed and f"{evidence.counted(evidence.needed)} a side would prove the limit",
        "rule": f"{result.rule.file}:{result.rule.line}" if result.rule.file else result.rule.id,
    }
    return tuple((name, text) for name, text in said.items() if text)


def _test(result: Result) -> str:
    """The p-value, as found and as corrected, and what it is held against."""
    adjusted = result.p_adjusted
    corrected = "" if adjusted is None else f", corrected for all comparisons {_p(adjusted)}"
    return f"p {_p(result.p or 0)}{corrected}; noise from {1 - result.rule.settings.confidence:.2g} on"


def _p(value: float) -> str:
    return f"{value:.2g}" if value >= _TINY else f"below {_TINY:g}"


def _month(result: Result, report: Report) -> str:
    """What a change of money comes to in a month, where the traffic is known."""
    impact, traffic = result.evidence.impact, report.traffic
    if impact is None or traffic.calls_a_month is None:
        return ""
    if adds_up(result.rule.definition):
        return f"{signed(impact, USD)} at this rate"
    return f"{signed(impact, USD)} at {COUNT.show(traffic.calls_a_month)} calls a month ({traffic.source})"


def impact(result: Result) -> str:
    """The same in a word or two, for a headline: "about +$378 a month"."""
    value = result.evidence.impact
    if value is None:
        return ""
    whole = abs(value) >= _WHOLE
    figure = f"{USD.head}{abs(value):,.0f}" if whole and USD.head == "$" else USD.show(abs(value))
    return f"about {'+' if value >= 0 else MINUS}{figure} a month"


def signed(value: float, unit: Unit) -> str:
    """A change in its unit, always with its sign."""
    return ("+" if value >= 0 else MINUS) + unit.show(abs(value))


def percent(relative: float) -> str:
    """A relative change: "+22.3 %"."""
    return f"{'+' if relative >= 0 else MINUS}{_digits(abs(relative) * 100)} %"


def points(absolute: float) -> str:
    """A change of a share: "+1.7 pp"."""
    return f"{'+' if absolute >= 0 else MINUS}{_digits(abs(absolute) * 100)} pp"


def _digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"  # noqa: PLR2004 (three digits say enough)


def _between(found: Interval | None, unit: str) -> str:
    if found is None:
        return ""
    low, high = (f"{'+' if x >= 0 else MINUS}{_short(abs(x) * 100)}" for x in (found.low, found.high))
    return f"{low} … {high} {unit}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= _WHOLE else f"{value:.1f}"


def _relative(found: Limit | None) -> bool:
    return found is not None and found.is_change and found.amount.relative


def sentence(result: Result) -> str:
    """What a person should know first: which, how much, how sure."""
    metric, evidence = result.rule.definition, result.evidence
    who, words = segment(result), metric.name.replace("_", " ")
    short = who.partition("=")[2] if who.count("=") == 1 else who
    found = result.verdict.limit
    if result.state != "fail":
        return f"{result.name}: {'; '.join((result.verdict.reason, *evidence.notes))}"
    if found is not None and not found.is_change:
        side = "above" if found.sign > 0 else "below"
        value = metric.unit.show(_level(result, found))
        return f"{words}{_of(short)} is {value}, {side} the limit of {spaced(found.amount.text)}"
    size = change(result).lstrip(f"+{MINUS}")
    up = (evidence.absolute or 0.0) >= 0
    if metric.name == "cost_per_call" and evidence.relative is not None:
        subject = f"{short} costs" if short else "a call costs"
        return _with_impact(
            f"{subject} {size} {'more' if up else 'less'}{' per call' if short else ''}", result
        )
    said = f"{words}{_of(short)} {'rose' if up else 'fell'} by {size}"
    return _with_impact(said, result)


def _level(result: Result, found: Limit) -> float | None:
    if found.amount.period is None:
        return result.evidence.current
    return result.evidence.projected.get(found.amount.period, (None, None))[1]


def _of(who: str) -> str:
    return f" of {who}" if who else ""


def _with_impact(said: str, result: Result) -> str:
    money = impact(result)
    return f"{said}, {money}" if money else said


def data(result: Result) -> dict[str, Any]:
    """The raw numbers of a result, for machines; never rounded, null where unknown."""
    evidence, found = result.evidence, result.verdict.limit
    ci = evidence.relative_interval if _relative(found) else evidence.absolute_interval
    return {
        "id": result.rule.id,
        "segment": result.rule.values(result.key),
        "where": list(result.rule.split.where),
        "pooled": result.key == POOLED,
        "metric": result.rule.metric,
        "unit": result.rule.definition.unit.name,
        "base": evidence.base,
        "current": evidence.current,
        "abs": evidence.absolute,
        "rel": evidence.relative,
        "ci": None if ci is None else [ci.low, ci.high],
        "ci_of": "rel" if _relative(found) else "abs",
        "p": result.p,
        "p_adj": result.p_adjusted,
        "n": list(evidence.n),
        "clusters": list(evidence.clusters),
        "pairs": None if evidence.pairs is None else list(evidence.pairs),
        "impact_per_month": evidence.impact,
        "needed": evidence.needed,
        "verdict": result.state,
        "severity": result.severity,
        "outcome": result.reaction,
        "limit": None if found is None else str(found),
        "reason": result.verdict.reason,
        "exempt": result.exempt,
        "notes": list(evidence.notes),
    }
