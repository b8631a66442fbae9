"""SQLite databases as logs: the rows of the tables that a format knows, as lines of JSON.

Nothing is written beside a log. What its writer has not yet moved from the write-ahead log (`-wal`) into the
database is read, too: https://www.sqlite.org/wal.html#read_only_databases.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

from llmtel.sources.files import STDIN, Stream, Unclaimed, Undecodable
from llmtel.sources.formats import sources
from llmtel.sources.source import Source, Table

_WRITE_VERSION, _WITH_LOG = 18, 2
"""A byte of the header, and its value where there is a write-ahead log: https://sqlite.org/fileformat.html."""
_ROWS = 1000
"""Rows that are fetched at a time."""
_NAMED = 8
"""Tables that are named where no format knows them."""


class Database(Struct, frozen=True):
    """A database that is open, the format that knows it, and a query of lines for each of its tables."""

    connection: sqlite3.Connection
    source: Source
    queries: tuple[str, ...]

    def blocks(self, size: int) -> Iterator[bytes]:
        """The rows of all tables as lines of JSON, in blocks of about `size` bytes."""
        lines: list[bytes] = []
        held = 0
        for query in self.queries:
            cursor = self.connection.execute(query)
            while rows := cursor.fetchmany(_ROWS):
                lines += [_line(row[0]) for row in rows]
                held += sum(map(len, lines[-len(rows) :]))
                if held >= size:
                    yield b"".join(lines)
                    lines, held = [], 0
        yield b"".join(lines)


def _line(cell: bytes | None) -> bytes:
    """A record as one line; blanks stand between the tokens of JSON, never raw inside a text."""
    return (cell or b"null").replace(b"\n", b" ").replace(b"\r", b" ") + b"\n"


@contextmanager
def opened(path: str, first: bytes, stream: Stream) -> Iterator[Database]:
    """A database whose `first` bytes were read. Raises `Unclaimed` for one that no format knows."""
    try:
        with _connection(path, first, stream) as connection:
            connection.text_factory = bytes
            connection.execute("PRAGMA trusted_schema = OFF")
            yield _claimed(connection)
    except sqlite3.Error as error:
        msg = f"an SQLite database that cannot be read: {error}"
        raise Undecodable(msg) from error


@contextmanager
def _connection(path: str, first: bytes, stream: Stream) -> Iterator[sqlite3.Connection]:
    if path == STDIN or stream.source is not stream.raw:
        with closing(sqlite3.connect(":memory:", check_same_thread=False)) as connection:
            connection.deserialize(_in_memory(first, stream))
            yield connection
        return
    database = Path(path).resolve()
    log, index = (database.with_name(f"{database.name}-{name}") for name in ("wal", "shm"))
    with TemporaryDirectory() as folder:
        options = "mode=ro"
        if first[_WRITE_VERSION] == _WITH_LOG:
            waiting = log.exists() and log.stat().st_size > 0
            if waiting and not index.exists():  # nobody has it open, and reading it would write an index
                shutil.copy(log, folder)
                database = Path(shutil.copy(database, folder))
            elif waiting:
                options += "&readonly_shm=1"
            else:
                options += "&immutable=1"
        uri = f"{database.as_uri()}?{options}"
        with closing(sqlite3.connect(uri, uri=True, check_same_thread=False)) as connection:
            yield connection


def _in_memory(first: bytes, stream: Stream) -> bytes:
    """A whole database that is no file of its own: without a write-ahead log, which only files have."""
    data = bytearray(first)
    while block := stream.read(1 << 24):
        data += block
    data[_WRITE_VERSION : _WRITE_VERSION + 2] = b"\x01\x01"
    return bytes(data)


def _claimed(connection: sqlite3.Connection) -> Database:
    """The database with the format that knows tables of it, and how they are queried."""
    columns = _columns(connection)
    for source in sources().values():
        known = [table for table in source.tables if table.needs <= columns.get(table.name, frozenset())]
        if known:
            queries = tuple(_query(table, columns[table.name]) for table in known)
            return Database(connection, source, queries)
    raise Unclaimed(_unclaimed(list(columns)))


def _columns(connection: sqlite3.Connection) -> dict[str, frozenset[str]]:
    """The columns of each real table: views and virtual tables may run whatever their maker wanted."""
    found = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"
    )
    names = [name.decode(errors="replace") for (name,) in found.fetchall()]
    of_table = "SELECT name FROM pragma_table_info(?)"
    return {
        name: frozenset(
            column.decode(errors="replace") for (column,) in connection.execute(of_table, (name,))
        )
        for name in names
    }


def _query(table: Table, there: frozenset[str]) -> str:
    """Each row of a table as a JSON object; where its document is no JSON, that as it is."""
    cells = [
        f"'{key}', iif(typeof(\"{column}\") = 'blob', NULL, \"{column}\")"
        for key, column in table.columns.items()
        if column in there
    ]
    record = f"json_object({', '.join(cells)})"
    if table.document is not None:
        document, put = f'"{table.document}"', ", ".join(cell.replace("'", "'$.", 1) for cell in cells)
        record = f"iif(json_valid({document}), json_set({document}, {put}), {document})"
    return f'SELECT CAST({record} AS TEXT) FROM "{table.name}"'  # noqa: S608 (names of formats, no input)


def _unclaimed(tables: list[str]) -> str:
    """Which tables a database has, and what would be read."""
    shown = ", ".join(json.dumps(name)[1:-1] for name in tables[:_NAMED]) + (
        ", …" if len(tables) > _NAMED else ""
    )
    known = "; ".join(
        f"{source.name} ({', '.join(table.name for table in source.tables)})"
        for source in sources().values()
        if source.tables
    )
    has = f"an SQLite database with the tables {shown}" if tables else "an SQLite database without tables"
    return (
        f"{has}: no format claims it. Known are the databases of {known}; of another one, give the rows of a "
        "table as JSON: sqlite3 -json FILE 'select …'"
    )
