"""A store answers as the logs do, whatever their format and in whatever order and parts they came."""

import random
import shutil
from pathlib import Path

import polars as pl
import pytest

from llmtel import pipeline
from llmtel.pricing import book, cost
from llmtel.query.metrics import METRICS
from llmtel.query.query import Query
from llmtel.sources.formats import sources
from llmtel.store.columns import KEPT

LOGS = Path(__file__).parents[2] / "sample_logs"


def plain(calls):
    """Calls in an order of their own, to be compared row by row."""
    return calls.select(pl.col(name).cast(pl.String) for name in KEPT).sort(KEPT)


def answers(calls, by):
    priced = cost.priced(calls, book.load())
    return Query(tuple(METRICS), by=by, tz="Europe/Berlin").run(priced).rows


def is_same(one, other):
    return one == other or (isinstance(one, float) and one == pytest.approx(other, rel=1e-9))


@pytest.mark.parametrize("by", [(), ("model",), ("format",), ("day",), ("user",)], ids=str)
def test_every_metric_has_the_same_value_as_on_the_logs(store, by):
    for part in sorted(LOGS.rglob("*"), reverse=True):
        if part.is_file():
            store.ingest(part)
    mine, theirs = answers(store.calls, by), answers(pipeline.read([str(LOGS)]).calls, by)
    assert len(mine) == len(theirs)
    for row, other in zip(mine, theirs, strict=True):
        assert [name for name in row if not is_same(row[name], other[name])] == []


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """The sample of each format that has single calls with a time, in a file of its own."""
    folder = tmp_path_factory.mktemp("logs")
    paths = []
    for name, source in sources().items():
        path = folder / f"{name}.{'csv' if source.layout == 'csv' else 'jsonl'}"
        path.write_text(source.sample)
        calls = pipeline.read([str(path)]).calls
        if (calls["grain"] == "call").all() and calls["ts"].null_count() == 0:
            paths.append(str(path))
    return paths


@pytest.mark.parametrize("seed", range(3))
def test_logs_of_all_formats_give_the_same_calls_in_any_order(store, samples, seed):
    paths = list(samples)
    expected = plain(pipeline.read(paths).calls)
    random.Random(seed).shuffle(paths)  # noqa: S311 (an order, no secret)
    third = len(paths) // 3
    for part in (paths[:third], paths[third : 2 * third], paths[2 * third :], paths):
        store.ingest(*part)
    assert plain(store.calls).equals(expected)


@pytest.mark.parametrize("name", [name for name, source in sources().items() if source.layout == "json"])
def test_a_log_that_grows_line_by_line_gives_the_same_calls_as_at_once(store, tmp_path, name):
    log = tmp_path / "log.jsonl"
    lines = sources()[name].sample.splitlines(keepends=True)
    log.write_text("".join(lines))
    whole = pipeline.read([str(log)])
    if (whole.calls["grain"] == "bucket").any() or len(lines) < 2:
        pytest.skip("sums of a provider, or one line")
    log.unlink()
    for text in lines:
        with log.open("a") as file:
            file.write(text)
        store.ingest(log, expecting=name)
    assert plain(store.calls).equals(plain(whole.calls))


def test_the_same_calls_in_several_formats_are_one_in_any_order(store, tmp_path):
    shared = (
        '{"timestamp":"2026-09-01T10:00:00Z","request_id":"r1","model":"gpt-4o","user":"ada","latency_ms":9}\n',
        '{"timestamp":"2026-09-01T10:00:01Z","request_id":"r1","model":"gpt-4o","prompt_tokens":9}\n',
        '{"llmtel_call":1,"ts":"2026-09-01T10:00:00Z","call_id":"r1","model":"gpt-4o","retries":2}\n',
    )
    paths = []
    for i, text in enumerate(shared):
        paths.append(tmp_path / f"{i}.jsonl")
        paths[-1].write_text(text)
    expected = plain(pipeline.read([str(path) for path in paths]).calls)
    assert expected.height == 1
    for order in ((0, 1, 2), (2, 0, 1), (1, 2, 0)):
        shutil.rmtree(store.folder, ignore_errors=True)
        for i in order:
            store.ingest(paths[i])
        assert plain(store.calls).equals(expected)
