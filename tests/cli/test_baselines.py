"""`llmtel baseline`: what is saved, shown, compared and taken for the new normal."""

import json
import re
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("runs")


def git(*words):
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    run = subprocess.run(("git", *identity, *words), check=True, capture_output=True, text=True)  # noqa: S603, S607 (the git of the machine)
    return run.stdout.strip()


def test_a_saved_baseline_passes_the_same_logs_and_fails_dearer_ones(llmtel):
    code, out, _ = llmtel("baseline", "save", "before.jsonl")
    assert code == 0
    assert "saved  .llmtel/baseline.json: 4 metrics of 1 segment, 300 calls" in out
    assert llmtel("check", "before.jsonl")[0] == 0
    code, out, _ = llmtel("check", "now.jsonl")
    assert code == 3
    assert "accept it  llmtel baseline update now.jsonl --accept why" in out


def test_an_update_over_a_failing_check_needs_a_reason(llmtel):
    llmtel("baseline", "save", "before.jsonl")
    before = Path(".llmtel/baseline.json").read_text()
    code, out, _ = llmtel("baseline", "update", "now.jsonl")
    assert code == 3
    assert "✗ cost_per_call" in out
    assert Path(".llmtel/baseline.json").read_text() == before
    assert llmtel("baseline", "update", "now.jsonl", "--accept", " ")[0] == 2
    code, out, _ = llmtel("baseline", "update", "now.jsonl", "--accept", "longer answers")
    assert code == 0
    assert "accepted  longer answers" in out
    assert json.loads(Path(".llmtel/baseline.json").read_text())["accepted"] == "longer answers"
    assert llmtel("check", "now.jsonl")[0] == 0


def test_an_update_where_nothing_fails_needs_none(llmtel):
    assert llmtel("baseline", "update", "before.jsonl")[0] == 0
    assert llmtel("baseline", "update", "before.jsonl")[0] == 0
    assert json.loads(Path(".llmtel/baseline.json").read_text())["accepted"] is None


def test_a_baseline_names_the_commit_it_was_made_at(llmtel):
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "x")
    head = git("rev-parse", "HEAD")
    llmtel("baseline", "save", "before.jsonl")
    assert json.loads(Path(".llmtel/baseline.json").read_text())["commit"] == head
    assert f"at {head[:7]}" in " ".join(llmtel("check", "now.jsonl")[1].split())


def test_show_tells_the_numbers_of_a_baseline(llmtel):
    llmtel("baseline", "save", "before.jsonl", "--fail-if", "p95_latency{feature=chat} > 8s")
    _, out, _ = llmtel("baseline", "show")
    assert "p95_latency{feature=chat}  1.50 s  300" in out
    _, out, _ = llmtel("baseline", "show", "--format", "json")
    (row,) = json.loads(out)["tables"][0]["rows"]
    assert row["value"] == pytest.approx(1500, rel=0.011)


def test_diff_compares_logs_or_another_baseline_and_judges_nothing(llmtel):
    llmtel("baseline", "save", "before.jsonl")
    llmtel("baseline", "save", "now.jsonl", "-o", "other.json")
    for other in ("now.jsonl", "other.json"):
        code, out, _ = llmtel("baseline", "diff", other)
        assert code == 0
        assert "1 difference" in out
        assert "cost_per_call  $" in out
    assert "0 differences" in llmtel("baseline", "diff", ".llmtel/baseline.json")[1]


def test_what_is_no_baseline_is_refused_with_a_sentence(llmtel):
    Path("x.json").write_text("{}")
    code, _, err = llmtel("check", "now.jsonl", "--baseline", "x.json")
    assert code == 2
    assert "x.json: no baseline of llmtel" in err


CHEAP = ("--price", "gpt-4o-mini=0.01/0.5")


def test_a_new_price_list_is_no_regression_for_the_baseline_is_priced_anew(llmtel):
    llmtel("baseline", "save", "before.jsonl", *CHEAP)
    code, out, _ = llmtel("check", "before.jsonl", "--format", "json")
    found = json.loads(out)
    assert code == 0
    (cost,) = (one for one in found["results"] if one["metric"] == "cost_per_call")
    assert cost["base"] == pytest.approx(cost["current"], rel=1e-9)
    code, out, _ = llmtel("check", "now.jsonl")
    assert code == 3
    assert "repriced  the baseline, made with the list of" in out
    assert re.search(r"\n +prices +\$0\n", out)
    old = found["baseline"]["repriced"]["sha256"]
    assert old != found["baseline"]["prices"]["sha256"] == found["pricing"]["sha256"]


def test_a_baseline_keeps_its_prices_where_that_is_asked_for_or_cannot_be_helped(llmtel, evaluated):
    llmtel("baseline", "save", "before.jsonl", *CHEAP)
    Path("kept.yaml").write_text("baseline: {reprice: none}\nchecks: ['cost_per_call > +1%']\n")
    code, out, _ = llmtel("check", "before.jsonl", "--rules", "kept.yaml")
    assert code == 3
    assert "two price lists  the baseline is priced with the list of" in out
    evaluated("mixed.jsonl", 300, day=2, model="gpt-5", user_id="ann")
    rules = "checks: [{metric: cost_per_call, by: user, max_increase: 1%}]\n"
    Path("users.yaml").write_text(rules)
    asked = ("mixed.jsonl", "before.jsonl", "--rules", "users.yaml")
    llmtel("baseline", "save", *asked, *CHEAP)
    assert "two price lists" in llmtel("check", *asked)[1]
    Path("users.yaml").write_text(rules.replace("user", "model"))
    llmtel("baseline", "save", *asked, *CHEAP)
    assert llmtel("check", *asked)[0] == 0


def test_a_baseline_is_compared_with_calls_that_met_the_same_filters(llmtel):
    llmtel("baseline", "save", "before.jsonl", "--where", "user=ann", "--where", "feature=chat")
    assert "ann" not in Path(".llmtel/baseline.json").read_text()
    code, _, err = llmtel("check", "now.jsonl")
    assert code == 2
    assert "this run has no --where: compare like with like" in err
    assert llmtel("check", "now.jsonl", "--where", "feature=chat", "--where", "user=ann")[0] != 2
