"""Units: how a number is shown to people, and how people's numbers are read back.

A unit shows a number three ways: alone with its symbol (`show`: "$184.37", "1.31 s"), as the cells of a
column whose header carries the symbol (`column`: common decimals, so that they align), and, exactly, to
machines (no unit at all). `read(show(x))` is x up to the digits shown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

from msgspec import Struct, field

from llmtel.core.errors import UsageError

UNKNOWN = "?"
"""What an unknown number looks like in a table: never 0."""

_NUMBER = re.compile(r"\s*([-+]?)\s*\$?\s*(\d[\d,]*\.?\d*(?:[eE][-+]?\d+)?|\.\d+)\s*([^\d\s]*)\s*", re.ASCII)


class Currency(Struct, frozen=True):
    """What people see amounts of money in; machines get USD. `per_usd` is its price of a dollar."""

    code: str
    symbol: str
    per_usd: float


_DOLLARS = Currency("USD", "$", 1.0)
_CURRENCY = ContextVar("currency", default=_DOLLARS)
_SYMBOLS = {"EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "KRW": "₩", "USD": "$"}


@contextmanager
def money_in(code: str, per_usd: float) -> Iterator[None]:
    """Show money to people in another currency, as long as this lasts."""
    token = _CURRENCY.set(Currency(code, _SYMBOLS.get(code, f"{code} "), per_usd))
    try:
        yield
    finally:
        _CURRENCY.reset(token)


class Unit(Struct, frozen=True):
    """What a number is measured in.

    `factor` divides a value on its way into a column (ms are shown as seconds); `suffixes` are the words that
    `read` accepts, each with what it multiplies by; `digits` is the number of decimals a column needs for its
    values; `compact` lets a column of large numbers count in k, M or G.
    """

    name: str
    show_number: Callable[[float], str]
    symbol: str = ""
    factor: float = 1.0
    suffixes: Mapping[str, float] = field(default_factory=dict)
    digits: Callable[[Sequence[float]], int] = lambda _values: 0
    compact: bool = False
    shown_in: ContextVar[Currency] | None = None

    @property
    def head(self) -> str:
        """The symbol in the head of a column; money is shown in the currency of the reader."""
        return self.symbol if self.shown_in is None else self.shown_in.get().symbol

    def show(self, value: float | None) -> str:
        """The number alone, with its symbol."""
        return UNKNOWN if value is None or not math.isfinite(value) else self.show_number(value)

    def column(self, values: Sequence[float | None]) -> list[str]:
        """The numbers of one column in the unit of its header, with common decimals.

        A number too small for them is not shown as zero: "<0.01".
        """
        per = self.factor if self.shown_in is None else self.factor / self.shown_in.get().per_usd
        known = [v / per for v in values if v is not None and math.isfinite(v)]
        size, suffix = _scale(known) if self.compact else (1.0, "")
        digits = self.digits([v / size for v in known])
        cell = partial(_cell, digits=digits, suffix=suffix)
        unknown = [v is None or not math.isfinite(v) for v in values]
        numbers = iter(known)
        return [UNKNOWN if u else cell(next(numbers) / size) for u in unknown]

    def read(self, text: str) -> float:
        """The number a person wrote, e.g. "2s", "$0.10", "3 %", "1.5M". Raises `UsageError`."""
        match = _NUMBER.fullmatch(text)
        if match is None or (match[3] and match[3] not in self.suffixes):
            known = ", ".join(s for s in self.suffixes if s)
            hint = f"; it may end in {known}" if known else ""
            msg = f"{text!r} is not a number of {self.name}{hint}"
            raise UsageError(msg)
        number = float(match[2].replace(",", "")) * self.suffixes.get(match[3], 1.0)
        return -number if match[1] == "-" else number


def _cell(value: float, *, digits: int, suffix: str) -> str:
    """A number with fixed decimals; one that they would show as zero, though it is not, as a bound."""
    if value and abs(value) < 0.5 * 10**-digits:
        return f"{'<' if value > 0 else '>-'}{10**-digits:.{digits}f}{suffix}"
    return f"{value:,.{digits}f}{suffix}" if value else f"{0:.{digits}f}"


def _scale(values: Sequence[float]) -> tuple[float, str]:
    """The k, M or G that suits the middle of a column with large numbers."""
    sizes = sorted(abs(v) for v in values if v)
    if not sizes or sizes[-1] < 1e4:  # noqa: PLR2004 (k starts at 10,000)
        return 1.0, ""
    middle = sizes[len(sizes) // 2]
    return next(((size, suffix) for size, suffix in ((1e9, "G"), (1e6, "M")) if middle >= size), (1e3, "k"))


def _significant(value: float, digits: int) -> str:
    """`value` with about `digits` significant digits and no exponent."""
    if value == 0:
        return "0"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{places}f}"


def _show_usd(value: float) -> str:
    currency = _CURRENCY.get()
    sign = ("-" if value < 0 else "") + currency.symbol
    size = abs(value) * currency.per_usd
    return sign + ("0" if size == 0 else f"{size:,.2f}" if size >= 1 else _significant(size, 3))


def _show_compact(value: float) -> str:
    size = abs(value)
    for limit, suffix in ((1e9, " G"), (1e6, " M"), (1e4, " k")):
        if size >= limit:
            return f"{value / limit * (10 if limit == 1e4 else 1):.1f}{suffix}"  # noqa: PLR2004 (k starts at 10,000)
    whole = float(value).is_integer() or size >= 1000  # noqa: PLR2004 (four digits say enough)
    return f"{value:,.0f}" if whole else _significant(value, 3)


def _show_ms(value: float) -> str:
    size = abs(value)
    if size < 1000:  # noqa: PLR2004 (ms in a second)
        whole = size >= 10 or value == 0  # noqa: PLR2004 (two digits say enough)
        return f"{value:,.0f} ms" if whole else f"{_significant(value, 2)} ms"
    digits = 2 if size < 10_000 else 1  # noqa: PLR2004 (three digits say enough)
    return f"{value / 1000:,.{digits}f} s"


def _show_share(value: float) -> str:
    percent = value * 100
    return (
        f"{percent:.0f} %"
        if percent in (0, 100)
        else f"{_significant(percent, 2) if abs(percent) < 1 else format(percent, '.1f')} %"
    )


def _money_digits(values: Sequence[float]) -> int:
    """Cents for bills; more decimals where half of the column would lose its digits (prices of one call)."""
    sizes = sorted(abs(v) for v in values if v)
    if not sizes or (sizes[-1] >= 1 and sizes[len(sizes) // 2] >= 0.02):  # noqa: PLR2004 (two cents)
        return 2
    return 4 if sizes[-1] >= 0.01 else 6  # noqa: PLR2004 (a cent)


def _rate_digits(values: Sequence[float]) -> int:
    """As many decimals as the rates of a column have, at least cents: a price is never rounded."""
    return max([2, *(len(f"{v:.6f}".rstrip("0").partition(".")[2]) for v in values)])


def _seconds_digits(values: Sequence[float]) -> int:
    largest = max((abs(v) for v in values), default=0)
    return 1 if largest >= 10 else 2 if largest >= 1 else 3  # noqa: PLR2004 (three digits say enough)


def _plain_digits(values: Sequence[float]) -> int:
    if all(v.is_integer() for v in map(float, values)):
        return 0
    largest = max((abs(v) for v in values), default=0)
    return 0 if largest >= 1000 else 1 if largest >= 10 else 2  # noqa: PLR2004 (as above)


def _token_digits(values: Sequence[float]) -> int:
    largest = max((abs(v) for v in values), default=0)
    return 0 if largest >= 1000 or all(float(v).is_integer() for v in values) else 1  # noqa: PLR2004


_SIZES = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9}
_TIMES = {"ms": 1.0, "s": 1e3, "sec": 1e3, "m": 6e4, "min": 6e4, "h": 3.6e6}

USD = Unit(
    "US dollars",
    _show_usd,
    "$",
    digits=_money_digits,
    suffixes={"$": 1.0, "USD": 1.0, "c": 0.01, **_SIZES},
    shown_in=_CURRENCY,
)
RATE = Unit(
    "US dollars per million tokens",
    lambda v: f"${v:,.6f}".rstrip("0").rstrip("."),
    "$",
    digits=_rate_digits,
)
COUNT = Unit("count", lambda v: f"{v:,.0f}", digits=_plain_digits, suffixes=_SIZES)
TOKENS = Unit("tokens", _show_compact, digits=_token_digits, suffixes=_SIZES, compact=True)
SHARE = Unit("share", _show_share, "%", factor=0.01, suffixes={"%": 0.01}, digits=lambda _v: 1)
MS = Unit("milliseconds", _show_ms, "s", factor=1000.0, suffixes=_TIMES, digits=_seconds_digits)
SPEED = Unit(
    "tokens per second", lambda v: f"{v:,.1f} tok/s", "tok/s", suffixes={"tok/s": 1.0}, digits=lambda _v: 1
)
RATING = Unit("rating", lambda v: f"{v:.2f}", digits=lambda _v: 2)
NUMBER = Unit("number", lambda v: f"{v:,.6g}", digits=_plain_digits, suffixes=_SIZES)
