"""Colour for a terminal, or none."""

from __future__ import annotations

from msgspec import Struct

from llmtel.core.answers import Level

_BOLD, _DIM, _RED, _YELLOW, _CYAN = "1", "2", "31", "33", "36"
_LEVELS: dict[Level, str] = {"error": _RED, "warning": _YELLOW, "info": _CYAN}


class Ink(Struct, frozen=True):
    """Dresses text that is already laid out; without `color` it leaves the text as it is."""

    color: bool

    def bold(self, text: str) -> str:
        """What the eye is to find first."""
        return self._dress(text, _BOLD)

    def dim(self, text: str) -> str:
        """What is there for those who look for it."""
        return self._dress(text, _DIM)

    def level(self, level: Level, text: str) -> str:
        """The colour of a finding's level."""
        return self._dress(text, _LEVELS[level])

    def _dress(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.color and text.strip() else text
