"""The check: rules over two sides, every comparison judged, and what the run comes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from llmtel.checks import verdict
from llmtel.checks.evidence import Sides, Traffic
from llmtel.checks.kinds import fewest_for_limit
from llmtel.checks.limits import Limit
from llmtel.checks.rules import Exemption, Key, Level, Reaction, Rule, RuleSet, Severity
from llmtel.checks.side import Side
from llmtel.checks.verdict import Evidence, State, Verdict
from llmtel.core.errors import Exit
from llmtel.stats.multiple import CORRECTIONS

SKIPPED: tuple[State, ...] = ("insufficient", "new", "missing", "no_baseline")
_WORDS: Mapping[State, str] = {
    "insufficient": "insufficient data",
    "new": "new segment",
    "missing": "missing segment",
    "no_baseline": "no baseline",
}


class Result(Struct, frozen=True):
    """The verdict about one segment of one rule.

    `severity` is that of the level that decided. `p` is as found, `p_adjusted` after the correction, in the
    bad direction of the deciding limit; None without a test. `exempt` is the reason that excuses a failure.
    """

    rule: Rule
    key: Key
    evidence: Evidence
    verdict: Verdict
    severity: Severity
    p: float | None = None
    p_adjusted: float | None = None
    exempt: str | None = None

    @property
    def state(self) -> State:
        """The state in a word."""
        return self.verdict.state

    @property
    def name(self) -> str:
        """The metric with the filters that pick the segment."""
        return self.rule.segment(self.key)

    @property
    def reaction(self) -> Reaction:
        """How grave it is: `fail` trips the gate, `warn` and `info` are told, `pass` is fine."""
        settings = self.rule.settings
        reactions: Mapping[State, Reaction] = {
            "fail": "fail",
            "inconclusive": settings.on_inconclusive,
            "new": settings.on_new,
            "missing": settings.on_missing,
            "insufficient": "info",
            "no_baseline": "info",
        }
        found = reactions.get(self.state, "pass")
        return "warn" if found == "fail" and self.severity == "warn" else found


class Report(Struct, frozen=True):
    """All results in the order of the rules, the gravest state first within each, and both sides."""

    results: tuple[Result, ...]
    current: Side
    base: Side | None
    traffic: Traffic
    rules: RuleSet
    today: date | None = None

    def count(self, *states: State) -> int:
        """How many results have one of these states."""
        return sum(r.state in states for r in self.results)

    @property
    def compared(self) -> int:
        """Comparisons and limits that were decided one way or the other."""
        return len(self.results) - self.count(*SKIPPED)

    def sentence(self) -> str:
        """The last line, always: how many comparisons were made, and what was skipped and why."""
        skipped = {state: self.count(state) for state in SKIPPED if self.count(state)}
        why = ", ".join(f"{n} {_WORDS[state]}" for state, n in skipped.items())
        warned = sum(r.state == "fail" and r.severity == "warn" for r in self.results)
        counted = [
            f"{self.count('fail') - warned} failed",
            *([f"{warned} warned"] if warned else []),
            f"{self.count('inconclusive')} inconclusive",
        ]
        counted += [f"{self.count(s)} {s}" for s in ("improved", "exempt") if self.count(s)]
        below = sum(r.verdict.below for r in self.results)
        counted += [f"{below} below a floor"] if below else []
        skips = f"{sum(skipped.values())} skipped" + (f" ({why})" if why else "")
        compared = f"{self.compared} comparison{'' if self.compared == 1 else 's'}"
        return f"{', '.join([compared, *counted, skips])}; {self._baseline()}"

    def _baseline(self) -> str:
        if self.base is None:
            return "no baseline"
        day = self.base.saved or self.base.last
        when = f" {day.date().isoformat()}" if day else ""
        days = f"{self.age} d old, " if self.age is not None else ""
        return f"baseline{when} ({days}{self.base.calls:,.0f} {self.base.noun}s)"

    @property
    def expired(self) -> tuple[Exemption, ...]:
        """Exemptions whose day has passed."""
        return tuple(e for e in self.rules.exemptions if self.today and self.today > e.until)

    @property
    def staleness(self) -> Literal["fresh", "old", "stale"]:
        """Whether the baseline is older than it may be, or than twice that."""
        most = self.rules.baseline.max_age_days
        if most is None or self.age is None or self.age <= most:
            return "fresh"
        return "stale" if self.age > 2 * most else "old"

    @property
    def age(self) -> int | None:
        """Days since the baseline was saved; None for calls at hand."""
        saved = self.base.saved if self.base else None
        return None if saved is None or self.today is None else (self.today - saved.date()).days

    def exit_code(self, *, strict: bool = False, fail_on_warn: bool = False) -> Exit:
        """3 where a rule is violated.

        Under `strict` 4 where nothing was compared, or not conclusively, or the baseline is stale.
        """
        fatal: tuple[Reaction, ...] = ("fail", "warn") if fail_on_warn else ("fail",)
        if any(r.reaction in fatal for r in self.results):
            return Exit.VIOLATED
        unsure = not self.compared or self.count("inconclusive") or self.staleness == "stale"
        return Exit.STRICT if strict and unsure else Exit.OK


class _Comparison(Struct, frozen=True):
    """One segment of one rule, before the correction for many comparisons."""

    rule: Rule
    key: Key
    evidence: Evidence

    def tested(self) -> tuple[int, ...]:
        """The bad directions (1: a rise) of the changes that a test decides about."""
        limits = [limit for level in self.rule.levels for limit in level.limits if limit.is_change]
        open_ = [x for x in limits if verdict.before_test(x, self.rule, self.evidence) is None]
        return tuple(dict.fromkeys(x.sign for x in open_ if self.evidence.p(x.sign) is not None))


def check(
    rules: RuleSet,
    current: Side,
    base: Side | None = None,
    *,
    seed: str = "",
    today: date | None = None,
    traffic: Traffic | None = None,
) -> Report:
    """Judge every segment of every rule of `current`, against `base` where there is one.

    The same rules, sides and `seed` give the same report. `today` decides about exemptions and the age of the
    baseline (None: exemptions hold). `traffic` tells the calls of a month where the logs do not.
    """
    sides = Sides(current, base, traffic or Traffic.of(current), seed)
    found = [
        _Comparison(rule, key, evidence)
        for rule in rules
        if any(level.severity != "off" for level in rule.levels)
        for key, evidence in sides.of(rule)
    ]
    worse, better = _corrected(found, rules, 1), _corrected(found, rules, -1)
    results = [_result(one, i, worse, better) for i, one in enumerate(found)]
    results = [_excused(result, rules, today) for result in results]
    order = {rule.id: i for i, rule in enumerate(rules)}
    results.sort(key=lambda r: (order[r.rule.id], verdict.ORDER.index(r.state)))
    return Report(tuple(results), current, base, sides.traffic, rules, today)


def _corrected(found: Sequence[_Comparison], rules: RuleSet, way: int) -> dict[tuple[int, int], float]:
    """Corrected p-values by comparison and bad direction, of moves that way (1) or the other (-1)."""
    tests = [(i, sign) for i, one in enumerate(found) for sign in one.tested()]
    p = [found[i].evidence.p(sign * way) for i, sign in tests]
    adjusted = CORRECTIONS[rules.correction]([1.0 if x is None else x for x in p])
    return dict(zip(tests, adjusted, strict=True))


def _result(
    one: _Comparison, i: int, worse: Mapping[tuple[int, int], float], better: Mapping[tuple[int, int], float]
) -> Result:
    """The gravest verdict over the levels of the rule."""

    def judged(limit: Limit) -> Verdict:
        if not limit.is_change:
            return verdict.of_level(limit, one.rule, one.evidence, fewest_for_limit(one.rule.definition))
        place = i, limit.sign
        return verdict.of_change(limit, one.rule, one.evidence, worse.get(place), better.get(place))

    levels = [
        (verdict.worst([judged(limit) for limit in level.limits]), level.severity)
        for level in one.rule.levels
        if level.severity != "off" and (one.evidence.held != "missing" or _has_change(level))
    ]
    found, severity = min(levels, key=lambda x: (verdict.ORDER.index(x[0].state), x[1] != "error"))
    tested = found.limit is not None and found.limit.is_change
    sign = found.limit.sign if found.limit else 1
    p = one.evidence.p(sign) if tested else None
    return Result(
        one.rule, one.key, one.evidence, found, severity, p, worse.get((i, sign)) if tested else None
    )


def _has_change(level: Level) -> bool:
    return any(limit.is_change for limit in level.limits)


def _excused(result: Result, rules: RuleSet, today: date | None) -> Result:
    """A failure that an exemption covers is none."""
    if result.state != "fail":
        return result
    for one in rules.exemptions:
        if one.covers(result.rule, result.key, today):
            excused = replace(result.verdict, state="exempt")
            return replace(result, verdict=excused, exempt=f"{one.reason} (until {one.until})")
    return result
