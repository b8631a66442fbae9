"""Source: what a log format is, declared as data. One format is one file in `formats/`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, Literal, NamedTuple

import polars as pl
from msgspec import Struct, field

from llmtel.sources import raw

Record = Mapping[str, Any]

WRAPPERS = ("response", "output", "result", "body", "data", "completion")
"""Keys under which an application's own line holds a provider's response."""


def lookup(record: object, steps: Sequence[raw.Step]) -> object:
    """The value at the end of `steps`, None when there is none."""
    value = record
    for step in steps:
        if isinstance(value, dict):  # most are, and no key of JSON is a number
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and step < len(value):
            value = value[step]
        else:
            return None
    return value


class Pick:
    """Takes the values at some paths of a record, under other names, and nothing else."""

    def __init__(self, paths: Mapping[str, str]) -> None:
        self.tree = _tree({name: raw.steps_of(path) for name, path in paths.items()})

    def __call__(self, record: object) -> dict[str, Any]:
        """The values of one record that are there. What is on the way to several is looked up once."""
        found: dict[str, Any] = {}
        _take(record, self.tree, found)
        return found


class _Tree(NamedTuple):
    """Steps of paths: those at whose end is a value, with its name, and those with steps below them."""

    ends: tuple[tuple[raw.Step, str], ...]
    ways: tuple[tuple[raw.Step, Any], ...]


def _tree(paths: Mapping[str, tuple[raw.Step, ...]]) -> _Tree:
    ends = tuple((steps[0], name) for name, steps in paths.items() if len(steps) == 1)
    ways: dict[raw.Step, dict[str, tuple[raw.Step, ...]]] = {}
    for name, steps in paths.items():
        if len(steps) > 1:
            ways.setdefault(steps[0], {})[name] = steps[1:]
    return _Tree(ends, tuple((step, _tree(below)) for step, below in ways.items()))


def _take(value: object, tree: _Tree, found: dict[str, Any]) -> None:
    at = value.get if isinstance(value, dict) else partial(_element, value)
    ends, ways = tree
    for step, name in ends:
        inner = at(step)
        if inner is not None:
            found[name] = inner
    for step, below in ways:
        inner = at(step)
        if inner is not None:
            _take(inner, below, found)


def _element(value: object, step: raw.Step) -> object:
    return lookup(value, (step,))


class Mark(Struct, frozen=True, dict=True):
    """How a record shows its format: paths that are there, that are not, and values that some have.

    `values` maps a path to the values it may have; a value ending in `*` is a beginning,
    and one that begins with `*` too stands anywhere in the text.
    """

    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    values: Mapping[str, tuple[object, ...]] = field(default_factory=dict)

    def matches(self, record: Record) -> bool:
        """Whether the record bears this mark."""
        return (
            all(_has(record, path) for path in self.all)
            and (not self.any or any(_has(record, path) for path in self.any))
            and not any(_has(record, path) for path in self.none)
            and all(
                _among(lookup(record, raw.steps_of(path)), values) for path, values in self.values.items()
            )
        )

    @cached_property
    def keys(self) -> frozenset[str]:
        """Keys of a record, one of which it must have to bear this mark: most records are let go by them."""
        paths = self.all[:1] or self.any or tuple(self.values)
        return frozenset(f"{raw.steps_of(path)[0]}" for path in paths) | set(paths)

    def words(self) -> str:
        """The mark in words, for `llmtel inspect`; what a record must not have explains nothing."""
        parts = [" and ".join(self.all)] if self.all else []
        any_of = " or ".join(self.any)
        parts += [f"({any_of})" if len(self.any) > 1 and (parts or self.values) else any_of] if any_of else []
        parts += [f"{path} is {' or '.join(map(str, values))}" for path, values in self.values.items()]
        return " and ".join(parts)


def _has(record: Record, path: str) -> bool:
    return path in record or lookup(record, raw.steps_of(path)) is not None


def _among(value: object, values: tuple[object, ...]) -> bool:
    return any(
        isinstance(value, str) and _fits(value, wanted)
        if isinstance(wanted, str)
        else value == wanted and type(value) is type(wanted)
        for wanted in values
    )


def _fits(value: str, wanted: str) -> bool:
    if not wanted.endswith("*"):
        return value == wanted
    return wanted[1:-1] in value if wanted.startswith("*") else value.startswith(wanted[:-1])


class Remark(Struct, frozen=True):
    """Something to say about the calls for which `when` holds. `{n}` in the text is their number.

    `{is|are}` is what is said of one and of several (`core.account.in_number`). Or `when` counts something
    in a call, and `{n}` is the sum.
    """

    when: pl.Expr
    text: str


class Copies(Struct, frozen=True):
    """Which copy of a call wins when the format writes it several times, whatever the order of arrival.

    The copy with the greatest `prefer` is kept whole: expressions over the raw columns, compared in order,
    null being the least. `earliest` and `largest` name the fields that are taken over all copies.
    """

    prefer: tuple[pl.Expr, ...]
    earliest: tuple[str, ...] = ()
    largest: tuple[str, ...] = ()


class AtOnce(Struct, frozen=True):
    """Raw columns of nested exports without a look at each record.

    `columns` makes them of complete lines that have one of the beginnings `begins`, with `row`, the place of
    the line; it leaves out columns that no record has, and gives None where only `Source.records` can tell.
    """

    begins: tuple[bytes, ...]
    columns: Callable[[bytes, Sequence[raw.RawColumn]], pl.DataFrame | None]


class Table(Struct, frozen=True):
    """A table of an SQLite database whose rows are records of a format, in the database's order.

    `columns` maps the keys of a record to columns, which old versions may lack but for those in `needs`.
    `document` is the column with the record as JSON, into which the others are put.
    """

    name: str
    columns: Mapping[str, str]
    needs: frozenset[str]
    document: str | None = None


Evidence = Literal["verified", "documented"]


class Source(Struct, frozen=True, kw_only=True):
    """A log format.

    `calls` maps fields to expressions over raw columns (`raw.count("usage.prompt_tokens")`): from these the
    reader knows what to decode. `sample` is a log of the format and `expect` the calls in it: its proof.
    `evidence` says what the mapping rests on: real logs (verified) or its makers' documentation alone.

    Which records are of the format: any of the `marks`; those of one `family` may be mixed in a file and
    stand inside an application's own line. `layout` is that of the file.
    `utc` says that its makers write times in UTC and without an offset, so that this is no assumption.

    Which records are calls: `keep` (the rest is *other*), `markers` (words one of which is in every call's
    line, so that other lines are never parsed), `refuse` (a text where a record cannot be read), `copies`
    (where a call is written several times).

    What the expressions see: `prepare` adds columns to the raw rows, which `reads` more than `calls` do;
    with `whole` these are all rows of a file, in order. `careful` are words of lines whose values have other
    shapes than elsewhere, so that they are read one by one; `loose` are raw columns that may hold another
    type, which is no fault. Records of a source that `speaks` may hold the texts of prompt and answer, which
    are counted where no counts are logged.

    `tables` are those of a database that has the same records.
    `remarks` are told where they hold; `extra` makes more rows from the kept ones; `bind` makes the mapping
    for a file from some of its records, and `decisions` says what it chose; `records`, a last resort for
    nested exports, finds the records inside a decoded object, in lines that have one of the words `nested`
    (every line, where there are none); other lines are records as they are. `at_once` reads most of them
    faster.

    `tells` are keys whose values name what calls are split by, though the mapping alone does not say so: a
    copy that is shared keeps them.

    `package` is set by the reader: the name and version of the package that brings it, None for llmtel's own.
    """

    name: str
    help: str
    link: str
    evidence: Evidence = "verified"
    calls: Mapping[str, pl.Expr] = field(default_factory=dict)
    marks: tuple[Mark, ...] = ()
    keep: pl.Expr | None = None
    markers: tuple[str, ...] = ()
    careful: tuple[str, ...] = ()
    loose: tuple[pl.Expr, ...] = ()
    speaks: bool = False
    refuse: pl.Expr | None = None
    remarks: Mapping[str, Remark] = field(default_factory=dict)
    copies: Copies | None = None
    whole: bool = False
    prepare: Callable[[pl.DataFrame], pl.DataFrame] | None = None
    extra: Callable[[pl.DataFrame], pl.DataFrame] | None = None
    reads: tuple[pl.Expr, ...] = ()
    bind: Callable[[Sequence[Record], Source], Source] | None = None
    records: Callable[[Record], Iterable[Record]] | None = None
    at_once: AtOnce | None = None
    nested: tuple[str, ...] = ()
    layout: Literal["json", "csv"] = "json"
    tables: tuple[Table, ...] = ()
    utc: bool = False
    family: str | None = None
    decisions: tuple[str, ...] = ()
    tells: tuple[str, ...] = ()
    package: str | None = None
    sample: str = ""
    expect: tuple[Mapping[str, Any], ...] = ()

    def may_claim(self, keys: frozenset[str]) -> bool:
        """Whether a record with these keys, whatever their values, may be of this format."""
        inside = self.family is not None and not keys.isdisjoint(WRAPPERS)
        return inside or any(not mark.keys.isdisjoint(keys) for mark in self.marks)

    def claims(self, record: Record) -> bool:
        """Whether a record is of this format."""
        return self.prefix_in(record) is not None

    def prefix_in(self, record: Record) -> str | None:
        """Where the body that bears a mark is: "" for the top; for a family also a wrapper: "response."."""
        if self._bears_mark(record):
            return ""
        if self.family is None:
            return None
        for key in WRAPPERS:
            body = record.get(key)
            if isinstance(body, dict) and self._bears_mark(body):
                return f"{key}."
        return None

    def marks_of(self, record: Record) -> tuple[Mark, ...]:
        """The marks that a record bears, or the body in it."""
        prefix = self.prefix_in(record)
        body = record[prefix[:-1]] if prefix else record
        return tuple(mark for mark in self.marks if mark.matches(body))

    def _bears_mark(self, record: Record) -> bool:
        return any(not mark.keys.isdisjoint(record) and mark.matches(record) for mark in self.marks)

    def expressions(self) -> list[pl.Expr]:
        """Every expression over raw columns."""
        optional = [expression for expression in (self.keep, self.refuse) if expression is not None]
        return [
            *self.calls.values(),
            *optional,
            *self.reads,
            *(self.copies.prefer if self.copies else ()),
            *(remark.when for remark in self.remarks.values()),
        ]

    def columns(self) -> tuple[raw.RawColumn, ...]:
        """The raw columns that must be decoded."""
        return raw.wanted(self.expressions())
