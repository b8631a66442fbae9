"""Lines to raw rows in machine code, where it was built with llmtel; without it Polars decodes them.

The code (`native/` in the source) decodes what is regular, outside Python's lock, and gives every other line
back. What becomes of a line is the same either way, as a test proves.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
from msgspec import Struct, field

from llmtel.sources.raw import Kind, RawColumn, Step, Tree, tree_of_items

_ENDS = {"win32": "dll", "darwin": "dylib"}
_LIBRARY = Path(__file__).with_name(f"libnative.{_ENDS.get(sys.platform, 'so')}")
_ABI = 3
_ROOT = 0
_VALUES: dict[Kind, bytes] = {
    "str": b"t", "time": b"t", "count": b"c", "code": b"c", "number": b"n", "bool": b"f",
}  # fmt: skip
_OBJECT, _ARRAY, _ITEMS = b"o", b"a", b"i"
_new_capsule = ctypes.pythonapi.PyCapsule_New
_new_capsule.restype = ctypes.py_object
_new_capsule.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
_in_capsule = ctypes.pythonapi.PyCapsule_GetPointer
_in_capsule.restype = ctypes.c_void_p
_in_capsule.argtypes = (ctypes.py_object, ctypes.c_char_p)


class _Fates(ctypes.Structure):
    """What became of lines (`Fates` in native/src/lib.rs)."""

    _fields_ = (
        ("lines", ctypes.c_uint64),
        ("other", ctypes.c_uint64),
        ("odd", ctypes.c_uint64),
        ("odd_places", ctypes.POINTER(ctypes.c_uint64)),
    )


class Regular(Struct):
    """What was decoded: rows (`row` is the line's place, from 0), how many lines, how many with no marker.

    The `odd` lines, each with its place, are for others to read.
    """

    raw: pl.DataFrame
    lines: int
    other: int
    odd: list[tuple[int, bytes]]


class Untold(Exception):
    """Something is wanted that the library cannot be told."""


class Compiled:
    """What is wanted of lines, as the library knows it. Threads may share it."""

    def __init__(self, library: ctypes.CDLL, tree: Tree, markers: Iterable[str]) -> None:
        """Tell the library of some columns, and of texts of which a line must have one. Raises `Untold`."""
        self._library = library
        self._plan: int = library.llmtel_plan_new()
        self._columns = {_ROOT: "row"}
        self._add_children(_ROOT, tree)
        for marker in (marker.encode() for marker in markers):
            if not library.llmtel_plan_marker(self._plan, marker, len(marker)):
                raise Untold

    def __del__(self) -> None:
        self._library.llmtel_plan_free(self._plan)

    def decode(self, data: bytes) -> Regular | None:
        """The regular ones of complete lines; None where other means decode them better."""
        library = self._library
        decoded = library.llmtel_decode(self._plan, data, len(data))
        if not decoded:
            return None
        try:
            fates = _Fates()
            library.llmtel_fates(decoded, ctypes.byref(fates))
            odd = [(row, data[start:end]) for row, start, end in _triples(fates)]
            return Regular(self._exported(decoded), fates.lines, fates.other, odd)
        finally:
            library.llmtel_decoded_free(decoded)

    def _exported(self, decoded: int) -> pl.DataFrame:
        """The columns that have values."""
        columns: dict[str, pl.Series] = {}
        for node, name in self._columns.items():
            column = _Exported()
            if self._library.llmtel_export(self._plan, decoded, node, column.array, column.schema):
                columns[name] = pl.Series(values=column)
        return pl.DataFrame(columns)

    def _add_children(self, parent: int, children: Tree) -> None:
        for step, child in children.items():
            if not isinstance(child, RawColumn):
                kind = _ARRAY if any(isinstance(step, int) for step in child) else _OBJECT
                self._add_children(self._add(parent, step, kind), child)
            elif not child.items:
                self._columns[self._add(parent, step, _VALUES[child.kind])] = child.name
            else:
                items = self._add(parent, step, _ITEMS)
                self._columns[items] = child.name
                self._add_children(items, tree_of_items(child))

    def _add(self, parent: int, step: Step, kind: bytes) -> int:
        if isinstance(step, int):
            node = self._library.llmtel_plan_place(self._plan, parent, step, kind[0])
        else:
            key = step.encode(errors="surrogatepass")
            node = self._library.llmtel_plan_key(self._plan, parent, key, len(key), kind[0])
        if node < 0:
            raise Untold
        return int(node)


class _Exported(Struct):
    """A column for whoever takes Arrow's C data interface, once: its structs, as long as on 64 bits."""

    array: Any = field(default_factory=lambda: ctypes.create_string_buffer(80))
    schema: Any = field(default_factory=lambda: ctypes.create_string_buffer(72))

    def __arrow_c_array__(self, _requested: object = None) -> tuple[Any, Any]:
        """The capsules of schema and array."""
        schema = _new_capsule(ctypes.addressof(self.schema), b"arrow_schema", None)
        return schema, _new_capsule(ctypes.addressof(self.array), b"arrow_array", None)


def _triples(fates: _Fates) -> Iterator[tuple[int, int, int]]:
    numbers = fates.odd_places[: fates.odd * 3]
    return zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True)


def compiled(tree: Tree, markers: Iterable[str]) -> Compiled | None:
    """What is wanted of lines that have one of some texts; None where the machine code cannot be used."""
    library = _library()
    try:
        return None if library is None else Compiled(library, tree, markers)
    except Untold:
        return None


def is_there() -> bool:
    """Whether the machine code was built for this machine and fits this version."""
    return _library() is not None


def line_count(data: bytes) -> int | None:
    """How many lines some bytes have, the last perhaps without its end; None without the machine code."""
    library = _library()
    return None if library is None else int(library.llmtel_line_count(data, len(data)))


def times(column: pl.Series) -> tuple[pl.Series, int] | None:
    """Texts as moments in UTC, and how many of them have no offset; None without the machine code.

    Null is what is no time, before 2015, or written otherwise than `2026-09-01T10:00:00.123Z` (with `T` or a
    space, a fraction of up to nine digits or none, and `Z`, an offset like `+02:00` or nothing).
    """
    library = _library()
    if library is None:
        return None
    texts, found = column.__arrow_c_stream__(), _Exported()
    assumed = library.llmtel_times(_in_capsule(texts, b"arrow_array_stream"), found.array, found.schema)
    return (pl.Series(values=found).alias(column.name), int(assumed)) if assumed >= 0 else None


@cache
def _library() -> ctypes.CDLL | None:
    """The library, if it is there and is of this version's interface."""
    try:
        library = ctypes.CDLL(os.fspath(_LIBRARY))
        if library.llmtel_abi() != _ABI:
            return None
    except (OSError, AttributeError):
        return None
    number, pointer, size = ctypes.c_uint32, ctypes.c_void_p, ctypes.c_size_t
    for name, result, arguments in (
        ("line_count", size, (ctypes.c_char_p, size)),
        ("plan_new", pointer, ()),
        ("plan_key", ctypes.c_int64, (pointer, number, ctypes.c_char_p, size, ctypes.c_uint8)),
        ("plan_place", ctypes.c_int64, (pointer, number, number, ctypes.c_uint8)),
        ("plan_marker", ctypes.c_bool, (pointer, ctypes.c_char_p, size)),
        ("plan_free", None, (pointer,)),
        ("decode", pointer, (pointer, ctypes.c_char_p, size)),
        ("fates", None, (pointer, pointer)),
        ("export", ctypes.c_bool, (pointer, pointer, number, pointer, pointer)),
        ("decoded_free", None, (pointer,)),
        ("times", ctypes.c_int64, (pointer, pointer, pointer)),
    ):
        function = getattr(library, f"llmtel_{name}")
        function.restype, function.argtypes = result, arguments
    return library
