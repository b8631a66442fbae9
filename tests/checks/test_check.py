"""Checks over calls: what fails, what does not, and what is said."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from llmtel.checks.oneline import rule
from llmtel.checks.rules import POOLED, Exemption, RuleSet, Split
from llmtel.core.errors import Exit
from llmtel.query.query import Query

CHANGES = {"cost_per_call": "1%", "p95_latency": "1%", "error_rate": "0.1pp", "tokens_per_call": "1%"}
RULES = (
    "cost_per_call > +10%", "p95_latency > +20%", "error_rate > +0.5pp", "unpriced_calls > +0",
    "tokens_per_call > +10%", "mean_latency > +10%", "cost > +30%",
)  # fmt: skip


def states(report):
    return [r.state for r in report.results]


def by_feature(line):
    one = rule(line)
    return RuleSet((replace(one, split=Split(by=("feature",))),))


def test_identical_logs_never_fail(judged, service):
    calls = service()
    report = judged(calls, calls, *RULES)
    assert set(states(report)) == {"pass"}
    assert report.exit_code(strict=True) is Exit.OK
    assert all(r.evidence.relative == 0 for r in report.results)


def test_a_first_run_never_fails(judged, service):
    report = judged(service(), None, *RULES)
    assert set(states(report)) == {"no_baseline"}
    assert report.exit_code() is Exit.OK
    assert report.exit_code(strict=True) is Exit.STRICT
    assert report.sentence() == (
        "0 comparisons, 0 failed, 0 inconclusive, 7 skipped (7 no baseline); no baseline"
    )


def test_dearer_calls_fail_and_say_how_much(judged, service):
    report = judged(service(2, cost=1.5), service(1), *RULES)
    (failed,) = [r for r in report.results if r.state == "fail" and r.rule.metric == "cost_per_call"]
    facts = failed.evidence
    assert facts.relative == pytest.approx(0.5, abs=0.2)
    assert facts.relative_interval.low < facts.relative < facts.relative_interval.high
    assert failed.p_adjusted >= failed.p
    assert report.exit_code() is Exit.VIOLATED


def test_swapped_sides_mirror_the_verdicts(judged, service):
    cheap, dear = service(1), service(2, cost=1.6, slow=1.8, errors=0.2)
    lines = ("cost_per_call > +10%", "p95_latency > +20%", "error_rate > +0.5pp")
    assert states(judged(dear, cheap, *lines)) == ["fail"] * 3
    assert states(judged(cheap, dear, *lines)) == ["improved"] * 3
    falls = ("cost_per_call < -10%", "p95_latency < -20%", "error_rate < -0.5pp")
    assert states(judged(cheap, dear, *falls)) == ["fail"] * 3


@settings(deadline=None, max_examples=8)
@given(st.integers(1, 10**6), st.floats(0.7, 1.4), st.floats(0.7, 1.4), st.floats(0, 0.1))
def test_for_any_two_logs_swapped_sides_mirror_and_identical_ones_pass(
    judged, service, seed, cost, slow, errors
):
    a = service(seed, 80)
    b = service(seed + 1, 80, cost=cost, slow=slow, errors=errors)
    lines = [f"{name} > +{change}" for name, change in CHANGES.items()]
    assert set(states(judged(a, a, *lines))) <= {"pass", "insufficient"}
    there, back = judged(b, a, *lines).results, judged(a, b, *lines).results
    for one, other in zip(there, back, strict=True):
        assert one.evidence.p_rise == pytest.approx(other.evidence.p_fall)
        assert one.evidence.absolute == pytest.approx(-other.evidence.absolute)
        assert one.evidence.absolute_interval.low == pytest.approx(-other.evidence.absolute_interval.high)
        assert not (one.state == other.state == "fail")


def test_points_are_the_numbers_that_analyze_shows(judged, service):
    calls = service()
    limits = {
        "cost_per_call": "$1", "p95_latency": "9s", "error_rate": "99%", "tokens_per_call": "1M",
        "cost": "$99", "cost_per_user": "$99", "p50_ttft": "1s",
    }  # fmt: skip
    names, lines = tuple(limits), [f"{name} > {limit}" for name, limit in limits.items()]
    row = Query(names).run(calls).rows[0]
    report = judged(calls, None, *lines)
    for result in report.results[:-1]:
        assert result.evidence.current == pytest.approx(row[result.rule.metric], rel=1e-12)
        assert result.state == "pass"
    assert report.results[-1].state == "insufficient"
    assert report.results[-1].evidence.current is None


def test_the_same_seed_gives_the_same_report_whatever_the_order_of_rows(judged, service):
    now, before = service(2, cost=1.1), service(1)
    first = judged(now, before, *RULES, seed="1")
    again = judged(now.sample(fraction=1, shuffle=True, seed=4), before, *RULES, seed="1")
    for a, b in zip(first.results, again.results, strict=True):
        assert a.state == b.state
        assert a.evidence.relative == pytest.approx(b.evidence.relative, rel=1e-9)
    assert judged(now, before, *RULES, seed="1").results == first.results
    assert judged(now, before, *RULES, seed="2").results != first.results


def test_segments_are_new_or_missing_in_their_own_words(judged, service):
    before, now = service(1, features=("chat", "old")), service(2, features=("chat", "fresh"))
    report = judged(now, before, rules=by_feature("cost_per_call > +10%"))
    found = {r.key[0]: r.state for r in report.results}
    assert found == {"old": "missing", "fresh": "new", "chat": "inconclusive"}
    assert {r.key: r.reaction for r in report.results}["old",] == "warn"
    assert report.exit_code() is Exit.OK
    assert report.exit_code(fail_on_warn=True) is Exit.VIOLATED
    assert "2 skipped (1 new segment, 1 missing segment)" in report.sentence()


def test_an_absolute_limit_holds_for_new_segments_too(judged, service):
    report = judged(service(2, features=("fresh",)), service(1), rules=by_feature("p95_latency > 1ms"))
    assert [(r.key, r.state) for r in report.results] == [(("fresh",), "fail")]


def test_small_segments_are_pooled_alike_on_both_sides(judged, service):
    many = tuple(f"f{i:02}" for i in range(30))
    one = by_feature("cost_per_call > +10%").rules[0]
    rules = RuleSet((replace(one, settings=replace(one.settings, max_segments=5)),))
    report = judged(service(2, features=many), service(1, features=many), rules=rules)
    keys = {r.key for r in report.results}
    assert POOLED in keys
    assert len(keys) == 6
    assert report.count("new", "missing") == 0
    assert one.segment(POOLED) == "cost_per_call{feature=other}"


def test_few_calls_are_insufficient_and_say_what_is_needed(judged, service):
    report = judged(service(2, conversations=10), service(1), "cost_per_call > +10%")
    (result,) = report.results
    assert result.state == "insufficient"
    assert "needs 200" in result.verdict.reason


def test_ten_calls_of_one_conversation_are_no_ten_proofs(judged, service):
    calls = service(2, cost=1.5).with_columns(trace=pl.lit("one"))
    (result,) = judged(calls, service(1), "cost_per_call > +10%").results
    assert result.state == "insufficient"
    assert "conversations" in result.verdict.reason


def test_the_same_cases_are_paired(judged, service):
    before = service(1, conversations=60, cases=60)
    dearer = before.with_columns(pl.col("cost_usd") * 1.2, trace=pl.lit("x") + pl.col("trace"))
    plain = judged(dearer.drop("case"), before.drop("case"), "cost_per_call > +10%").results[0]
    paired = judged(dearer, before, "cost_per_call > +10%").results[0]
    assert paired.evidence.pairs == (60, 0, 0)
    assert paired.state == "fail"
    assert paired.evidence.relative == pytest.approx(0.2)
    assert plain.state == "inconclusive"


def test_cases_that_failed_are_counted_by_case(judged, service):
    before = service(1, conversations=60, cases=60, errors=0)
    broken = pl.col("case").is_in([f"case {i}" for i in range(8)])
    after = before.with_columns(status=pl.when(broken).then(pl.lit("error")).otherwise("status"))
    (result,) = judged(after, before, "error_rate > +0.5pp").results
    assert result.state == "fail"
    assert (result.evidence.base, result.evidence.current) == (0, pytest.approx(8 / 60))
    assert result.p == pytest.approx(1 / 256)


def test_an_exemption_excuses_until_its_day(judged, service):
    now, before = service(2, cost=1.8), service(1)
    (one,) = by_feature("cost_per_call > +10%").rules
    lapse = Exemption(one.id, {"feature": "ch*"}, date(2026, 12, 31), "moving")
    rules = RuleSet((one,), exemptions=(lapse,))
    report = judged(now, before, rules=rules, today=date(2026, 12, 31))
    assert {r.key[0]: r.state for r in report.results} == {"rag": "fail", "chat": "exempt"}
    late = judged(now, before, rules=rules, today=date(2027, 1, 1))
    assert {r.state for r in late.results} == {"fail"}
    assert late.expired == (lapse,)


def test_totals_are_budgets_and_are_compared_by_the_day(judged, service):
    before = service(1, conversations=800)
    half = before.filter(pl.col("ts") < before["ts"].max() - (before["ts"].max() - before["ts"].min()) / 2)
    (result,) = judged(before, half, "cost > +30%").results
    assert result.state == "pass"
    assert "per day" in result.evidence.notes[0]
    (result,) = judged(before, before, "cost > +$1/month").results
    assert result.state == "pass"
    (result,) = judged(before.with_columns(pl.col("cost_usd") * 2), before, "cost > +$1/month").results
    assert result.state == "fail"


def test_counts_of_calls_are_tested_as_noise_moves_them_too(judged, service):
    before, now = service(1), service(2)
    lost = lambda calls, n: calls.with_columns(  # noqa: E731 (a number of calls loses its price)
        cost_usd=pl.when(pl.int_range(pl.len()) * 7 % 101 < n).then(None).otherwise("cost_usd")
    )
    noise = judged(lost(now, 2), lost(before, 1), "unpriced_calls > +0").results[0]
    assert noise.state == "inconclusive"
    clear = judged(lost(now, 30), lost(before, 1), "unpriced_calls > +0").results[0]
    assert clear.state == "fail"
    row = Query(("unpriced_calls", "errors")).run(lost(now, 30)).rows[0]
    assert clear.evidence.current == row["unpriced_calls"]
    assert judged(now, None, "errors > 0").results[0].evidence.current == row["errors"]


def test_an_impact_is_the_change_at_the_traffic_of_a_month(judged, service):
    before = service(1, conversations=800)
    after = before.with_columns(pl.col("cost_usd") * 2)
    (result,) = judged(after, before, "cost_per_call > +10%").results
    days = (before["ts"].max() - before["ts"].min()).total_seconds() / 86400
    assert result.evidence.impact == pytest.approx(before["cost_usd"].sum() * 30 / days, rel=1e-6)


def test_a_split_of_no_calls_is_one_skipped_comparison(judged, service):
    one = rule("calls{feature=nobody} < 5")
    split = Split(("feature=nobody",), ("model",))
    report = judged(service(1), service(2), rules=RuleSet((replace(one, split=split),)))
    assert states(report) == ["insufficient"]
    assert report.sentence().startswith("0 comparisons, 0 failed, 0 inconclusive, 1 skipped")
