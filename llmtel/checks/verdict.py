"""The verdict about one metric of one segment. Pure: evidence and limits in, a word and its reason out.

A change fails only if it is beyond the tolerance, not below the floors, rests on enough calls, and is more
than noise after the correction for many comparisons. An unproven one is inconclusive, never a failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from llmtel.checks.cells import Noun
from llmtel.checks.kinds import fewest_for_test
from llmtel.checks.limits import Limit
from llmtel.checks.rules import Rule
from llmtel.stats.rates import Interval, Rate, wilson

State = Literal[
    "pass", "improved", "fail", "inconclusive", "insufficient", "new", "missing", "no_baseline", "exempt"
]
Held = Literal["both", "none", "new", "unknown", "missing"]
ORDER: tuple[State, ...] = (
    "fail", "inconclusive", "missing", "new", "insufficient", "no_baseline", "exempt", "improved", "pass"
)  # fmt: skip
"""States, the one that matters most first."""


class Evidence(Struct, frozen=True):
    """What is known of one metric in one segment; `x` of (base, current) pairs is the baseline's.

    `n` are calls, or what `noun` says, `clusters` conversations. `held` says on which sides the segment is:
    `none`, the baseline does not hold this split; `unknown`, it holds the segment, but of none of its calls
    the number. `relative` and `absolute` are the change, with two-sided intervals and one-sided p-values
    where a test exists (`tested`: totals have none). `rate` is the current side in effective calls, for
    absolute limits. `impact` is the change in dollars a month, `projected` have both sides a period. `pairs`
    are cases on both sides, new and gone; None: unpaired.
    `needed` are the calls a side that would prove the tolerance.
    """

    current: float | None
    base: float | None = None
    n: tuple[int | None, int | None] = (None, None)
    clusters: tuple[int | None, int | None] = (None, None)
    held: Held = "both"
    tested: bool = True
    relative: float | None = None
    absolute: float | None = None
    relative_interval: Interval | None = None
    absolute_interval: Interval | None = None
    p_rise: float | None = None
    p_fall: float | None = None
    rate: Rate | None = None
    impact: float | None = None
    pairs: tuple[int, int, int] | None = None
    needed: int | None = None
    notes: tuple[str, ...] = ()
    projected: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    noun: Noun = "call"

    def counted(self, n: int) -> str:
        """So many calls, or buckets of a provider's sums."""
        return f"{n:,} {self.noun}{'' if n == 1 else 's'}"

    def p(self, sign: int) -> float | None:
        """The one-sided p of a move in the direction of `sign`."""
        return self.p_rise if sign > 0 else self.p_fall


BELOW = "below the floor of"
"""How the reason begins of a change that is beyond its tolerance and too small to matter."""


class Verdict(Struct, frozen=True):
    """A state, and the reason in words. `limit` is the one that decided."""

    state: State
    reason: str = ""
    limit: Limit | None = None

    @property
    def below(self) -> bool:
        """Whether a change beyond its tolerance was let through, as too small to matter."""
        return self.reason.startswith(BELOW)


def worst(verdicts: list[Verdict]) -> Verdict:
    """The verdict that matters most; the first of equals."""
    return min(verdicts, key=lambda v: ORDER.index(v.state))


def of_level(limit: Limit, rule: Rule, evidence: Evidence, fewest: int) -> Verdict:
    """The verdict about an absolute limit, which needs no baseline.

    `fewest` calls must be there for a percentile. A rate fails only if the Wilson interval is beyond too.
    """
    value, n = _level(limit, evidence), evidence.n[1] or 0
    if value is None:
        return Verdict("insufficient", _unknown(limit, evidence), limit)
    if n < fewest:
        return Verdict("insufficient", f"{evidence.counted(n)}, needs {fewest}", limit)
    if not limit.broken(value):
        return Verdict("pass", "within the limit", limit)
    if evidence.rate is None or not rule.interval:
        return Verdict("fail", "beyond the limit", limit)
    interval = wilson(evidence.rate, rule.settings.confidence)
    if limit.broken(interval.low if limit.sign > 0 else interval.high):
        return Verdict("fail", "beyond the limit, and so is its interval", limit)
    return Verdict("inconclusive", "beyond the limit, but its interval is not", limit)


def _level(limit: Limit, evidence: Evidence) -> float | None:
    if limit.amount.period is None:
        return evidence.current
    return evidence.projected.get(limit.amount.period, (None, None))[1]


def _unknown(limit: Limit, evidence: Evidence) -> str:
    if limit.amount.period and evidence.current is not None:
        return f"less than a day of logs cannot be projected to a {limit.amount.period}"
    return f"not known of any {evidence.noun}"


def of_change(
    limit: Limit, rule: Rule, evidence: Evidence, p_worse: float | None, p_better: float | None
) -> Verdict:
    """The verdict about a change; the p-values are one-sided, for worse and for better, corrected."""
    early = before_test(limit, rule, evidence)
    if early:
        return early
    change = _change(limit, evidence)
    if change is None:
        return Verdict("insufficient", _unknown(limit, evidence), limit)
    if not limit.broken(change):
        alpha = 1 - rule.settings.confidence
        better = p_better is not None and p_better < alpha and limit.sign * change < -limit.amount.number
        return Verdict("improved" if better else "pass", "better" if better else "within tolerance", limit)
    below = _below_floor(rule, evidence)
    return Verdict("pass", below, limit) if below else Verdict(*_proof(limit, rule, evidence, p_worse), limit)


def _proof(limit: Limit, rule: Rule, evidence: Evidence, p_worse: float | None) -> tuple[State, str]:
    """Whether a change beyond the limit is more than noise."""
    if not evidence.tested:
        return "fail", "beyond the limit (a budget: totals are not tested)"
    if rule.proven:
        bound = _bound(limit, evidence)
        if bound is not None and limit.broken(bound):
            return "fail", "proven: the whole interval is beyond the limit"
        return "inconclusive", "the interval reaches below the limit"
    if p_worse is not None and p_worse < 1 - rule.settings.confidence:
        return "fail", "beyond the limit, and more than noise"
    return "inconclusive", "beyond the limit, but may be noise"


def before_test(limit: Limit, rule: Rule, evidence: Evidence) -> Verdict | None:
    """The verdict that stands without a test, because a side or enough calls are missing; else None."""
    return _held(limit, evidence) or (_enough(limit, rule, evidence) if evidence.tested else None)


def _held(limit: Limit, evidence: Evidence) -> Verdict | None:
    reasons: dict[Held, tuple[State, str]] = {
        "none": ("no_baseline", "no baseline to compare with"),
        "new": ("new", "not in the baseline"),
        "unknown": ("new", f"not known of any {evidence.noun} of the baseline"),
        "missing": ("missing", "in the baseline, but not here"),
    }
    found = reasons.get(evidence.held)
    if evidence.held == "both" and evidence.n == (0, 0):
        return Verdict("insufficient", f"known of no {evidence.noun} on either side", limit)
    return Verdict(*found, limit) if found else None


def _enough(limit: Limit, rule: Rule, evidence: Evidence) -> Verdict | None:
    """Insufficient, where a test has too few calls or clusters on a side; pairs are their own clusters."""
    settings = rule.settings
    fewest = max(settings.min_samples, fewest_for_test(rule.definition))
    if evidence.pairs is not None:
        few = evidence.pairs[0] < settings.min_clusters
        reason = f"{evidence.pairs[0]} paired cases, needs {settings.min_clusters}"
        return Verdict("insufficient", reason, limit) if few else None
    for counts, least, name in (
        (evidence.n, fewest, f"{evidence.noun}s"),
        (evidence.clusters, settings.min_clusters, "conversations"),
    ):
        known = [x for x in counts if x is not None]
        if known and min(known) < least:
            shown = " and ".join(str(x) for x in counts if x is not None)
            return Verdict("insufficient", f"{shown} {name}, needs {least} a side", limit)
    return None


def _change(limit: Limit, evidence: Evidence) -> float | None:
    amount = limit.amount
    if amount.period:
        before, after = evidence.projected.get(amount.period, (None, None))
        return None if before is None or after is None else after - before
    return evidence.relative if amount.relative else evidence.absolute


def _bound(limit: Limit, evidence: Evidence) -> float | None:
    interval = evidence.relative_interval if limit.amount.relative else evidence.absolute_interval
    if interval is None:
        return None
    return interval.low if limit.sign > 0 else interval.high


def _below_floor(rule: Rule, evidence: Evidence) -> str | None:
    """Why a change is too small to matter; an impact that is not known is no reason."""
    if rule.min_abs and evidence.absolute is not None and abs(evidence.absolute) < rule.min_abs.number:
        return f"{BELOW} {rule.min_abs.text}"
    if rule.min_impact and evidence.impact is not None and abs(evidence.impact) < rule.min_impact.number:
        return f"{BELOW} {rule.min_impact.text}"
    return None
