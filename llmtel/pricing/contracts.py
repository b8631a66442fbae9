"""What a user has agreed on with providers beside the list prices: discounts in percent, credits in USD.

```yaml
discounts:
  - {provider: openai, percent: 15, models: [gpt-5*], from: 2026-01-01, until: 2026-12-31}
credits:
  - {provider: anthropic, usd: 5000, from: 2026-03-01, until: 2026-09-01}
```

Days are UTC, both inclusive, and may be absent. Of the discounts that hold for a call the last one counts;
they do not add up. A credit is used by the calls of its days, the one that ends first before the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Struct

from llmtel.document import Place

_HUNDRED = Decimal(100)
_DISCOUNT_KEYS = ("provider", "percent", "models", "from", "until")
_CREDIT_KEYS = ("provider", "usd", "from", "until")


class Term(Struct, frozen=True):
    """For which provider (its id), and from which day to which, both inclusive."""

    provider: str
    start: date | None
    end: date | None
    at: Place

    def holds(self, day: date | None) -> bool:
        """Whether `day` is one of its days; an unknown day is one of a term without days only."""
        if day is None:
            return self.start is None and self.end is None
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)

    def edges(self) -> Iterable[date]:
        """The days on which it begins to hold, or no longer does."""
        if self.start is not None:
            yield self.start
        if self.end is not None:
            yield self.end + timedelta(days=1)


class Discount(Term, frozen=True):
    """A percentage off every rate and fee of some models (patterns of their ids; empty: all)."""

    percent: Decimal
    models: tuple[str, ...]

    @property
    def factor(self) -> Decimal:
        """What is left to pay of 1."""
        return 1 - self.percent / _HUNDRED

    def of_model(self, model: str) -> bool:
        """Whether it is a discount on a model, by its id."""
        return not self.models or any(fnmatchcase(model.lower(), p.lower()) for p in self.models)


class Credit(Term, frozen=True):
    """An amount in USD that pays for calls of its days."""

    usd: Decimal


def discounts(place: Place) -> tuple[Discount, ...]:
    """The discounts of a price file. Raises `ConfigError` with file and line."""
    return tuple(_discount(entry) for entry in place.entries())


def credits_(place: Place) -> tuple[Credit, ...]:
    """The credits of a price file. Raises `ConfigError` with file and line."""
    found = []
    for entry in place.entries():
        keys = entry.items(_CREDIT_KEYS)
        usd = _needed(entry, keys, "usd").number()
        if usd <= 0:
            keys["usd"].fail(f"a credit is more than 0 USD, not {usd}")
        found.append(Credit(**_term(entry, keys), usd=usd))
    return tuple(found)


def discount_on(
    terms: Sequence[Discount], provider: str | None, model: str, day: date | None
) -> Discount | None:
    """The discount that holds for a call of a provider and model (both by id) on a UTC day."""
    return next(
        (t for t in reversed(terms) if t.provider == provider and t.of_model(model) and t.holds(day)), None
    )


def _discount(entry: Place) -> Discount:
    keys = entry.items(_DISCOUNT_KEYS)
    percent = _needed(entry, keys, "percent").number()
    if not 0 < percent <= _HUNDRED:
        keys["percent"].fail(f"a discount is more than 0 and at most 100 percent, not {percent}")
    models = keys["models"].one_or_more() if "models" in keys else ()
    return Discount(**_term(entry, keys), percent=percent, models=tuple(m.text() for m in models))


def _needed(entry: Place, keys: Mapping[str, Place], name: str) -> Place:
    if name not in keys:
        entry.fail(f"needs {name}")
    return keys[name]


def _term(entry: Place, keys: Mapping[str, Place]) -> dict[str, Any]:
    start, end = (keys[name].day() if name in keys else None for name in ("from", "until"))
    if start is not None and end is not None and end < start:
        keys["until"].fail(f"ends on {end}, before it begins on {start}")
    return {
        "provider": _needed(entry, keys, "provider").text(),
        "start": start,
        "end": end,
        "at": entry,
    }
