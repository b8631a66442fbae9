"""Tables beside the logs: the columns of a small CSV or JSON file as extra keys of the calls.

`people.csv:user` gives every call the row of `people.csv` whose `user` is the call's; `people.csv:user=email`
where that column is called otherwise. The columns become `tags`, in small letters with `_` for what is no
letter: "Cost Centre" is `cost_centre`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson
import polars as pl
from msgspec import Struct

from llmtel.core.account import Unmatched
from llmtel.core.catalog import unknown
from llmtel.core.errors import UnknownName, UsageError
from llmtel.core.schema import FIELDS, PRICED
from llmtel.sources import layout

KEYS = tuple(
    name for name, field in FIELDS.items() if field.dtype == pl.String and name not in {*PRICED, "tags"}
)
"""Fields by which a table can be joined."""
_SHAPE = re.compile(r"(?P<file>.+):(?P<field>[^:=]+)(?:=(?P<column>[^:]+))?", re.DOTALL)


class Join(Struct, frozen=True):
    """A table: its file, the field of a call that is its key, the names of its columns, and its rows."""

    file: str
    field: str
    columns: tuple[str, ...]
    rows: Mapping[str, Mapping[str, str]]

    def joined(self, calls: pl.DataFrame) -> pl.DataFrame:
        """The calls with the columns among their tags; those of the table replace tags of the same name."""
        key = pl.col(self.field).cast(pl.String).alias("@key")
        pairs = calls.select(key, pl.col("tags").alias("@tags")).unique()
        merged = pl.Series("@merged", [self._merged(*pair) for pair in pairs.iter_rows()], dtype=pl.String)
        return (
            calls.with_columns(key, pl.col("tags").alias("@tags"))
            .join(
                pairs.with_columns(merged),
                on=["@key", "@tags"],
                how="left",
                nulls_equal=True,
                maintain_order="left",
            )
            .with_columns(pl.col("@merged").alias("tags"))
            .select(calls.columns)
        )

    def _merged(self, key: str | None, tags: str | None) -> str | None:
        row = self.rows.get(key) if key is not None else None
        if not row:
            return tags
        return orjson.dumps({**(orjson.loads(tags) if tags else {}), **row}).decode()

    def unmatched(self, calls: pl.DataFrame) -> Unmatched:
        """The values of the key that the table does not have, most calls first."""
        counts = calls.group_by(pl.col(self.field).cast(pl.String).alias("key")).len()
        found = dict(counts.sort("len", "key", descending=[True, False]).iter_rows())
        keyless = found.pop(None, 0)
        missing = {key: n for key, n in found.items() if key not in self.rows}
        return Unmatched(self.file, self.field, self.columns[0], missing, keyless)


def load(text: str, folder: Path | None = None) -> Join:
    """The table of `FILE:FIELD` or `FILE:FIELD=COLUMN`; a file is looked for in `folder`.

    Raises `UsageError` for a table that cannot be joined: no such file, field or column, or a key that stands
    in it twice, with the lines.
    """
    said = _SHAPE.fullmatch(text)
    if said is None:
        raise UsageError(f"{text}: write FILE:FIELD, e.g. people.csv:user, or FILE:FIELD=COLUMN")
    field, name = said["field"].strip(), said["file"]
    if field not in KEYS:
        raise UnknownName(f"{text}: {unknown('field to join by', field, KEYS)}")
    table = list(_rows(name, Path(name) if folder is None else folder / name))
    header = list(dict.fromkeys(column for _, row in table for column in row))
    key = (said["column"] or field).strip()
    if key not in header:
        raise UnknownName(f"{name}: {unknown('column', key, header)}" if header else f"{name} has no rows")
    return Join(name, field, _names(name, header, key), _keyed(name, table, key))


def _names(name: str, header: list[str], key: str) -> tuple[str, ...]:
    """The names of the columns beside the key, each once. Raises `UsageError`."""
    names = [_name(column) for column in header if column != key]
    for one in names:
        if not one or names.count(one) > 1:
            why = "has no letters" if not one else f"stands there twice ({one})"
            raise UsageError(f"{name}: the name of a column {why}")
    if not names:
        raise UsageError(f"{name} has no column beside {key}: there is nothing to add")
    return tuple(names)


def _name(column: str) -> str:
    return re.sub(r"\W+", "_", column.strip()).strip("_").lower()


def _keyed(name: str, table: list[tuple[int, dict[str, str]]], key: str) -> dict[str, dict[str, str]]:
    """The rows by their key, without it. Raises `UsageError` for a key that stands there twice."""
    found: dict[str, dict[str, str]] = {}
    at: dict[str, int] = {}
    for number, row in table:
        value = row.get(key, "")
        if value in at:
            raise UsageError(
                f"{name}:{number}: {key} {value!r} stands in line {at[value]} already; which row counts?"
            )
        if value:
            at[value] = number
            found[value] = {_name(column): cell for column, cell in row.items() if column != key and cell}
    return found


def _rows(name: str, path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a table with their lines (of a JSON array: their ordinals). Raises `UsageError`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the table {name}: {error.strerror}") from error
    start = data.lstrip()[:1]
    if start == b"[":
        yield from _of_objects(name, list(enumerate(_decoded(name, data), 1)))
    elif start == b"{":
        lines = [(n, line) for n, line in enumerate(data.splitlines(), 1) if line.strip()]
        yield from _of_objects(name, [(n, _decoded(f"{name}:{n}", line)) for n, line in lines])
    else:
        yield from _of_csv(name, data)


def _decoded(where: str, text: bytes) -> list[object]:
    try:
        value: list[object] = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{where}: not JSON: {error.msg}") from error
    return value


def _of_objects(name: str, objects: list[tuple[int, object]]) -> Iterator[tuple[int, dict[str, str]]]:
    for number, value in objects:
        if not isinstance(value, dict):
            raise UsageError(f"{name}:{number}: a table is a list of objects")
        yield (
            number,
            {str(key): _cell(cell) for key, cell in value.items() if not isinstance(cell, dict | list)},
        )


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value).strip()


def _of_csv(name: str, data: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    header, rows, numbers, bad = layout.rows_of_csv(data)
    for number, reason in bad:
        if reason:
            raise UsageError(f"{name}:{number}: {reason}")
    for number, row in zip(numbers, rows, strict=True):
        yield number, {column: cell.strip() for column, cell in zip(header, row, strict=True)}
