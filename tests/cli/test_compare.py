"""`llmtel compare`: two sides metric by metric, and a bridge between their costs that adds up."""

import json
import math
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("runs")


def rows(out):
    return {row["metric"]: row for row in json.loads(out)["tables"][0]["rows"]}


def test_every_known_metric_is_compared_with_change_interval_and_verdict(llmtel):
    code, out, _ = llmtel("compare", "before.jsonl", "now.jsonl")
    assert code == 0
    assert "before.jsonl (300 calls, 2026-09-01 – 2026-09-01) → now.jsonl" in out
    assert " worse" in out
    assert "p95_ttft" not in out
    _, out, _ = llmtel("compare", "before.jsonl", "now.jsonl", "--format", "json")
    found = rows(out)
    assert found["cost_per_call"]["verdict"] == "worse"
    assert found["output_tokens_per_call"]["rel"] == pytest.approx(1.0)
    assert found["input_tokens_per_call"]["verdict"] == "noise"
    assert found["cost"]["verdict"] == "untested"


def test_the_bridge_adds_up_to_the_cent_and_turns_its_sign_with_the_sides(llmtel):
    there, back = (
        json.loads(llmtel("compare", *sides, "--format", "json")[1])["bridge"]
        for sides in (("before.jsonl", "now.jsonl"), ("now.jsonl", "before.jsonl"))
    )
    change = there["after"] - there["before"]
    assert math.fsum(there["effects"].values()) == pytest.approx(change, rel=1e-9)
    assert round(sum(there["cents"].values()) * 100) == round(there["after"] * 100) - round(
        there["before"] * 100
    )
    for line, effect in there["effects"].items():
        opposite = {"new": "removed", "removed": "new"}.get(line, line)
        assert back["effects"][opposite] == pytest.approx(-effect, abs=1e-12)


def test_the_cause_and_its_lever_are_named(llmtel):
    _, out, _ = llmtel("compare", "before.jsonl", "now.jsonl")
    assert "why      output tokens" in out
    assert "try      cap the output" in out


def test_a_model_that_took_the_place_of_another_is_one_move(llmtel, evaluated):
    evaluated("swapped.jsonl", 300, day=2, model="gpt-4.1-mini")
    _, out, _ = llmtel("compare", "before.jsonl", "swapped.jsonl")
    assert "moved gpt-4o-mini → gpt-4.1-mini in chat" in out
    assert re.search(r"\$0\.000\d+ → \$0\.00\d+ per call", out)
    assert "model gpt-4.1-mini, first seen in this run (before: gpt-4o-mini)" in out


def test_any_dimension_splits_and_the_smallest_are_pooled(llmtel, evaluated):
    Path("both").mkdir()
    for name, size in (("chat", 60), ("rag", 40), ("mail", 30)):
        evaluated(f"both/{name}.jsonl", size, feature=name)
    _, out, _ = llmtel("compare", "before.jsonl", "both", "--by", "feature", "--top", "2", "--format", "json")
    table = json.loads(out)["tables"][0]
    assert {(row["feature"], row.get("pooled", False)) for row in table["rows"]} >= {
        ("chat", False), ("rag", False), (None, True)
    }  # fmt: skip
    assert {row["verdict"] for row in table["rows"] if row["feature"] == "rag"} <= {"new", "insufficient"}


def test_windows_of_one_log_are_compared(llmtel, evaluated):
    Path("days").mkdir()
    for day in range(1, 5):
        evaluated(f"days/{day}.jsonl", 100, day=day, cost=1 + (day > 2))
    _, out, _ = llmtel("compare", "prev 2d", "days", "--format", "json")
    assert rows(out)["calls"]["before"] == rows(out)["calls"]["now"] == 200
    assert rows(out)["cost_per_call"]["verdict"] == "worse"


def test_a_baseline_compares_what_it_holds_and_its_cases(llmtel, evaluated):
    evaluated("old.jsonl", 60, cases=True)
    evaluated("new.jsonl", 60, cases=True, cost=1.5)
    llmtel("baseline", "save", "old.jsonl")
    _, out, _ = llmtel("compare", ".llmtel/baseline.json", "new.jsonl", "--by", "case", "--top", "3")
    assert "60 pairs" in out
    assert out.count("  case ") == 3
    code, _, err = llmtel("compare", ".llmtel/baseline.json", "new.jsonl", "--by", "model")
    assert code == 2
    assert "is not split by model; it is split by nothing" in err


def test_wrong_names_are_sentences(llmtel):
    code, _, err = llmtel("compare", "before.jsonl", "now.jsonl", "--by", "modle")
    assert code == 2
    assert "Did you mean model" in err
    code, _, err = llmtel("compare", "before.jsonl", "now.jsonl", "--metrics", "cots")
    assert code == 2


def test_cases_of_logs_are_told_by_how_much_they_moved(llmtel, evaluated):
    evaluated("old.jsonl", 60, cases=True)
    evaluated("new.jsonl", 60, cases=True, cost=1.5)
    _, out, _ = llmtel("compare", "old.jsonl", "new.jsonl", "--by", "case", "--top", "3")
    assert out.count("  case ") == 3
    _, out, _ = llmtel("compare", "old.jsonl", "new.jsonl", "--by", "case", "--top", "3", "--format", "json")
    moved = [abs(row["abs"]) for row in json.loads(out)["tables"][1]["rows"]]
    assert len(moved) == 3
    assert moved == sorted(moved, reverse=True)
    out = llmtel("compare", "before.jsonl", "now.jsonl", "--by", "case")[1]
    assert "cases  none is on both sides" in out


def test_a_baseline_may_be_either_side_or_both(llmtel):
    llmtel("baseline", "save", "before.jsonl", "-o", "old.json")
    llmtel("baseline", "save", "now.jsonl", "-o", "new.json")
    sides = (("old.json", "now.jsonl"), ("before.jsonl", "new.json"), ("old.json", "new.json"))
    found = []
    for before, now in sides:
        code, out, _ = llmtel("compare", before, now, "--format", "json")
        assert code == 0
        assert rows(out)["cost_per_call"]["verdict"] == "worse"
        found.append((rows(out)["cost_per_call"]["rel"], json.loads(out)["bridge"]["effects"]))
    assert found[0] == found[1] == found[2]


def test_where_all_moved_alike_nothing_in_particular_is_named(llmtel, evaluated):
    for name, cost in (("old", 1.0), ("new", 2.0)):
        Path(name).mkdir()
        for feature in ("chat", "rag", "mail"):
            evaluated(f"{name}/{feature}.jsonl", 100, feature=feature, cost=cost)
    assert "mostly" not in llmtel("compare", "old", "new")[1]
    evaluated("new/rag.jsonl", 100, feature="rag", cost=6.0)
    assert "mostly   feature=rag" in llmtel("compare", "old", "new")[1]


def test_a_change_that_comes_from_adding_up_alone_is_of_nobody(llmtel):
    used = (("gpt-4o-mini", 3_300_000, 330_000), ("gpt-4o", 510_000, 20_000), ("gpt-4o", 100_000, 2000))
    lines = [
        {"timestamp": f"2026-09-01T10:00:0{n}Z", "model": m, "prompt_tokens": i, "completion_tokens": o}
        for n, (m, i, o) in enumerate(used)
    ]
    Path("same.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert "mostly" not in llmtel("compare", "same.jsonl", "same.jsonl")[1]


def test_calls_that_moved_between_segments_are_told_from_dearer_segments(llmtel, evaluated):
    for name, sizes in (("old", (200, 100)), ("new", (100, 200))):
        Path(name).mkdir()
        evaluated(f"{name}/chat.jsonl", sizes[0], feature="chat")
        evaluated(f"{name}/rag.jsonl", sizes[1], feature="rag", cost=4.0)
    out = llmtel("compare", "old", "new", "--by", "feature", "--format", "json")[1]
    (mixed,) = (one for one in json.loads(out)["mixes"] if one["metric"] == "cost_per_call")
    assert mixed["mix"] > 10 * abs(mixed["within"])
    assert mixed["mix"] > 0
    lines = llmtel("compare", "old", "new", "--by", "feature")[1]
    assert "as calls moved between them" in lines


def test_the_bridge_may_be_divided_in_the_other_customary_way(llmtel):
    found = {}
    for method in ("shapley", "lmdi"):
        out = llmtel("compare", "before.jsonl", "now.jsonl", "--bridge", method, "--format", "json")[1]
        found[method] = json.loads(out)["bridge"]
    change = found["lmdi"]["after"] - found["lmdi"]["before"]
    assert math.fsum(found["lmdi"]["effects"].values()) == pytest.approx(change, rel=1e-9)
    assert found["lmdi"]["effects"]["tokens_per_call"] == pytest.approx(
        found["shapley"]["effects"]["tokens_per_call"], rel=0.01
    )
    assert llmtel("compare", "before.jsonl", "now.jsonl", "--bridge", "other")[0] == 2


def test_sums_of_logs_that_differ_in_length_are_compared_by_the_day_and_say_so(llmtel, evaluated):
    Path("long").mkdir()
    Path("short").mkdir()
    for day in range(1, 11):
        evaluated(f"long/{day}.jsonl", 20, day=day)
        if day < 6:
            evaluated(f"short/{day}.jsonl", 20, day=day)
    out = llmtel("compare", "long", "short")[1]
    assert "what was before is shown for as many days as now has" in out
    assert "what was before" not in llmtel("compare", "before.jsonl", "now.jsonl")[1]


def test_days_that_only_one_side_has_are_no_mix(llmtel, evaluated):
    Path("days").mkdir()
    for day in range(1, 5):
        evaluated(f"days/{day}.jsonl", 60, day=day, cost=1 + (day > 2))
    out = llmtel("compare", "prev 2d", "days", "--by", "day", "--format", "json")[1]
    assert json.loads(out)["mixes"] == []


def of_model(path, *models):
    """A log of 30 calls of each model, at the same time on the same day."""
    line = {"timestamp": "2026-11-01T10:00:00Z", "input_tokens": 1000, "output_tokens": 100}
    logged = [json.dumps({**line, "model": model}) for model in models for _ in range(30)]
    Path(path).write_text("\n".join(logged) + "\n")


def test_a_cost_that_one_side_does_not_know_is_unknown_and_neither_new_nor_left_out(llmtel):
    of_model("unpriced.jsonl", "acme-7b")
    of_model("priced.jsonl", "gpt-4o")
    for sides, known in (
        (("unpriced.jsonl", "priced.jsonl"), "now"),
        (("priced.jsonl", "unpriced.jsonl"), "before"),
    ):
        _, out, _ = llmtel("compare", *sides)
        assert re.search(r"  cost +(\?|\$0\.\d+) +(\?|\$0\.\d+) +unknown", out)
        _, out, _ = llmtel("compare", *sides, "--format", "json")
        cost = rows(out)["cost"]
        assert cost["verdict"] == "unknown"
        assert [name for name in ("before", "now") if cost[name] is not None] == [known]


def test_calls_without_a_price_on_one_side_are_told_where_the_cost_is_explained(llmtel):
    of_model("half.jsonl", "gpt-4o", "acme-7b")
    of_model("whole.jsonl", "gpt-4o", "gpt-4o")
    _, out, _ = llmtel("compare", "half.jsonl", "whole.jsonl")
    assert "rests on the calls whose cost is known: 30 of 60 before, 60 of 60 now" in out
    _, out, _ = llmtel("compare", "whole.jsonl", "whole.jsonl")
    assert "rests on" not in out
