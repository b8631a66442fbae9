"""Findings point at what the calls show, with one number, one sentence and a command, or are silent."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtel.core.account import Account, Note, Reject
from llmtel.core.schema import complete, polars_schema
from llmtel.findings import bursts, changes, coverage, drop_off, joined, prompts, segments
from llmtel.findings.command import Command
from llmtel.findings.cube import cube
from llmtel.findings.words import condition, span_words
from llmtel.query import where
from llmtel.query.query import Query
from llmtel.query.terms import terms

HERE = Command(("logs/",))
MONDAY = datetime(2026, 9, 7, 10, tzinfo=UTC)


def calls(rows):
    """A frame of calls; each is one call that went well unless a row says otherwise."""
    usual = {"grain": "call", "request_count": 1, "status": "ok", "ts": MONDAY}
    rows = [{**usual, **row} for row in rows]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return complete(
        pl.DataFrame({n: [row.get(n) for row in rows] for n in names}, schema=polars_schema(names))
    )


def by_day(days, **fields):
    return [{"ts": MONDAY + timedelta(days=d), **fields} for d in range(days)]


def test_the_largest_change_of_a_day_names_day_segment_factor_and_the_user_behind_it():
    frame = calls(
        [
            *by_day(7, feature="chat", cost_usd=1.0, user="a"),
            *by_day(7, feature="search", cost_usd=3.0, user="b"),
            {"ts": MONDAY + timedelta(days=4), "feature": "chat", "cost_usd": 7.0, "user": "u-0417"},
        ]
    )
    (found,) = changes.largest_change(frame, cube(frame, "UTC"), HERE, "UTC")
    assert found.figure == "$7.00"
    assert found.text == "chat cost 8× its usual day on Fri 11 Sep; 88 % of it is one user, u-0417"
    assert found.command == "llmtel analyze logs/ --where feature=chat --by day,user"
    assert found.money == pytest.approx(7.0)


def test_days_that_resemble_each_other_are_no_change():
    frame = calls([{**row, "cost_usd": 1.0 + 0.1 * i} for i, row in enumerate(by_day(9, feature="chat"))])
    assert changes.largest_change(frame, cube(frame, "UTC"), HERE, "UTC") == []


def test_without_a_known_cost_the_change_is_one_of_calls():
    frame = calls([*by_day(7, model="m"), *[{"ts": MONDAY + timedelta(days=2), "model": "m"}] * 4])
    (found,) = changes.largest_change(frame, cube(frame, "UTC"), HERE, "UTC")
    assert found.figure == "4"
    assert found.money == 0


def test_a_slow_region_is_found_although_a_slow_model_is_everywhere():
    rows = [
        {"model": model, "region": region, "latency_ms": base * (3 if region == "ap-south" else 1)}
        for model, base in (("small", 500.0), ("large", 4000.0))
        for region in ("eu-west", "us-east", "ap-south")
        for _ in range(40)
    ]
    frame = calls(rows)
    (found,) = segments.far_from_siblings(frame, cube(frame, "UTC"), HERE)
    assert found.kind == "slow_segment"
    assert found.figure == "12.0 s"
    assert (
        found.text == "p95 in ap-south; 4.00 s elsewhere. 80 calls, 3.0× the mean of the same work elsewhere"
    )
    assert found.command == "llmtel analyze logs/ --by region,model"


def test_a_region_that_serves_only_the_slow_model_is_not_blamed_for_it():
    rows = [
        *[{"model": "small", "region": "eu", "latency_ms": 500.0}] * 90,
        *[{"model": "large", "region": "eu", "latency_ms": 4000.0}] * 40,
        *[{"model": "large", "region": "us", "latency_ms": 4000.0}] * 90,
    ]
    frame = calls(rows)
    assert segments.far_from_siblings(frame, cube(frame, "UTC"), HERE) == []


def test_a_dear_provider_of_the_same_model_is_worth_its_excess():
    rows = [
        {"model": "m", "provider": p, "cost_usd": c} for p, c in (("a", 0.01), ("b", 0.03)) for _ in range(50)
    ]
    frame = calls(rows)
    (found,) = segments.far_from_siblings(frame, cube(frame, "UTC"), HERE)
    assert found.kind == "dear_segment"
    assert found.money == pytest.approx(50 * 0.02)
    assert found.figure == "$1.00"


def test_failed_calls_do_not_make_a_segment_fast():
    rows = [
        *[{"model": "m", "region": "eu", "latency_ms": 1000.0}] * 60,
        *[{"model": "m", "region": "us", "latency_ms": 1000.0}] * 60,
        *[{"model": "m", "region": "eu", "latency_ms": 0.0, "status": "error"}] * 200,
    ]
    frame = calls(rows)
    assert segments.far_from_siblings(frame, cube(frame, "UTC"), HERE) == []


def test_a_burst_names_its_days_its_hours_and_its_kinds():
    quiet = [{"ts": MONDAY + timedelta(days=d, minutes=m)} for d in range(10) for m in range(50)]
    storm = [
        {"ts": MONDAY + timedelta(days=d, minutes=m - 60), "status": "error", "error": kind}
        for d in (3, 4)
        for m, kind in [*[(5 * i, "rate_limit") for i in range(10)], (60, "timeout"), (65, "timeout")]
    ]
    frame = calls([*quiet, *storm])
    (found,) = bursts.burst(frame, HERE, "UTC")
    assert found.figure == "24"
    assert found.text == "failed calls on 10–11 Sep, mostly 09:00–10:00: rate_limit 20, timeout 4"
    assert found.command == "llmtel analyze logs/ --since 2026-09-10 --until 2026-09-11 --by hour,error"


def test_a_burst_of_a_sampled_log_counts_what_its_calls_stand_for():
    quiet = [{"ts": MONDAY + timedelta(days=d, minutes=m)} for d in range(10) for m in range(50)]
    storm = [
        {"ts": MONDAY + timedelta(days=3, minutes=m), "status": "error", "error": "timeout"}
        for m in range(12)
    ]
    frame = calls([{**row, "sample_rate": 0.1} for row in [*quiet, *storm]])
    (found,) = bursts.burst(frame, HERE, "UTC")
    assert (found.figure, found.calls) == ("120", 120)
    assert found.text.endswith("timeout 120")
    assert (
        bursts.burst(calls([{**row, "sample_rate": 0.1} for row in [*quiet, *storm[:9]]]), HERE, "UTC") == []
    )


def test_failures_spread_over_all_days_are_no_burst():
    frame = calls(
        [
            {"ts": MONDAY + timedelta(days=d, minutes=m), "error": "timeout" if m == 0 else None}
            for d in range(20)
            for m in range(10)
        ]
    )
    assert bursts.burst(frame, HERE, "UTC") == []


def test_a_log_of_one_day_is_searched_by_the_hour():
    rows = [{"ts": MONDAY.replace(hour=h, minute=m)} for h in range(24) for m in range(20)]
    rows += [
        {"ts": MONDAY.replace(hour=13, minute=m), "error": "http_5xx", "status": "error"} for m in range(15)
    ]
    (found,) = bursts.burst(calls(rows), HERE, "UTC")
    assert found.text == "failed calls on Mon 7 Sep 13:00–14:00: http_5xx 15"


def prompt_calls(version, day, cost, ups):
    return [
        {
            "ts": MONDAY + timedelta(days=day),
            "prompt": "support",
            "prompt_version": version,
            "cost_usd": cost,
            "thumb": i < ups,
        }
        for i in range(100)
    ]


def test_a_prompt_version_that_costs_more_and_is_liked_less_is_found():
    frame = calls([*prompt_calls("v3", 0, 0.010, 91), *prompt_calls("v4", 3, 0.0138, 82)])
    (found,) = prompts.dearer_and_liked_less(cube(frame, "UTC"), HERE)
    assert found.figure == "+38 %"
    assert found.text == "cost per call of prompt support@v4 over @v3; thumbs up 91 % → 82 % (observational)"
    assert found.money == pytest.approx(0.38)


@pytest.mark.parametrize(("cost", "ups"), [(0.02, 95), (0.0102, 50)], ids=["liked more", "no dearer"])
def test_a_prompt_version_that_is_only_dearer_or_only_less_liked_is_not(cost, ups):
    frame = calls([*prompt_calls("v3", 0, 0.010, 91), *prompt_calls("v4", 3, cost, ups)])
    assert prompts.dearer_and_liked_less(cube(frame, "UTC"), HERE) == []


def alias(_provider, model):
    return f"aliases: {{{model}: other}}"


def test_unpriced_calls_are_named_with_a_stanza_to_paste():
    frame = calls(
        [
            *[{"model": "acme-7b", "price_reason": "unknown_model", "input_uncached": 1000}] * 3,
            {"model": "gpt-5", "cost_usd": 0.1},
        ]
    )
    (found,) = coverage.unpriced(frame, HERE, alias)
    assert (found.figure, found.level) == ("3", "warning")
    assert found.text == "calls (3,000 tokens) have no price: acme-7b. Sums of money leave them out"
    assert found.evidence["models"][0]["alias"] == "aliases: {acme-7b: other}"


def test_calls_that_say_no_usage_are_no_matter_of_prices():
    timeout = {"model": "gpt-5", "price_reason": "no_usage", "status": "error", "error": "timeout"}
    acme = {"model": "acme-7b", "provider": "acme", "price_reason": "unknown_provider", "input_uncached": 10}
    late = {"model": "o3", "price_reason": "no_time", "input_uncached": 5}
    frame = calls([*[timeout] * 4, *[acme] * 2, late])
    priceless, silent = coverage.unpriced(frame, HERE, alias)
    assert (priceless.figure, priceless.kind) == ("3", "unpriced")
    assert priceless.text.startswith("calls (25 tokens) have no price: acme-7b 2, no time 1. ")
    assert priceless.evidence["reasons"] == {"unknown_provider": 2, "no_time": 1}
    assert [model["model"] for model in priceless.evidence["models"]] == ["acme-7b"]
    assert (silent.figure, silent.kind, silent.level) == ("4", "no_usage", "info")
    assert silent.text.startswith("failed calls do not state their usage in full")
    assert "--where price_reason=no_usage --by model,error" in silent.command
    (mixed,) = coverage.unpriced(calls([timeout, {**timeout, "status": "ok"}]), HERE, alias)
    assert (mixed.level, mixed.text[:27]) == ("warning", "calls (1 of them failed) do")


def test_a_sampled_log_weighs_its_unpriced_calls():
    row = {"model": "acme-7b", "price_reason": "unknown_model", "sample_rate": 0.1, "input_uncached": 7}
    (found,) = coverage.unpriced(calls([row] * 3), HERE, alias)
    assert (found.figure, found.evidence["tokens"]) == ("30", 210)


def test_a_free_call_is_priced():
    assert coverage.unpriced(calls([{"model": "m", "cost_usd": 0.0}]), HERE, alias) == []


def test_more_than_a_twentieth_rejected_is_an_error_with_its_commonest_reason():
    account = Account(files=1, records=100, calls=90, rejected=10)
    rejects = [Reject("a", n, "not JSON" if n < 8 else "no time") for n in range(10)]
    (found,) = coverage.rejected(account, rejects, HERE)
    assert (found.level, found.figure) == ("error", "10")
    assert (
        found.text
        == "of 100 records (10.0 %) could not be read and are not counted; most often (8): not JSON"
    )
    assert found.command == "llmtel analyze logs/ --rejects"


def test_a_twentieth_rejected_is_not():
    assert coverage.rejected(Account(files=1, records=100, calls=95, rejected=5), (), HERE) == []


def test_unreadable_values_are_counted_by_field():
    account = Account(unreadable=Counter({"input_uncached": 2, "ts": 1}))
    (found,) = coverage.unreadable(account, HERE)
    assert found.text.endswith("input_uncached 2, ts 1")


def table(n):
    return Query(("p95_latency", "p99_latency"), by=("model",)).run(
        calls([{"model": "m", "latency_ms": 1.0}] * n)
    )


def test_percentiles_of_few_calls_are_pointed_out():
    (found,) = coverage.few_calls([table(99)], HERE)
    assert (found.level, found.figure) == ("info", "1")
    assert found.text == "row has a p95 of fewer than 20 calls, or a p99 of fewer than 100"
    assert coverage.few_calls([table(100)], HERE) == []


def test_a_sampled_log_weighs_its_calls():
    frame = calls([{"model": "m", "cost_usd": 1.0, "sample_rate": 0.1}])
    assert cube(frame, "UTC").total("cost") == pytest.approx(10.0)


def test_a_dimension_of_many_values_is_not_split_by_even_where_few_calls_show_them():
    names = ["usual"] * 200_000
    names[1:600:2] = [f"rare {i}" for i in range(300)]
    frame = (
        calls([{"model": "m", "cost_usd": 1.0}])
        .drop("feature")
        .join(pl.DataFrame({"feature": names}), how="cross")
    )
    sums = cube(complete(frame), "UTC")
    assert sums.by == ("model",)
    assert sums.sums.select("calls", "cost").rows() == [(200_000.0, 200_000.0)]


def test_nothing_is_found_in_nothing():
    frame = calls([{"model": "m"}]).head(0)
    sums = cube(frame, "UTC")
    assert changes.largest_change(frame, sums, HERE, "UTC") == []
    assert segments.far_from_siblings(frame, sums, HERE) == []
    assert bursts.burst(frame, HERE, "UTC") == []
    assert prompts.dearer_and_liked_less(sums, HERE) == []
    assert coverage.unpriced(frame, HERE, alias) == []


def test_a_command_quotes_what_a_shell_would_take_apart():
    command = Command(("my logs/",), where=("model=a b",), options={"--tz": "UTC"})
    assert command.paste(where=["user=$(rm)"], by="day") == (
        "llmtel analyze 'my logs/' --where 'model=a b' --where 'user=$(rm)' --tz UTC --by day"
    )


def test_a_path_that_begins_with_a_dash_is_no_option():
    command = Command(("-x.jsonl", "-"), where=("", "  "))
    assert command.paste(by="day", flags=["--rejects"]) == "llmtel analyze --by day --rejects -- -x.jsonl -"
    assert Command(("-",)).paste("inspect") == "llmtel inspect -"


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_a_condition_asks_for_its_value_whatever_that_looks_like(value):
    (term,) = terms(condition("user", value))
    assert (term.name, term.operator, term.value) == ("user", "=", value)


def test_values_are_quoted_for_conditions_only_where_needed():
    values = ("gpt-4o", "a b", 'a "b"', """a'b "c\"""", "acme(7b)#2", "a,", None)
    assert [condition("user", v) for v in values[:2]] == ["user=gpt-4o", 'user="a b"']
    assert condition("model", "acme(7b)#2") == "model=acme(7b)#2"
    frame = pl.DataFrame({"user": values})
    for value in values:
        matched = frame.filter(where.parse([condition("user", value)]))
        assert matched["user"].to_list() == [value]


def test_days_are_named_in_few_words():
    days = [(MONDAY + timedelta(days=d)).date() for d in (0, 1, 30)]
    assert span_words(days[0], days[1]) == "7–8 Sep"
    assert span_words(days[0], days[2]) == "7 Sep – 7 Oct"


def conversations(leaves_after_failure, count=100):
    """Sessions of four turns, the second of which fails; so many of them end there."""
    start = datetime(2026, 9, 1, tzinfo=UTC)
    for number in range(count):
        turns = 2 if number < leaves_after_failure else 4
        for turn in range(turns):
            yield {
                "ts": start + timedelta(hours=number, minutes=turn),
                "session": f"s{number}",
                "feature": "chat",
                "status": "error" if turn == 1 else "ok",
            }


def test_users_who_leave_after_failures_are_told_beside_those_who_leave_after_answers():
    [found] = drop_off.drop_off(calls(list(conversations(60))), Command(("logs",)))
    # of 100 failed turns 60 are the last; of the 100 + 2 · 40 answered ones 40 are
    assert found.figure == "60 %"
    assert "of chat's failed answers end the conversation, 22 % of the others" in found.text
    assert "100 conversations of 2.8 turns" in found.text
    assert found.command == "llmtel analyze logs --where feature=chat --by session --top 20"


def test_users_who_stay_after_failures_are_no_finding():
    assert drop_off.drop_off(calls(list(conversations(25))), Command(("logs",))) == []


def test_the_last_turn_is_the_latest_whatever_the_order_of_lines():
    rows = list(conversations(60))
    there, back = (drop_off.drop_off(calls(part), Command(())) for part in (rows, rows[::-1]))
    assert there == back


def test_of_very_many_turns_whole_conversations_are_looked_at_and_the_finding_says_so(monkeypatch):
    rows = list(conversations(600, count=1000))  # 2,800 turns
    monkeypatch.setattr(drop_off, "MOST_TURNS", 1400)
    [found] = drop_off.drop_off(calls(rows), Command(()))
    assert found.text.endswith("turns (one conversation in 4 was looked at)")
    assert found.evidence["one_session_in"] == 4
    # a session of the sample has one bad turn, so none of them was cut
    assert found.evidence["bad_turns"] == found.evidence["sessions"]
    assert 0.15 < found.evidence["sessions"] / 1000 < 0.35
    assert drop_off.drop_off(calls(rows[::-1]), Command(())) == [found]
    of_a_store = calls(rows).with_columns(pl.col("session").cast(pl.Categorical))
    assert drop_off.drop_off(of_a_store, Command(())) == [found]


def test_a_sampled_log_has_lost_last_turns():
    rows = [row | {"sample_rate": 0.5} for row in conversations(60)]
    assert drop_off.drop_off(calls(rows), Command(())) == []


def test_calls_in_logs_of_several_formats_are_told_with_their_number():
    text = "calls that stand in logs of several formats (langfuse, litellm): 1,200; each is counted once"
    notes = [Note("utc", "2 times"), Note("several_formats", text, 1200)]
    [found] = joined.several_formats(notes, HERE)
    assert (found.figure, found.kind, found.calls) == ("1,200", "several_formats", 1200)
    assert (
        found.text == "calls that stand in logs of several formats (langfuse, litellm): each is counted once"
    )
    assert found.command == "llmtel analyze logs/ --by format --metrics calls,cost"
