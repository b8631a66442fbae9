"""The rows of a comparison: a metric of a segment each, in words for people and in numbers for machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from llmtel.checks.comparison import Compared, Word
from llmtel.checks.rules import POOLED
from llmtel.checks.side import Side
from llmtel.checks.verdict import Evidence
from llmtel.core.answers import Column, Row, Table
from llmtel.core.units import COUNT, SHARE
from llmtel.query.dimensions import dimension
from llmtel.query.metric import Metric
from llmtel.query.metrics import METRICS
from llmtel.reports import judging

_WORDS: Mapping[Word, str] = {
    "better": "better", "worse": "worse", "moved": "moved", "noise": "within noise", "untested": "not tested",
    "insufficient": "too few", "new": "new", "missing": "gone", "unknown": "unknown",
    "no_baseline": "not held",
}  # fmt: skip
"""What is said of a metric: better or worse is proven, within noise is not."""


def _text(name: str, label: str, help_: str) -> Column:
    return Column(name, label, help_, "field")


_METRIC = _text("metric", "metric", "What is compared")
_VERDICT = _text(
    "verdict",
    "verdict",
    "better, worse or moved: beyond noise; noise; untested: a total; else why there is none",
)
SHOWN = (
    _METRIC,
    _text("before", "before", "The number of the first side"),
    _text("now", "now", "The number of the second side"),
    _text("change", "change", "How much it moved"),
    _text("interval", "95 % interval", "Where the change surely is"),
    _VERDICT,
    _text("rests", "calls", "On how many calls, or pairs of cases, each side rests"),
)
RAW = (
    _METRIC,
    _text("before", "before", "The number of the first side, in the unit of the metric"),
    _text("now", "now", "The number of the second side"),
    _text("abs", "abs", "now − before"),
    _text("rel", "rel", "now ÷ before − 1"),
    _text("ci_low", "ci low", "Lower end of the two-sided 95 % interval of the change"),
    _text("ci_high", "ci high", "Its upper end"),
    _text("ci_of", "ci of", "Of which change: rel or abs"),
    _text("p_adj", "p", "Two-sided p after the correction for all comparisons"),
    _text("n_before", "n before", "Calls that the first number rests on"),
    _text("n_now", "n now", "Calls that the second number rests on"),
    _text("pairs", "pairs", "Cases on both sides, where they are paired"),
    _VERDICT,
)


def table(found: Sequence[Compared], by: Sequence[str], said: Sequence[Column], *, shown: bool) -> Table:
    """What was compared, a row each, with the columns `said`: as it is `shown` to people, or in numbers."""
    rows: list[Row] = [_row(one, by, shown=shown) for one in found]
    columns = [
        *(Column(name, dimension(name).label, dimension(name).help, "dimension") for name in by),
        *said,
    ]
    kept = tuple(column.id for column in columns if column.kind != "dimension")
    return Table(tuple(by), kept, tuple(columns), rows, optional=("rests", "interval") if shown else ())


def _row(one: Compared, by: Sequence[str], *, shown: bool) -> Row:
    pooled = one.key == POOLED
    keys = dict.fromkeys(by) if pooled else dict(zip(by, one.key, strict=True))
    values = _in_words(one) if shown else _in_numbers(one)
    return {**keys, "metric": one.metric, **values, **({"pooled": True} if pooled else {})}


def _in_words(one: Compared) -> Row:
    evidence, metric = one.evidence, METRICS[one.metric]
    return {
        "before": "–" if evidence.held in ("new", "none") else metric.unit.show(evidence.base),
        "now": "–" if evidence.held == "missing" else metric.unit.show(evidence.current),
        "change": _change(evidence, metric),
        "interval": _interval(evidence, metric),
        "verdict": _WORDS[one.word],
        "rests": _rests(evidence),
    }


def _in_numbers(one: Compared) -> Row:
    evidence = one.evidence
    ci = evidence.relative_interval or evidence.absolute_interval
    return {
        "before": evidence.base,
        "now": evidence.current,
        "abs": evidence.absolute,
        "rel": evidence.relative,
        "ci_low": None if ci is None else ci.low,
        "ci_high": None if ci is None else ci.high,
        "ci_of": None if ci is None else "rel" if evidence.relative_interval else "abs",
        "p_adj": one.p,
        "n_before": evidence.n[0],
        "n_now": evidence.n[1],
        "pairs": None if evidence.pairs is None else evidence.pairs[0],
        "verdict": one.word,
    }


def _change(evidence: Evidence, metric: Metric) -> str:
    return judging.moved(evidence, metric.unit, relative=metric.unit is not SHARE)


def _interval(evidence: Evidence, metric: Metric) -> str:
    return judging.between(evidence, metric.unit, relative=metric.unit is not SHARE)


def _rests(evidence: Evidence) -> str:
    if evidence.pairs is not None:
        return f"{COUNT.show(evidence.pairs[0])} pairs"
    sides = [COUNT.show(float(n)) if n is not None else "–" for n in evidence.n]
    return " → ".join(sides)


def shown_of(side: Side) -> Sequence[Column]:
    """The columns for people; what numbers of a provider's sums rest on are these."""
    *others, rests = SHOWN
    return SHOWN if side.noun == "call" else (*others, replace(rests, label="buckets"))
