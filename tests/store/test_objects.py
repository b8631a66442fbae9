"""A store in an object store: an emulator of S3 that the tests start on this machine, and no network."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from llmtel import pipeline
from llmtel.cli.app import run
from llmtel.sources.files import expand
from llmtel.store.encryption import DEFAULT
from llmtel.store.folder import at
from llmtel.store.ingest import ingest
from llmtel.store.read import stored
from llmtel.store.verify import faults, orphans

from .conftest import line

obstore = pytest.importorskip("obstore")
pytest.importorskip("moto.server")


@pytest.fixture(scope="module")
def bucket():
    """The address of a bucket of the emulator, made before tests begin, which may not use sockets."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environment = {
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": url, "AWS_ALLOW_HTTP": "true", "AWS_EC2_METADATA_DISABLED": "true",
    }  # fmt: skip
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # noqa: S603
    try:
        _made(f"{url}/bucket")
        with pytest.MonkeyPatch.context() as patch:
            for name in [one for one in os.environ if one.startswith("AWS_")]:
                patch.delenv(name)
            for name, value in environment.items():
                patch.setenv(name, value)
            yield "s3://bucket"
    finally:
        server.kill()
        server.wait()


def _made(url):
    """Make a bucket as soon as the server answers."""
    until = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="PUT")).close()  # noqa: S310 (http)
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.05)
        else:
            return


def objects(place):
    """Every object of a store, by its path."""
    found = at(place)._objects
    return {one["path"]: bytes(found.get(one["path"]).bytes()) for part in found.list() for one in part}


@pytest.fixture
def llmtel(capsysbinary, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        code = run([str(argument) for argument in arguments])
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


def tables(told):
    return json.loads(told[1])["tables"]


def test_commands_keep_and_ask_a_store_there_as_one_here(bucket, llmtel, tmp_path):
    place, log = f"{bucket}/team/calls", tmp_path / "a.jsonl"
    (tmp_path / "llmtel.yaml").write_text("privacy: {users: plain}\n")
    log.write_text("".join(line(i, day=1 + i % 2) for i in range(20)) + "{bad\n")
    assert llmtel("analyze", place)[0] == 2
    assert llmtel("ingest", log, "--store", place)[0] == 0
    assert "nothing new" in llmtel("ingest", log, "--store", place)[1]
    with log.open("a") as file:
        file.write("".join(line(i, day=1 + i % 2) for i in range(15, 40)))
    assert llmtel("ingest", log, "--store", place)[0] == 0
    for ask in ((f"{place}/",), ("--store", place)):
        told = tables(llmtel("analyze", *ask, "--by", "model", "--format", "json"))
        assert told == tables(llmtel("analyze", log, "--by", "model", "--format", "json"))
    assert llmtel("store", "verify", place)[0] == 0
    assert json.loads(llmtel("store", "rejects", place, "--format", "jsonl")[1].splitlines()[0])["line"] == 21
    assert llmtel("store", "export", place, "-o", "all.parquet")[0] == 0
    assert pipeline.read(["all.parquet"]).calls.height == 40
    assert "data files → 2" in llmtel("store", "compact", place)[1]
    assert "--alone" in llmtel("store", "forget", place, "--user", "u1")[1]
    assert orphans(at(place)) != []
    assert "also from earlier versions" in llmtel("store", "forget", place, "--user", "u2", "--alone")[1]
    assert orphans(at(place)) == []
    assert llmtel("store", "expire", place, "--older-than", "2026-09-02")[0] == 0
    assert stored(at(place)).calls["ts"].dt.day().min() == 2
    assert llmtel("store", "info", place)[0] == 0
    audit = at(place).text("audit.jsonl")
    assert [json.loads(one)["what"].split()[0] for one in audit.splitlines()][1:] == [
        "export", "forget", "forget", "expire",
    ]  # fmt: skip


def test_an_encrypted_store_there_shows_nothing(bucket, llmtel, tmp_path, monkeypatch):
    place, log = f"{bucket}/locked", tmp_path / "a.jsonl"
    monkeypatch.setenv(DEFAULT, bytes(range(32)).hex())
    log.write_text("".join(line(i, user="ada@example.org", model="marker-4o") for i in range(5)))
    assert llmtel("ingest", log, "--store", place, "--encrypt")[0] == 0
    assert stored(at(place)).calls.height == 5
    assert faults(at(place)) == []
    found = objects(place)
    assert sum(data[:4] == b"PARE" for data in found.values()) == 5
    assert not any(b"ada@" in data or b"marker" in data for data in found.values())


def test_the_emulator_refuses_an_object_that_is_there(bucket):
    one = at(f"{bucket}/conditional")._objects
    one.put("a", b"1", mode="create")
    with pytest.raises(obstore.exceptions.AlreadyExistsError):
        one.put("a", b"2", mode="create")


def test_writers_without_a_lock_take_each_call_once(bucket, tmp_path):
    place, logs = f"{bucket}/race", [tmp_path / f"{i}.jsonl" for i in range(4)]
    for i, log in enumerate(logs):
        log.write_text("".join(line(50 * i + j, day=1, ids=j % 2 == 0) for j in range(50)))

    def write(order):
        return ingest(at(place), expand([str(log) for log in order]), pipeline.gather, at_once=1).refused

    with ThreadPoolExecutor() as writers:
        refused = list(writers.map(write, (logs, logs[::-1], logs[2:] + logs[:2])))
    assert sum(refused) > 0
    calls = stored(at(place)).calls
    assert sorted(calls["call_id"].drop_nulls()) == sorted(f"r{i}" for i in range(0, 200, 2))
    assert calls.height == 200
    assert faults(at(place)) == []


def test_what_the_object_store_answers_is_one_sentence(bucket, llmtel, tmp_path, monkeypatch):
    (tmp_path / "a.jsonl").write_text(line(1))
    for command in (("analyze", "s3://nowhere/x"), ("ingest", "a.jsonl", "--store", "s3://nowhere/x")):
        code, out, err = llmtel(*command)
        assert (code, out) == (2, "")
        assert err.startswith("llmtel: s3://nowhere/x: ")
        assert "there is no such bucket" in err
        assert err.count("\n") == 1
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        code, _, err = llmtel("analyze", f"{bucket}/x")
        assert (code, err.count("\n")) == (2, 1)


def test_rejects_there_are_replaced_as_a_whole(bucket):
    folder = at(f"{bucket}/lines")
    folder.append("a.jsonl", "1\n")
    folder.append("a.jsonl", "2\n")
    assert folder.text("a.jsonl") == "1\n2\n"
    folder.replace("a.jsonl", "3\n")
    assert folder.text("a.jsonl") == "3\n"
    assert folder.size("a.jsonl") is None
    folder.delete("nothing")


def test_ingest_tells_how_often_it_was_refused(bucket, tmp_path):
    log, other = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    log.write_text(line(0))
    other.write_text(line(1))
    place, between = at(f"{bucket}/refused"), []

    def read(inputs):
        if not between:
            between.append(True)
            ingest(place, expand([str(other)]), pipeline.gather)
        return pipeline.gather(inputs)

    assert ingest(place, expand([str(log)]), read).refused == 1
    assert sorted(stored(place).calls["call_id"]) == ["r0", "r1"]
    assert orphans(place) == []
