"""Text from logs made safe to print, measured in terminal cells, padded and wrapped.

Whatever came from a log is hostile: it may hold terminal escapes, line breaks, right-to-left overrides or
characters that the eye does not see. `visible` shows each as an escape; the other functions expect such text.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from itertools import pairwise

_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters and marks that draw nothing: fillers and joiners, used to make two names look alike.
_BLANKS = frozenset(
    map(chr, (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x2800, 0x3164, 0xFFA0))
)
_JOINER = "\u200d"
_EMOJI_STYLE = "\ufe0f"
_BREAK_AFTER = frozenset("-_/.:,;|@=")
ELLIPSIS = "…"


def visible(text: str) -> str:
    """`text` with every control, bidirectional, invisible or unassigned character written as an escape."""
    if text.isascii() and text.isprintable():
        return text
    joined = _emoji_joiners(text)
    return "".join(c if i in joined or not _is_hidden(c) else _escape(c) for i, c in enumerate(text))


def _is_hidden(char: str) -> bool:
    return char in _BLANKS or unicodedata.category(char) in _HIDDEN_CATEGORIES


def _emoji_joiners(text: str) -> set[int]:
    """Where a zero-width joiner does its honest work, between two emoji."""
    spots = range(1, len(text) - 1)
    return {i for i in spots if text[i] == _JOINER and _is_emoji(text[i - 1]) and _is_emoji(text[i + 1])}


def _is_emoji(char: str) -> bool:
    return char == _EMOJI_STYLE or unicodedata.category(char) in {"So", "Sk"}


def _escape(char: str) -> str:
    """The escape that Python shows for a character that cannot be printed."""
    return ascii(char)[1:-1]


@lru_cache(maxsize=4096)
def _cells(char: str) -> int:
    if unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def width(text: str) -> int:
    """The most cells that `text` takes in a terminal: wide characters two, combining marks none."""
    if text.isascii():
        return len(text)
    # A terminal may widen a narrow symbol that asks for emoji style: count the most it may take.
    widened = sum(b == _EMOJI_STYLE and _cells(a) == 1 for a, b in pairwise(text))
    return sum(map(_cells, text)) + widened


def pad(text: str, cells: int, *, right: bool = False) -> str:
    """`text` filled with blanks to `cells`; `right` aligns it to the right."""
    blanks = " " * max(0, cells - width(text))
    return blanks + text if right else text + blanks


def clip(text: str, cells: int) -> str:
    """`text`, or as much of it as fits into `cells` with an ellipsis."""
    return text if width(text) <= cells else _split(text, cells - 1)[0] + ELLIPSIS


def wrap(text: str, cells: int) -> list[str]:
    """Lines of at most `cells`, broken at blanks, and within a word only where it is wider than a line."""
    if width(text) <= cells:
        return [text]
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if width(longer) <= cells:
            line = longer
            continue
        if line:
            lines.append(line)
        *full, line = _fold(word, cells)
        lines.extend(full)
    return [*lines, line]


def _fold(word: str, cells: int) -> list[str]:
    """One word in pieces of at most `cells`, broken after punctuation where that leaves a fair piece."""
    pieces = []
    while width(word) > cells:
        head, _ = _split(word, cells)
        mark = max((i + 1 for i, c in enumerate(head) if c in _BREAK_AFTER), default=0)
        cut = mark if 2 * mark > len(head) else len(head)
        pieces.append(word[:cut])
        word = word[cut:]
    return [*pieces, word]


def _split(text: str, cells: int) -> tuple[str, str]:
    """The longest head of `text` that fits into `cells` (at least one character), and the rest."""
    taken = 0
    for i, (before, char) in enumerate(pairwise(f" {text}")):
        taken += _cells(char) + (char == _EMOJI_STYLE and _cells(before) == 1)
        if taken > cells and i and _cells(char):
            return text[:i], text[i:]
    return text, ""
