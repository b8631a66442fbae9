"""Steps of a mapping: parts of expressions that are computed once, before the fields that need them.

An expression that holds another several times, which holds a third several times, grows beyond all bounds: a
second and more to plan what takes a millisecond to compute. A step is a column of its own instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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


def rounds(calls: Mapping[str, pl.Expr]) -> Iterator[list[pl.Expr]]:
    """The steps among some expressions, named, in rounds: each needs only the rounds before it."""
    left = {name: expression for name, expression in calls.items() if name.startswith(PREFIX)}
    while left:
        ready = {name for name, value in left.items() if not left.keys() & set(value.meta.root_names())}
        if not ready:
            msg = f"steps that need each other: {', '.join(left)}"
            raise AssertionError(msg)
        yield [left.pop(name).alias(name) for name in sorted(ready)]


def roots(calls: Mapping[str, pl.Expr], name: str) -> list[str]:
    """The columns that a field is made of, those of its steps in place of these."""
    found: dict[str, None] = {}
    waiting = [name]
    while waiting:
        for root in calls[waiting.pop()].meta.root_names():
            if root.startswith(PREFIX):
                waiting.append(root)
            else:
                found[root] = None
    return list(found)


def chosen(
    when: pl.Expr, then: Mapping[str, pl.Expr], otherwise: Mapping[str, pl.Expr]
) -> dict[str, pl.Expr]:
    """Fields of one mapping where a condition holds, of another elsewhere, with the steps of both."""
    steps = {
        name: value for part in (then, otherwise) for name, value in part.items() if name.startswith(PREFIX)
    }
    fields = {
        name: pl.when(when).then(value).otherwise(otherwise[name])
        for name, value in then.items()
        if not name.startswith(PREFIX)
    }
    return {**steps, **fields}
