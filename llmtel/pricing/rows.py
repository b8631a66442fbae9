"""The dated rows of a model: every rate checked against the slips that have happened to price tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from llmtel.document import Place
from llmtel.pricing.entries import FEES, MODES, TOKEN_RATES, Mode, OffPeak, Price, Rates, Tier

_ROW_KEYS = (*TOKEN_RATES, *FEES, "from", "above", "off_peak", *MODES, "confidence", "unconfirmed")
_MAX_RATE = Decimal(10_000)
_MIN_RATE = Decimal("0.0001")
_MIN_THRESHOLD = 1_000
_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


def prices(place: Place) -> tuple[Price, ...]:
    """The rows of a model, oldest first. Raises `ConfigError` with file and line."""
    rows = list(place.entries())
    if not rows:
        place.fail("needs at least one row")
    found: list[Price] = []
    last: date | None = None
    for index, row in enumerate(rows):
        price = _price(row)
        if index and price.start is None:
            row.fail("every row but the first needs the day it holds from (`from`)")
        if last is not None and price.start is not None and price.start <= last:
            row.fail(f"rows stand oldest first, one a day: {price.start} after {last}")
        last = price.start
        found.append(price)
    return tuple(found)


def _price(place: Place) -> Price:
    keys = place.items(_ROW_KEYS)
    for needed in ("input", "output"):
        if needed not in keys:
            place.fail(f"needs a rate for {needed} (0 is free)")
    unconfirmed = list(keys["unconfirmed"].entries()) if "unconfirmed" in keys else []
    tiers = _tiers(keys["above"]) if "above" in keys else ()
    return Price(
        start=keys["from"].day() if "from" in keys else None,
        rates=_rates(keys),
        tiers=tiers,
        off_peak=_off_peak(keys["off_peak"]) if "off_peak" in keys else None,
        modes={mode: _mode(keys[mode], len(tiers)) for mode in MODES if mode in keys},
        single="confidence" in keys and keys["confidence"].choice(("single",)) == "single",
        unconfirmed=tuple(part.choice(_ROW_KEYS) for part in unconfirmed),
        at=place,
    )


def _rates(keys: Mapping[str, Place]) -> Rates:
    return {name: rate(keys[name]) for name in (*TOKEN_RATES, *FEES) if name in keys}


def _token_rates(place: Place, *more: str) -> tuple[Rates, dict[str, Place]]:
    keys = place.items((*TOKEN_RATES, *more))
    return {name: rate(keys[name]) for name in TOKEN_RATES if name in keys}, keys


def _tiers(place: Place) -> tuple[Tier, ...]:
    tiers: list[Tier] = []
    for entry in place.one_or_more():
        rates, keys = _token_rates(entry, "input_tokens")
        if "input_tokens" not in keys:
            entry.fail("needs the threshold, input_tokens")
        threshold = keys["input_tokens"].number()
        if threshold != threshold.to_integral_value() or threshold < _MIN_THRESHOLD:
            keys["input_tokens"].fail(
                f"must be a whole number of tokens, {_MIN_THRESHOLD} or more, not {threshold}"
            )
        if tiers and threshold <= tiers[-1].threshold:
            keys["input_tokens"].fail(f"thresholds must rise: {threshold} after {tiers[-1].threshold}")
        tiers.append(Tier(int(threshold), rates))
    return tuple(tiers)


def _off_peak(place: Place) -> OffPeak:
    rates, keys = _token_rates(place, "utc")
    if "utc" not in keys:
        place.fail('needs its hours: utc: ["16:30-00:30"]')
    return OffPeak(tuple(_window(item) for item in keys["utc"].one_or_more()), rates)


def _window(place: Place) -> tuple[int, int]:
    match = _WINDOW.fullmatch(place.value) if isinstance(place.value, str) else None
    if match is None:
        place.fail(f'must be hours like "16:30-00:30" (quoted), not {place.value!r}')
    start, end = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
    if start == end:
        place.fail("a window needs two different times")
    return start, end


def _mode(place: Place, tiers: int) -> Mode:
    if isinstance(place.value, Decimal):
        return Mode(factor=factor(place))
    rates, keys = _token_rates(place, "above")
    if "above" not in keys:
        return Mode(rates=rates)
    above = [_token_rates(entry)[0] for entry in keys["above"].one_or_more()]
    if len(above) != tiers:
        keys["above"].fail(f"has rates for {len(above)} tiers, and the row has {tiers}")
    return Mode(rates=rates, above=tuple(above))


def rate(place: Place) -> Decimal:
    """A rate in USD per million tokens (or thousand calls): 0, or what no slip of a unit would give."""
    value = place.number()
    if value < 0:
        place.fail(f"must not be negative: {value}")
    if value > _MAX_RATE:
        place.fail(f"{value} is too much for USD per million tokens; the largest accepted is {_MAX_RATE}")
    if 0 < value < _MIN_RATE:
        place.fail(
            f"{value} is too little for USD per million tokens (is it per token?); the least is {_MIN_RATE}"
        )
    return value


def factor(place: Place) -> Decimal:
    """A positive number to multiply rates by."""
    value = place.number()
    if value <= 0:
        place.fail(f"a factor must be above 0: {value}")
    return value
