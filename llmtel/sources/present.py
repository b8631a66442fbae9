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
_ESCAPE = "\\u"
_KEY = re.compile(rb'"([^"\\]+)"')


def narrowed(data: bytes, plan: Plan) -> Plan:
    """The plan for some lines, without the columns that none of them has."""
    keys, head = plan.optional, data[:_HEAD]
    if len(keys) < _FEW or len(data) <= _HEAD or _ESCAPE.encode() in head:
        return plan
    if not plan.seen:
        plan.seen.update(key.decode(errors="replace") for key in _KEY.findall(head))
    rest = keys - plan.seen
    found = _of_these(data, rest) if rest else []
    if found is None:
        return plan
    plan.seen.update(found)
    return plan.without(keys - plan.seen)


def _of_these(data: bytes, keys: frozenset[str]) -> list[str] | None:
    """Those of some keys that stand in the lines, be it as a key or as a text; None where nothing tells.

    That is where something is not UTF-8, or escaped: a key may be written so.
    """
    pattern = f'"(?:{"|".join(map(re.escape, sorted(keys)))})"'
    line = pl.col("line")
    escaped = line.str.contains(_ESCAPE, literal=True)
    lines = pl.scan_lines(data).filter(escaped | line.str.contains(pattern))
    try:
        found = lines.collect(engine="streaming")
    except pl.exceptions.PolarsError:
        return None
    if found.select(escaped.any()).item():
        return None
    return [key.strip('"') for key in found.select(line.str.extract_all(pattern).explode().unique())["line"]]
