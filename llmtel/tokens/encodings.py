"""OpenAI's two encodings, built from the ranks in this package: nothing is downloaded or written.

The ranks are packed (xz over a little-endian count, the length of each token, and all tokens joined; the rank
of a token is its position). They come from tiktoken, MIT licence: see THIRD_PARTY.md.
"""

from __future__ import annotations

import lzma
import struct
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from msgspec import Struct

from llmtel.core.errors import LlmtelError

if TYPE_CHECKING:
    import tiktoken


class Encoding(Struct, frozen=True):
    """How one encoding splits text before it merges bytes (`pattern`), by its name."""

    name: str
    pattern: str


_ENGLISH = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
ENCODINGS = {
    "cl100k_base": Encoding(
        "cl100k_base",
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
        r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    ),
    "o200k_base": Encoding(
        "o200k_base",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
        + _ENGLISH
        + r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
        + _ENGLISH
        + r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ),
}
"""The encodings whose ranks are in the package: cl100k_base up to GPT-4, o200k_base from GPT-4o on."""


class NoRanks(LlmtelError):
    """The ranks of an encoding are missing or damaged in this installation."""


def unpacked(packed: bytes) -> dict[bytes, int]:
    """The rank of each token. Raises `NoRanks` when the bytes are not what was packed."""
    try:
        data = lzma.decompress(packed)
        (count,) = struct.unpack_from("<I", data)
        lengths, at = data[4 : 4 + count], 4 + count
    except (lzma.LZMAError, struct.error, EOFError) as error:
        msg = "the ranks of the tokenizer are damaged: install llmtel again"
        raise NoRanks(msg) from error
    ranks: dict[bytes, int] = {}
    for rank, length in enumerate(lengths):
        ranks[data[at : at + length]] = rank
        at += length
    if at != len(data) or len(ranks) != count:
        msg = "the ranks of the tokenizer are cut off: install llmtel again"
        raise NoRanks(msg)
    return ranks


def ranks(name: str) -> dict[bytes, int]:
    """The ranks of one of `ENCODINGS`. Raises `NoRanks`."""
    try:
        packed = (files("llmtel.tokens") / "ranks" / f"{name}.bin.xz").read_bytes()
    except OSError as error:
        msg = f"the ranks of {name} are not in this installation: install llmtel again"
        raise NoRanks(msg) from error
    return unpacked(packed)


@cache
def encoding(name: str) -> tiktoken.Encoding:
    """One of `ENCODINGS`, built once (half a second). Special tokens are plain text. Raises `NoRanks`."""
    import tiktoken  # noqa: PLC0415 (only runs that count need it)

    known = ENCODINGS[name]
    return tiktoken.Encoding(
        name=known.name, pat_str=known.pattern, mergeable_ranks=ranks(name), special_tokens={}
    )
