"""Costs that are stored with their calls stay what they were; the others follow the price book."""

import json

import polars as pl
import pytest

from llmtel.cli.app import run
from llmtel.core.schema import PRICED
from llmtel.pricing import book, cost
from llmtel.store.columns import frozen
from llmtel.store.policy import Policy
from llmtel.store.read import stored
from llmtel.store.rewrite import compact

from .conftest import line
from .test_ingest import claude


def freeze(calls):
    prices = book.load()
    return frozen(calls, cost.priced(calls, prices).select(PRICED), prices.sha256)


@pytest.fixture
def ask(capsysbinary):
    def call(*arguments):
        assert run([str(one) for one in arguments]) == 0
        return capsysbinary.readouterr().out.decode()

    return call


@pytest.fixture
def logs(tmp_path, monkeypatch):
    """Two logs of one call each, and a price file that makes their model dearer."""
    monkeypatch.chdir(tmp_path)
    for n in (0, 1):
        (tmp_path / f"{n}.jsonl").write_text(
            line(n, model="acme-7b", prompt_tokens=1_000_000, completion_tokens=0)
        )
    (tmp_path / "dear.yaml").write_text("models: {openai: {acme-7b: {prices: [{input: 9, output: 9}]}}}\n")
    (tmp_path / "llmtel.yaml").write_text("pricing: cheap.yaml\n")
    (tmp_path / "cheap.yaml").write_text("models: {openai: {acme-7b: {prices: [{input: 1, output: 1}]}}}\n")
    return tmp_path


def costs(ask, *options):
    by_file = ("--by", "file", "--metrics", "cost", "--sort", "file:asc", "--format", "json")
    answer = json.loads(ask("analyze", "--store", "s", *by_file, *options))
    return [row["cost"] for row in answer["tables"][-1]["rows"]], answer["pricing"]


def test_a_frozen_cost_outlives_its_price_and_another_call_follows_the_book(ask, logs):
    ask("ingest", "0.jsonl", "--store", "s", "--freeze-cost")
    ask("ingest", "1.jsonl", "--store", "s")
    assert costs(ask)[0] == [1, 1]
    found, prices = costs(ask, "--pricing", "dear.yaml")
    assert found == [1, 9]
    assert (prices["cost_source"], prices["frozen"]) == ("auto", 1)
    compact(logs / "s")
    assert costs(ask, "--pricing", "dear.yaml")[0] == [1, 9]
    assert costs(ask, "--pricing", "dear.yaml", "--cost", "computed")[0] == [9, 9]


@pytest.mark.usefixtures("logs")
def test_where_all_costs_are_frozen_the_answer_says_so(ask):
    ask("ingest", "0.jsonl", "--store", "s", "--freeze-cost")
    assert costs(ask)[1]["cost_source"] == "frozen"
    assert "as they were stored" in ask("analyze", "--store", "s")
    rows = ("analyze", "--store", "s", "--metrics", "cost", "--pricing", "dear.yaml", "--format", "csv")
    assert ask(*rows).splitlines()[1] == "1.0,frozen with the calls"
    ask("ingest", "1.jsonl", "--store", "s")
    assert ask(*rows).splitlines()[1].endswith("(frozen with 1 of the calls)")


def test_the_book_and_the_price_stand_beside_the_cost(ask, logs):
    ask("ingest", "0.jsonl", "--store", "s", "--freeze-cost")
    (row,) = stored(logs / "s").calls.to_dicts()
    assert row["price_id"].startswith("openai/acme-7b")
    assert row["price_flags"] == "frozen"
    (frame,) = map(pl.read_parquet, (logs / "s").rglob("*.parquet"))
    assert frame["llmtel_frozen_book"].to_list() == [book.load([logs / "cheap.yaml"]).sha256]


def test_that_there_is_no_price_is_frozen_too(ask, logs):
    (logs / "llmtel.yaml").unlink()
    ask("ingest", "0.jsonl", "--store", "s", "--freeze-cost")
    assert costs(ask, "--pricing", "dear.yaml")[0] == [None]
    assert stored(logs / "s").calls["price_reason"].to_list() == ["unknown_model"]


def test_a_call_that_changes_gets_the_cost_of_what_it_is_now(store, tmp_path):
    log = tmp_path / "t.jsonl"
    log.write_text(claude("a", 5) + claude("b", 5))
    store.ingest(log, policy=Policy(freeze=freeze))
    before = dict(store.calls.select("response_id", "cost_usd").iter_rows())
    with log.open("a") as file:
        file.write(claude("b", 500, at="10:00:09"))
    store.ingest(log)
    after = dict(store.calls.select("response_id", "cost_usd").iter_rows())
    assert after == {"msg_a": before["msg_a"], "msg_b": None}
    assert cost.priced(store.calls, book.load())["cost_usd"].max() > before["msg_b"]
