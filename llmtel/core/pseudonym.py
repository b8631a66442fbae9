"""The form of a pseudonym, and how people see and type it: as long as it must be to be one of a kind."""

from __future__ import annotations

import re
from collections.abc import Iterable

KEY_ID, DIGEST = 4, 32
"""Hex digits of the key's id and of the keyed hash."""
_BEGINNING = len("u_") + KEY_ID + 8
"""Characters that people see at least: more where two would look alike."""
ELLIPSIS = "…"
MADE = re.compile(rf"(?:u|s|t|id)_[0-9a-f]{{{KEY_ID + DIGEST}}}")
"""A pseudonym as a store has it."""
_SHORT = re.compile(rf"((?:u|s|t|id)_[0-9a-f]{{{KEY_ID},{KEY_ID + DIGEST}}})(?:{ELLIPSIS}|[.]{{3}})")


def shortened(values: Iterable[str]) -> dict[str, str]:
    """For each pseudonym among some values how it is shown beside the others: its beginning and "…"."""
    made = {value for value in values if MADE.fullmatch(value)}
    longest = max(map(len, made), default=0)
    size = next((n for n in range(_BEGINNING, longest) if len({one[:n] for one in made}) == len(made)), None)
    return {} if size is None else {one: one[:size] + ELLIPSIS for one in made}


def beginning(text: str) -> str | None:
    """With what a pseudonym begins that was typed as it is shown; None for any other text."""
    found = _SHORT.fullmatch(text)
    return found[1] if found else None
