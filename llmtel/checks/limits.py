"""What a rule compares a metric with, `8s`, `+10%`, `+0.5pp`, `+$50/month`, read with the metric's own unit.

Money, times and shares need their unit. A change of a share is in percentage points (`pp`) or, relative to
the share itself, in `%rel`: a bare `%` could mean either and is refused.
"""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

from llmtel.checks.kinds import adds_up
from llmtel.core.catalog import unknown
from llmtel.core.errors import UsageError
from llmtel.core.units import MS, SHARE, SPEED, USD, Unit
from llmtel.query.metric import Metric

Kind = Literal["max", "min", "max_increase", "max_decrease"]
DAYS: dict[str, float] = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.0}
"""Periods that a total may be projected to, in days."""

_NEED_UNIT = {unit.name: symbol for unit, symbol in ((USD, "$"), (MS, "s"), (SHARE, "%"), (SPEED, "tok/s"))}
_NUMBER = re.compile(r"([-+]?)\s*(\$?\s*\d[\d,]*\.?\d*|\$?\s*\.\d+)\s*(.*)", re.ASCII)
_PERCENT = 0.01


class Amount(Struct, frozen=True):
    """A number as a rule states it, in the metric's base unit; a `relative` one as a share of the baseline.

    `period` says that a total is projected to it (a key of DAYS). `text` is what was written.
    """

    number: float
    text: str
    relative: bool = False
    period: str | None = None


class Limit(Struct, frozen=True):
    """The condition that fails: beyond `amount`, or, if `inclusive`, at it."""

    kind: Kind
    amount: Amount
    inclusive: bool = False

    @property
    def is_change(self) -> bool:
        """Whether it needs a baseline."""
        return self.kind in ("max_increase", "max_decrease")

    @property
    def sign(self) -> int:
        """1 where large is bad, -1 where small is."""
        return 1 if self.kind in ("max", "max_increase") else -1

    def broken(self, value: float) -> bool:
        """Whether a value, or a change, is beyond it."""
        edge = self.amount.number
        over = self.sign * value - (edge if self.is_change else self.sign * edge)
        return over >= 0 if self.inclusive else over > 0

    def __str__(self) -> str:
        """As people read it: `> +10%`."""
        sign = ("+" if self.sign > 0 else "-") if self.is_change else ""
        operator = (">" if self.sign > 0 else "<") + ("=" if self.inclusive else "")
        return f"{operator} {sign}{self.amount.text}"


def level(text: str, metric: Metric) -> Amount:
    """An absolute amount of a metric, e.g. `8s`. Raises `UsageError`."""
    return _absolute(text, metric)


def change(text: str, metric: Metric) -> Amount:
    """A change of a metric without its sign: `10%`, `0.5pp`, `$0.001`, `150ms`. Raises `UsageError`."""
    number, unit, period = _parts(text)
    if unit in ("%", "%rel"):
        if period:
            raise UsageError(f"{text!r}: a relative change has no period")
        if metric.unit is SHARE and unit == "%":
            raise UsageError(
                f"{text!r} is ambiguous: {metric.name} is a share. Write {number}pp for percentage points, "
                f"or {number}%rel for a relative change"
            )
        return Amount(_float(number) * _PERCENT, text, relative=True)
    if unit == "pp":
        if metric.unit is not SHARE:
            raise UsageError(f"{text!r}: {metric.name} is no share, so it has no percentage points; use %")
        return Amount(_float(number) * _PERCENT, text)
    return _absolute(text, metric)


def size(text: str, metric: Metric) -> Amount:
    """An absolute change of a metric without its sign: `$0.001`, `150ms`, `0.2pp`. Raises `UsageError`."""
    found = change(text, metric)
    if found.relative:
        raise UsageError(f"{text!r} is relative; an absolute change is in {metric.unit.name}")
    return found


def a_month(text: str) -> Amount:
    """Money a month: `$50/month`, or of another period, or without one. Raises `UsageError`."""
    number, unit, period = _parts(text)
    if not number.startswith("$") and unit not in ("USD", "c"):
        raise UsageError(f"{text!r}: write money with its unit, as in ${number}/month")
    months = DAYS["month"] / DAYS[period or "month"]
    return Amount(_read(USD, number + unit, text) * months, text)


def is_money(metric: Metric) -> bool:
    """Whether a change of it is an amount of money."""
    return metric.unit.name == USD.name


def _absolute(text: str, metric: Metric) -> Amount:
    number, unit, period = _parts(text)
    need = _NEED_UNIT.get(metric.unit.name)
    if need and not unit and not number.startswith("$"):
        example = f"{need}{number}" if need == "$" else f"{number}{need}"
        raise UsageError(f"{text!r} needs a unit: {metric.name} is in {metric.unit.name}, as in {example}")
    if unit == "pp":
        raise UsageError(f"{text!r}: percentage points are a change; an absolute limit is in %")
    if unit == "%" and metric.unit is not SHARE:
        raise UsageError(f"{text!r}: {metric.name} is no share; a change in % has a sign, as in +{number}%")
    if period and not adds_up(metric):
        raise UsageError(f"{text!r}: {metric.name} is no total, so it has no value a {period}")
    return Amount(_read(metric.unit, number + unit, text), text, period=period)


def _read(unit: Unit, number: str, text: str) -> float:
    try:
        return unit.read(number)
    except UsageError as error:
        raise UsageError(f"{text!r}: {error}") from None


def _parts(text: str) -> tuple[str, str, str | None]:
    """The number with its $, the unit and the period."""
    amount, slash, period = text.strip().partition("/")
    if slash and amount.endswith("tok"):  # tok/s is a unit
        amount, slash, period = f"{amount}/{period.partition('/')[0]}", "", ""
    found = _NUMBER.fullmatch(amount.strip())
    if found is None or found[1]:
        raise UsageError(f"{text!r} is not a number with a unit, such as 8s, 10%, 0.5pp or $50/month")
    if slash and period not in DAYS:
        raise UsageError(f"{text!r}: {unknown('period', period, DAYS)}")
    return found[2].replace(" ", ""), found[3].strip(), period or None


def _float(number: str) -> float:
    return float(number.lstrip("$").replace(",", ""))
