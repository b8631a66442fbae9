"""Tokens of opencode, whose input excludes the cache.

Whether the output includes the reasoning changed between versions: the total tells, and without one, the
provider.
"""

from __future__ import annotations

import polars as pl

from llmtel.sources import raw
from llmtel.sources.usage import MISMATCH

PROVIDER = raw.text("providerID", "model.providerID")
IN, OUT, _THOUGHT = (raw.count(f"tokens.{name}") for name in ("input", "output", "reasoning"))
_READ, WRITE, _TOTAL = (raw.count(f"tokens.{name}") for name in ("cache.read", "cache.write", "total"))
_REASONED = (_THOUGHT > 0).fill_null(value=False)
_PLAIN = IN + OUT + _READ.fill_null(0) + WRITE.fill_null(0)
# More reasoning than output cannot be a part of it.
_APART = (
    pl.when(_THOUGHT > OUT)
    .then(statement=True)
    .when(_TOTAL.is_null())
    .then(PROVIDER.str.contains("google|xai"))
    .otherwise(_TOTAL == _PLAIN + _THOUGHT)
    .fill_null(value=False)
)
LEAVES = {
    "input_uncached": IN,
    "cache_read": _READ,
    "cache_write_5m": WRITE,
    "output_text": pl.when(_REASONED & ~_APART).then(OUT - _THOUGHT).otherwise(OUT),
    "reasoning": _THOUGHT,
    MISMATCH: _REASONED & ~_APART & (_TOTAL != _PLAIN).fill_null(value=True),
}
"""The leaves, and whether the counts contradict each other."""
