r"""Raw columns: the paths of a record that a mapping reads, and with which type.

`raw.count("usage.prompt_tokens")` is `pl.col("usage.prompt_tokens:count")`. The name says where the value is
and what it must be, so that all that has to be decoded is found in the expressions of a mapping and is
written nowhere else.

A path has steps parted by dots (`\.` is a dot inside a key), `[0]` takes an element of a list. Of several
paths (`raw.text("model", "model_name")`) the first known value counts. `raw.items` reads some fields of every
element of a list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Literal

import polars as pl
from msgspec import Struct

Kind = Literal["str", "count", "code", "number", "bool", "time"]
DTYPES: dict[Kind, type[pl.DataType]] = {
    "str": pl.String,
    "count": pl.Int64,
    "code": pl.Int64,
    "number": pl.Float64,
    "bool": pl.Boolean,
    "time": pl.String,
}
"""What each kind is decoded as. A time stays text until `values.times` reads it."""

STEM, PATH = "@stem", "@path"
"""Columns that the reader makes for mappings that ask for them: a file's name without its extension, and its
path with `/` between its parts."""

Step = str | int
Tree = dict[Step, Any]
"""Steps to the next tree, or to the raw column at their end."""


class RawColumn(Struct, frozen=True):
    """One raw column: where its value is in a record, and what is wanted there.

    `items` are the fields of a list's elements, (steps, kind) each, when the column is a list of objects.
    """

    name: str
    steps: tuple[Step, ...]
    kind: Kind
    items: tuple[tuple[tuple[str, ...], Kind], ...] = ()

    @property
    def leaves(self) -> tuple[tuple[str, Kind], ...]:
        """The keys whose values are read, with their kinds."""
        return tuple((steps[-1], kind) for steps, kind in self.items) or ((f"{self.steps[-1]}", self.kind),)

    @property
    def dtype(self) -> pl.DataType:
        """The dtype of the column after decoding."""
        if not self.items:
            return DTYPES[self.kind]()
        fields: dict[str, pl.DataType | dict[str, pl.DataType]] = {}
        for steps, kind in self.items:
            if len(steps) == 1:
                fields[steps[0]] = DTYPES[kind]()
            else:
                fields.setdefault(steps[0], {})[steps[1]] = DTYPES[kind]()  # type: ignore[index]  # a dict, as just set
        return pl.List(pl.Struct({n: pl.Struct(t) if isinstance(t, dict) else t for n, t in fields.items()}))


def _first_of(paths: tuple[str, ...], kind: Kind) -> pl.Expr:
    columns = [pl.col(_named(path, kind)) for path in paths]
    return columns[0] if len(columns) == 1 else pl.coalesce(columns)


def _named(path: str, kind: str) -> str:
    """The name of a raw column; a key like `@timestamp` is told from the columns that the reader makes."""
    own = "\\" if path.startswith("@") else ""
    return f"{own}{path}:{kind}"


def written(name: str) -> str:
    """The path of a raw column, as a mapping writes it; nothing for a column that the reader makes."""
    path = name.rpartition(":")[0]
    return path[1:] if path.startswith("\\@") else path


def text(*paths: str) -> pl.Expr:
    """A text."""
    return _first_of(paths, "str")


def count(*paths: str) -> pl.Expr:
    """A whole number."""
    return _first_of(paths, "count")


def code(*paths: str) -> pl.Expr:
    """A whole number that counts nothing (a status code): what else looks like one is read as one."""
    return _first_of(paths, "code")


def number(*paths: str) -> pl.Expr:
    """Any number."""
    return _first_of(paths, "number")


def flag(*paths: str) -> pl.Expr:
    """True or false."""
    return _first_of(paths, "bool")


def time(*paths: str) -> pl.Expr:
    """A time: Datetime in UTC when the mapping sees it."""
    return _first_of(paths, "time")


def items(path: str, fields: Mapping[str, Kind]) -> pl.Expr:
    """Some fields (`a` or `a.b`) of every element of a list of objects: a column of List(Struct)."""
    return pl.col(_named(path, "items " + " ".join(f"{name}={kind}" for name, kind in fields.items())))


def escaped(key: str) -> str:
    """A key as one step of a path."""
    return re.sub(r"([\\.\[\]:])", r"\\\1", key)


@cache
def steps_of(path: str) -> tuple[Step, ...]:
    """The steps of a path: keys, and positions in lists."""
    steps: list[Step] = []
    for match in re.finditer(r"((?:\\.|[^.\[\\])+)|\[(\d+)\]", path):
        key, position = match.groups()
        steps.append(int(position) if key is None else re.sub(r"\\(.)", r"\1", key))
    return tuple(steps)


@cache
def parse(name: str) -> RawColumn:
    """The raw column that a name stands for."""
    path, kind = name.rsplit(":", 1)
    if kind.startswith("items "):
        pairs = [pair.split("=") for pair in kind.split(" ")[1:]]
        fields = tuple((tuple(key.split(".")), wanted) for key, wanted in pairs)
        return RawColumn(name, steps_of(path), "str", fields)  # type: ignore[arg-type]  # kinds are text
    return RawColumn(name, steps_of(path), kind)  # type: ignore[arg-type]  # kinds are text


def wanted(expressions: Iterable[pl.Expr]) -> tuple[RawColumn, ...]:
    """The raw columns that some expressions read, by name; not those that the reader makes later (`@…`)."""
    names = {
        name for expression in expressions for name in expression.meta.root_names() if name and name[0] != "@"
    }
    return tuple(parse(name) for name in sorted(names))


def tree_of(columns: tuple[RawColumn, ...]) -> Tree:
    """The columns by their steps. Where a path is both a value and an object, the object wins."""
    root: Tree = {}
    for column in sorted(columns, key=lambda c: -len(c.steps)):
        node = root
        for step in column.steps[:-1]:
            node = node.setdefault(step, {})
        node.setdefault(column.steps[-1], column)
    return root


def tree_of_items(column: RawColumn) -> Tree:
    """The fields of a list's elements by their steps, each at its end a column without a name."""
    fields: Tree = {}
    for steps, kind in column.items:
        place = fields
        for step in steps[:-1]:
            place = place.setdefault(step, {})
        place[steps[-1]] = RawColumn("", (), kind)
    return fields
