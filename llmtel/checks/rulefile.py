"""Rules from YAML. Every mistake is told at once, each with its line and what would work."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from llmtel.checks import keys, oneline
from llmtel.checks.keys import LIMITS, SETTING_NAMES, Entry
from llmtel.checks.limits import Kind, Limit
from llmtel.checks.rules import BaselineSource, Exemption, Level, Rule, RuleSet, Settings, Split
from llmtel.core.catalog import unknown
from llmtel.core.errors import ConfigError, UsageError
from llmtel.document import Document, Place
from llmtel.query.metric import Metric
from llmtel.query.metrics import METRICS

_VERSION = 1
_LIMIT_NAMES: tuple[Kind, ...] = ("max", "min", "max_increase", "max_decrease")


def load(path: Path) -> RuleSet:
    """The rules of a file. Raises `UsageError` if it cannot be read, `ConfigError` with every mistake."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    return read(Document(str(path), content))


def read(document: Document, others: Collection[str] = ()) -> RuleSet:
    """The rules of a document that may have `others` of its keys. Raises `ConfigError` with every mistake."""
    reader = _Reader(document.name)
    rules = reader.document(document, others)
    if reader.mistakes:
        raise ConfigError("\n".join(reader.told()))
    return rules


class _Reader:
    """Reads on after a mistake, and keeps each."""

    def __init__(self, file: str) -> None:
        self.mistakes: list[str] = []
        self._file = file
        self._ids: set[str] = set()

    def document(self, document: Document, others: Collection[str]) -> RuleSet:
        """The whole."""
        places = document.top.items()
        for name, place in places.items():
            if name not in keys.TOP and name not in others:
                self._mistake(place, unknown("key", name, (*keys.TOP, *others)))
        if "version" in places and places["version"].value != _VERSION:
            self._mistake(places["version"], f"this llmtel reads version {_VERSION}")
        defaults = self._mapping(places.get("defaults"), keys.DEFAULTS)
        settings = replace(Settings(), **{k: v for k, v in defaults.items() if k in SETTING_NAMES})
        rules = [self._check(place, settings) for place in self._list(places.get("checks"))]
        found = RuleSet(
            tuple(rule for rule in rules if rule is not None),
            correction=defaults.get("correction", "bh"),
            cluster_by=defaults.get("cluster_by", "auto"),
            baseline=self._baseline(places.get("baseline")),
        )
        lapses = [self._exemption(place, found) for place in self._list(places.get("exempt"))]
        return replace(found, exemptions=tuple(e for e in lapses if e is not None))

    def told(self) -> list[str]:
        """All mistakes, in order of their lines."""

        def line(mistake: str) -> int:
            number = mistake.removeprefix(f"{self._file}:").partition(":")[0]
            return int(number) if number.isdecimal() else 0

        return sorted(self.mistakes, key=line)

    def _mistake(self, place: Place, message: str) -> None:
        self.mistakes.append(place.says(message))

    def _list(self, place: Place | None) -> Sequence[Place]:
        if place is None or place.value is None:
            return ()
        try:
            return tuple(place.entries())
        except ConfigError as error:
            self.mistakes.append(str(error))
            return ()

    def _mapping(
        self, place: Place | None, entries: Sequence[Entry], metric: Metric | None = None
    ) -> dict[str, Any]:
        """What a mapping says, without what is wrong in it."""
        if place is None or place.value is None:
            return {}
        try:
            places = place.items()
        except ConfigError as error:
            self.mistakes.append(str(error))
            return {}
        known = {entry.name: entry for entry in entries}
        found = {}
        for name, inner in places.items():
            if name not in known:
                self._mistake(inner, unknown("key", name, known))
                continue
            try:
                found[name] = known[name].read(inner, metric)
            except ConfigError as error:
                self.mistakes.append(str(error))
            except UsageError as error:
                self._mistake(inner, str(error))
        return found

    def _check(self, place: Place, settings: Settings) -> Rule | None:
        rule = self._line(place, settings) if isinstance(place.value, str) else self._full(place, settings)
        if rule is None:
            return None
        if rule.id in self._ids:
            self._mistake(place, f"two checks are called {rule.id!r}; give one of them an id of its own")
        self._ids.add(rule.id)
        return replace(rule, file=self._file, line=place.document.line(place.path))

    def _line(self, place: Place, settings: Settings) -> Rule | None:
        try:
            return oneline.rule(place.text(), settings)
        except UsageError as error:
            self._mistake(place, str(error))
            return None

    def _full(self, place: Place, settings: Settings) -> Rule | None:
        name = place.value.get("metric") if isinstance(place.value, dict) else None
        metric = METRICS.get(name) if isinstance(name, str) else None
        before = len(self.mistakes)
        found = self._mapping(place, keys.CHECK, metric)
        own = replace(settings, **{k: v for k, v in found.items() if k in SETTING_NAMES})
        levels = self._levels(place, found, own, metric)
        if len(self.mistakes) > before:
            return None
        if metric is None:
            self._mistake(place, "a check needs a metric, as in metric: cost_per_call")
            return None
        if not levels:
            self._mistake(place, f"a check needs a limit: {', '.join(_LIMIT_NAMES)} or levels")
            return None
        return Rule(
            id=found.get("id") or "-".join((metric.name, *found.get("by", ()))),
            metric=metric.name,
            levels=levels,
            split=Split(found.get("where", ()), found.get("by", ()), found.get("window")),
            settings=own,
            min_abs=found.get("min_abs"),
            min_impact=found.get("min_impact"),
            proven=found.get("proven", False),
            interval=found.get("test", True),
            message=found.get("message"),
        )

    def _levels(
        self, place: Place, found: Mapping[str, Any], settings: Settings, metric: Metric | None
    ) -> tuple[Level, ...]:
        """The limits of a check itself, and those of its levels."""
        own = _limits(found)
        levels = [Level(settings.severity, own)] if own else []
        for inner in self._list(found.get("levels")):
            said = self._mapping(inner, (keys.SEVERITY, *LIMITS), metric)
            limits = _limits(said)
            if limits:
                levels.append(Level(said.get("severity", settings.severity), limits))
            elif not self.mistakes:
                self._mistake(inner, f"a level needs a limit: {', '.join(_LIMIT_NAMES)}")
        del place
        return tuple(levels)

    def _baseline(self, place: Place | None) -> BaselineSource:
        found = self._mapping(place, keys.BASELINE)
        if place is not None and found.get("source") == "window" and "compare" not in found:
            self._mistake(place, "source: window needs compare, as in compare: prev 7d")
        age = found.pop("max_age", None)
        return replace(BaselineSource(), **found, max_age_days=age)

    def _exemption(self, place: Place, rules: RuleSet) -> Exemption | None:
        before = len(self.mistakes)
        found = self._mapping(place, keys.EXEMPTION)
        missing = [name for name in ("check", "until", "reason") if name not in found]
        if len(self.mistakes) > before:
            return None
        if missing:
            self._mistake(place, f"an exemption needs {', '.join(missing)}")
            return None
        rule = next((rule for rule in rules if rule.id == found["check"]), None)
        if rule is None:
            # Where a check itself was refused, its id is not known to be wrong.
            if not self.mistakes:
                self._mistake(place, unknown("check", found["check"], [rule.id for rule in rules]))
            return None
        match = found.get("match", {})
        for name in match.keys() - set(rule.split.by):
            self._mistake(place, f"{rule.id} is not split by {name}, so no segment of it can match")
        return Exemption(
            found["check"], match, found["until"], found["reason"], place.document.line(place.path)
        )


def _limits(found: Mapping[str, Any]) -> tuple[Limit, ...]:
    return tuple(Limit(name, found[name]) for name in _LIMIT_NAMES if found.get(name) is not None)
