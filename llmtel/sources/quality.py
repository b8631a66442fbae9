"""What evaluations and feedback say of a call: scores with a name, as fields of FIELDS.

Tracing tools keep quality as named scores, numbers or labels. Names that stand for a field are read here;
others (toxicity, latency) say nothing that a field could hold, and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from math import fsum
from typing import NamedTuple

YES = frozenset({
    "true", "yes", "1", "up", "thumbs_up", "positive", "like", "liked", "good", "pass", "hallucinated",
    "resolved", "escalated", "corrected", "regenerated",
})  # fmt: skip
NO = frozenset({
    "false", "no", "0", "-1", "down", "thumbs_down", "negative", "dislike", "disliked", "bad", "fail",
    "factual", "not_hallucinated", "grounded", "unresolved",
})  # fmt: skip
FLAGS = ("regenerated", "corrected", "escalated", "resolved")
_THUMBS = frozenset({
    "thumb", "thumbs", "thumbs_up", "thumbs_up_down", "feedback", "user_feedback", "like", "liked",
    "user_score", "user_thumb",
})  # fmt: skip
_RATINGS = (
    "rating", "user_rating", "stars", "csat", "satisfaction", "score", "overall", "quality", "helpfulness",
    "correctness", "accuracy", "relevance", "answer_relevance",
)  # fmt: skip
"""Names of ratings; what people say comes before what an evaluator says, the whole before an aspect."""
_HALF, _NUMBERS = 0.5, (int, float)
SAID = ("eval_", "evaluation_", "annotation_")
"""Beginnings of the names of attributes that are scores."""


class Score(NamedTuple):
    """A named judgement: a number, a label, or both."""

    name: str
    value: object = None
    label: object = None


def judged(scores: Iterable[Score]) -> dict[str, float | bool]:
    """The fields that some scores give: thumb, rating, hallucination and the like.

    Of several scores of a field the best name counts, and of several of one name their mean (yes, if most
    say so): the order in which they came does not matter.
    """
    found: dict[str, list[tuple[int, float]]] = {}
    for score in scores:
        known = _field_of(score)
        if known is not None:
            field, rank, number = known
            found.setdefault(field, []).append((rank, number))
    return {field: _settled(field, numbers) for field, numbers in found.items()}


def _settled(field: str, numbers: list[tuple[int, float]]) -> float | bool:
    value = numbers[0][1]
    if len(numbers) > 1:
        best = min(rank for rank, _ in numbers)
        chosen = [number for rank, number in numbers if rank == best]
        value = fsum(chosen) / len(chosen)  # exact, so that their order does not matter
    return value if field == "rating" else value >= _HALF


def _field_of(score: Score) -> tuple[str, int, float] | None:
    """The field of a score, the rank of its name among those of the field, and the number it gives."""
    name = _plain(score.name)
    number, said = _number(score.value), _said(score.label if score.label is not None else score.value)
    flag = said if said is not None else None if number is None else float(number >= _HALF)
    if "hallucinat" in name:
        return None if flag is None else ("hallucination", 0, flag)
    if name in FLAGS:
        return None if flag is None else (name, 0, flag)
    if name in _THUMBS:
        if said is not None or number in (-1, 0, 1):
            return "thumb", 0, float(said if said is not None else number > 0)  # type: ignore[operator] # 0
        return None if number is None else ("rating", 0, number)
    if name in _RATINGS and number is not None:
        return "rating", _RATINGS.index(name), number
    return None


@lru_cache(1024)
def _plain(name: str) -> str:
    """The words of a score's name: a log has few names, and each many times."""
    return "_".join(re.findall("[a-z0-9]+", name.lower()))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, _NUMBERS) else None


def _said(label: object) -> float | None:
    return _meant(label) if isinstance(label, str) else None


@lru_cache(1024)
def _meant(label: str) -> float | None:
    """What a label says, if it says yes or no: most are of a few words."""
    word = label.strip().lower().replace(" ", "_").replace("-", "_")
    return 1.0 if word in YES else 0.0 if word in NO else None


def scores_at(keys: Iterable[str]) -> list[tuple[str, str | None, str | None]]:
    """The names of scores among flat attributes, each with the keys of its number and of its label.

    Phoenix names these `eval_NAME_score` and `annotation_NAME_label`.
    """
    named: dict[str, dict[str, str]] = {}
    for key in keys:
        if key.startswith(SAID):
            name, _, part = key.partition("_")[2].rpartition("_")
            if part in ("score", "label"):
                named.setdefault(name, {})[part] = key
    return [(name, parts.get("score"), parts.get("label")) for name, parts in named.items()]
