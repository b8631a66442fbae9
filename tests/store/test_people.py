"""What a store keeps of people: no name in any file, and the same answers."""

from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest

from llmtel import pipeline
from llmtel.core.errors import UsageError
from llmtel.privacy.pseudonyms import Pseudonyms
from llmtel.query.metrics import METRICS
from llmtel.store.folder import at
from llmtel.store.making import created, made
from llmtel.store.people import convert, rotate
from llmtel.store.policy import Kept, Policy, names
from llmtel.store.rewrite import compact, forget
from llmtel.store.table import opened
from llmtel.store.verify import faults

from .conftest import line
from .test_same_answers import LOGS, answers, is_same

OLD, NEW = Pseudonyms(bytes(32)), Pseudonyms(bytes(range(32)))
PRIVATE = Policy("pseudonym", OLD)
NAMES = ("ada lovelace", "sess-of-ada", "trace-of-ada", "bob@example.org", "plugh")
"""What no file of the store may hold: people's ids, and text."""


def of_ada(i, **fields):
    return line(i, user="ada lovelace", session_id="sess-of-ada", trace_id="trace-of-ada", **fields)


def bytes_of(folder):
    """Every byte of a store, its Parquet files also as they are read."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield path, path.read_bytes()
            if path.suffix == ".parquet":
                yield path, repr(pl.read_parquet(path).to_dicts()).encode()


def named_in(folder, words=NAMES):
    return {(path.name, word) for path, data in bytes_of(folder) for word in words if word.encode() in data}


@pytest.fixture
def logs(tmp_path):
    """Two logs that share a call, whose copies differ, with texts and a bad line; ids are addresses, too."""
    one, other = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    bad = '{"user": "ada lovelace", "prompt": "plugh"\n'
    one.write_text(of_ada(1, prompt="plugh", feature="f") + bad + line(2, request_id="bob@example.org/2"))
    other.write_text(line(1, user="bob@example.org", completion="plugh") + of_ada(3))
    return one, other


def test_no_file_has_a_name_an_address_or_a_text(store, logs):
    store.ingest(*logs, policy=PRIVATE)
    assert store.calls.height == 3
    assert store.calls["session"].n_unique() == 2
    assert named_in(store.folder) == set()
    compact(store.folder)
    assert named_in(store.folder) == set()


def test_a_name_would_be_found_where_names_are_kept(store, logs):
    store.ingest(*logs)
    assert {word for _, word in named_in(store.folder)} == set(NAMES) - {"plugh"}


@pytest.fixture(scope="module")
def read():
    """The calls of the sample logs."""
    return pipeline.read([str(LOGS)]).calls


@pytest.mark.parametrize("by", [(), ("model",), ("day",), ("user",)], ids=str)
def test_every_metric_has_the_same_value_as_on_the_logs_with_names(store, read, by):
    store.ingest(LOGS, policy=PRIVATE)
    mine, theirs = answers(store.calls, by), answers(read, by)
    if by == ("user",):
        found = names("user", [row["user"] for row in theirs if row["user"]], [OLD])
        mine = sorted(({**row, "user": found.get(row["user"])} for row in mine), key=lambda r: str(r["user"]))
        theirs = sorted(theirs, key=lambda row: str(row["user"]))
    assert len(mine) == len(theirs) > 0
    for row, other in zip(mine, theirs, strict=True):
        assert [name for name in (*by, *METRICS) if name in row and not is_same(row[name], other[name])] == []


def test_the_same_calls_are_known_again_in_any_part_and_order(store, logs, tmp_path):
    again = tmp_path / "c.jsonl"
    again.write_text(of_ada(3) + of_ada(1, feature="f"))
    for part in (again, logs[1], logs[0], again):
        store.ingest(part, policy=PRIVATE)
    assert store.calls.height == 3
    assert named_in(store.folder) == set()


def test_a_call_is_one_although_the_key_was_changed_between_its_copies(store, logs):
    store.ingest(logs[0], policy=PRIVATE)
    rotate(store.folder, NEW)
    store.ingest(logs[1], policy=Policy("pseudonym", NEW))
    assert store.calls.height == 3
    assert Kept.of(opened(store.folder)).key_ids == (OLD.key_id, NEW.key_id)
    assert {user[2:6] for user in store.calls["user"]} == {OLD.key_id, NEW.key_id}
    assert NEW.key_id in (store.folder / "audit.jsonl").read_text()


def test_who_is_forgotten_leaves_no_pseudonym_of_any_key(store, logs, tmp_path):
    store.ingest(*logs, policy=PRIVATE)
    rotate(store.folder, NEW)
    more = tmp_path / "c.jsonl"
    more.write_text(of_ada(4) + line(5))
    store.ingest(more, policy=Policy("pseudonym", NEW))
    pseudonyms = names("user", ["ada lovelace"], [OLD, NEW])
    assert named_in(store.folder, pseudonyms)
    assert forget(store.folder, pseudonyms).gone == 3
    assert named_in(store.folder, pseudonyms) == set()
    assert store.calls.height == 2


def test_a_store_that_two_make_at_once_is_made_once(tmp_path):
    folder = at(tmp_path / "store")
    folder.prepare()
    with ThreadPoolExecutor() as pool, folder.lock():
        other = pool.submit(made, folder, Policy("drop", NEW).kept.properties)
        mine = created(folder, "", properties=PRIVATE.kept.properties)
        folder.append("audit.jsonl", "{}")
        assert not other.done()
    assert other.result().id == mine.id
    assert Kept.of(other.result()) == PRIVATE.kept


def test_dropped_users_are_nowhere_and_their_conversations_still_count(store, logs):
    store.ingest(*logs, policy=Policy("drop", OLD))
    assert store.calls["user"].null_count() == store.calls.height == 3
    assert store.calls["session"].drop_nulls().cast(pl.String).str.starts_with(f"s_{OLD.key_id}").all()
    assert named_in(store.folder) == set()


@pytest.mark.parametrize("users", ["pseudonym", "drop"])
def test_a_store_of_names_can_be_turned_and_no_earlier_version_has_them(store, logs, tmp_path, users):
    store.ingest(*logs)
    policy = Policy(users, OLD)
    convert(store.folder, policy)
    assert named_in(store.folder) == set()
    assert faults(store.folder) == []
    other = type(store)(tmp_path / "other")
    other.ingest(*logs, policy=policy)
    assert store.calls.sort("line", "file").equals(other.calls.sort("line", "file"))
    store.ingest(*logs, policy=policy)
    assert store.calls.height == 3
    before = store.calls.sort("line", "file")
    convert(store.folder, policy)
    assert store.calls.sort("line", "file").equals(before)


def test_an_ingest_that_would_keep_people_otherwise_is_refused(store, logs):
    store.ingest(logs[0], policy=PRIVATE)
    for policy in (Policy(), Policy("drop", OLD), Policy("pseudonym", NEW)):
        with pytest.raises(UsageError, match="keeps users"):
            store.ingest(logs[1], policy=policy)
    assert store.calls.height == 2
