"""Prices of other public data sets, from a file or an installed package: nothing is looked up online.

All three are reduced to what they and the book both say: the rates of a plain request, with the tiers of long
contexts where they are stated. Prices by the hour of the day are left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from llmtel.core.errors import ConfigError, UsageError
from llmtel.pricing.entries import Rates

_MILLION = Decimal(1_000_000)
_GENAI = {
    "input_mtok": "input",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write_5m",
    "output_mtok": "output",
    "input_audio_mtok": "input_audio",
    "output_audio_mtok": "output_audio",
}
_LITELLM = {
    "input_cost_per_token": "input",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write_5m",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "output_cost_per_token": "output",
    "output_cost_per_reasoning_token": "reasoning",
    "input_cost_per_audio_token": "input_audio",
    "output_cost_per_audio_token": "output_audio",
}
_MODELS_DEV = {
    "input": "input",
    "cache_read": "cache_read",
    "cache_write": "cache_write_5m",
    "output": "output",
    "reasoning": "reasoning",
    "input_audio": "input_audio",
    "output_audio": "output_audio",
}


class Quote(Struct, frozen=True):
    """What a data set says a model of a provider costs, USD per million; `tiers` by their threshold."""

    provider: str
    model: str
    rates: Rates
    tiers: Mapping[int, Rates] = field(default_factory=dict)


def quotes(source: str, given: str | None, day: date) -> tuple[Quote, ...]:
    """The prices of a data set on a UTC day; `given` is its file (None: the package that is installed here).

    Raises `UsageError` where there is neither, `ConfigError` where a file is not of that data set.
    """
    read, package, hint = SOURCES[source]
    if given is None or given == package:
        return tuple(read(_installed(source, package, hint), day))
    try:
        content = Path(given).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {given}: {error.strerror}") from error
    try:
        found = tuple(read(json.loads(content, parse_float=Decimal, parse_int=Decimal), day))
    except (ValueError, TypeError, AttributeError, KeyError, InvalidOperation) as error:
        raise ConfigError(f"{given}: not the prices of {source} ({hint})") from error
    if not found:
        raise ConfigError(f"{given}: no price in it; {source} is {hint}")
    return found


def _installed(source: str, package: str, hint: str) -> Any:  # noqa: ANN401 (whatever the data set is)
    """The data of an installed package, which is not a dependency of this one."""
    spec = find_spec(package) if package else None
    if spec is None or not spec.submodule_search_locations:
        raise UsageError(f"{source} is not installed here; give its file ({hint})")
    if package == "genai_prices":
        return import_module("genai_prices.data").providers
    place = Path(next(iter(spec.submodule_search_locations)), "model_prices_and_context_window_backup.json")
    return json.loads(place.read_bytes(), parse_float=Decimal, parse_int=Decimal)


def _number(value: object) -> Decimal | None:
    return None if value is None or isinstance(value, bool) else Decimal(str(value))


def _genai(data: Any, day: date) -> Iterator[Quote]:  # noqa: ANN401 (JSON, or objects of the package)
    for provider in data:
        for model in _at(provider, "models"):
            prices = _of_day(_at(model, "prices"), day)
            if prices is not None:
                yield _tiered(str(_at(provider, "id")), str(_at(model, "id")), prices)


def _at(thing: Any, name: str) -> Any:  # noqa: ANN401 (as above)
    return thing.get(name) if isinstance(thing, Mapping) else getattr(thing, name, None)


def _of_day(prices: Any, day: date) -> Any:  # noqa: ANN401 (as above)
    """The prices that hold on a day; None where they depend on the hour."""
    if not isinstance(prices, list):
        return prices
    held = None
    for one in prices:
        constraint = _at(one, "constraint")
        if constraint is not None and _at(constraint, "start_time") is not None:
            return None
        start = _at(constraint, "start_date") if constraint is not None else None
        start = date.fromisoformat(start) if isinstance(start, str) else start
        if start is None or start <= day:
            held = _at(one, "prices")
    return held


def _tiered(provider: str, model: str, prices: Any) -> Quote:  # noqa: ANN401 (as above)
    rates: dict[str, Decimal] = {}
    tiers: dict[int, dict[str, Decimal]] = {}
    for name, mine in _GENAI.items():
        price = _at(prices, name)
        base = _at(price, "base") if _at(price, "tiers") else price
        if (rate := _number(base)) is not None:
            rates[mine] = rate
        for tier in _at(price, "tiers") or ():
            tiers.setdefault(int(_at(tier, "start")), {})[mine] = Decimal(str(_at(tier, "price")))
    return Quote(provider, model, rates, tiers)


def _litellm(data: Any, _day: date) -> Iterator[Quote]:  # noqa: ANN401 (JSON)
    for name, entry in data.items():
        rates = {
            mine: Decimal(f"{(rate * _MILLION).normalize():f}")
            for theirs, mine in _LITELLM.items()
            if (rate := _number(entry.get(theirs))) is not None
        }
        if {"input", "output"} <= rates.keys() and name != "sample_spec":
            yield Quote(str(entry.get("litellm_provider", "")), name, rates)


def _models_dev(data: Any, _day: date) -> Iterator[Quote]:  # noqa: ANN401 (JSON)
    for provider, entry in data.items():
        for name, model in entry["models"].items():
            costs = model.get("cost") or {}
            rates = {
                mine: rate
                for theirs, mine in _MODELS_DEV.items()
                if (rate := _number(costs.get(theirs))) is not None
            }
            if {"input", "output"} <= rates.keys():
                yield Quote(provider, name, rates)


Reader = Callable[[Any, date], Iterable[Quote]]
SOURCES: Mapping[str, tuple[Reader, str, str]] = {
    "genai-prices": (_genai, "genai_prices", "data.json of github.com/pydantic/genai-prices"),
    "litellm": (_litellm, "litellm", "model_prices_and_context_window.json of github.com/BerriAI/litellm"),
    "models.dev": (_models_dev, "", "api.json of models.dev"),
}
"""The data sets: how each is read, the package that has it (none: a file only), and what its file is."""
