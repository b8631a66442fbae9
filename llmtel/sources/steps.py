"""Steps of a mapping: parts of expressions that are computed once, before the fields that need them.

An expression that holds another several times, which holds a third several times, grows beyond all bounds: a
second and more to plan what takes a millisecond to compute. A step is a column of its own instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import polars as pl

PREFIX = "@step "


class Steps(dict[str, pl.Expr]):
    """The steps of a mapping, which go into it beside the fields. Equal expressions are one step."""

    def __call__(self, expression: pl.Expr) -> pl.Expr:
        """The column in which `expression` will have been computed."""
        name = PREFIX + blake2b(str(expression).encode(), digest_size=8).hexdigest()
        self[name] = expression
        return pl.col(name)


def is_step(name: str) -> bool:
    """Whether a name of a mapping is that of a step."""
    return name.startswith(PREFIX)


def with_steps(rows: pl.LazyFrame, calls: Mapping[str, pl.Expr]) -> pl.LazyFrame:
    """Raw rows with the steps of a mapping, each round of which needs only those before it."""
    left = {name: expression for name, expression in calls.items() if is_step(name)}
    while left:
        ready = {name for name, value in left.items() if not left.keys() & set(value.meta.root_names())}
        if not ready:
            msg = f"steps that need each other: {', '.join(left)}"
            raise AssertionError(msg)
        rows = rows.with_columns(left.pop(name).alias(name) for name in sorted(ready))
    return rows


def fields(calls: Mapping[str, pl.Expr]) -> list[pl.Expr]:
    """The expressions of a mapping that are no steps, named."""
    return [value.alias(name) for name, value in calls.items() if not is_step(name)]


def roots(calls: Mapping[str, pl.Expr], name: str) -> list[str]:
    """The columns that a field is made of, those of its steps in place of these."""
    found: dict[str, None] = {}
    waiting, met = [name], {name}
    while waiting:
        for root in calls[waiting.pop()].meta.root_names():
            if not root:  # an element of a list, which is no column
                continue
            if not is_step(root):
                found[root] = None
            elif root not in met:
                met.add(root)
                waiting.append(root)
    return list(found)
