"""Texts to numbers of tokens: in slices, each text once, and none so long that the library gives up."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from llmtel.tokens.encodings import NoRanks, encoding

SLICE = 512
"""Texts encoded together: their tokens are held as Python integers, 2.5 GB for 100,000 prompts."""
LONGEST = 200_000
"""Characters encoded in one piece: at about a million equal blanks tiktoken 0.14 panics."""
_CACHED = 50_000
_SHORT = 1_024
"""Characters up to which a text is its own key in the cache; a longer one is known by its digest."""
CHARACTERS_PER_TOKEN = 4
"""What is left to go by without ranks: wrong by a quarter either way in English, by more elsewhere."""


@dataclass(frozen=True)
class Tokenizer:
    """How a family of models counts: `factor` times the tokens of `base`, an encoding we have.

    `exact` says that the encoding is the model's own.
    """

    base: str = "o200k_base"
    factor: float = 1.0
    exact: bool = False


@dataclass
class Counter:
    """Counts tokens of texts, remembering those it has seen (system prompts repeat in every call).

    `ranked` turns false when the ranks of an encoding cannot be read: counts are then a quarter of the
    characters.
    """

    seen: dict[tuple[str, str | bytes], int] = field(default_factory=dict)
    ranked: bool = True

    def counts(self, texts: Sequence[str], base: str) -> list[int]:
        """The tokens of each text in the encoding `base`, in order."""
        keys = [(base, _key(text)) for text in texts]
        found: dict[tuple[str, str | bytes], int] = {}
        new: dict[tuple[str, str | bytes], str] = {}
        for key, text in zip(keys, texts, strict=True):
            known = self.seen.get(key)
            if known is None:
                new[key] = text
            else:
                found[key] = known
        fresh = dict(zip(new, self._encoded(list(new.values()), base), strict=True))
        if len(self.seen) + len(fresh) > _CACHED:
            self.seen.clear()
        self.seen.update(list(fresh.items())[:_CACHED])
        found |= fresh
        return [found[key] for key in keys]

    def _encoded(self, texts: list[str], base: str) -> Iterator[int]:
        for start in range(0, len(texts), SLICE):
            yield from self._slice(texts[start : start + SLICE], base)

    def _slice(self, texts: list[str], base: str) -> list[int]:
        """The counts of a few texts; long ones are cut, each cut costing about one token of error."""
        pieces = [list(_pieces(text)) for text in texts]
        flat = [piece for one in pieces for piece in one]
        try:
            lengths = iter([len(ids) for ids in encoding(base).encode_ordinary_batch(flat, num_threads=2)])
        except NoRanks:
            self.ranked = False
            return [-(-len(text) // CHARACTERS_PER_TOKEN) for text in texts]
        return [sum(next(lengths) for _ in one) for one in pieces]


def _key(text: str) -> str | bytes:
    if len(text) <= _SHORT:
        return text
    return hashlib.sha1(text.encode(errors="replace"), usedforsecurity=False).digest()


def _pieces(text: str) -> Iterator[str]:
    """A text in pieces of at most `LONGEST` characters, cut before a newline where there is one."""
    start = 0
    while len(text) - start > LONGEST:
        end = text.rfind("\n", start + LONGEST // 2, start + LONGEST)
        end = start + LONGEST if end < 0 else end
        yield text[start:end]
        start = end
    yield text[start:]
