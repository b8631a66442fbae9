"""`llmtel check`: rules over logs, what they are compared with, and the exit codes of a gate."""

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("runs")


def test_dearer_calls_fail_with_a_sentence_and_exit_3(llmtel):
    code, out, err = llmtel("check", "now.jsonl", "--compare-to", "before.jsonl")
    assert (code, err) == (3, "")
    assert "FAIL  1 of 4 checks · a call costs" in out
    assert "✗ cost_per_call" in out
    assert "limit +10 %, and at least $0.0001" in out
    assert "300 → 300 calls" in out
    assert "95 % sure it is between +" in out
    assert "4 comparisons, 1 failed, 0 inconclusive" in out
    assert "default rules" in out


def test_the_same_calls_are_one_line_and_exit_0(llmtel, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    rule = ("--fail-if", "cost_per_call > +10%")
    code, out, _ = llmtel("check", "now.jsonl", "--compare-to", "now.jsonl", *rule)
    assert code == 0
    (line,) = out.splitlines()
    assert line.startswith("  ✓  cost per call $")
    assert "(±0, 300 → 300 calls) · 1 comparison, 0 failed, 0 inconclusive, 0 skipped; base" in line


def test_a_change_that_is_let_through_as_too_small_to_matter_says_so(llmtel, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    Path("llmtel.yaml").write_text("checks:\n  - {metric: cost_per_call, max_increase: 10%, min_abs: $9}\n")
    code, out, _ = llmtel("check", "now.jsonl", "--compare-to", "before.jsonl")
    assert code == 0
    assert "300 → 300 calls, below the floor of $9) · 1 comparison" in out
    assert "1 below a floor" in out


def test_a_first_run_never_fails(llmtel):
    code, out, _ = llmtel("check", "now.jsonl")
    assert code == 0
    assert "nothing to compare with yet: there is no .llmtel/baseline.json" in out
    assert "make one  llmtel baseline save now.jsonl" in out
    assert "0 comparisons" in out
    assert llmtel("check", "now.jsonl", "--strict")[0] == 4


def test_an_absolute_limit_needs_no_baseline(llmtel):
    code, out, _ = llmtel("check", "now.jsonl", "--fail-if", "p95_latency > 1s")
    assert code == 3
    assert "p95 latency is 1.50 s, above the limit of 1 s" in out
    assert llmtel("check", "now.jsonl", "--fail-if", "p95_latency > 8s")[0] == 0
    assert llmtel("check", "now.jsonl", "--fail-if", "p95_latency > 1s", "--exit-zero")[0] == 0


def test_windows_of_one_log_are_compared(llmtel, evaluated):
    Path("both").mkdir()
    for day in range(1, 9):
        evaluated(f"both/{day}.jsonl", 100, day=day, cost=1 + (day > 4))
    code, out, _ = llmtel("check", "both", "--compare", "prev 4d", "--fail-if", "cost_per_call > +10%")
    assert code == 3
    assert "400 → 400 calls" in out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--fail-if", "cost_per_cal > +10%"), "Did you mean cost_per_call"),
        (("--compare", "7d"), "write prev and a length"),
        (("--compare", "prev 7d", "--baseline", "x.json"), "compared with one thing"),
        (("--format", "junti"), "Did you mean junit?"),
        (("--format", "json", "--format", "table"), "would mix on standard output"),
        (("-o", "a", "-o", "b"), "more files than formats"),
        (("--only", "nope"), "--only nope: there is no check"),
        (("--rules", "nowhere.yaml"), "--rules nowhere.yaml: No such file"),
    ],
)
def test_a_wrong_option_is_a_sentence_and_exit_2(llmtel, options, said):
    code, out, err = llmtel("check", "now.jsonl", *options)
    assert (code, out) == (2, "")
    assert said in err


def test_rules_stand_in_the_configuration_and_a_file_replaces_them(llmtel):
    Path("llmtel.yaml").write_text("checks:\n  - metric: p95_latency\n    max: 1s\n    message: Ask us\n")
    code, out, _ = llmtel("check", "now.jsonl")
    assert code == 3
    assert "note     Ask us" in out
    Path("other.yaml").write_text("checks: ['p95_latency > 9s']\n")
    assert llmtel("check", "now.jsonl", "--rules", "other.yaml")[0] == 0
    Path("other.yaml").write_text("checks:\n  - metric: p95_latency\n    mx: 9s\n")
    code, _, err = llmtel("check", "now.jsonl", "--rules", "other.yaml")
    assert code == 2
    assert "other.yaml:3" in err


def test_json_has_every_number_unrounded(llmtel):
    _, out, _ = llmtel("check", "now.jsonl", "--compare-to", "before.jsonl", "--format", "json")
    answer = json.loads(out)
    assert answer["schema"] == "llmtel.check/1"
    assert answer["summary"]["fail"] == 1
    assert answer["summary"]["exit"] == 3
    (cost,) = [r for r in answer["results"] if r["metric"] == "cost_per_call"]
    assert cost["verdict"] == "fail"
    assert cost["rel"] == pytest.approx(cost["current"] / cost["base"] - 1)
    assert cost["ci"][0] < cost["rel"] < cost["ci"][1]
    assert cost["n"] == [300, 300]
    assert answer["baseline"]["calls"] == 300


def test_several_outputs_are_written_in_one_run(llmtel, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    Path("summary.md").write_text("of another step\n")
    formats = (
        "github",
        "markdown=out/comment.md",
        "junit=report.xml",
        "gitlab=quality.json",
        "openmetrics=m.txt",
    )
    options = [word for fmt in formats for word in ("--format", fmt)]
    code, out, _ = llmtel("check", "now.jsonl", "--compare-to", "before.jsonl", *options)
    assert code == 3
    assert out.startswith("::error title=cost_per_call::cost_per_call $")
    assert Path("out/comment.md").read_text().startswith("<!-- llmtel:check:default -->\n### ❌ ")
    assert Path("summary.md").read_text().startswith("of another step\n<!-- llmtel:check")
    assert 'failures="1"' in Path("report.xml").read_text()
    assert json.loads(Path("quality.json").read_text())[0]["severity"] == "major"
    assert "llmtel_cost_per_call " in Path("m.txt").read_text()


def test_an_empty_file_is_fine_and_an_unreadable_folder_is_not(llmtel):
    Path("empty.jsonl").write_text("")
    code, out, _ = llmtel("check", "empty.jsonl", "--compare-to", "before.jsonl")
    assert code == 0
    assert "no calls in empty.jsonl" in out
    Path("x").mkdir()
    Path("x/y.bin").write_bytes(b"\x00\x01")
    assert llmtel("check", "x")[0] == 5


RULES = """\
checks:
  - metric: cost_per_call
    by: feature
    max_increase: 10%
  - metric: p95_latency
    max_increase: 20%
"""


def paired(evaluated, version, cost, path):
    evaluated(path, 60, cost=cost, prompt_version=version, cases=True)


def test_a_failure_says_why_what_is_new_and_what_can_be_done(llmtel, evaluated):
    Path("llmtel.yaml").write_text(RULES)
    paired(evaluated, "v3", 1.0, "old.jsonl")
    paired(evaluated, "v4", 1.5, "new.jsonl")
    llmtel("baseline", "save", "old.jsonl")
    code, out, _ = llmtel("check", "new.jsonl", "--monthly-calls", "84000")
    assert code == 3
    assert "chat costs " in out.splitlines()[0]
    assert "60 paired cases" in out
    assert "at 84,000 calls a month (as told)" in out
    assert "why      output tokens" in out
    assert "prompt v4, first seen in this run (before: v3)" in out
    assert "cap the output" in out
    assert "llmtel compare .llmtel/baseline.json new.jsonl --by case" in out


def test_the_causes_in_json_add_up_to_the_change_of_a_thousand_calls(llmtel):
    _, out, _ = llmtel("check", "now.jsonl", "--compare-to", "before.jsonl", "--format", "json")
    (cost,) = [r for r in json.loads(out)["results"] if r["verdict"] == "fail"]
    assert cost["basis"] == "per 1,000 calls"
    assert [cause["text"] for cause in cost["why"]] == ["output tokens", "prices"]
    assert cost["lever"]


def test_the_comment_names_the_cases_that_moved_most(llmtel, evaluated):
    paired(evaluated, "v3", 1.0, "old.jsonl")
    paired(evaluated, "v4", 1.5, "new.jsonl")
    llmtel("baseline", "save", "old.jsonl")
    _, out, _ = llmtel("check", "new.jsonl", "--format", "markdown")
    assert out.count("| `case ") == 10
    assert "<details><summary>The cases whose cost per call moved most</summary>" in out
    baseline = Path(".llmtel/baseline.json").read_text()
    assert "case 1" not in baseline


DAILY = "Date,Slug,Usage,BYOK Usage,Requests,Prompt Tokens,Completion Tokens,Reasoning Tokens\n"


def export(path, days, times):
    rows = (f"2026-09-{day:02d} 00:00:00,openai/gpt-5-mini,{2 * times},0,12,24000,3000,0\n" for day in days)
    Path(path).write_text(DAILY + "".join(rows))


def test_a_provider_export_is_checked_by_its_spend(llmtel):
    export("a.csv", range(1, 15), 1)
    export("b.csv", range(15, 29), 1.6)
    export("short.csv", range(15, 22), 1)
    assert "14 segments" not in llmtel("baseline", "save", "a.csv")[1]
    code, out, _ = llmtel("check", "b.csv")
    assert code == 3
    assert "cost rose by 60.0 %" in out
    assert "default rules  cost > +30%, cache_hit_rate < -10pp" in out
    code, out, _ = llmtel("check", "short.csv")
    assert code == 0
    assert "✓  cost $14.00 (" in out


def test_an_export_without_numbers_of_requests_is_not_empty(llmtel):
    rows = (f"2026-09-{day:02d} 00:00:00,openai/gpt-5-mini,2,0,,24000,3000,0\n" for day in range(1, 15))
    Path("a.csv").write_text(DAILY + "".join(rows))
    out = llmtel("check", "a.csv")[1]
    assert "no calls in" not in out
    assert "nothing to compare with yet" in out


def test_an_export_and_a_log_of_calls_do_not_mix(llmtel):
    export("a.csv", range(1, 3), 1)
    assert llmtel("check", "a.csv", "now.jsonl")[0] == 2


@pytest.mark.parametrize("fmt", ["table", "markdown", "json"])
@pytest.mark.parametrize("command", ["check", "analyze"])
def test_on_a_runner_nothing_that_is_printed_is_a_command(llmtel, evaluated, monkeypatch, command, fmt):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    evaluated("evil.jsonl", 300, feature="::error::x ##[group]y")
    Path("llmtel.yaml").write_text(RULES)
    _, out, err = llmtel(command, "evil.jsonl", "--format", fmt)
    assert "group]y" in out
    assert "##[" not in out + err
    assert not any(line.lstrip().startswith("::") for line in (out + err).splitlines())
    if fmt == "json":
        assert json.loads(out)["schema"] == f"llmtel.{command}/1"


def test_a_violated_rule_comes_before_what_strict_complains_of(llmtel):
    with Path("now.jsonl").open("a") as log:
        log.write("{broken\n")
    rule = ("--fail-if", "p95_latency > 1s")
    assert llmtel("check", "now.jsonl", "--strict", *rule)[0] == 3
    assert llmtel("check", "now.jsonl", "--strict", "--fail-if", "p95_latency > 9s")[0] == 4
    assert llmtel("check", "now.jsonl", "--fail-if", "p95_latency > 9s")[0] == 0


def test_a_warning_ends_with_3_where_that_is_asked_for(llmtel):
    Path("llmtel.yaml").write_text("checks: [{metric: p95_latency, max: 1s, severity: warn}]\n")
    code, out, _ = llmtel("check", "now.jsonl")
    assert code == 0
    assert "WARN" in out
    assert llmtel("check", "now.jsonl", "--fail-on", "warn")[0] == 3


def test_the_same_seed_gives_the_same_words(llmtel, evaluated):
    evaluated("other.jsonl", 400, cost=1.1, day=3)
    words = [llmtel("check", "other.jsonl", "--compare-to", "before.jsonl")[1] for _ in range(2)]
    assert words[0] == words[1]


def test_explain_shows_one_check_and_how_its_verdict_was_found(llmtel, evaluated):
    evaluated("near.jsonl", 300, cost=1.02, day=3)
    _, out, _ = llmtel("check", "near.jsonl", "--compare-to", "before.jsonl", "--explain", "cost_per_call")
    assert "verdict  pass: within tolerance" in out
    assert "rests on 300 → 300 calls, 300 → 300 conversations" in out
    assert "test     p " in out
    assert "p95_latency" not in out.partition("default rules")[0]
    assert llmtel("check", "near.jsonl", "--explain", "nope")[0] == 2


@pytest.mark.parametrize(
    ("rule", "code", "said"),
    [
        ("cost_per_call{feature=chatt} > +10%", 0, "known of no call on either side; no call matches"),
        ("p95_latency{feature=chatt} > 8s", 0, "not known of any call; no call matches"),
        ("calls{feature=chatt} < 5", 3, "below the limit of 5"),
        ("unpriced_calls{feature=chatt} > 0", 0, "1 comparison"),
    ],
)
def test_a_rule_that_no_call_matches_is_told(llmtel, monkeypatch, rule, code, said):
    monkeypatch.setenv("COLUMNS", "200")
    found, out, _ = llmtel("check", "now.jsonl", "--compare-to", "before.jsonl", "--fail-if", rule)
    assert found == code
    assert said in out
    if "nothing was compared" in out:
        assert "0 comparisons, 0 failed, 0 inconclusive, 1 skipped (1 insufficient data)" in out
        assert llmtel("check", "now.jsonl", "--fail-if", rule, "--strict")[0] == 4


def test_a_split_that_no_call_matches_is_one_skipped_comparison(llmtel):
    rule = "{metric: cost_per_call, by: feature, where: {feature: chatt}, max_increase: 10%}"
    Path("rules.yaml").write_text(f"defaults: {{on_new: warn}}\nchecks: [{rule}]\n")
    for other in (("--compare-to", "before.jsonl"), ()):
        code, out, _ = llmtel("check", "now.jsonl", *other, "--rules", "rules.yaml", "--format", "json")
        assert code == 0
        assert json.loads(out)["results"][0]["segment"] == {}


def test_a_percentile_is_not_judged_on_fewer_calls_than_bound_it(llmtel, evaluated):
    """At 95 % the interval of a p95 is finite from 72 values on, that of a p99 from 368."""
    evaluated("slow.jsonl", 300, day=3, latency_ms=9000)
    rules = "defaults: {min_samples: 20}\nchecks: ['p99_latency > +20%', 'p95_latency > +20%']\n"
    Path("rules.yaml").write_text(rules)
    asked = ("slow.jsonl", "--compare-to", "before.jsonl", "--rules", "rules.yaml")
    found = json.loads(llmtel("check", *asked, "--format", "json")[1])["results"]
    p95, p99 = sorted(found, key=lambda one: one["metric"])
    assert (p95["verdict"], p99["verdict"]) == ("fail", "insufficient")
    assert p99["reason"] == "300 and 300 calls, needs 368 a side"


def test_a_rule_that_no_call_matches_has_no_baseline_on_a_first_run(llmtel, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    out = llmtel("check", "now.jsonl", "--fail-if", "cost_per_call{feature=chatt} > +10%")[1]
    assert "1 skipped (1 no baseline)" in out


def test_a_day_is_compared_with_its_like_and_totals_by_the_day(llmtel, evaluated):
    """Every seventh day costs twice the others: the last is like its like, and not like the day before."""
    Path("weeks").mkdir()
    for day in range(1, 30):
        evaluated(f"weeks/{day}.jsonl", 210, day=day, cost=2.0 if day % 7 == 1 else 1.0)
    rules = "checks: ['cost_per_call > +10%', 'cost > +10%']"
    Path("llmtel.yaml").write_text(f"baseline: {{source: window, compare: same-weekdays 4w}}\n{rules}\n")
    code, out, _ = llmtel("check", "weeks", "--format", "json")
    assert code == 0
    assert {one["verdict"] for one in json.loads(out)["results"]} == {"pass"}
    assert llmtel("check", "weeks", "--compare", "prev 1d")[0] == 3
    _, out, _ = llmtel("compare", "same-weekdays 4w", "weeks")
    assert "the same day in the 4w before (840 calls" in out
    Path("llmtel.yaml").write_text(f"baseline: {{source: window, compare: weekly}}\n{rules}\n")
    assert "llmtel.yaml:1: baseline > compare: 'weekly' is no window" in llmtel("check", "weeks")[2]


def test_the_rules_may_say_what_to_compare_with(llmtel, evaluated):
    Path("both").mkdir()
    for day in range(1, 9):
        evaluated(f"both/{day}.jsonl", 100, day=day, cost=1 + (day > 4))
    window = "baseline: {source: window, compare: prev 4d}\nchecks: ['cost_per_call > +10%']\n"
    Path("llmtel.yaml").write_text(window)
    assert llmtel("check", "both")[0] == 3
    Path("llmtel.yaml").write_text("baseline: {source: none}\nchecks: ['cost_per_call > +10%']\n")
    code, out, _ = llmtel("check", "both")
    assert code == 0
    assert "there is no baseline" in out


def test_a_total_that_rose_because_more_calls_have_a_price_says_so(llmtel):
    line = {"timestamp": "2026-11-01T10:00:00Z", "input_tokens": 1000, "output_tokens": 100}
    for name, models in (("half", ("gpt-4o", "acme-7b")), ("whole", ("gpt-4o", "gpt-4o"))):
        logged = [json.dumps({**line, "model": model}) for model in models for _ in range(30)]
        Path(f"{name}.jsonl").write_text("\n".join(logged) + "\n")
    gate = ("check", "whole.jsonl", "--compare-to", "half.jsonl", "--fail-if", "cost > +10%")
    said = "the calls whose cost is known: 30 of 60 before, 60 of 60 now"
    code, out, _ = llmtel(*gate)
    assert (code, f"rests on {said}" in out) == (3, True)
    assert f"**Rests on:** {said}" in llmtel(*gate, "--format", "markdown")[1]
    assert said in llmtel(*gate, "--format", "json")[1]
    assert said not in llmtel(*gate, "--share")[1]
