"""What a baseline may not hold: who the users were. Their segments are kept under hashes."""

from __future__ import annotations

import hashlib
import re

from msgspec.structs import replace

from llmtel.checks.rules import Key, Split
from llmtel.core.schema import FIELDS

_DIGITS = 12
_HASHED = re.compile(rf"#[0-9a-f]{{{_DIGITS}}}")
_TERM = re.compile(r"(\w+)(!?=)(.*)", re.DOTALL)


def personal(dimension: str) -> bool:
    """Whether values of a dimension point at people."""
    return dimension in FIELDS and FIELDS[dimension].privacy == "personal"


def hashed(value: str) -> str:
    """A hash that stands for a value, and for itself."""
    if _HASHED.fullmatch(value):
        return value
    return "#" + hashlib.sha256(value.encode()).hexdigest()[:_DIGITS]


def stored_key(split: Split, key: Key) -> Key:
    """A segment as a baseline names it: by the hash, where a dimension points at people."""
    if not any(personal(name) for name in split.by) or len(key) < len(split.by):
        return key
    pairs = zip(split.by, key, strict=True)
    return tuple(hashed(value) if value and personal(name) else value for name, value in pairs)


def stored_split(split: Split) -> Split:
    """A split as a baseline names it; filters that point at people are hashed too."""
    return replace(split, where=tuple(sorted(_stored_term(term) for term in split.where)))


def _stored_term(term: str) -> str:
    found = _TERM.fullmatch(term)
    return f"{found[1]}{found[2]}{hashed(found[3])}" if found and personal(found[1]) else term
