"""What may stand in a file of rules: each key once, with how it is read, what editors are told, and its help.

From these declarations come the reader (`rulefile`) and the JSON Schema (`schema`), so that they agree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

from msgspec import Struct
from msgspec.structs import fields

from llmtel.checks import earlier, limits
from llmtel.checks.clusters import CLUSTER_BY
from llmtel.checks.limits import Amount
from llmtel.checks.oneline import filters, term
from llmtel.checks.rules import Reaction, Settings, Window
from llmtel.core.errors import UsageError
from llmtel.core.units import SHARE
from llmtel.document import Place
from llmtel.query import where
from llmtel.query.dimensions import DIMENSIONS, TAGS, dimension
from llmtel.query.metric import Metric
from llmtel.query.metrics import METRICS
from llmtel.stats.multiple import CORRECTIONS

Schema = Mapping[str, Any]
_AGE = re.compile(r"(\d+)\s*([dwh])", re.ASCII)
_AGES = {"h": 1 / 24, "d": 1.0, "w": 7.0}
_AMOUNT: Schema = {"type": ["string", "number"]}
SEVERITIES = ("off", "warn", "error")


class Entry(Struct, frozen=True):
    """A key: how its value is read (some need the metric of the check), its JSON Schema, and its help."""

    name: str
    read: Callable[[Place, Metric | None], Any]
    schema: Schema
    help: str

    def as_schema(self) -> dict[str, Any]:
        """What an editor is told."""
        return {**self.schema, "description": self.help}


def text(name: str, help_: str) -> Entry:
    """A key with a text."""
    return Entry(name, lambda place, _: place.text(), {"type": "string"}, help_)


def flag(name: str, help_: str) -> Entry:
    """A key that is true or false."""
    return Entry(name, lambda place, _: place.flag(), {"type": "boolean"}, help_)


def whole(name: str, help_: str) -> Entry:
    """A key with a whole number above 0."""
    return Entry(name, lambda place, _: place.whole(), {"type": "integer", "minimum": 1}, help_)


def choice(name: str, words: Sequence[str], help_: str) -> Entry:
    """A key with one of some words; YAML's `off` is a word too."""

    def read(place: Place, _: Metric | None) -> str:
        if place.value is False and "off" in words:
            return "off"
        if place.value is None and "none" in words:
            return "none"
        return place.choice(words)

    return Entry(name, read, {"enum": [*words, *([False] if "off" in words else [])]}, help_)


def amount(name: str, read: Callable[[str, Metric], Amount], help_: str) -> Entry:
    """A key with an amount in the unit of the check's metric."""

    def of_metric(place: Place, metric: Metric | None) -> Amount | None:
        return None if metric is None else read(_written(place), metric)

    return Entry(name, of_metric, _AMOUNT, help_)


def _level(text: str, metric: Metric) -> Amount:
    """An absolute limit. Raises `UsageError`; who writes a change is told the key that takes it."""
    if text.startswith(("+", "-")) or (text.endswith("%") and metric.unit is not SHARE):
        key = "max_decrease" if text.startswith("-") else "max_increase"
        raise UsageError(f"{text!r} is a change, which is {key}: {text.lstrip('+-')}")
    return limits.level(text, metric)


def _change(text: str, metric: Metric) -> Amount:
    return limits.change(text.removeprefix("+"), metric)


def _size(text: str, metric: Metric) -> Amount:
    return limits.size(text.removeprefix("+"), metric)


def _written(place: Place) -> str:
    """A number or a text as it was written."""
    return place.text() if isinstance(place.value, str) else str(place.number())


def _metric(place: Place, _: Metric | None) -> str:
    return METRICS[place.text()].name


def _by(place: Place, _: Metric | None) -> tuple[str, ...]:
    return tuple(dimension(one.text()).name for one in place.one_or_more())


def _where(place: Place, _: Metric | None) -> tuple[str, ...]:
    """Filters as a mapping of names to values or globs, or as they stand between the braces of a line."""
    if isinstance(place.value, str):
        return filters(place.text())
    terms = []
    for name, value in place.items().items():
        written = _written(value)
        terms.append(term(name, "=~" if re.search(r"[*?]", written) else "=", written))
    where.parse(terms)
    return tuple(sorted(terms))


def _share(place: Place, _: Metric | None) -> float:
    value = float(place.number())
    if not 0.5 <= value < 1:  # noqa: PLR2004 (below, chance itself would do)
        raise UsageError(f"must be from 0.5 to below 1, not {value}")
    return value


def _impact(place: Place, metric: Metric | None) -> Amount:
    if metric is not None and not limits.is_money(metric):
        raise UsageError(f"{metric.name} is not money, so a change of it has no impact in dollars")
    return limits.a_month(_written(place))


def _age(place: Place, _: Metric | None) -> float:
    found = _AGE.fullmatch(str(place.value))
    if found is None:
        raise UsageError(f"{str(place.value)!r} is no time such as 30d, 4w or 12h")
    return int(found[1]) * _AGES[found[2]]


def _window(place: Place, _: Metric | None) -> str:
    earlier.wanted(place.text())
    return place.text()


def _point(place: Place, _: Metric | None) -> bool:
    return place.choice(("interval", "point")) == "interval"


_REACTIONS = get_args(Reaction)
_DIMENSION: Schema = {"anyOf": [{"enum": [*DIMENSIONS]}, {"pattern": f"^{re.escape(TAGS)}."}]}

LIMITS = (
    amount("max", _level, "Fails above it: 8s, 2%, $0.05"),
    amount("min", _level, "Fails below it"),
    amount("max_increase", _change, "Fails if it rises by more than that: 10%, 0.5pp, $0.01"),
    amount("max_decrease", _change, "Fails if it falls by more than that"),
)
SEVERITY = choice("severity", SEVERITIES, "error trips the gate, warn is told, off is not checked")
LEVEL = (SEVERITY, *LIMITS)
SETTINGS = (
    SEVERITY,
    whole("min_samples", "Calls a side below which a change is not judged"),
    whole("min_clusters", "Conversations (or paired cases) a side below which a change is not judged"),
    Entry(
        "confidence", _share, {"type": "number", "minimum": 0.5, "exclusiveMaximum": 1},
        "Of the one-sided test and of intervals",
    ),
    choice("on_inconclusive", _REACTIONS, "What a change beyond the limit is that may be noise"),
    choice("on_new", _REACTIONS, "What a segment is that the baseline does not have"),
    choice("on_missing", _REACTIONS, "What a segment is that only the baseline has"),
    whole("max_segments", "Segments of a split; the smallest beyond are pooled"),
)  # fmt: skip
CHECK = (
    text("id", "Name of the check, in every output"),
    Entry("metric", _metric, {"enum": [*METRICS]}, "What is measured: llmtel list metrics"),
    Entry(
        "by", _by, {"anyOf": [_DIMENSION, {"type": "array", "items": _DIMENSION}]},
        "Dimensions; each segment is judged alone",
    ),
    Entry(
        "where", _where, {"anyOf": [{"type": "string"}, {"type": "object"}]},
        "Only these calls: a mapping of names to values or globs",
    ),
    choice("window", get_args(Window), "Only the last day, week or month of the logs"),
    *LIMITS,
    Entry(
        "levels", lambda place, _: place, {"type": "array"},
        "Several sets of limits, each with its severity",
    ),
    amount("min_abs", _size, "AND: a smaller absolute change does not matter"),
    Entry("min_impact", _impact, _AMOUNT, "AND: a change worth less does not matter: $50/month"),
    flag("proven", "Fails only if the whole interval is beyond the limit"),
    Entry(
        "test", _point, {"enum": ["interval", "point"]},
        "Whether an absolute limit of a rate looks at its interval or at the point alone",
    ),
    text("message", "What to tell whoever breaks it"),
    *SETTINGS,
)  # fmt: skip
DEFAULTS = (
    *SETTINGS,
    choice("correction", [*CORRECTIONS], "For many comparisons: Benjamini–Hochberg, Holm or none"),
    choice("cluster_by", CLUSTER_BY, "Drawn again as one: auto is the trace, else session, user, 15 minutes"),
)
BASELINE = (
    choice("source", ("file", "window", "none"), "What to compare with"),
    text("path", "The baseline file"),
    Entry(
        "compare", _window, {"type": "string"},
        "The earlier window, for source: window: prev 7d, or same-weekdays 4w",
    ),
    Entry("max_age", _age, {"type": "string", "pattern": r"^\d+\s*[dwh]$"}, "An older baseline is told: 30d"),
    choice("reprice", ("current", "none"), "Whether both sides are priced with one price list"),
)  # fmt: skip
EXEMPTION = (
    text("check", "The id of the check"),
    Entry(
        "match",
        lambda place, _: {name: value.text() for name, value in place.items().items()},
        {"type": "object", "additionalProperties": {"type": "string"}},
        "The segment: dimensions of the check and their values or globs",
    ),
    Entry(
        "until", lambda place, _: place.day(), {"type": "string", "format": "date"},
        "The last day of it; exemptions expire",
    ),
    text("reason", "Why"),
)  # fmt: skip
TOP = {
    "version": "Version of the file: 1",
    "checks": "Rules: one line of text each, or a mapping",
    "defaults": "What holds for all checks that do not say otherwise",
    "baseline": "What the logs are compared with",
    "exempt": "Segments that may break a check until a day",
}
"""The keys of a file of rules, and of `llmtel.yaml` beside those of others."""

SETTING_NAMES = tuple(field.name for field in fields(Settings))
