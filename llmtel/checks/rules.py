"""A rule, and what may be set about it: the plain data that both ways of writing rules give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from fnmatch import fnmatchcase
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from llmtel.checks.limits import Amount, Limit
from llmtel.query.metric import Metric
from llmtel.query.metrics import METRICS
from llmtel.stats.multiple import Correction

Severity = Literal["off", "warn", "error"]
Reaction = Literal["pass", "info", "warn", "fail"]
Window = Literal["day", "week", "month"]
Key = tuple[str | None, ...]
"""The values of a segment's dimensions; None: unknown. POOLED stands for all the small ones together."""

POOLED: Key = ("\0other",)


CONFIDENCE = 0.95
"""Of intervals and tests, unless a rule says otherwise."""


class Level(Struct, frozen=True):
    """Limits of one severity."""

    severity: Severity
    limits: tuple[Limit, ...]


class Settings(Struct, frozen=True):
    """What decides about the evidence; `defaults:` sets it for all rules, a rule for itself."""

    severity: Severity = "error"
    min_samples: int = 200
    min_clusters: int = 30
    confidence: float = CONFIDENCE
    on_inconclusive: Reaction = "warn"
    on_new: Reaction = "info"
    on_missing: Reaction = "warn"
    max_segments: int = 50


class Split(Struct, frozen=True):
    """The calls that a rule is about, and how they are split: `where` are filters, `by` dimensions.

    `window` takes the last day, week or month of the logs alone.
    """

    where: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    window: Window | None = None


class Rule(Struct, frozen=True):
    """Limits of a metric over the segments of a split.

    A change counts only if it is beyond the limit, at least `min_abs` and `min_impact` large, and more than
    noise; `proven` asks that even the lower end of its interval is beyond. `interval` False lets the point
    alone decide about an absolute limit of a rate. `line` is where it stands in `file`.
    """

    id: str
    metric: str
    levels: tuple[Level, ...]
    split: Split = Split()
    settings: Settings = Settings()
    min_abs: Amount | None = None
    min_impact: Amount | None = None
    proven: bool = False
    interval: bool = True
    message: str | None = None
    line: int | None = None
    file: str | None = None

    @property
    def definition(self) -> Metric:
        """The metric itself."""
        return METRICS[self.metric]

    @property
    def title(self) -> str:
        """The metric with its filters."""
        where = f"{{{', '.join(self.split.where)}}}" if self.split.where else ""
        return f"{self.metric}{where}"

    def values(self, key: Key) -> dict[str, str | None]:
        """The values of a segment by dimension; none of them are known of the pooled one.

        Where no call is one of the rule's there is no segment, and nothing to tell.
        """
        return dict.fromkeys(self.split.by) if key == POOLED else dict(zip(self.split.by, key, strict=False))

    def segment(self, key: Key) -> str:
        """The metric with the filters that pick one segment."""
        shown = "other" if key == POOLED else None
        by = [f"{d}={shown or v or '(unknown)'}" for d, v in zip(self.split.by, key, strict=False)]
        terms = [*self.split.where, *by]
        return f"{self.metric}{{{', '.join(terms)}}}" if terms else self.metric


class Exemption(Struct, frozen=True):
    """A segment of a rule that may break it until a day, for a reason."""

    check: str
    match: dict[str, str]
    until: date
    reason: str
    line: int | None = None

    def covers(self, rule: Rule, key: Key, today: date | None) -> bool:
        """Whether it is about this segment and has not expired; `*` stands for any characters."""
        if self.check != rule.id or (today is not None and today > self.until):
            return False
        values = dict(zip(rule.split.by, key, strict=False))
        return all(fnmatchcase(values.get(name) or "", value) for name, value in self.match.items())


class BaselineSource(Struct, frozen=True):
    """Where the other side comes from: a file, an earlier window of the logs, or nowhere."""

    source: Literal["file", "window", "none"] = "file"
    path: str = ".llmtel/baseline.json"
    compare: str | None = None
    max_age_days: float | None = None
    reprice: Literal["current", "none"] = "current"


class RuleSet(Struct, frozen=True):
    """All rules of a run, in order, with what holds for the run as a whole."""

    rules: tuple[Rule, ...]
    correction: Correction = "bh"
    cluster_by: str = "auto"
    exemptions: tuple[Exemption, ...] = ()
    baseline: BaselineSource = field(default_factory=BaselineSource)

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def only(self, ids: Sequence[str]) -> RuleSet:
        """The rules with these ids alone."""
        return replace(self, rules=tuple(rule for rule in self.rules if rule.id in ids))

    def plus(self, rules: Sequence[Rule]) -> RuleSet:
        """These rules and more."""
        return replace(self, rules=(*self.rules, *rules))
