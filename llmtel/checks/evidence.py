"""Samples of two sides → the evidence about each segment of a rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from llmtel.checks import kinds
from llmtel.checks.cells import Noun
from llmtel.checks.change import Change
from llmtel.checks.limits import DAYS, is_money
from llmtel.checks.private import stored_key
from llmtel.checks.rules import Key, Rule
from llmtel.checks.samples import Count, Quotient, Sample, Share, Total, compare
from llmtel.checks.side import Segments, Side
from llmtel.checks.verdict import Evidence, Held
from llmtel.stats.bootstrap import seed_of
from llmtel.stats.design import calls_needed, calls_needed_for_rate

PER_DAY = "per day, as the logs differ in length"
MONTH = DAYS["month"]
_ALIKE = 0.1
"""Logs whose length differs by more than this share are made comparable before totals are compared."""


class Traffic(Struct, frozen=True):
    """How many calls a month there are, and where that is known from; None where nobody knows.

    The logs of an evaluation say nothing of the month: production's must be told.
    """

    calls_a_month: float | None = None
    source: str = ""

    @classmethod
    def of(cls, side: Side) -> Traffic:
        """What a side of at least a day shows."""
        return cls() if side.days is None else cls(side.calls / side.days * MONTH, "these logs")


class Sides(Struct, frozen=True):
    """What is compared, with the traffic that tells what a change comes to in a month."""

    current: Side
    base: Side | None
    traffic: Traffic
    seed: str = ""

    def of(self, rule: Rule, *, everything: bool = False) -> Iterator[tuple[Key, Evidence]]:
        """The evidence of each segment of a rule.

        Those of the baseline alone come last, if the rule is about changes or `everything` is asked for.
        """
        noun: Noun = "call" if self.current.noun == "call" else "bucket"
        for key, evidence in self._of(rule, everything=everything):
            yield key, replace(evidence, noun=noun)

    def _of(self, rule: Rule, *, everything: bool) -> Iterator[tuple[Key, Evidence]]:
        here = self.current.splits.get(rule.split, {})
        there = self._held(rule)
        for key, segment in here.items():
            yield key, self._segment(rule, stored_key(rule.split, key), segment.samples[rule.metric], there)
        seen = {stored_key(rule.split, key) for key in here}
        changes = everything or any(limit.is_change for level in rule.levels for limit in level.limits)
        if not here and not everything and not (there and changes):
            yield (), self._nothing(rule)
        for key, segment in (there or {}).items():
            if key not in seen and changes:
                sample = segment.samples[rule.metric]
                yield key, Evidence(None, sample.point, (sample.n, 0), (sample.clusters, 0), "missing")

    def _nothing(self, rule: Rule) -> Evidence:
        """The evidence where no call is one of the rule's: all of them add up to 0, the rest is unknown."""
        number = 0.0 if kinds.adds_up(rule.definition) and not rule.split.by else None
        held: Held = "none" if self.base is None or self._held(rule) is None else "both"
        before = 0 if held == "both" else None
        return Evidence(number, n=(before, 0), held=held, notes=("no call matches",))

    def _held(self, rule: Rule) -> Segments | None:
        """What the baseline holds of a rule: None where it was made for other rules."""
        there = self.base.segments(rule.split) if self.base else None
        if there and not any(rule.metric in segment.samples for segment in there.values()):
            return None
        return there

    def _segment(self, rule: Rule, key: Key, sample: Sample, there: Segments | None) -> Evidence:
        alone = Evidence(
            sample.point,
            n=(None, sample.n),
            clusters=(None, sample.clusters),
            held="none",
            tested=sample.tested,
            rate=sample.effective() if isinstance(sample, Share) and sample.n else None,
            projected=self._projected(rule, sample, None),
        )
        if there is None:
            return alone
        before = there[key].samples[rule.metric] if key in there else None
        if before is None or not before.n:
            unseen: Held = "new" if before is None else "unknown"
            held: Held = unseen if sample.n else "both"
            return replace(alone, held=held, n=(0, sample.n), clusters=(0, sample.clusters))
        return self._compared(rule, alone, before, sample)

    def _compared(self, rule: Rule, alone: Evidence, before: Sample, sample: Sample) -> Evidence:
        scaled = self._scaled(rule, before)
        change = compare(scaled, sample, seed_of(self.seed), rule.settings.confidence)
        return replace(
            alone,
            held="both",
            current=change.current,
            base=change.base,
            n=(before.n, sample.n),
            clusters=(before.clusters, sample.clusters),
            relative=change.relative,
            absolute=change.absolute,
            relative_interval=change.relative_interval,
            absolute_interval=change.absolute_interval,
            p_rise=change.p_rise,
            p_fall=change.p_fall,
            pairs=change.pairs,
            impact=self._impact(rule, change, sample),
            needed=_needed(rule, change, sample),
            notes=(
                *change.notes,
                *([PER_DAY] if scaled is not before else []),
            ),
            projected=self._projected(rule, sample, before),
        )

    def _scaled(self, rule: Rule, before: Sample) -> Sample:
        """A total of the baseline as it would be in as many days as the current logs cover."""
        if not isinstance(before, Total | Count) or not kinds.adds_up(rule.definition):
            return before
        days = self._days()
        if days is None or abs(days[1] / days[0] - 1) <= _ALIKE:
            return before
        return before.scaled(days[1] / days[0])

    def _days(self) -> tuple[float, float] | None:
        before = self.base.days if self.base else None
        return None if before is None or self.current.days is None else (before, self.current.days)

    def _projected(
        self, rule: Rule, sample: Sample, before: Sample | None
    ) -> Mapping[str, tuple[float | None, float | None]]:
        """A total as it would be in an hour, a day, a week and a month, on both sides."""
        if not kinds.adds_up(rule.definition):
            return {}
        earlier = _a_day(before, self.base)
        now = _a_day(sample, self.current)
        return {
            period: (None if earlier is None else earlier * days, None if now is None else now * days)
            for period, days in DAYS.items()
        }

    def _impact(self, rule: Rule, change: Change, sample: Sample) -> float | None:
        """What a change of money comes to in a month, at the traffic that is known."""
        calls = self.traffic.calls_a_month
        if change.absolute is None or calls is None or not is_money(rule.definition):
            return None
        months = calls / self.current.calls if self.current.calls else 0.0
        if isinstance(sample, Quotient):
            return change.absolute / sample.scale * float(sample.data.counts.sum()) * months
        return change.absolute * months if isinstance(sample, Total) else None


def _a_day(sample: Sample | None, side: Side | None) -> float | None:
    if sample is None or side is None or side.days is None or sample.point is None:
        return None
    return sample.point / side.days


def _needed(rule: Rule, change: Change, sample: Sample) -> int | None:
    """Calls a side that would prove a change of the first limit's size."""
    limit = next((x for level in rule.levels for x in level.limits if x.is_change), None)
    if limit is None:
        return None
    size, confidence = limit.amount.number, rule.settings.confidence
    if isinstance(sample, Share) and change.base is not None and not limit.amount.relative:
        return calls_needed_for_rate(change.base, limit.sign * size, sample.effect or 1.0, confidence)
    if limit.amount.relative and change.spread is not None:
        return calls_needed(change.spread, size, confidence)
    return None
