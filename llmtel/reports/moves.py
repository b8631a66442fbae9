"""What a comparison says beside its table: how days differ, and whether calls got dearer or moved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import structs

from llmtel.checks.comparison import Compared, Mixed
from llmtel.checks.daily import Daily
from llmtel.checks.evidence import PER_DAY
from llmtel.core.answers import Line
from llmtel.core.units import SHARE, USD, Unit
from llmtel.query.metrics import METRICS
from llmtel.reports.judging import percent, points, signed

_SMALL = 0.005
"""A part below this share of the largest is none that matters."""


def a_day(found: Daily | None) -> tuple[Line | None, dict[str, Any] | None]:
    """The dollars of a day in a sentence, and for machines."""
    if found is None:
        return None, None
    low, high = found.interval.low, found.interval.high
    then, now = found.days
    word = "beyond" if found.unusual else "within"
    if found.change is None:
        ends = f"{USD.show(low)} … {USD.show(high)}"
        text = f"{USD.show(found.now)}, {word} the {ends} that the {then} days before foretell"
    else:
        ends = f"{percent(low)} … {percent(high)}"
        noise = "more than noise" if found.unusual else "within noise"
        text = f"{percent(found.change)} (95 % interval {ends}): {noise}, {then} → {now} days"
    return Line(text, name="cost a day"), {**structs.asdict(found), "unusual": found.unusual}


def mixes(found: Sequence[Mixed], by: Sequence[str]) -> list[Line]:
    """Of each metric how much of its change is within the segments and how much because calls moved."""
    among = " and ".join(by)
    lines = []
    for one in found:
        amounts = (one.within + one.mix, one.within, one.mix)
        if not any(amounts):
            continue
        whole, within, mix = (_amount(x, max(map(abs, amounts)), METRICS[one.metric].unit) for x in amounts)
        text = f"{whole} in all: {within} within each {among}, {mix} as calls moved between them"
        lines.append(Line(text, name=one.metric))
    return lines


def _amount(value: float, largest: float, unit: Unit) -> str:
    if abs(value) < _SMALL * largest:
        return "±0"
    return points(value) if unit is SHARE else signed(value, unit)


def by_the_day(found: Sequence[Compared]) -> list[Line]:
    """That sums of logs that differ in length are not compared as they are."""
    scaled = dict.fromkeys(one.metric for one in found if PER_DAY in one.evidence.notes)
    text = f"{', '.join(scaled)}: what was before is shown for as many days as now has"
    return [Line(text, name="days")] if scaled else []
