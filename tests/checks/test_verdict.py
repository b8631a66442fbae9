"""The verdict algorithm gives the verdicts of the design's table, and is monotone and symmetric."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from llmtel.checks import limits, verdict
from llmtel.checks.kinds import fewest_for_limit
from llmtel.checks.limits import Amount, Limit
from llmtel.checks.oneline import rule
from llmtel.checks.rules import Level, Rule, Settings
from llmtel.checks.verdict import Evidence, Verdict
from llmtel.query.metrics import METRICS
from llmtel.stats.rates import Interval, Rate, wilson

CASES = (
    "clear_fail", "noise", "few", "within", "proven_fail_not_proven", "new_segment", "no_baseline", "ceiling",
    "rate_unproven", "rate_ok", "rate_point",
)  # fmt: skip


def evidence(case):
    n = tuple(case["n"])
    held = "none" if n[0] is None else "new" if n[0] == 0 else "both"
    return Evidence(
        case.get("cur"),
        case.get("base"),
        n,
        tuple(case.get("clusters", (None, None))),
        held,
        relative=case.get("rel"),
        absolute=case.get("abs"),
        relative_interval=Interval(*case["ci_rel"]) if "ci_rel" in case else None,
        p_rise=case.get("p_adj"),
        rate=Rate(case["k"], n[1]) if "k" in case else None,
    )


@pytest.mark.parametrize("name", CASES)
def test_the_decision_table_holds(vectors, name):
    case = next(c for c in vectors["decision_table"]["cases"] if c["id"] == name)
    metric, given_ = METRICS[case["metric"]], case["rule"]
    floor = limits.level(given_["min_abs"], metric) if "min_abs" in given_ else None
    one = Rule(
        "r",
        metric.name,
        (),
        min_abs=floor,
        proven=given_.get("proven", False),
        interval=given_.get("test") != "point",
        settings=Settings(min_samples=given_.get("min_samples", 200)),
    )
    facts = evidence(case)
    if "max" in given_:
        limit = Limit("max", limits.level(given_["max"], metric))
        found = verdict.of_level(limit, one, facts, fewest_for_limit(metric))
    else:
        limit = Limit("max_increase", limits.change(given_["max_increase"], metric))
        found = verdict.of_change(limit, one, facts, facts.p_rise, None)
    assert found.state == case["verdict"], found
    assert found.reason
    if "wilson_lower" in case:
        assert wilson(facts.rate).low == pytest.approx(case["wilson_lower"], rel=1e-9)


def change(tolerance, relative, p, sign=1, **rules):
    limit = Limit("max_increase" if sign > 0 else "max_decrease", Amount(tolerance, "", relative=True))
    facts = Evidence(
        1 + relative, 1.0, (500, 500), (90, 90), relative=relative, absolute=relative, p_rise=p, p_fall=1 - p,
        relative_interval=Interval(relative - 0.05, relative + 0.05),
    )  # fmt: skip
    one = Rule("r", "cost_per_call", (Level("error", (limit,)),), **rules)
    return verdict.of_change(limit, one, facts, facts.p(sign), facts.p(-sign)).state


RANK = {"improved": 0, "pass": 0, "inconclusive": 1, "fail": 2}
shares = st.floats(-0.9, 3)
chances = st.floats(0.0001, 0.9999)


@settings(deadline=None)
@given(shares, chances, st.floats(0, 1), st.floats(0, 1), st.booleans())
def test_a_larger_tolerance_never_makes_a_graver_verdict(relative, p, one, other, proven):
    small, large = sorted((one, other))
    assert RANK[change(large, relative, p, proven=proven)] <= RANK[change(small, relative, p, proven=proven)]


@settings(deadline=None)
@given(st.floats(-0.5, 0.5), chances, st.floats(0, 1))
def test_a_limit_on_falls_mirrors_one_on_rises(relative, p, tolerance):
    assert change(tolerance, relative, p) == change(tolerance, -relative, 1 - p, sign=-1)


def test_a_change_below_the_floor_passes_however_sure_it_is():
    floor = Amount(0.5, "$0.5")
    assert change(0.1, 0.4, 0.001) == "fail"
    assert change(0.1, 0.4, 0.001, min_abs=floor) == "pass"
    assert change(0.1, 0.6, 0.001, min_abs=floor) == "fail"
    assert change(0.1, 0.6, 0.2, min_abs=floor) == "inconclusive"


def test_better_is_its_own_word():
    assert change(0.1, -0.4, 0.999) == "improved"
    assert change(0.1, -0.4, 0.9) == "pass"
    assert change(0.1, -0.05, 0.999) == "pass"


def test_one_error_of_ten_does_not_break_a_limit_that_thirty_of_six_hundred_do():
    one = rule("error_rate > 2%")
    (limit,) = one.levels[0].limits
    facts = Evidence(0.1, n=(None, 10), rate=Rate(1, 10))
    assert verdict.of_level(limit, one, facts, 0).state == "inconclusive"
    assert verdict.of_level(limit, one, replace(facts, current=0.05, rate=Rate(30, 600)), 0).state == "fail"


def test_a_percentile_of_few_calls_is_no_ground_for_a_verdict():
    assert [fewest_for_limit(METRICS[m]) for m in ("p50_latency", "p95_latency", "p99_latency")] == [
        2,
        20,
        100,
    ]
    one = rule("p95_latency > 8s")
    found = verdict.of_level(one.levels[0].limits[0], one, Evidence(9000.0, n=(None, 19)), 20)
    assert found.state == "insufficient"
    assert "needs 20" in found.reason


def test_the_gravest_verdict_counts():
    found = verdict.worst([Verdict("pass"), Verdict("no_baseline"), Verdict("fail"), Verdict("inconclusive")])
    assert found.state == "fail"
    assert verdict.worst([Verdict("pass"), Verdict("improved")]).state == "improved"
