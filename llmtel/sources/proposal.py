"""A mapping proposed for records that no format claims: which path looks like which field, and why.

A path is judged by the words of its name and by what its values look like. What is not certain is said: other
paths that may be the field come with it, and a duration whose unit neither name nor values tell is proposed
in every unit that it may have. Values themselves are never repeated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from statistics import median
from typing import Any

import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from llmtel.sources import raw
from llmtel.sources.aliases import ALIASES, Shape, normalised, shaped
from llmtel.sources.hints import HINTS, UNIT_WORDS
from llmtel.sources.maps import FACTS, TARGETS, UNITS, paths_of
from llmtel.sources.outcome import word_is_good
from llmtel.sources.outline import MS_FROM, SECONDS_BELOW
from llmtel.sources.project import numeral
from llmtel.sources.source import Record, Source, lookup

_MODELS = re.compile(
    r"(?:^|[/.:@])(?:gpt|chatgpt|o[1345]|claude|gemini|gemma|llama|mistral|mixtral|codestral|qwen|deepseek|"
    r"command|grok|nova|titan|phi|kimi|glm|text-embedding|dall-e|whisper)(?:[-_.: ]?\d|-|$)",
    re.IGNORECASE,
)
"""How names of models begin, whoever serves them."""
_SENTENCE = 80
"""Texts that are longer than this on average are what people wrote, and no names."""
_NAMED_SO, _LIKE_IT, _FITS = 4, 2, 2
"""Points: the path has a usual name of the field, a word that hints at it, values that only it has."""
_LONGEST_MS = 1e8
"""Numbers above are moments, not durations: a day and more."""
_ENOUGH = 2
_CLOSE = 2
"""Points that another path may have less than the best and still be the field."""


def _usual_names(target: str) -> frozenset[str]:
    """The names that applications usually give to a field, those with a unit too."""
    fact = FACTS[target][0] if target in FACTS else target
    base = fact.removesuffix("_ms")
    return frozenset(name for a in ALIASES if a.fact in (fact, base, f"{base}_s") for name in a.names)


_NAMES = {target: _usual_names(target) for target in HINTS}


class Guess(Struct, frozen=True):
    """A path that may be a field, its unit if it has one, and why; `others` are further paths or units."""

    field: str
    path: str
    unit: str | None
    reason: str
    points: int = 0
    others: tuple[Guess, ...] = ()

    @property
    def said(self) -> str:
        """The path as `--map` and the configuration take it."""
        return self.path + (f":{self.unit}" if self.unit else "")


class _Seen(Struct, frozen=True):
    """What stands at a path: the words of its keys, and the values that some records have there."""

    path: str
    words: frozenset[str]
    name: str
    values: list[Any]
    records: int = 0


def proposed(records: Sequence[Record]) -> tuple[Guess, ...]:
    """The fields that some records seem to have, each with the path that looks most like it.

    A path stands for one field: the one that it looks most like.
    """
    seen = list(_seen(records))
    ranked = sorted(
        (guess for place in seen for name in HINTS if (guess := _guess(name, place)) is not None),
        key=lambda guess: (-guess.points, list(HINTS).index(guess.field), guess.path.count("."), guess.path),
    )
    best: dict[str, Guess] = {}
    taken: dict[str, int] = {}
    for guess in ranked:
        if guess.field not in best and guess.path not in taken:
            best[guess.field] = guess
            taken[guess.path] = guess.points
    return tuple(_with_others(best[name], ranked, taken) for name in TARGETS if name in best)


def beside(records: Sequence[Record], source: Source, known: Collection[str]) -> tuple[Guess, ...]:
    """What keys that a source does not read may be: fields that are not `known`, by usual names alone."""
    if source.records is not None:
        return ()
    read = {column.steps for column in source.columns()}
    return tuple(
        replace(guess, others=())
        for guess in proposed(records)
        if guess.field not in known and guess.points >= _NAMED_SO and raw.steps_of(guess.path) not in read
    )


def lacking(guesses: Sequence[Guess]) -> tuple[str, ...]:
    """What a call needs and nothing looks like, in words."""
    found = {guess.field for guess in guesses}
    needed = {
        "a time (ts)": {"ts"},
        "a model, tokens or a latency (model, input_tokens, latency_ms)": {
            "model", "input_tokens", "output_tokens", "latency_ms", "model_requested",
        },
    }  # fmt: skip
    return tuple(words for words, any_of in needed.items() if not found & any_of)


def left(records: Sequence[Record], guesses: Sequence[Guess]) -> tuple[str, ...]:
    """The paths that look like no field."""
    taken = {one.path for guess in guesses for one in (guess, *guess.others)}
    found = dict.fromkeys(path for record in records for path in paths_of(record))
    return tuple(path for path in found if path not in taken)


def _seen(records: Sequence[Record]) -> Iterator[_Seen]:
    for path in dict.fromkeys(path for record in records for path in paths_of(record)):
        steps = raw.steps_of(path)
        found = [lookup(record, steps) for record in records]
        values = [value for value in found if value is not None and value != ""]
        if values and not any(isinstance(value, list | dict) for value in values):
            keys = [normalised(str(step)) for step in steps]
            words = frozenset(word for key in keys for word in key.split("_"))
            yield _Seen(path, words, keys[-1], values, len(records))


def _guess(name: str, place: _Seen) -> Guess | None:
    """The path as this field, None where too little speaks for it."""
    hint = HINTS[name]
    if not _fits(name, hint.shape, place):
        return None
    hinted = sorted(place.words & hint.words) if not place.words & hint.not_with else []
    usual = place.name in _NAMES[name]
    looks = _LOOKS.get(name, _nothing)(place)
    points = (_NAMED_SO if usual else _LIKE_IT if hinted else 0) + (_FITS if looks else 0)
    if points < _ENOUGH:
        return None
    why = "a usual name" if usual else f"named {hinted[0]}" if hinted else ""
    unit, of_unit = _unit(name, place)
    reasons = (why, looks or _what(place), of_unit)
    return Guess(name, place.path, unit, ", ".join(filter(None, reasons)), points)


def _fits(name: str, shape: Shape, place: _Seen) -> bool:
    """Whether the values may be the field's: of its shape, and no sentences where a name is wanted."""
    if name == "status":
        words = pl.Series("word", [str(value) for value in place.values])
        return word_is_good(words).count() * 2 >= words.len()
    if not shaped(place.values, shape):
        return False
    if name == "model" and len(_numbers(place)) == len(place.values):
        return False
    if shape in ("text", "word"):
        texts = [str(value) for value in place.values]
        boolean = all(isinstance(value, bool) for value in place.values)
        distinct = name != "call_id" or len({*texts}) * 2 > len(texts)
        return not boolean and distinct and sum(map(len, texts)) / len(texts) <= _SENTENCE
    if name in ("latency_ms", "ttft_ms") and median(_numbers(place) or [0]) > _LONGEST_MS:
        return False
    return shape != "number" or not any(isinstance(value, bool) for value in place.values)


def _nothing(_place: _Seen) -> str:
    return ""


def _looks_like_time(place: _Seen) -> str:
    if all(isinstance(value, str) for value in place.values):
        return "dates"
    return "epoch numbers" if all(isinstance(v, int | float) for v in place.values) else ""


def _looks_like_model(place: _Seen) -> str:
    named = sum(_MODELS.search(str(value)) is not None for value in place.values)
    return "names of models" if named * 2 >= len(place.values) else ""


_LOOKS: Mapping[str, Callable[[_Seen], str]] = {
    "ts": _looks_like_time,
    "model": _looks_like_model,
}
"""What values of a field look like and those of no other do."""


def _numbers(place: _Seen) -> list[float]:
    found = [numeral(value) if isinstance(value, str) else value for value in place.values]
    return [float(n) for n in found if isinstance(n, int | float) and not isinstance(n, bool)]


def _whole(place: _Seen) -> bool:
    numbers = _numbers(place)
    return bool(numbers) and all(number.is_integer() for number in numbers)


def _what(place: _Seen) -> str:
    """What the values are, without repeating one."""
    numbers = _numbers(place)
    if len(numbers) == len(place.values):
        kind = "whole numbers" if _whole(place) else "fractions"
        return f"{kind}, median {median(numbers):.4g}"
    if all(isinstance(value, bool) for value in place.values):
        return "true or false"
    different = len({str(value) for value in place.values})
    return f"{different:,} different {'text' if different == 1 else 'texts'} in {place.records:,} records"


def _unit(name: str, place: _Seen) -> tuple[str | None, str]:
    """The unit, and how it is known; None where it is the default, or nothing tells."""
    units = UNITS.get(name)
    if units is None:
        return None, ""
    default = next(iter(units))
    said = next((UNIT_WORDS[w] for w in reversed(place.name.split("_")) if UNIT_WORDS.get(w) in units), None)
    if said is not None:
        return (None if said == default else said), f"the name says {said}"
    if default != "ms":
        return None, ""
    middle = median(_numbers(place))
    if not _whole(place) and middle < SECONDS_BELOW:
        return "s", "read as seconds, for they are small fractions"
    if _whole(place) and middle >= MS_FROM:
        return None, "read as milliseconds"
    return None, UNTOLD


UNTOLD = "s or ms, nothing tells"
"""The reason of a duration of unknown unit."""


def _with_others(best: Guess, ranked: Sequence[Guess], taken: Mapping[str, int]) -> Guess:
    """The guess with the other paths, or units, that it may as well be."""
    others = [
        guess
        for guess in ranked
        if guess.field == best.field
        and guess.path != best.path
        and taken.get(guess.path, 0) <= guess.points
        and guess.points >= best.points - _CLOSE
    ]
    if best.reason.endswith(UNTOLD):
        others.insert(0, replace(best, unit="s"))
    return replace(best, others=tuple(others))
