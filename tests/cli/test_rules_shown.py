"""What a check says of its rules: whose verdict it is, why it is excused, and what whoever wrote it adds."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("runs")

RULES = """\
checks:
  - id: tiers
    metric: cost_per_call
    levels: [{severity: warn, max_increase: 10%}, {severity: error, max_increase: 900%}]
    message: Ask the owners of the budget
  - {id: strict, metric: cost_per_call, max_increase: 5%}
  - {id: surely, metric: cost_per_call, max_increase: 66%, proven: true}
  - {id: excused, metric: cost_per_call, by: feature, max_increase: 5%}
exempt:
  - {check: excused, match: {feature: ch*}, until: 2999-01-01, reason: longer on purpose}
"""


def test_each_verdict_names_its_rule_its_message_and_its_excuse(llmtel, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    Path("rules.yaml").write_text(RULES)
    code, out, _ = llmtel("check", "now.jsonl", "--compare-to", "before.jsonl", "--rules", "rules.yaml")
    assert code == 3
    assert "rule     strict" in out
    assert "(limit +10 %); Ask the owners of the budget" in out
    assert "exempt: longer on purpose (until 2999-01-01)" in out
    assert "4 comparisons, 1 failed, 1 warned, 1 inconclusive, 1 exempt, 0 skipped" in out


def test_more_calls_are_not_asked_for_where_they_would_not_tell(llmtel, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    Path("rules.yaml").write_text(RULES)
    arguments = ("check", "now.jsonl", "--compare-to", "before.jsonl", "--rules", "rules.yaml")
    out = llmtel(*arguments, "--only", "surely")[1]
    assert "the interval reaches below the limit" in out
    assert "would tell" not in out


def test_many_segments_that_are_gone_are_one_line(llmtel, evaluated):
    Path("old").mkdir()
    for n in range(20):
        evaluated(f"old/{n}.jsonl", 10, feature=f"feature {n}")
    Path("rules.yaml").write_text("checks: [{metric: cost_per_call, by: feature, max_increase: 10%}]\n")
    out = llmtel("check", "now.jsonl", "--compare-to", "old", "--rules", "rules.yaml")[1]
    assert "▲ 20 missing, in the baseline, but not here" in out
    assert len(out.splitlines()) < 15


def test_what_a_segment_had_before_is_its_own(llmtel, evaluated):
    for name, version, cost in (("old", 1, 1.0), ("new", 2, 2.0)):
        Path(name).mkdir()
        for feature in ("chat", "mail"):
            path, prompt = f"{name}/{feature}.jsonl", f"{feature}@{version}"
            evaluated(path, 250, feature=feature, cost=cost, prompt_version=prompt, day=version)
    Path("rules.yaml").write_text("checks: [{metric: cost_per_call, by: feature, max_increase: 10%}]\n")
    out = llmtel("check", "new", "--compare-to", "old", "--rules", "rules.yaml", "--format", "json")[1]
    assert "chat@2, first seen in this run (before: chat@1)" in out
    assert "mail@2, first seen in this run (before: mail@1)" in out


def test_a_flood_of_failures_is_cut_and_counted(llmtel, evaluated):
    for name, cost in (("old", 1.0), ("new", 2.0)):
        Path(name).mkdir()
        for n in range(30):
            evaluated(f"{name}/{n}.jsonl", 40, feature=f"feature {n}", cost=cost)
    Path("rules.yaml").write_text(
        "defaults: {min_samples: 20}\nchecks: [{metric: cost_per_call, by: feature, max_increase: 10%}]\n"
    )
    out = llmtel("check", "new", "--compare-to", "old", "--rules", "rules.yaml")[1]
    assert out.count("✗ cost_per_call{") == 20
    assert "✗ 10 more failed" in out


def test_what_is_new_or_gone_or_unsure_may_fail_and_says_so(llmtel, evaluated):
    for name, feature in (("old", "chat"), ("new", "rag")):
        evaluated(f"{name}.jsonl", 60, feature=feature)
    rule = "{metric: cost_per_call, by: feature, max_increase: 10%, on_new: fail, on_missing: fail}"
    Path("rules.yaml").write_text(f"checks: [{rule}]\n")
    code, out, _ = llmtel("check", "new.jsonl", "--compare-to", "old.jsonl", "--rules", "rules.yaml")
    assert code == 3
    assert "FAIL  2 of 2 checks · cost_per_call{feature=chat}: in the baseline, but not here" in out
    assert "verdict  new: not in the baseline" in out
    assert "→ 0 calls" not in out


@pytest.mark.parametrize("place", ["now.jsonl/x/base.json", "/proc/nothing/base.json"])
def test_a_baseline_that_cannot_be_written_is_a_sentence(llmtel, place):
    code, _, err = llmtel("baseline", "save", "now.jsonl", "-o", place)
    assert code == 2
    assert err.startswith(f"llmtel: cannot write {place}: ")
