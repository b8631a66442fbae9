"""Data files that are encrypted: written and read on the same path, refused without their key and damaged."""

import shutil
from datetime import UTC, datetime

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from pyarrow.parquet.encryption import create_decryption_properties

from llmtel.cli.app import run
from llmtel.core.errors import UnreadableInput, UsageError
from llmtel.privacy.keys import KeySource
from llmtel.store.encryption import DEFAULT, KEY_ID, Ring, Secret, key_id
from llmtel.store.facts import facts
from llmtel.store.files import encoded
from llmtel.store.folder import at
from llmtel.store.read import stored
from llmtel.store.rekey import rekey
from llmtel.store.rewrite import compact, forget
from llmtel.store.second import difference
from llmtel.store.table import opened
from llmtel.store.verify import faults

from .conftest import Store, line

NAMES = {"user": "ada@example.org", "model": "marker-4o", "session_id": "session-17", "prompt": "A secret?"}
KEY, OTHER = bytes(range(32)), bytes(range(1, 33))


@pytest.fixture
def locked(tmp_path, monkeypatch):
    """An encrypted store that took a log in two parts; its key is in the environment."""
    monkeypatch.setenv(DEFAULT, KEY.hex())
    store, log = Store(tmp_path / "store"), tmp_path / "a.jsonl"
    for part in range(2):
        with log.open("a") as file:
            file.write("".join(line(part * 20 + i, **NAMES) for i in range(20)))
        store.ingest(log, encrypted=True)
    return store


def files_of(store):
    return [path for path in sorted(store.folder.rglob("*")) if path.is_file()]


def data_files(store):
    return sorted(store.folder.rglob("day=*/*.parquet"))


def test_an_encrypted_store_answers_as_a_plain_one(locked, tmp_path):
    plain = Store(tmp_path / "plain")
    plain.ingest(tmp_path / "a.jsonl")
    assert locked.calls.sort("line").equals(plain.calls.sort("line"))
    assert compact(locked.folder).after == 5
    assert forget(locked.folder, [NAMES["user"]]).gone == 40
    assert faults(locked.folder) == []


def test_without_the_key_no_user_model_or_column_is_to_be_read(locked):
    for path in files_of(locked):
        data = path.read_bytes()
        said = data + str(path.relative_to(locked.folder)).encode()
        assert not any(name.encode() in said for name in NAMES.values()), path
        assert data[:4] == b"PARE" or path.suffix != ".parquet" or "checkpoint" in path.name
    log = b"".join(path.read_bytes() for path in files_of(locked) if path.suffix == ".json")
    assert KEY.hex().encode() not in log
    assert key_id(KEY).encode() in log


@pytest.mark.parametrize(
    ("key", "says"),
    [(None, "no environment variable LLMTEL_STORE_KEY"), (OTHER.hex(), f"has another, {key_id(OTHER)}")],
    ids=["missing", "wrong"],
)
def test_a_missing_and_a_wrong_key_are_told_from_damage(locked, monkeypatch, key, says):
    if key is None:
        monkeypatch.delenv(DEFAULT)
    else:
        monkeypatch.setenv(DEFAULT, key)
    for ask in (stored, faults, lambda _: locked.ingest(__file__), lambda place: forget(place, ["u1"])):
        with pytest.raises(UsageError, match=says) as error:
            ask(locked.folder)
        assert f"the key {key_id(KEY)}" in str(error.value)
        assert OTHER.hex() not in str(error.value)
    assert (facts(locked.folder).calls, facts(locked.folder).keys) == (40, (key_id(KEY),))
    assert says in facts(locked.folder).locked


def test_a_flipped_byte_anywhere_is_refused_or_harmless(locked):
    victim = data_files(locked)[0]
    whole, before = victim.read_bytes(), locked.calls.sort("line")
    refused = 0
    for place in range(4, len(whole), len(whole) // 16):
        victim.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert len(faults(locked.folder)) == 1
        try:
            found = locked.calls
        except UnreadableInput:
            refused += 1
        else:
            assert found.sort("line").equals(before)
    assert refused > 8


def test_a_file_in_place_of_another_is_refused(locked):
    one, other = data_files(locked)[:2]
    shutil.copy(one, other)
    with pytest.raises(UnreadableInput, match="not the one that was written"):
        _ = locked.calls
    assert len(faults(locked.folder)) == 1


def test_a_file_of_another_store_with_the_same_key_does_not_decrypt(locked, tmp_path):
    other = Store(tmp_path / "other")
    other.ingest(tmp_path / "a.jsonl", encrypted=True)
    scan = opened(locked.folder).secret(key_id(KEY))
    path = data_files(other)[0]
    with pytest.raises(pl.exceptions.ComputeError, match="decrypt"):
        pl.scan_parquet(path, decryption=scan.reading).collect()


def test_a_plain_store_is_not_written_where_it_should_be_encrypted(store, tmp_path, monkeypatch):
    monkeypatch.setenv(DEFAULT, KEY.hex())
    log = tmp_path / "a.jsonl"
    log.write_text(line(1))
    store.ingest(log)
    with pytest.raises(UsageError, match="rekey"):
        store.ingest(log, encrypted=True)


def test_any_key_at_hand_will_do(locked, monkeypatch, tmp_path):
    monkeypatch.delenv(DEFAULT)
    file = tmp_path / "key"
    file.write_text(KEY.hex())
    file.chmod(0o600)
    monkeypatch.setenv("ANOTHER", OTHER.hex())
    ring = Ring((KeySource("key_env", "ANOTHER", "a"), KeySource("key_file", str(file), "b")))
    assert stored(at(locked.folder, ring)).calls.height == 40


def test_a_plain_store_has_no_trace_of_a_key(store, tmp_path):
    log = tmp_path / "a.jsonl"
    log.write_text(line(1))
    store.ingest(log)
    assert facts(store.folder).keys == ()
    assert duckdb.execute("select count(*) from read_parquet(?)", [str(data_files(store)[0])]).fetchone() == (
        1,
    )


@pytest.fixture
def llmtel(capsysbinary, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        code = run([str(argument) for argument in arguments])
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


def key_in(monkeypatch, **keys):
    for name, key in keys.items():
        monkeypatch.setenv(name, key.hex())


def test_commands_find_the_key_where_the_configuration_says(llmtel, tmp_path):
    (tmp_path / "llmtel.yaml").write_text(
        "store: {path: s, encryption: {key_file: key}}\nprivacy: {users: plain}\n"
    )
    (tmp_path / "a.jsonl").write_text("".join(line(i) for i in range(9)))
    code, _, err = llmtel("ingest", "a.jsonl")
    assert (code, (tmp_path / "s").exists()) == (2, False)
    assert "key" in err
    (tmp_path / "key").write_text(KEY.hex())
    (tmp_path / "key").chmod(0o600)
    code, out, _ = llmtel("ingest", "a.jsonl")
    assert code == 0
    assert "no way back" in out
    assert key_id(KEY) in out
    assert KEY.hex() not in out
    assert "no way back" not in llmtel("ingest", "a.jsonl")[1]
    assert llmtel("analyze", "--by", "user")[0] == 0
    assert llmtel("store", "verify")[0] == 0
    (tmp_path / "key").unlink()
    code, out, err = llmtel("analyze")
    assert (code, out) == (2, "")
    assert f"it is encrypted with the key {key_id(KEY)}, which is not at hand" in err
    code, out, _ = llmtel("store", "info")
    assert code == 0
    assert f"encrypted with the key {key_id(KEY)}" in out


def test_damage_is_another_exit_code_than_a_key(llmtel, locked, monkeypatch):
    whole = data_files(locked)[0].read_bytes()
    data_files(locked)[0].write_bytes(whole[:-30] + bytes([whole[-30] ^ 1]) + whole[-29:])
    assert llmtel("analyze", locked.folder)[0] == 5
    monkeypatch.setenv(DEFAULT, OTHER.hex())
    assert llmtel("analyze", locked.folder)[0] == 2


def test_a_key_is_no_argument(llmtel, tmp_path):
    (tmp_path / "a.jsonl").write_text(line(1))
    llmtel("ingest", "a.jsonl", "--store", "s")
    for option in ("--key-env", "--key-file"):
        code, out, err = llmtel("store", "rekey", "s", option, KEY.hex())
        assert code == 2
        assert KEY.hex() not in out + err


def test_a_store_gets_a_key_another_and_none(llmtel, tmp_path, monkeypatch):
    key_in(monkeypatch, OLD=KEY, NEW=OTHER)
    (tmp_path / "llmtel.yaml").write_text("privacy: {users: plain}\n")
    (tmp_path / "a.jsonl").write_text("".join(line(i) for i in range(9)))
    assert llmtel("ingest", "a.jsonl", "--store", "s")[0] == 0
    store = Store(tmp_path / "s")
    llmtel("store", "rollup", "s")
    before = store.calls.sort("line")

    def held(key):
        ring = Ring((KeySource("key_env", key, "test"),))
        assert stored(at(store.folder, ring)).calls.sort("line").equals(before)
        assert faults(at(store.folder, ring)) == []

    assert llmtel("store", "rekey", "s", "--key-env", "OLD")[0] == 0
    held("OLD")
    assert {path.read_bytes()[:4] for path in data_files(store)} == {b"PARE"}
    assert llmtel("store", "rekey", "s", "--key-env", "NEW")[0] == 2
    held("OLD")
    (tmp_path / "llmtel.yaml").write_text("store: {encryption: {key_env: OLD}}\nprivacy: {users: plain}\n")
    code, out, _ = llmtel("store", "rekey", "s", "--key-env", "NEW")
    assert code == 0
    assert "llmtel.yaml" in out
    held("NEW")
    (tmp_path / "llmtel.yaml").write_text("store: {encryption: {key_env: NEW}}\nprivacy: {users: plain}\n")
    assert llmtel("store", "rekey", "s", "--plain")[0] == 0
    assert store.calls.sort("line").equals(before)
    assert {path.read_bytes()[:4] for path in data_files(store)} == {b"PAR1"}
    audit = (store.folder / "audit.jsonl").read_text()
    assert (audit.count("rekey "), audit.count("rekey rollups ")) == (6, 3)
    assert f"rekey {key_id(KEY)} to {key_id(OTHER)}" in audit


def test_what_a_killed_rekey_left_is_finished_by_the_next(locked, monkeypatch):
    key_in(monkeypatch, NEW=OTHER)
    before = locked.calls.sort("line")
    opened(locked.folder).delta.alter.set_table_properties({KEY_ID: key_id(OTHER)}, raise_if_not_exists=False)
    assert locked.calls.sort("line").equals(before)
    done = rekey(locked.folder, KeySource("key_env", "NEW", "test"))
    assert (done.files, done.before, done.after) == (10, (key_id(OTHER), key_id(KEY)), key_id(OTHER))
    monkeypatch.setenv(DEFAULT, OTHER.hex())
    assert locked.calls.sort("line").equals(before)


def test_other_tools_read_the_files_with_the_key(locked):
    table = DeltaTable(locked.folder / "calls")
    uris, aad = table.file_uris(), str(table.metadata().id).encode()
    mine = locked.calls.select(pl.len(), pl.col("input_uncached").sum()).row(0)
    key = pl.ParquetDecryptionProperties(footer_key=KEY, aad_prefix=aad)
    theirs = pl.scan_parquet(uris, decryption=key, missing_columns="insert")
    assert theirs.select(pl.len(), pl.col("input_uncached").sum()).collect().row(0) == mine
    secret = create_decryption_properties(KEY, aad_prefix=aad)
    tables = [pq.ParquetFile(uri, decryption_properties=secret).read(["input_uncached"]) for uri in uris]
    assert sum(one.num_rows for one in tables) == mine[0]


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])
def test_what_a_second_implementation_reads_otherwise_is_told(encrypted):
    secret = Secret(KEY, b"table") if encrypted else None
    rows = pl.DataFrame({
        "ts": pl.Series([datetime(2026, 9, 1, tzinfo=UTC), None], dtype=pl.Datetime("us", "UTC")),
        "model": ["gpt-4o", None], "n": [1, 2], "x": [0.5, None], "flag": [True, None],
    })  # fmt: skip
    data = encoded(rows, secret)
    assert difference(data, secret, rows) is None
    for name, other in (("model", "gpt-4"), ("n", 3), ("x", 0.25), ("flag", False), ("ts", None)):
        told = difference(data, secret, rows.with_columns(pl.lit(other, dtype=rows.schema[name]).alias(name)))
        assert told == f"Arrow reads other values in {name}"
    assert "Arrow reads 2" in difference(data, secret, rows.head(1))
    assert "cannot read it" in difference(data[:-9], secret, rows)


def test_no_representation_has_a_key():
    assert repr(Secret(KEY, b"table")) == "Secret(aad=b'table')"
