"""Texts to numbers of tokens: each text once, and none so long that the library gives up."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date

from msgspec import Struct, field

from llmtel.tokens.encodings import NoRanks, encoding

LONGEST = 200_000
"""Characters encoded in one piece: at about a million equal blanks tiktoken 0.14 panics."""
_CACHED = 50_000
_SHORT = 32
"""Characters up to which a text is its own key in the cache; a longer one is known by its digest."""
CHARACTERS_PER_TOKEN = 4
"""What is left to go by without ranks: wrong by a quarter either way in English, by more elsewhere."""


class Tokenizer(Struct, frozen=True):
    """How a family of models counts: `factor` times the tokens of `base`, an encoding we have.

    `exact` says that the encoding is the model's own, `measured` that the factor was found by comparison;
    `source` says with what, `checked` when.
    """

    base: str = "o200k_base"
    factor: float = 1.0
    exact: bool = False
    measured: bool = False
    source: str | None = None
    checked: date | None = None


class Counter(Struct):
    """Counts tokens of texts, remembering those it has seen (system prompts repeat in every call).

    `ranked` turns false when the ranks of an encoding cannot be read: counts are then a quarter of the
    characters.
    """

    seen: dict[tuple[str, str | bytes], int] = field(default_factory=dict)
    ranked: bool = True

    def counts(self, texts: Sequence[str], base: str) -> list[int]:
        """The tokens of each text in the encoding `base`, in order."""
        return [self._count((base, _key(text)), text) for text in texts]

    def _count(self, key: tuple[str, str | bytes], text: str) -> int:
        known = self.seen.get(key)
        if known is None:
            if len(self.seen) >= _CACHED:
                self.seen.clear()
            known = self.seen[key] = self._encoded(text, key[0])
        return known

    def _encoded(self, text: str, base: str) -> int:
        """The tokens of one text: a batch would use more threads, and more time of each."""
        try:
            encode = encoding(base).encode_ordinary
        except NoRanks:
            self.ranked = False
            return -(-len(text) // CHARACTERS_PER_TOKEN)
        return sum(len(encode(piece)) for piece in _pieces(text))


def _key(text: str) -> str | bytes:
    if len(text) <= _SHORT:
        return text
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()


def _pieces(text: str) -> Iterator[str]:
    """A text in pieces of at most `LONGEST` characters, cut before a newline where there is one."""
    start = 0
    while len(text) - start > LONGEST:
        end = text.rfind("\n", start + LONGEST // 2, start + LONGEST)
        end = start + LONGEST if end < 0 else end
        yield text[start:end]
        start = end
    yield text[start:]
