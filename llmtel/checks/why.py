"""Why a cost changed, in lines that add up to the change, each with the lever that moves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import polars as pl
from msgspec import Struct

from llmtel.checks.cells import ALL_TOKENS, CELL_BY, OTHER, Usage
from llmtel.checks.rules import Key
from llmtel.core.schema import INPUT_LEAVES, OUTPUT_LEAVES
from llmtel.query.dimensions import dimension
from llmtel.stats import adtributor
from llmtel.stats.adtributor import Explanation
from llmtel.stats.bridge import Bridge, Cell, Split, bridge, lmdi, shapley

_DUST = 1e-12
"""Of a cost: what rounding of floats leaves is no cause."""

SEARCHED = ("feature", "model", "user", "prompt", "prompt_version", "agent", "project", "error")
TOKENS_PER_CALL = "tokens per call"
"""The line of tokens whose kinds are not known apart."""
_WORDS = {
    **dict.fromkeys(INPUT_LEAVES, "input tokens"),
    **dict.fromkeys(OUTPUT_LEAVES, "output tokens"),
    "cache_read": "cached input tokens",
    "cache_write_5m": "tokens written to a cache",
    "cache_write_1h": "tokens written to a cache",
    "reasoning": "reasoning tokens",
    ALL_TOKENS: TOKENS_PER_CALL,
    OTHER: "fees and costs that are no tokens'",
}
_LEVERS = {
    "volume": "see who calls more: users, retries, a loop",
    "mix": "see which models and features {noun}s moved to: routing",
    "price": "see the date of the price list, and the model ids",
    "new": "see when it was first seen, and who calls it",
    "removed": "see whether it moved elsewhere",
    "input tokens": "shorten the prompt or its context, or cache it",
    "cached input tokens": "see whether the cached beginning of the prompt grew",
    "tokens written to a cache": "keep the beginning of prompts the same, so that caches are read",
    "output tokens": "cap the output, or ask for shorter answers",
    "reasoning tokens": "lower the reasoning effort",
    TOKENS_PER_CALL: "shorten the prompt, or cap the output",
}


def _lmdi(before: Sequence[float], after: Sequence[float]) -> list[float]:
    """LMDI where it is defined; by Shapley the cells with a zero or a credit, so that all still adds up."""
    positive = all(x > 0 for x in (*before, *after))
    return lmdi(before, after) if positive else shapley(before, after)


Method = Literal["shapley", "lmdi"]
METHODS: Mapping[Method, Split] = {"shapley": shapley, "lmdi": _lmdi}


class Cause(Struct, frozen=True):
    """A line of the explanation: dollars, what it was per call before and after (tokens), and the lever.

    `key` is the cell that moved most of it.
    """

    line: str
    effect: float
    before: float | None
    after: float | None
    lever: str
    key: Key | None


class Reasons(Struct, frozen=True):
    """Causes whose effects add up to the change from `before` to `after`, the largest first."""

    before: float
    after: float
    causes: tuple[Cause, ...]
    bridge: Bridge[tuple[Key, str]]


def explain(
    before: Mapping[Key, Usage],
    after: Mapping[Key, Usage],
    *,
    match: Mapping[str, str | None] | None = None,
    scale: tuple[float, float] = (1.0, 1.0),
    method: Method = "shapley",
    noun: str = "call",
) -> Reasons:
    """Why the cost of some cells changed.

    `match` picks cells by their feature or model. `scale` multiplies the calls of each side: with (after's
    calls ÷ before's, 1) volume explains nothing and what is left is the change per call. `method` says how
    what several factors did together is divided among them, `noun` what the calls of the cells are.
    """
    sides = [
        {key: usage for key, usage in side.items() if _matches(key, match or {})} for side in (before, after)
    ]
    a, b = (
        _cells(side, other, factor) for side, other, factor in zip(sides, reversed(sides), scale, strict=True)
    )
    calls = [sum(usage.calls for usage in side.values()) * s for side, s in zip(sides, scale, strict=True)]
    found = bridge(a, b, (calls[0], calls[1]), METHODS[method])
    causes = [_cause(line, members, sides, noun) for line, members in _lines(found).items()]
    dust = _DUST * max(abs(found.before), abs(found.after))
    shown = [cause for cause in causes if abs(cause.effect) > dust]
    return Reasons(found.before, found.after, tuple(sorted(shown, key=lambda c: -abs(c.effect))), found)


def _matches(key: Key, match: Mapping[str, str | None]) -> bool:
    values = dict(zip(CELL_BY, key, strict=False))
    return all(name in values and values[name] == value for name, value in match.items())


def _cells(
    side: Mapping[Key, Usage], other: Mapping[Key, Usage], scale: float
) -> dict[tuple[Key, str], Cell]:
    """Cells by kind of token; where one side used none of a kind, it would have had the other's price."""
    found = {}
    for key, usage in side.items():
        there = other.get(key)
        for kind in {**usage.costs, **usage.tokens, **(there.costs if there else {})}:
            per_call, price = _rates(usage, kind)
            if price is None:
                price = (_rates(there, kind)[1] if there else None) or 0.0
            found[key, kind] = Cell(usage.calls * scale, per_call, price)
    return found


def _rates(usage: Usage, kind: str) -> tuple[float, float | None]:
    """Tokens a call and dollars a token; what is no token's is one thing a call."""
    cost = usage.costs.get(kind, 0.0)
    if kind == OTHER:
        return 1.0, cost / usage.calls if usage.calls else 0.0
    tokens = usage.tokens.get(kind, 0.0)
    return (tokens / usage.calls if usage.calls else 0.0), (cost / tokens if tokens else None)


def _lines(found: Bridge[tuple[Key, str]]) -> dict[str, dict[tuple[Key, str], float]]:
    """The effects by line in words: tokens per call apart by what they are."""
    lines: dict[str, dict[tuple[Key, str], float]] = {}
    for (key, kind), effects in found.cells.items():
        for line, effect in effects.items():
            name = _WORDS[kind] if line == "tokens_per_call" else line
            lines.setdefault(name, {})[key, kind] = effect
    return lines


def _cause(
    line: str,
    members: Mapping[tuple[Key, str], float],
    sides: Sequence[Mapping[Key, Usage]],
    noun: str,
) -> Cause:
    kinds = [kind for kind, words in _WORDS.items() if words == line and kind != OTHER]
    before, after = (_per_call(side, kinds) if kinds else None for side in sides)
    by_key: dict[Key, float] = {}
    for (key, _), effect in members.items():
        by_key[key] = by_key.get(key, 0.0) + effect
    most = max(by_key, key=lambda key: abs(by_key[key]), default=None)
    lever = _LEVERS.get(line, "").format(noun=noun)
    return Cause(line, sum(members.values()), before, after, lever, most)


def _per_call(side: Mapping[Key, Usage], kinds: Sequence[str]) -> float | None:
    calls = sum(usage.calls for usage in side.values())
    return (
        sum(usage.tokens.get(kind, 0.0) for usage in side.values() for kind in kinds) / calls
        if calls
        else None
    )


def search(
    before: pl.DataFrame,
    after: pl.DataFrame,
    *,
    dimensions: Sequence[str] = SEARCHED,
    scale: float = 1.0,
    tz: str = "UTC",
) -> list[Explanation[str | None]]:
    """The dimensions that explain a change of cost best, and their values; the best first.

    `scale` multiplies the cost of `before` (logs of another length). A dimension that no call has is skipped.
    """
    split = {}
    for name in dimensions:
        sides = [_costs(side, name, tz) for side in (before, after)]
        if any(value is not None for side in sides for value in side):
            split[name] = ({value: cost * scale for value, cost in sides[0].items()}, sides[1])
    return adtributor.explain(split)


def _costs(calls: pl.DataFrame, name: str, tz: str) -> dict[str | None, float]:
    """Dollars by the value of a dimension."""
    dim = dimension(name)
    if not dim.needs <= set(calls.columns):
        return {}
    sums = calls.group_by(dim.value(tz).cast(pl.String).alias(name)).agg(pl.col("cost_usd").sum())
    return dict(sums.sort(name).iter_rows())
