"""SQLite databases of opencode and llm are read row by row, and nothing is written beside them."""

import gzip
import io
import json
import re
import shutil
import sqlite3
import sys
from contextlib import closing

import polars as pl
import pytest

from llmtel import pipeline
from llmtel.core.errors import UnreadableInput

MESSAGE = "CREATE TABLE message (id TEXT PRIMARY KEY, session_id TEXT, time_created INTEGER, data TEXT)"
TURNS = (
    "CREATE TABLE turns (id TEXT PRIMARY KEY, thread_id TEXT, model TEXT, resolved_model TEXT, "
    "input_tokens INTEGER, output_tokens INTEGER, token_details TEXT, duration_ms INTEGER, datetime_utc TEXT)"
)
RESPONSES = (
    "CREATE TABLE responses (id TEXT PRIMARY KEY, model TEXT, prompt TEXT, response TEXT, "
    "conversation_id TEXT, duration_ms INTEGER, datetime_utc TEXT)"
)
CREATED = 1_788_256_800_000


def answer(output=20, **more):
    tokens = {"input": 10, "output": output, "reasoning": 0, "cache": {"read": 3, "write": 0}}
    when = {"created": CREATED, "completed": CREATED + 1500}
    return {
        "role": "assistant",
        "modelID": "gpt-5",
        "providerID": "openai",
        "time": when,
        "tokens": tokens,
    } | more


def a_row(number, data):
    return (f"msg_{number}", "ses_1", CREATED, data if isinstance(data, str | bytes) else json.dumps(data))


def write(path, *statements, rows=(), table="message"):
    with closing(sqlite3.connect(path)) as database:
        for statement in statements:
            database.execute(statement)
        for row in rows:
            marks = ",".join("?" * len(row))
            database.execute(f"INSERT INTO {table} VALUES ({marks})", row)  # noqa: S608 (names of this test)
        database.commit()
    return str(path)


@pytest.fixture
def opencode(tmp_path):
    rows = [
        a_row(1, {"role": "user", "time": {"created": CREATED}}),
        a_row(2, answer()),
        a_row(3, answer(30)),
    ]
    return write(tmp_path / "opencode.db", MESSAGE, rows=rows)


def files_beside(path):
    return {file.name: (file.stat().st_size, file.stat().st_mtime_ns) for file in path.parent.iterdir()}


def test_messages_of_opencode_have_the_ids_of_their_rows(opencode):
    reading = pipeline.read([opencode])
    assert reading.calls.select(
        "call_id", "session", "line", "input_uncached", "cache_read", "output_text", "latency_ms"
    ).rows() == [("msg_2", "ses_1", 2, 10, 3, 20, 1500.0), ("msg_3", "ses_1", 3, 10, 3, 30, 1500.0)]
    assert reading.inputs[0].format == "opencode"
    assert (reading.account.records, reading.account.other) == (3, 1)


@pytest.mark.usefixtures("opencode")
def test_a_message_that_is_also_a_file_is_one_call(tmp_path):
    (tmp_path / "msg_2.json").write_text(json.dumps(answer() | {"id": "msg_2", "sessionID": "ses_1"}))
    account = pipeline.read([str(tmp_path)]).account
    assert (account.calls, account.duplicates) == (2, 1)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ('{"role":"assistant",\n"tok', "not JSON|cut off"),
        ("[1]", "an array, where an object was expected"),
        (b"\xff\x00\xfe", "."),
        (None, "null, where an object was expected"),
    ],
)
def test_a_bad_row_costs_one_row(tmp_path, bad, reason):
    rows = [a_row(1, answer()), ("msg_2", "ses_1", CREATED, bad), a_row(3, answer())]
    reading = pipeline.read([write(tmp_path / "opencode.db", MESSAGE, rows=rows)])
    assert (reading.account.calls, reading.account.rejected) == (2, 1)
    assert reading.rejects[0].line == 2
    assert re.search(reason, reading.rejects[0].reason)
    assert reading.calls["line"].to_list() == [1, 3]


def test_a_document_with_line_breaks_is_one_record(tmp_path):
    rows = [a_row(1, json.dumps(answer(modelID="a\nb"), indent=2)), a_row(2, answer())]
    reading = pipeline.read([write(tmp_path / "opencode.db", MESSAGE, rows=rows)])
    assert reading.calls["model"].cast(pl.String).to_list() == ["a\nb", "gpt-5"]


def test_old_and_new_tables_of_llm_are_read_together(tmp_path):
    path = write(
        tmp_path / "logs.db", RESPONSES, TURNS, table="turns",
        rows=[("01b", "t1", "gpt-5", "gpt-5-2025", 100, 9, '{"prompt_tokens_details": {"cached_tokens": 64}}',
               700, "2026-09-01T11:00:00+00:00")],
    )  # fmt: skip
    write(
        path, table="responses",
        rows=[("01a", "gpt-4o", "a secret", "an answer", "c1", 500, "2025-09-01T10:00:00.123456")],
    )  # fmt: skip
    reading = pipeline.read([path])
    fields = (
        "call_id",
        "session",
        "model",
        "latency_ms",
        "input_uncached",
        "cache_read",
        "output_text",
        "line",
    )
    rows = reading.calls.select(pl.col(fields).cast(pl.String)).rows()
    assert rows == [
        ("01a", "c1", "gpt-4o", "500.0", None, None, None, "1"),
        ("01b", "t1", "gpt-5-2025", "700.0", "36", "64", "9", "2"),
    ]
    assert reading.calls["status"].null_count() == 2


def test_a_database_without_rows_has_no_calls(tmp_path):
    reading = pipeline.read([write(tmp_path / "logs.db", RESPONSES, TURNS)])
    assert reading.account.calls == reading.account.records == 0
    assert reading.inputs[0].format == "simonw_llm"


def test_more_rows_than_a_block_holds_keep_their_places(opencode, monkeypatch):
    monkeypatch.setattr("llmtel.sources.openings.SIZE", 64)
    monkeypatch.setattr("llmtel.sources.databases._ROWS", 1)
    assert pipeline.read([opencode]).calls["line"].to_list() == [2, 3]


@pytest.mark.parametrize("copied", [("", "-wal", "-shm"), ("", "-wal"), ("",)], ids=len)
def test_what_waits_in_the_write_ahead_log_is_read_and_left_there(tmp_path, copied):
    live = tmp_path / "live" / "opencode.db"
    live.parent.mkdir()
    with closing(sqlite3.connect(live)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute(MESSAGE)
        writer.execute("INSERT INTO message VALUES (?, ?, ?, ?)", a_row(1, answer()))
        writer.commit()
        writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        writer.execute("INSERT INTO message VALUES (?, ?, ?, ?)", a_row(2, answer()))
        writer.commit()
        (tmp_path / "copy").mkdir()
        for suffix in copied:
            shutil.copy(f"{live}{suffix}", tmp_path / "copy")
        for path, calls in ((live, 2), (tmp_path / "copy" / live.name, len(copied[:2]))):
            before = files_beside(path)
            assert pipeline.read([str(path)]).account.calls == calls
            assert files_beside(path) == before


def test_a_database_in_an_archive_or_a_pipe_is_read(opencode, tmp_path, monkeypatch):
    with closing(sqlite3.connect(opencode)) as database:
        database.execute("PRAGMA journal_mode = WAL")
    data = (tmp_path / "opencode.db").read_bytes()
    (tmp_path / "old.db.gz").write_bytes(gzip.compress(data))
    assert pipeline.read([str(tmp_path / "old.db.gz")]).account.calls == 2
    monkeypatch.setattr(sys, "stdin", type("Stdin", (), {"buffer": io.BufferedReader(io.BytesIO(data))}))
    assert pipeline.read(["-"]).account.calls == 2


def test_an_unknown_database_is_refused_with_its_tables_and_what_would_work(tmp_path):
    path = write(tmp_path / "shop.db", "CREATE TABLE orders (id)", 'CREATE TABLE "\x1b[31mevil" (id)')
    with pytest.raises(UnreadableInput) as refusal:
        pipeline.read([path])
    text = str(refusal.value)
    assert "with the tables \\u001b[31mevil, orders: no format claims it" in text
    assert "opencode (message); simonw_llm (responses, turns)" in text
    assert "sqlite3 -json FILE" in text


@pytest.mark.usefixtures("opencode")
def test_an_unknown_database_in_a_folder_is_passed_over(tmp_path):
    write(tmp_path / "shop.db", "CREATE TABLE orders (id)")
    reading = pipeline.read([str(tmp_path)])
    assert (reading.account.calls, reading.account.files_rejected) == (2, 0)


def test_a_view_that_looks_like_a_table_is_not_run(tmp_path):
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i"
    view = (
        f"CREATE VIEW message AS {endless} AS id, 1 AS session_id, 1 AS time_created, '{{}}' AS data FROM n"
    )
    with pytest.raises(UnreadableInput, match="without tables: no format claims it"):
        pipeline.read([write(tmp_path / "opencode.db", view)])


def test_a_damaged_database_is_refused_in_words(opencode, tmp_path):
    data = (tmp_path / "opencode.db").read_bytes()
    (tmp_path / "opencode.db").write_bytes(data[:100] + b"\xaa" * 2000)
    with pytest.raises(UnreadableInput, match="an SQLite database that cannot be read: "):
        pipeline.read([opencode])


def test_another_format_that_was_asked_for_is_refused(opencode):
    with pytest.raises(UnreadableInput, match="--input-format generic: this is a database of opencode"):
        pipeline.read([opencode], input_format="generic")
    assert pipeline.read([opencode], input_format="opencode").account.calls == 2
