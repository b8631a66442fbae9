"""The columns that a batch may have: a wide plan is decoded in half the time without the others.

A mapping has many names for one fact, and a log has few of them. A column is left out where one of its keys
stands nowhere in the batch, so that nothing is read differently.
"""

from __future__ import annotations

import re

import polars as pl

from llmtel.sources.plan import Plan

_FEW = 55
"""Keys of a plan that is decoded as fast as they are looked for."""
_HEAD = 64 << 10
"""Bytes in which keys are looked for first. What is not larger is decoded as it is."""
_KEY = re.compile(rb'"([^"\\]+)"')


def narrowed(data: bytes, plan: Plan) -> Plan:
    """The plan for some lines, without the columns that none of them has."""
    keys = plan.optional
    if len(keys) < _FEW or len(data) <= _HEAD or b"\\u" in data:  # a key may be written with escapes
        return plan
    if not plan.seen:
        plan.seen.update(key.decode(errors="replace") for key in _KEY.findall(data[:_HEAD]))
    rest = keys - plan.seen
    if rest:
        try:
            plan.seen.update(_of_these(data, rest))
        except pl.exceptions.PolarsError:  # not UTF-8
            return plan
    return plan.without(keys - plan.seen)


def _of_these(data: bytes, keys: frozenset[str]) -> list[str]:
    """Those of some keys that stand in the lines, be it as a key or as a text."""
    pattern = f'"(?:{"|".join(map(re.escape, sorted(keys)))})"'
    line = pl.col("line")
    lines = pl.scan_lines(data).filter(line.str.contains(pattern))
    found = lines.select(line.str.extract_all(pattern).explode().unique()).collect(engine="streaming")
    return [key.strip('"') for key in found["line"]]
