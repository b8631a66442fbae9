"""A baseline file says what the calls said, in little space, the same every time, and nothing of people."""

import json
import re
from datetime import UTC, date, datetime

import polars as pl
import pytest
from msgspec.structs import replace

from llmtel.checks import baseline
from llmtel.checks.check import check
from llmtel.checks.measure import keys_of, measured
from llmtel.checks.oneline import rule
from llmtel.checks.percentile import Percentile
from llmtel.checks.rules import BaselineSource, RuleSet, Split
from llmtel.core.errors import ConfigError, Exit, UsageError
from llmtel.core.schema import polars_schema
from llmtel.query.metrics import METRICS

LINES = (
    "cost_per_call > +10%",
    "p95_latency > +20%",
    "error_rate > +0.5pp",
    "cost > +30%",
    "cost_per_user > +10%",
)
RULES = RuleSet(tuple(rule(line) for line in LINES))
SAVED = datetime(2026, 11, 16, tzinfo=UTC)


def stored(side):
    return baseline.read(baseline.text(side, SAVED).encode(), "baseline.json")


def against(now, before, rules=RULES, **options):
    return check(rules, measured(now, rules.rules, keep=keys_of(before, rules.rules)), before, **options)


def test_a_file_gives_the_verdicts_that_the_calls_give(service):
    now, before = service(2, cost=1.5, slow=1.5), service(1)
    side = measured(before, RULES.rules)
    direct, through = against(now, side), against(now, stored(side))
    assert [r.state for r in through.results] == [r.state for r in direct.results]
    for a, b in zip(direct.results, through.results, strict=True):
        near = 0.011 if a.rule.metric == "p95_latency" else 1e-12
        assert b.evidence.base == pytest.approx(a.evidence.base, rel=near)
        assert b.evidence.n == a.evidence.n
        assert b.evidence.clusters[0] == a.evidence.clusters[0] or a.rule.metric == "cost"


def test_the_same_calls_against_their_own_file_never_fail(service):
    calls = service()
    report = against(calls, stored(measured(calls, RULES.rules)))
    assert {r.rule.metric: r.state for r in report.results} == {
        **{line.split()[0]: "pass" for line in LINES}, "cost_per_user": "insufficient"
    }  # fmt: skip


def test_a_file_is_the_same_for_the_same_calls_in_any_order(service):
    calls = service(conversations=1500)
    shuffled = calls.sample(fraction=1, shuffle=True, seed=3)
    first = json.loads(baseline.text(measured(calls, RULES.rules), SAVED))
    again = json.loads(baseline.text(measured(shuffled, RULES.rules), SAVED))
    assert baseline.text(measured(calls, RULES.rules), SAVED) == baseline.text(
        measured(calls, RULES.rules), SAVED
    )
    metrics = [s["splits"][0]["segments"][0]["metrics"] for s in (first, again)]
    assert metrics[0] == metrics[1]
    assert len(metrics[0]["cost_per_call"]["sums"]) == 2 * 500


def test_a_file_reads_well_line_by_line(service):
    text = baseline.text(measured(service(), RULES.rules), SAVED)
    lines = text.splitlines()
    assert lines[1] == ' "schema": "llmtel.baseline/1",'
    assert max(map(len, lines)) < 140
    assert text.endswith("}\n")


def test_a_file_holds_no_users_no_cases_and_no_conversations(service):
    calls = service(cases=40)
    by_user = replace(rule("cost_per_call{user=u3} > +10%"), split=Split(("user=u3",), ("user", "session")))
    rules = RuleSet((*RULES.rules, by_user))
    side = measured(calls, rules.rules)
    text = baseline.text(side, SAVED)
    for name in ("u3", "case 1", "t1-"):
        assert name not in text
    report = against(calls, stored(side), rules)
    assert report.count("new", "missing") == 0
    assert any("user=u3" in r.name for r in report.results)


def test_cases_are_paired_with_those_of_a_file(service):
    before = service(cases=60)
    now = before.with_columns(pl.col("cost_usd") * 1.2)
    paired = {r.rule.metric: r for r in against(now, stored(measured(before, RULES.rules))).results}
    assert paired["cost_per_call"].evidence.pairs == (60, 0, 0)
    assert paired["cost_per_call"].state == "fail"
    assert paired["error_rate"].evidence.pairs == (60, 0, 0)


def test_a_rule_that_the_file_was_not_made_for_has_no_baseline(service):
    side = stored(measured(service(), RULES.rules))
    for line in ("tokens_per_call > +10%", "cost_per_call{feature=chat} > +10%"):
        report = against(service(2), side, RuleSet((rule(line),)))
        assert [r.state for r in report.results] == ["no_baseline"]


def test_a_large_file_shrinks_until_it_fits(service, monkeypatch):
    side = measured(service(conversations=1200, cases=1200), RULES.rules)
    whole = len(baseline.text(side, SAVED))
    monkeypatch.setattr(baseline, "MOST_BYTES", whole // 3)
    small = baseline.text(side, SAVED)
    assert len(small) <= whole // 3
    kept = baseline.read(small.encode(), "b")
    sample = kept.splits[Split()][()].samples["cost_per_call"]
    assert sample.point == pytest.approx(side.splits[Split()][()].samples["cost_per_call"].point)
    assert sample.clusters == 1200
    monkeypatch.setattr(baseline, "MOST_BYTES", 100)
    with pytest.raises(UsageError, match="lower max_segments"):
        baseline.text(side, SAVED)


def test_saving_makes_folders_and_leaves_nothing_half_done(service, tmp_path):
    path = tmp_path / ".llmtel" / "baseline.json"
    side = replace(measured(service(), RULES.rules), commit="c0ffee1", accepted="a new model")
    baseline.save(side, path, SAVED)
    found = baseline.load(path)
    assert [p.name for p in path.parent.iterdir()] == ["baseline.json"]
    assert (found.saved, found.commit, found.accepted, found.calls) == (
        SAVED,
        "c0ffee1",
        "a new model",
        side.calls,
    )
    assert (found.first, found.last) == (side.first, side.last)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"schema": "other/1"}', b'{"schema": "llmtel.baseline/1"}']
)
def test_what_is_no_baseline_is_refused(content, tmp_path):
    (tmp_path / "b.json").write_bytes(content)
    with pytest.raises(ConfigError, match=r"b\.json: .*baseline"):
        baseline.load(tmp_path / "b.json")
    with pytest.raises(UsageError, match="No such file"):
        baseline.load(tmp_path / "none.json")


def test_two_files_differ_in_the_numbers_that_moved(service):
    before = measured(service(1), RULES.rules)
    assert baseline.diff(before, stored(before)) == [
        d for d in baseline.diff(before, stored(before)) if d.metric == "p95_latency"
    ]
    moved = measured(service(1).with_columns(pl.col("cost_usd") * 2), RULES.rules)
    found = {d.metric: (d.before, d.after) for d in baseline.diff(before, moved)}
    assert found.keys() == {"cost_per_call", "cost", "cost_per_user"}
    assert found["cost"][1] == pytest.approx(2 * found["cost"][0])


def test_an_old_baseline_is_told_and_a_stale_one_is_strict(service):
    rules = replace(RULES, baseline=BaselineSource(max_age_days=30))
    side = stored(measured(service(), RULES.rules))
    ages = {}
    for day in (date(2026, 12, 16), date(2026, 12, 17), date(2027, 1, 20)):
        report = against(service(), side, rules, today=day)
        ages[report.age] = report.staleness
        assert report.exit_code() is Exit.OK
    assert ages == {30: "fresh", 31: "old", 65: "stale"}
    assert report.exit_code(strict=True) is Exit.STRICT
    assert report.sentence().endswith(f"; baseline 2026-11-16 (65 d old, {side.calls:,.0f} calls)")


def test_every_metric_survives_a_file(service):
    rules = [replace(rule("cost > $1"), id=m, metric=m) for m in METRICS]
    side = measured(service(), rules)
    found = stored(side)
    for name, sample in side.splits[Split()][()].samples.items():
        # A histogram has no straight line between two values that lie apart.
        near = 0.05 if isinstance(sample, Percentile) else 1e-12
        kept = found.splits[Split()][()].samples[name].point
        assert kept == (None if sample.point is None else pytest.approx(sample.point, rel=near))


def test_numbers_are_as_short_as_they_can_be():
    costs = (0.004, 0.000963, 0.1, 0.2)
    rows = [{"trace": f"t{n // 2}", "status": "ok", "cost_usd": x} for n, x in enumerate(costs)]
    calls = pl.DataFrame(rows, schema=polars_schema(rows[0]), orient="row")
    content = baseline.text(measured(calls, [rule("cost_per_call > +10%")]))
    assert '"sums": [0.004963, 2, 0.3, 2]' in content
    assert not re.search(r"\d\.0[,\]\n]|\d{16}", content)
