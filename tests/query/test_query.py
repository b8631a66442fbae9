"""Queries: the numbers are those of the calls, however they are split, pooled or weighted."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtel.core.answers import Row, Table
from llmtel.core.errors import UnknownName, UsageError
from llmtel.core.schema import FIELDS, empty_calls, polars_schema
from llmtel.query.dimensions import DIMENSIONS
from llmtel.query.metrics import METRICS
from llmtel.query.query import Query, run_many

EVERYTHING = tuple(METRICS)
STEADY = settings(deadline=None, max_examples=20)
SPLITS = (("model",), ("feature", "status"), ("day",))
SUMS = (
    "calls",
    "requests",
    "cost",
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "errors",
    "unpriced_calls",
)


def frame(rows: Sequence[Row]) -> pl.DataFrame:
    """Calls from rows that name only some fields."""
    return pl.DataFrame(rows, schema=polars_schema(), orient="row") if rows else empty_calls()


def total(calls: pl.DataFrame, *metrics: str, **options: Any) -> Row:
    return Query(metrics, **options).run(calls).rows[0]


def same(left: object, right: object) -> bool:
    if isinstance(left, float) and isinstance(right, (int, float)):
        return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-12)
    return left == right


def assert_same(left: Sequence[Row], right: Sequence[Row]) -> None:
    assert len(left) == len(right)
    for a, b in zip(left, right, strict=True):
        assert a.keys() == b.keys()
        assert {k: (a[k], b[k]) for k in a if not same(a[k], b[k])} == {}


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


ROWS = st.fixed_dictionaries(
    {
        "grain": st.just("call"),
        "request_count": st.just(1),
        "ts": maybe(st.datetimes(datetime(2026, 10, 30), datetime(2026, 11, 3), timezones=st.just(UTC))),  # noqa: DTZ001
        "model": maybe(st.sampled_from(["a", "b", "c"])),
        "feature": maybe(st.sampled_from(["x", "y"])),
        "user": maybe(st.sampled_from(["u1", "u2", "u3"])),
        "session": maybe(st.sampled_from(["s1", "s2"])),
        "latency_ms": maybe(st.integers(0, 50_000).map(float)),
        "ttft_ms": maybe(st.integers(0, 5_000).map(float)),
        "input_uncached": maybe(st.integers(0, 10_000)),
        "cache_read": maybe(st.integers(0, 10_000)),
        "output_text": maybe(st.integers(0, 10_000)),
        "status": maybe(st.sampled_from(["ok", "error"])),
        "http_status": maybe(st.sampled_from([200, 429, 500])),
        "error": maybe(st.sampled_from(["rate_limit", "timeout", "http_5xx"])),
        "finish_reason": maybe(st.sampled_from(["stop", "length"])),
        "retries": maybe(st.integers(0, 3)),
        "thumb": maybe(st.booleans()),
        "rating": maybe(st.integers(1, 5).map(float)),
        "cost_usd": maybe(st.integers(0, 1_000).map(lambda n: n / 64)),
        "price_reason": maybe(st.sampled_from(["no_usage", "unknown_model"])),
    }
)
CALLS = st.lists(ROWS, max_size=30)


def test_the_metrics_of_two_calls_by_hand() -> None:
    calls = frame(
        [
            {
                "grain": "call",
                "request_count": 1,
                "status": "ok",
                "latency_ms": 1000.0,
                "ttft_ms": 200.0,
                "user": "u",
                "session": "s",
                "input_uncached": 60,
                "cache_read": 40,
                "output_text": 30,
                "reasoning": 10,
                "cost_usd": 0.5,
                "cost_logged": 0.4,
                "finish_reason": "length",
                "retries": 0,
                "thumb": True,
                "rating": 4.0,
            },
            {
                "grain": "call",
                "request_count": 1,
                "status": "error",
                "error": "rate_limit",
                "http_status": 429,
                "latency_ms": 0.0,
                "user": "v",
                "session": "s",
                "input_uncached": 100,
                "cost_usd": 0.1,
                "retries": 2,
            },
        ]
    )
    expected = {
        "calls": 2,
        "requests": 2,
        "sessions": 1,
        "users": 2,
        "input_tokens": 200,
        "output_tokens": 40,
        "total_tokens": 240,
        "cache_read_tokens": 40,
        "cache_write_tokens": None,
        "reasoning_tokens": 10,
        "tokens_per_call": 120.0,
        "input_tokens_per_call": 100.0,
        "output_tokens_per_call": 40.0,
        "p95_input_tokens": 100.0,
        "p95_output_tokens": 40.0,
        "cache_hit_rate": 0.4,
        "cost": 0.6,
        "cost_per_call": 0.3,
        "cost_per_user": 0.3,
        "cost_per_session": 0.6,
        "cost_per_1k_calls": 300.0,
        "cost_per_success": 0.6,
        "logged_cost": 0.4,
        "computed_cost": None,
        "actual_cost": None,
        "cache_savings": None,
        "cache_savings_missed": None,
        "batch_savings": None,
        "unpriced_calls": 0,
        "priced_share": 1.0,
        "mean_latency": 1000.0,
        "p50_latency": 1000.0,
        "p90_latency": 1000.0,
        "p95_latency": 1000.0,
        "p99_latency": 1000.0,
        "max_latency": 1000.0,
        "mean_ttft": 200.0,
        "p50_ttft": 200.0,
        "p90_ttft": 200.0,
        "p95_ttft": 200.0,
        "p99_ttft": 200.0,
        "max_ttft": 200.0,
        "output_tokens_per_second": 50.0,
        "errors": 1,
        "error_rate": 0.5,
        "rate_limit_rate": 0.5,
        "timeout_rate": 0.0,
        "parse_error_rate": 0.0,
        "http_error_rate": 1.0,
        "http_4xx_rate": 0.0,
        "http_5xx_rate": 0.0,
        "refusal_rate": 0.0,
        "truncation_rate": 1.0,
        "retry_rate": 0.5,
        "feedback_rate": 0.5,
        "thumbs_up_rate": 1.0,
        "mean_rating": 4.0,
        "regeneration_rate": None,
        "correction_rate": None,
        "escalation_rate": None,
        "hallucination_rate": None,
    }
    row = total(calls, *EVERYTHING)
    assert {k: (v, expected[k]) for k, v in row.items() if not same(v, expected[k])} == {}
    assert row.keys() == expected.keys()


def test_an_unknown_cost_is_no_free_call() -> None:
    calls = pl.DataFrame({"cost_usd": [0.5, None, 0.25]})
    row = total(calls, "calls", "cost", "cost_per_call", "unpriced_calls", "priced_share")
    expected = {"calls": 3, "cost": 0.75, "cost_per_call": 0.375, "unpriced_calls": 1, "priced_share": 2 / 3}
    assert row == expected


REFUSED = {"http_status": 429, "status": "error", "cost_usd": 0.0, "user": "u", "session": "s"}
OF_MONEY = ("cost", "cost_per_call", "cost_per_1k_calls", "cost_per_user", "cost_per_session")


def test_unbilled_refusals_give_a_model_without_a_price_no_cost() -> None:
    unpriced = {"status": "ok", "user": "u", "session": "s"}
    calls = frame([{"model": "acme", **REFUSED}, {"model": "acme", **unpriced}, {"model": "m", **REFUSED}])
    table = Query((*OF_MONEY, "unpriced_calls", "priced_share"), by=("model",), sort="model").run(calls)
    acme, refused_only = table.rows
    assert {acme[name] for name in OF_MONEY} == {None}
    assert (acme["unpriced_calls"], acme["priced_share"]) == (1, 0.5)
    assert {refused_only[name] for name in OF_MONEY} == {0.0}


TIMED_OUT = {"http_status": 504, "status": "error", "price_reason": "no_usage"}
UNPRICED = {"status": "error", "price_reason": "unknown_model"}
UNCOUNTED = {"status": "ok", "price_reason": "no_usage"}


@pytest.mark.parametrize(
    ("others", "cost"),
    [([TIMED_OUT], 0.0), ([UNPRICED], None), ([UNCOUNTED], None), ([TIMED_OUT, UNPRICED], None)],
)
def test_unbilled_refusals_cost_nothing_beside_failures_of_a_model_with_a_price(others, cost) -> None:
    row = total(frame([REFUSED, *others]), "cost", "cost_per_call", "unpriced_calls")
    assert row == {"cost": cost, "cost_per_call": cost, "unpriced_calls": len(others)}
    assert total(frame(others), "cost") == {"cost": None}


def test_a_free_model_stays_free_beside_a_call_that_nobody_can_price() -> None:
    calls = frame([{"cost_usd": 0.0, "status": "ok", "http_status": 200}, {"status": "error"}, REFUSED])
    assert total(calls, "cost")["cost"] == 0.0


def test_what_nobody_knows_is_null_and_never_zero() -> None:
    row = total(frame([{"grain": "call", "request_count": 1}]), *EVERYTHING)
    known = {k: v for k, v in row.items() if v is not None}
    assert known == {"calls": 1, "requests": 1, "unpriced_calls": 1, "priced_share": 0.0}


def test_no_calls_give_a_table_and_no_crash() -> None:
    row = total(empty_calls(), *EVERYTHING)
    assert {k: v for k, v in row.items() if v is not None} == {"calls": 0, "errors": 0, "unpriced_calls": 0}
    for name in DIMENSIONS:
        assert Query(EVERYTHING, (name,), top=3).run(empty_calls()).rows == []


def test_a_frame_without_any_column_of_a_query_counts_as_unknown() -> None:
    table = Query(("calls", "cost"), ("tags.env",)).run(pl.DataFrame({"line": [1, 2]}))
    assert table.rows == [{"tags.env": None, "calls": 2, "cost": None}]


def test_integers_stay_integers_and_money_is_a_float() -> None:
    row = total(
        pl.DataFrame({"input_uncached": [2**53, 1], "cost_usd": [1.0, 2.0]}), "calls", "input_tokens", "cost"
    )
    assert row == {"calls": 2, "input_tokens": 2**53 + 1, "cost": 3.0}
    assert [type(v) for v in row.values()] == [int, int, float]


def test_latency_leaves_out_failed_calls_unless_they_are_asked_for() -> None:
    calls = pl.DataFrame({"latency_ms": [100.0, 300.0, 0.0], "status": ["ok", None, "error"]})
    metrics = ("mean_latency", "p50_latency", "max_latency", "error_rate")
    assert list(total(calls, *metrics).values()) == [200.0, 200.0, 300.0, 0.5]
    both = run_many([Query(metrics), Query(metrics, include_failed=True)], calls)
    assert [t.rows[0]["p50_latency"] for t in both] == [200.0, 100.0]


@STEADY
@given(
    values=st.lists(st.integers(0, 1_000), min_size=1, max_size=40),
    at=st.sampled_from([("p50_latency", 50), ("p90_latency", 90), ("p95_latency", 95), ("p99_latency", 99)]),
)
def test_percentiles_are_exact_with_linear_interpolation(values: list[int], at: tuple[str, int]) -> None:
    place = Fraction(at[1], 100) * (len(values) - 1)
    low = math.floor(place)
    ordered = [*sorted(values), 0]
    expected = ordered[low] + (place - low) * (ordered[low + 1] - ordered[low])
    row = total(pl.DataFrame({"latency_ms": [float(v) for v in values]}), at[0])
    assert row[at[0]] == pytest.approx(float(expected), rel=1e-12)


@STEADY
@given(st.lists(st.tuples(st.integers(0, 100), st.integers(1, 5)), min_size=1, max_size=12))
def test_a_row_of_n_requests_weighs_as_n_rows(rows: list[tuple[int, int]]) -> None:
    metrics = (
        "requests",
        "mean_latency",
        "p50_latency",
        "p90_latency",
        "p99_latency",
        "error_rate",
        "errors",
    )
    latency, n = [float(v) for v, _ in rows], [n for _, n in rows]
    status = ["ok" if v % 7 else "error" for v, _ in rows]
    short = pl.DataFrame({"latency_ms": latency, "request_count": n, "status": status, "grain": "bucket"})
    long = short.with_columns(pl.int_ranges(0, "request_count").alias("copy")).explode("copy")
    assert_same([total(short, *metrics)], [total(long.with_columns(request_count=1), *metrics)])


@STEADY
@given(CALLS)
def test_half_a_log_weighs_as_every_call_twice(rows: list[Row]) -> None:
    calls = frame(rows)
    halved = calls.with_columns(sample_rate=pl.lit(0.5))
    queries = [Query(EVERYTHING, by, sort="calls") for by in ((), *SPLITS)]
    twice = pl.concat([calls, calls])
    for left, right in zip(run_many(queries, halved), run_many(queries, twice), strict=True):
        # Of a sample only those seen are known: they are not scaled, nor what is divided by them.
        seen = {"users", "sessions", "cost_per_user", "cost_per_session"}
        assert_same(*([{k: v for k, v in r.items() if k not in seen} for r in t.rows] for t in (left, right)))


def test_numbers_of_a_sampled_log_say_that_they_are_estimated() -> None:
    metrics = ("calls", "cost", "p95_latency", "users")
    calls = pl.DataFrame({"cost_usd": [1.0, 1.0], "sample_rate": [0.25, None], "user": ["a", "b"]})
    table = Query(metrics).run(calls)
    assert table.rows[0] == {"calls": 5.0, "cost": 5.0, "p95_latency": None, "users": 2}
    assert [c.method for c in table.columns] == ["estimated", "estimated", "estimated", "observed"]
    assert [c.method for c in Query(metrics).run(calls.drop("sample_rate")).columns] == [
        None,
        None,
        "exact",
        None,
    ]


def test_fractional_weights_do_not_jump_where_sums_are_inexact() -> None:
    rows = [(float(i % 7), 1 / 3) for i in range(300)]
    calls = pl.DataFrame(rows, schema=["latency_ms", "sample_rate"], orient="row")
    plain = total(calls.drop("sample_rate"), "p50_latency", "p90_latency")
    for seed in range(5):
        shuffled = calls.sample(fraction=1, shuffle=True, seed=seed)
        assert_same([total(shuffled, "p50_latency", "p90_latency")], [plain])


@pytest.mark.parametrize("metric", ["p50_latency", "p90_latency", "p95_latency", "p99_latency"])
@pytest.mark.parametrize("kind", ["any", "sorted", "periodic", "equal", "two humps"])
def test_percentiles_of_a_whole_of_many_calls_are_exact(kind: str, metric: str) -> None:
    # a sample of 2^14 tells where to look: the values of one kind mislead it
    count, chance = 3 * 2**14 + 7, random.Random(1)  # noqa: S311 (numbers of a test)
    values = {
        "any": lambda _: chance.lognormvariate(7, 1),
        "sorted": float,
        "periodic": lambda n: float(n % 3 == 0) * chance.random(),
        "equal": lambda _: 5.0,
        "two humps": lambda n: chance.gauss(10 if n % 20 else 90_000, 1) + 100,
    }[kind]
    calls = [values(n) for n in range(count)]
    place = (count - 1) * float(metric[1:3]) / 100
    ordered = sorted(calls)
    low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
    exact = low + (high - low) * (place - math.floor(place))
    logs = (
        empty_calls()
        .clear(count)
        .with_columns(pl.Series("latency_ms", calls), grain=pl.lit("call"), request_count=pl.lit(1))
    )
    found = run_many([Query((metric,))], logs)[0].rows[0][metric]
    assert found == pytest.approx(exact, rel=1e-9)


def test_a_bucket_is_no_call_and_its_tokens_and_cost_count_once() -> None:
    calls = frame(
        [
            {"grain": "call", "request_count": 1, "input_uncached": 10, "cost_usd": 1.0},
            {"grain": "call", "request_count": 0, "input_uncached": 5, "cost_usd": 0.5},
            {"grain": "bucket", "request_count": 100, "input_uncached": 1000, "cost_usd": 50.0},
            {"grain": "bucket", "request_count": None, "input_uncached": 7, "cost_usd": None},
        ]
    )
    row = total(
        calls,
        "calls",
        "requests",
        "input_tokens",
        "cost",
        "cost_per_call",
        "tokens_per_call",
        "unpriced_calls",
    )
    assert list(row.values()) == [1, 101, 1022, 51.5, 1.5, 15.0, 0]


def test_the_requests_of_a_bucket_are_no_calls_that_gave_no_feedback() -> None:
    calls = frame(
        [{"grain": "call", "request_count": 1, "thumb": True}, {"grain": "call", "request_count": 1}]
    )
    bucket = frame([{"grain": "bucket", "request_count": 98}])
    assert total(pl.concat([calls, bucket]), "feedback_rate")["feedback_rate"] == 0.5
    assert total(pl.concat([calls[1:], bucket]), "feedback_rate")["feedback_rate"] is None


def test_a_table_says_on_how_many_rows_each_number_rests() -> None:
    calls = pl.DataFrame(
        {
            "model": ["a", "a", "b", "b"],
            "cost_usd": [1.0, None, 2.0, 2.0],
            "latency_ms": [1.0, 2.0, None, 0.0],
            "status": ["ok", "ok", "ok", "error"],
        }
    )
    table = Query(("cost", "p95_latency", "error_rate"), ("model",), sort="model").run(calls)
    assert table.n == [
        {"cost": 1, "p95_latency": 2, "error_rate": 2},
        {"cost": 2, "p95_latency": 0, "error_rate": 2},
    ]
    assert [table.column(m).known for m in table.metrics] == [0.75, 2 / 3, 1.0]


@STEADY
@given(CALLS, st.randoms(use_true_random=False))
def test_the_order_of_the_calls_does_not_matter(rows: list[Row], chance: random.Random) -> None:
    shuffled = list(rows)
    chance.shuffle(shuffled)
    queries = [Query(EVERYTHING, by, top=2 if by else None) for by in ((), *SPLITS)]
    tables = zip(run_many(queries, frame(rows)), run_many(queries, frame(shuffled)), strict=True)
    for left, right in tables:
        assert_same(left.rows, right.rows)


@STEADY
@given(CALLS, st.integers(1, 3), st.sampled_from(SPLITS), st.sampled_from([None, 0.3]))
def test_a_pooled_row_is_a_query_over_its_calls(
    rows: list[Row], top: int, by: tuple[str, ...], rate: float | None
) -> None:
    calls = frame(rows).with_columns(sample_rate=pl.lit(rate, dtype=pl.Float64))
    table = Query(EVERYTHING, by, top=top).run(calls)
    full = Query(EVERYTHING, by, sort=f"{Query(EVERYTHING, by, top=top).order()[0]}").run(calls)
    assert table.distinct == len(full.rows)
    pooled = [r for r in table.rows if r.get("pooled")]
    if not pooled:
        return
    shown = [tuple(r[d] for d in by) for r in table.rows if not r.get("pooled")]
    assert len(shown) + int(str(pooled[0]["pooled_count"])) == len(full.rows)
    words = calls.with_columns(DIMENSIONS[d].value("UTC").alias(d) for d in by)
    rest = [tuple(words.row(i, named=True)[d] for d in by) not in shown for i in range(calls.height)]
    expected = total(calls.filter(pl.Series(rest, dtype=pl.Boolean)), *EVERYTHING)
    assert_same([{k: pooled[0][k] for k in expected}], [expected])


@STEADY
@given(
    CALLS,
    st.sampled_from(["UTC", "Asia/Kolkata", "America/New_York"]),
    st.sampled_from([n for n, d in DIMENSIONS.items() if d.time]),
)
def test_the_sum_of_the_days_is_the_total_in_every_time_zone(rows: list[Row], tz: str, by: str) -> None:
    calls = frame(rows)
    whole = total(calls, *SUMS)
    parts = Query(SUMS, (by,), tz=tz).run(calls).rows
    for metric in SUMS:
        known = [r[metric] for r in parts if r[metric] is not None]
        if whole[metric] is None:
            # A day of refusals that nobody bills is known to have cost nothing; beside calls without a price
            # that says nothing of them all.
            assert not any(known)
        else:
            assert same(sum(known), whole[metric])  # type: ignore[arg-type]


def hourly(start: str, hours: int) -> pl.DataFrame:
    first = datetime.fromisoformat(start).replace(tzinfo=UTC)
    return pl.DataFrame({"ts": [first + timedelta(minutes=30 * i) for i in range(hours * 2)]})


def keys(table: Table) -> list[Any]:
    return [row[table.by[0]] for row in table.rows]


def test_a_day_when_the_clocks_go_back_has_25_hours_and_each_is_told_apart() -> None:
    calls = hourly("2026-10-31T00:00:00", 72)
    days = Query(("calls",), ("day",), tz="America/New_York").run(calls).rows
    assert {r["day"]: r["calls"] for r in days}["2026-11-01"] == 50
    hours = Query(("calls",), ("hour",), tz="America/New_York").run(calls)
    assert {r["calls"] for r in hours.rows} == {2}
    both = [k for k in keys(hours) if k.startswith("2026-11-01T01")]
    assert both == ["2026-11-01T01:00:00-04:00", "2026-11-01T01:00:00-05:00"]


def test_repeated_hours_stand_in_their_order_east_of_greenwich_too() -> None:
    table = Query(("calls",), ("hour",), tz="Europe/Berlin").run(hourly("2026-10-25T00:00:00", 2))
    assert keys(table) == ["2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"]


@pytest.mark.parametrize(
    ("by", "tz", "key"),
    [
        ("day", "UTC", "2026-12-31"),
        ("day", "Asia/Kolkata", "2027-01-01"),
        ("week", "UTC", "2026-W53"),
        ("month", "Asia/Kolkata", "2027-01"),
        ("hour", "Asia/Kolkata", "2027-01-01T01:00:00+05:30"),
        ("15m", "UTC", "2026-12-31T20:15:00+00:00"),
        ("5m", "UTC", "2026-12-31T20:20:00+00:00"),
        ("minute", "America/New_York", "2026-12-31T15:24:00-05:00"),
        ("hour_of_day", "Asia/Kolkata", 1),
        ("weekday", "UTC", 4),
        ("weekday", "Asia/Kolkata", 5),
    ],
)
def test_keys_of_time_are_those_of_the_clock_on_the_wall(by: str, tz: str, key: object) -> None:
    calls = pl.DataFrame({"ts": [datetime(2026, 12, 31, 20, 24, 59, tzinfo=UTC)]})
    assert keys(Query(("calls",), (by,), tz=tz).run(calls)) == [key]


def test_a_monday_is_1_and_a_sunday_7() -> None:
    calls = hourly("2026-09-07T00:00:00", 7 * 24)
    assert keys(Query(("calls",), ("weekday",)).run(calls)) == [1, 2, 3, 4, 5, 6, 7]


def test_rows_stand_by_cost_and_ties_by_key_and_the_unknown_last() -> None:
    calls = pl.DataFrame({"model": ["b", "a", None, "c", "d"], "cost_usd": [1.0, 1.0, 1.0, 2.0, None]})
    assert keys(Query(("calls", "cost"), ("model",)).run(calls)) == ["c", "a", "b", None, "d"]
    assert keys(Query(("calls",), ("model",), sort="cost:asc").run(calls)) == ["a", "b", None, "c", "d"]
    assert keys(Query(("calls",), ("model",), sort="model:desc").run(calls)) == ["d", "c", "b", "a", None]


def test_the_unknown_is_a_row_of_its_own_and_never_pooled() -> None:
    calls = pl.DataFrame({"user": ["a"] * 3 + ["b"] * 2 + ["c", "d", None]})
    table = Query(("calls",), ("user",), top=2).run(calls)
    assert table.rows == [
        {"user": "a", "calls": 3},
        {"user": "b", "calls": 2},
        {"user": None, "calls": 1},
        {"user": None, "calls": 2, "pooled": True, "pooled_count": 2},
    ]
    assert table.distinct == 5


def test_a_single_row_is_no_pool() -> None:
    calls = pl.DataFrame({"user": ["a"] * 3 + ["b"] * 2 + ["c", None]})
    table = Query(("calls",), ("user",), top=2).run(calls)
    assert keys(table) == ["a", "b", "c", None]
    assert not any(row.get("pooled") for row in table.rows)


def test_a_literal_null_stays_a_word() -> None:
    table = Query(("calls",), ("user",), sort="user").run(pl.DataFrame({"user": ["null", None]}))
    assert keys(table) == ["null", None]


def test_text_and_categories_answer_alike_in_every_dimension() -> None:
    calls = frame(
        [
            {f: "x" for f, d in FIELDS.items() if d.dtype == pl.String and f != "tags"}
            | {"ts": datetime.now(UTC)}
        ]
    )
    categorical = calls.with_columns(pl.col(pl.String).cast(pl.Categorical))
    for name in DIMENSIONS:
        assert Query(EVERYTHING, (name,)).run(calls).rows == Query(EVERYTHING, (name,)).run(categorical).rows


@STEADY
@given(CALLS)
def test_queries_together_answer_as_each_alone(rows: list[Row]) -> None:
    queries = [
        Query(EVERYTHING),
        *(Query(EVERYTHING, by, top=1) for by in SPLITS),
        Query(("p50_latency",), ("model",)),
    ]
    calls = frame(rows)
    for query, table in zip(queries, run_many(queries, calls), strict=True):
        assert_same(table.rows, query.run(calls).rows)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Query(("p95_latncy",)), "Did you mean p95_latency"),
        (lambda: Query(("calls",), ("modle",)), "Did you mean model"),
        (lambda: Query(("calls",), sort="cots"), "Did you mean cost"),
        (lambda: Query(("calls",), sort="cost:up"), "asc or desc"),
        (lambda: Query(("calls",), ("model",), sort="region:asc"), "split by it with --by region"),
        (lambda: Query(("calls",), top=0), "at least 1"),
        (lambda: Query(("calls",), ("model", "model")), "twice"),
        (lambda: Query(()), "no metric"),
        (lambda: Query(("calls",), tz="Mars"), "no such time zone"),
    ],
)
def test_a_question_that_cannot_be_answered_says_what_would(make: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make()


def test_a_wrong_name_is_an_unknown_name() -> None:
    with pytest.raises(UnknownName):
        Query(("xyzzy",))


def test_distinct_people_are_counted_whatever_pieces_they_lie_in_and_whoever_is_unknown():
    names = [["a", None, "b"], ["b", "c"], [None]]
    pieces = [
        pl.DataFrame({"user": one, "grain": "call"}, schema_overrides={"user": pl.Categorical})
        for one in names
    ]
    frame = pl.concat(pieces, rechunk=False)
    assert Query(("users",)).run(frame).rows == [{"users": 3}]
    assert Query(("users",)).run(frame.tail(1)).rows == [{"users": None}]
