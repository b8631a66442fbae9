"""What must be decoded of a format's records: one dtype, one query, and which lines need a closer look."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Sequence
from functools import cached_property, reduce
from typing import Any

import msgspec
import polars as pl
from msgspec import Struct, field
from msgspec.structs import force_setattr

from llmtel.sources import native
from llmtel.sources.raw import DTYPES, PATH, STEM, Kind, RawColumn, Step, Tree, tree_of, tree_of_items
from llmtel.sources.source import Record, Source

_END = 7
"""Bytes of a key's end that are looked for: `_tokens` stands for most counts."""


def _dtype(node: Tree | RawColumn) -> pl.DataType:
    if isinstance(node, RawColumn):
        return node.dtype
    if any(isinstance(step, int) for step in node):
        return pl.List(_dtype(next(iter(node.values()))))
    return pl.Struct({str(key): _dtype(child) for key, child in node.items()})


_CHECKED: dict[Kind, Any] = {
    "str": str | int | float | bool | None, "time": str | int | float | bool | None,
    "count": int | None, "code": int | float | bool | None, "number": int | float | None, "bool": bool | None,
}  # fmt: skip


def _checker(node: Tree | RawColumn) -> Any:  # noqa: ANN401 (a type made at run time)
    """The type that msgspec checks a decoded record against: what the typed decode takes, nothing else."""
    if isinstance(node, RawColumn):
        if not node.items:
            return _CHECKED[node.kind]
        return list[_checker(tree_of_items(node))] | None  # type: ignore[misc]  # made at run time
    if any(isinstance(step, int) for step in node):
        return list[_checker(next(iter(node.values())))] | None  # type: ignore[misc]  # so too
    members = [
        (f"f{i}", _checker(child), msgspec.field(name=str(key), default=None))
        for i, (key, child) in enumerate(node.items())
    ]
    return msgspec.defstruct("Node", members) | None


Shape = Callable[[Source, Sequence[Record]], Source]
"""Makes of a bound source and some records of the file the source that the run wants: more, other fields."""


def _as_it_is(source: Source, _records: Sequence[Record]) -> Source:
    return source


class Plan(Struct, frozen=True, dict=True):
    """How the lines of one (bound) source are decoded.

    A line is *plain* when it is one object from its first to its last byte and no number in it may be more
    than the typed decode can tell (`suspicious`): those are decoded in one query, all others are looked at
    one by one. `shaped` is what the run wants of every source besides (`Shape`), which a source that is bound
    for single records of the same file gets too. `columns` are those of the source, but for a batch that is
    known not to have some of them (`without`).
    """

    source: Source
    shaped: Shape = _as_it_is
    columns: tuple[RawColumn, ...] = ()
    seen: set[str] = field(default_factory=set)
    """Keys that batches of this plan had."""

    def __post_init__(self) -> None:
        force_setattr(self, "columns", self.columns or self.source.columns())

    @cached_property
    def dtype(self) -> pl.DataType:
        """What a record is decoded as."""
        return _dtype(tree_of(self.columns)) if self.columns else pl.Struct({})

    @cached_property
    def compiled(self) -> native.Compiled | None:
        """The columns as the machine code knows them; None where it is not there."""
        return native.compiled(tree_of(self.columns), self.source.markers)

    @cached_property
    def schema(self) -> dict[str, pl.DataType]:
        """The dtypes of the raw columns."""
        return {column.name: column.dtype for column in self.columns}

    @cached_property
    def objects(self) -> frozenset[tuple[Step, ...]]:
        """The steps to objects and lists that columns are read from."""
        return frozenset(column.steps[:end] for column in self.columns for end in range(1, len(column.steps)))

    @cached_property
    def optional(self) -> frozenset[str]:
        """Keys without which a batch is decoded as well without their columns: those of values in objects.

        Of lists, and of a path that is both a value and an object, columns depend on each other.
        """
        kept, optional = set[Step](), set[Step]()
        values = {column.steps for column in self.columns}
        for column in self.columns:
            above = {column.steps[:end] for end in range(1, len(column.steps))}
            alone = not column.items and values.isdisjoint(above)
            plain = all(isinstance(step, str) and step.isascii() for step in column.steps)
            (optional if alone and plain else kept).update(column.steps)
        return frozenset(f"{key}" for key in optional - kept if not re.search(r'["/\\\x00-\x1f]', f"{key}"))

    def without(self, keys: frozenset[str]) -> Plan:
        """The plan without the columns that one of some keys leads to."""
        if keys not in self._narrower:
            columns = tuple(column for column in self.columns if keys.isdisjoint(column.steps))
            self._narrower[keys] = Plan(self.source, self.shaped, columns)
        return self._narrower[keys]

    def widened(self, known: Container[str]) -> list[pl.Expr]:
        """The raw columns over a frame that has some of them: the others are null."""
        return [pl.col(name) if name in known else null for name, null in self._nulls.items()]

    def of_values(self, known: Container[str]) -> list[pl.Expr]:
        """The raw columns over a frame of values as their paths have them, of which null ones may be absent.

        Of several columns of one path, the first has its value; the others are made of that.
        """
        return [
            cast if value in known else self._nulls[name] for name, (value, cast) in self._of_values.items()
        ]

    @cached_property
    def _of_values(self) -> dict[str, tuple[str, pl.Expr]]:
        """For each raw column the one that has the value of its path, and what is made of that."""
        tree = tree_of(self.columns)
        found = {}
        for column in self.columns:
            end = reduce(lambda node, step: node[step], column.steps, tree)
            value = end.name if isinstance(end, RawColumn) else column.name
            found[column.name] = value, pl.col(value).cast(column.dtype, strict=False).alias(column.name)
        return found

    @cached_property
    def _nulls(self) -> dict[str, pl.Expr]:
        # to make a hundred of them takes as long as to decode a megabyte
        return {name: pl.lit(None, dtype=dtype).alias(name) for name, dtype in self.schema.items()}

    @cached_property
    def _narrower(self) -> dict[frozenset[str], Plan]:
        return {}

    @cached_property
    def of_files(self) -> frozenset[str]:
        """What the mapping wants to know of a row's file: `STEM`, `PATH`, both or nothing."""
        roots = {name for expression in self.source.expressions() for name in expression.meta.root_names()}
        return frozenset(roots & {STEM, PATH})

    @cached_property
    def checker(self) -> Any:  # noqa: ANN401 (a type made at run time)
        """The msgspec type of a record that the typed decode takes; None where it cannot have such keys."""
        try:
            return _checker(tree_of(self.columns))
        except ValueError:
            return None

    @cached_property
    def suspicious(self) -> str:
        """A pattern of counts that the typed decode would change: fractions, booleans, 19 digits; or "".

        And whatever the source wants to be looked at with care. Only the ends of the keys are looked for,
        which is twice as fast; a key that is alike costs its line a closer look.
        """
        ends = self._ends("count")
        patterns = [re.escape(words) for words in self.source.careful]
        patterns += [rf'(?:{"|".join(ends)})"\s?:\s?(?:[tf]|-?[0-9]+[.eE]|-?[0-9]{{19}})'] if ends else []
        return "|".join(patterns)

    @cached_property
    def boolean_numbers(self) -> str:
        """A pattern of booleans where numbers are wanted, of which the typed decode makes 0 and 1; or ""."""
        ends = self._ends("number")
        return rf'(?:{"|".join(ends)})"\s?:\s?[tf]' if ends else ""

    def _ends(self, kind: Kind) -> list[str]:
        keys = {key for column in self.columns for key, of in column.leaves if of == kind}
        return sorted({re.escape(key[-_END:]) for key in keys})

    @cached_property
    def zero_or_one(self) -> pl.Expr | None:
        """Whether raw columns have a number that may have been a boolean; None where there is no number."""
        numbers = [
            pl.col(column.name) for column in self.columns if column.kind == "number" and not column.items
        ]
        if not numbers:
            return None
        doubtful = pl.any_horizontal(*((number == 0) | (number == 1) for number in numbers))
        return doubtful.fill_null(value=False)

    @cached_property
    def unpacked(self) -> list[pl.Expr]:
        """The raw columns as expressions over the decoded `record`."""
        return [self._unpack(column) for column in self.columns]

    def _unpack(self, column: RawColumn) -> pl.Expr:
        node: Any = tree_of(self.columns)
        expression = pl.col("record")
        for step in column.steps:
            node = node[step]
            if isinstance(step, int):
                expression = expression.list.get(step, null_on_oob=True)
            else:
                expression = expression.struct.field(step)
        if node is not column and not isinstance(node, RawColumn):
            return pl.lit(None, dtype=DTYPES[column.kind]).alias(column.name)
        return expression.cast(column.dtype, strict=False).alias(column.name)

    def has_marker(self) -> pl.Expr | None:
        """Whether a line may be a call, None when every line may."""
        if not self.source.markers:
            return None
        return pl.any_horizontal(
            pl.col("line").str.contains(marker, literal=True) for marker in self.source.markers
        )
