"""The last weeks of a log beside the weeks before: the same answer as from every call, from few sums."""

from datetime import UTC, datetime, timedelta
from functools import partial

import polars as pl
import pytest

from llmtel.checks.cells import cells
from llmtel.checks.weeks import last_weeks
from llmtel.checks.windows import Windows
from llmtel.core.schema import complete, polars_schema
from llmtel.pricing import book, cost
from llmtel.pricing.leaves import rates, with_leaf_costs

BOOK = book.load((), ("small=1/10", "big=10/100"))
START = datetime(2026, 9, 1, 2, tzinfo=UTC)


def calls(rows, prices=BOOK):
    """Priced calls of (day, feature, model, input, output), with more fields where a row has them."""
    usual = {"grain": "call", "request_count": 1, "status": "ok"}
    names = ("day", "feature", "model", "input_uncached", "output_text")
    records = [{**usual, **dict(zip(names, row[:5], strict=True)), **dict(row[5:])} for row in rows]
    for record in records:
        record["ts"] = START + timedelta(days=record.pop("day"))
    fields = list(dict.fromkeys(name for record in records for name in record))
    data = {name: [record.get(name) for record in records] for name in fields}
    return cost.priced(complete(pl.DataFrame(data, schema=polars_schema(fields))), prices)


@pytest.mark.parametrize(("span", "days"), [(13.7, None), (13.8, 7), (27.8, 14), (40, 14), (300, 28)])
def test_windows_are_whole_weeks_that_the_calls_have_twice_or_nearly(span, days):
    found = windows_of(calls([(0, "chat", "small", 1, 1), (span, "chat", "small", 1, 1)]))
    assert (found.days if found else None) == days


def test_calls_without_a_time_have_no_windows():
    assert windows_of(calls([(0, "chat", "small", 1, 1)]).with_columns(ts=pl.lit(None, pl.Datetime))) is None


def windows_of(frame):
    weeks = last_weeks(frame)
    return weeks and Windows(*weeks)


def by_window(frame, windows):
    for day in (1, 0):
        now = pl.col("ts") > windows.last - timedelta(days=windows.days)
        side = frame.filter(windows.both, now if day == 0 else ~now)
        yield cells(with_leaf_costs(side, BOOK))


def test_sums_are_priced_to_the_same_cells_as_calls():
    frame = calls(
        [
            (0, "chat", "small", 100, 10),
            (1, "chat", "small", 300, 20, ("sample_rate", 0.5)),
            (5, None, "big", 50, 7, ("cost_logged", 0.3)),
            (8, "chat", "small", 100, 30, ("http_status", 429)),
            (9, "chat", "unheard-of", 100, 30),
            (13, "chat", "small", 900, 30),
            (14, "rag", "big", 100, 0),
            (30, "old", "big", 100, 1),
            (44, "chat", "small", 11, 12),
        ]
    )
    windows = windows_of(frame.filter(pl.col("ts") < START + timedelta(days=14.5)))
    found = windows.cells(
        frame.filter(pl.col("ts") < START + timedelta(days=14.5)), partial(rates, book=BOOK)
    )
    expected = list(by_window(frame.filter(pl.col("ts") < START + timedelta(days=14.5)), windows))
    for ours, theirs in zip(found, expected, strict=True):
        assert list(ours) == list(theirs)
        for key, usage in ours.items():
            assert usage.calls == theirs[key].calls
            assert usage.tokens == theirs[key].tokens
            assert usage.costs == pytest.approx(theirs[key].costs)


def test_kinds_of_token_are_not_told_apart_where_one_rate_does_not_hold_for_all(tmp_path):
    layer = tmp_path / "prices.yaml"
    layer.write_text(
        "models: {openai: {dated: {prices: "
        "[{input: 1, output: 10}, {from: 2026-09-04, input: 2, output: 20}]}}}\n"
    )
    prices = book.load((layer,), ())
    rows = [(day, "chat", "openai/dated", 1000, 100) for day in range(15)]
    frame = calls(rows, prices)
    windows = windows_of(frame)
    before, after = windows.cells(frame, partial(rates, book=prices))
    key = ("chat", "openai/dated")
    assert before[key].costs.keys() == after[key].costs.keys() == {"tokens"}
    assert before[key].cost + after[key].cost == pytest.approx(frame[1:]["cost_usd"].sum())


def test_dollars_are_split_by_what_some_call_knows():
    frame = calls([(0, "chat", "small", 0, 100), (13.9, "chat", "small", 0, 300, ("user", "u1"))])
    found = windows_of(frame).split(frame, ("user", "agent"), "UTC")
    assert found == {"user": ({None: pytest.approx(0.001)}, {"u1": pytest.approx(0.003)})}
