"""The bridge between two costs in words: what moved, in dollars that add up, and the lever for it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from llmtel.checks import why
from llmtel.checks.cells import Noun, Usage
from llmtel.checks.rules import POOLED, Key
from llmtel.checks.why import Reasons
from llmtel.core.answers import Cause
from llmtel.core.units import COUNT, SHARE, TOKENS, USD
from llmtel.reports.judging import MINUS, signed

_SMALL = 0.01
"""A cause below this share of all that moved is told with the others of its size."""
_MOVED = "see what the other model gives for its price: llmtel compare … --by model"
_NEW = "see when it was first seen, and who calls it"
_GONE = "see whether it moved elsewhere"
_WORDS = {"mix": "mix", "price": "prices", "new": "new", "removed": "gone"}


class Sides(Struct, frozen=True):
    """The reasons, the cells of both sides they are about, and what the calls of these are."""

    reasons: Reasons
    before: Mapping[Key, Usage]
    after: Mapping[Key, Usage]
    noun: Noun = "call"


class _Line(Struct, frozen=True):
    """A cause in words, with its dollars and its lever."""

    text: str
    effect: float
    note: str = ""
    lever: str = ""


def told(found: Sides, per: float = 1.0, most: int | None = None) -> tuple[tuple[Cause, ...], str]:
    """The causes in words, the largest first, and the lever of what drives the change.

    Those after the first `most`, and the small ones, are told together.
    """
    lines = sorted(_lines(found), key=lambda line: -abs(line.effect))
    moved = math.fsum(abs(line.effect) for line in lines)
    if not moved:
        return (), ""
    large = [line for line in lines if abs(line.effect) >= _SMALL * moved][:most]
    small = [line.effect for line in lines[len(large) :]]
    shown = [*large, *([_Line("other", math.fsum(small))] if small else [])]
    figures = in_cents([line.effect * per for line in shown])
    largest = max(map(abs, figures))
    causes = [
        Cause(line.text, dollars(figure, largest), abs(line.effect) / moved, line.note)
        for line, figure in zip(shown, figures, strict=True)
    ]
    if most is None and not any(cause.line == "price" for cause in found.reasons.causes):
        causes.append(Cause("prices", f"{USD.head}0", 0.0))
    change = found.reasons.after - found.reasons.before
    driver = next((line for line in large if line.effect * change > 0), large[0])
    return tuple(causes), driver.lever


def _lines(found: Sides) -> list[_Line]:
    """The causes as lines; where a feature changed its models, what is new and what is gone are one move."""
    new, gone = (_appeared(found, line) for line in ("new", "removed"))
    moves = []
    for feature in new.keys() & gone.keys():
        there, here = gone.pop(feature), new.pop(feature)
        models = [", ".join(sorted(side)) for side in (there, here)]
        effect = math.fsum((*there.values(), *here.values()))
        where_ = f" in {feature}" if feature else ""
        sides = ((found.before, there), (found.after, here))
        each = " → ".join(USD.show(_a_call(side, feature, names)) for side, names in sides)
        moves.append(
            _Line(f"moved {models[0]} → {models[1]}{where_}", effect, f"{each} per {found.noun}", _MOVED)
        )
    rest = [
        _Line(f"{_WORDS[line]}: {_cell((feature, model))}", effect, "", lever)
        for line, side, lever in (("new", new, _NEW), ("removed", gone, _GONE))
        for feature, models_ in side.items()
        for model, effect in models_.items()
    ]
    others = [
        _Line(_text(cause, found.noun), cause.effect, _note(cause, found), cause.lever)
        for cause in found.reasons.causes
        if cause.line not in ("new", "removed")
    ]
    return [*others, *moves, *rest]


def _a_call(side: Mapping[Key, Usage], feature: str | None, models: Collection[str]) -> float | None:
    """What a call of a feature with these models costs."""
    cells = [
        usage
        for key, usage in side.items()
        if key != POOLED and key[0] == feature and (key[1] or "(unknown)") in models
    ]
    calls = sum(usage.calls for usage in cells)
    return sum(usage.cost for usage in cells) / calls if calls else None


def _appeared(found: Sides, line: str) -> dict[str | None, dict[str, float]]:
    """By feature and model, the dollars of what is on one side alone."""
    sums: dict[str | None, dict[str, float]] = {}
    for (key, _), effects in found.reasons.bridge.cells.items():
        if line in effects:
            feature, model = key if key != POOLED else (None, "others")
            models = sums.setdefault(feature, {})
            models[model or "(unknown)"] = models.get(model or "(unknown)", 0.0) + effects[line]
    return sums


def rests_on(found: Sides, calls: tuple[float, float]) -> str:
    """Of how many calls of both sides the cost is known, where that alone would move a sum of money."""
    known = [sum(usage.calls for usage in side.values()) for side in (found.before, found.after)]
    shares = [n / of if of else 1.0 for n, of in zip(known, calls, strict=True)]
    if found.noun != "call" or abs(shares[0] - shares[1]) < _SMALL:
        return ""
    before, now = (f"{COUNT.show(n)} of {COUNT.show(of)}" for n, of in zip(known, calls, strict=True))
    return f"the calls whose cost is known: {before} before, {now} now"


def in_cents(amounts: Sequence[float]) -> list[float]:
    """Dollars rounded to cents that add up to their sum in cents; below a dollar they stay as they are.

    The cents that rounding leaves over go to those it moved most.
    """
    if max(map(abs, amounts), default=0.0) < 1:
        return list(amounts)
    floors = [math.floor(amount * 100) for amount in amounts]
    left = round(math.fsum(amounts) * 100) - sum(floors)
    order = sorted(range(len(amounts)), key=lambda i: floors[i] - amounts[i] * 100)
    for i in order[:left]:
        floors[i] += 1
    return [cents / 100 for cents in floors]


def dollars(value: float, largest: float) -> str:
    """An amount beside others: whole dollars where they are large, else cents."""
    if largest < 1:
        return signed(value, USD)
    digits = 0 if largest >= 100 else 2  # noqa: PLR2004 (three digits say enough)
    return f"{'+' if value >= 0 else MINUS}{USD.head}{abs(value):,.{digits}f}"


def _text(cause: why.Cause, noun: Noun) -> str:
    if cause.line == "volume":
        return f"{'more' if cause.effect > 0 else 'fewer'} {noun}s"
    if cause.line == why.TOKENS_PER_CALL:
        return f"tokens per {noun}"
    return _WORDS.get(cause.line, cause.line)


def _cell(key: Key) -> str:
    return "others" if key == POOLED else " with ".join(value or "(unknown)" for value in key)


def _note(cause: why.Cause, found: Sides) -> str:
    """From what to what: tokens a call, or the share of the cell that moved most."""
    if cause.before is not None and cause.after is not None:
        return f"{TOKENS.show(round(cause.before))} → {TOKENS.show(round(cause.after))} per {found.noun}"
    if cause.line == "mix" and cause.key is not None:
        shares = [_share(side, cause.key) for side in (found.before, found.after)]
        return f"{_cell(cause.key)} {SHARE.show(shares[0])} → {SHARE.show(shares[1])}"
    return ""


def _share(side: Mapping[Key, Usage], key: Key) -> float:
    calls = sum(usage.calls for usage in side.values())
    return side[key].calls / calls if key in side and calls else 0.0
