"""`--share` where two sides are compared: segments of few people on either side are not told."""

import json
from pathlib import Path

import pytest

LOGS = Path(__file__).parents[2] / "sample_logs"


def calls(users, *, day, region="us", tokens=10, each=1):
    """One or several calls of each of some users, the ids told apart by region and day."""
    return [
        {
            "timestamp": f"2026-09-{day:02}T10:{n // 60:02}:{n % 60:02}Z",
            "request_id": f"r-{region}-{day}-{n}",
            "model": "gpt-4o-mini",
            "prompt_tokens": 100,
            "completion_tokens": tokens,
            "latency_ms": 900,
            "user_id": f"zoe-{region}-{n % users}",
            "region": region,
        }
        for n in range(users * each)
    ]


@pytest.fixture
def logs(tmp_path, monkeypatch):
    """Two logs: in the second the region `eu` is of two users alone."""
    monkeypatch.chdir(tmp_path)
    for name, day, few in (("secret-a.jsonl", 1, 9), ("secret-b.jsonl", 2, 2)):
        rows = [*calls(20, day=day, each=15), *calls(9, day=day, region="asia", each=15)]
        rows += calls(few, day=day, region="eu", tokens=5000 if few == 2 else 10, each=150)
        Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return "secret-a.jsonl", "secret-b.jsonl"


@pytest.mark.parametrize("form", ["table", "json"])
def test_a_comparison_has_no_number_of_a_segment_that_is_small_on_one_side(llmtel, logs, form):
    code, out, err = llmtel(
        "compare", *logs, "--share", "--by", "region", "--metrics", "calls", "--format", form
    )
    assert code == 0, err
    assert "secret" not in out
    assert "zoe" not in out
    if form == "json":
        rows = {row["region"]: row for row in json.loads(out)["tables"][0]["rows"]}
        assert (rows["eu"]["suppressed"], rows["asia"]["suppressed"]) == ("<5", "held back")
        assert {rows[name][side] for name in ("eu", "asia") for side in ("before", "now", "abs")} == {None}
        assert rows["us"]["now"] == 300


def test_the_bridge_is_told_only_where_every_cell_is_of_enough_people(llmtel, logs):
    assert "why" in llmtel("compare", *logs, "--share")[1]
    rows = [{**row, "model": "gpt-4o"} for row in calls(2, day=2, region="x", each=30)]
    Path(logs[1]).write_text(Path(logs[1]).read_text() + "".join(json.dumps(row) + "\n" for row in rows))
    assert "why" not in llmtel("compare", *logs, "--share")[1]


def test_a_check_tells_only_verdicts_about_enough_people_and_fails_all_the_same(llmtel, logs):
    rule = "p95_latency{region=eu} > 0.5s"
    asked = ("check", logs[1], "--compare-to", logs[0], "--fail-if", rule, "--fail-if", "calls > 10000")
    assert llmtel(*asked)[0] == 3
    forms = ("json", "markdown", "github", "junit", "gitlab", "openmetrics")
    files = [word for form in forms for word in ("--format", f"{form}=answer.{form}")]
    code, out, _ = llmtel(*asked, "--share", "--format", "table", *files)
    assert code == 3
    for text in (out, *(Path(f"answer.{form}").read_text() for form in forms)):
        assert not any(word in text for word in ("secret", "zoe", "eu}", '"eu"', "p95"))


def test_a_check_by_users_is_not_told(llmtel, logs):
    asked = ("check", logs[1], "--compare-to", logs[0], "--fail-if", "cost{user=zoe-us-1} > +10%", "--share")
    assert "zoe" not in llmtel(*asked)[1]


def test_a_side_of_few_people_is_refused(llmtel, logs):
    Path("few.jsonl").write_text("".join(json.dumps(row) + "\n" for row in calls(2, day=3)))
    code, _, err = llmtel("compare", logs[0], "few.jsonl", "--share")
    assert code == 2
    assert "fewer than 5 known users" in err


def test_a_baseline_says_nothing_of_people_and_is_refused(llmtel, logs):
    assert llmtel("baseline", "save", logs[0], "-o", "base.json")[0] == 0
    assert llmtel("compare", "base.json", logs[1], "--share")[0] == 2
    assert llmtel("check", logs[1], "--baseline", "base.json", "--share")[0] == 2
    assert llmtel("check", logs[1], "--baseline", "base.json", "--share", "--share-k", 1)[0] in (0, 3)


def test_a_bill_is_shared_without_models_that_few_use_or_that_are_in_no_log(llmtel, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    days = "Date,Slug,Usage,BYOK Usage,Requests,Prompt Tokens,Completion Tokens,Reasoning Tokens\n"
    bill = [
        ("openai/gpt-5-mini", 9),
        ("openai/gpt-5", 2),
        ("anthropic/claude-haiku-4.5", 3),
        ("openai/gpt-4o", 9),
    ]
    Path("secret.csv").write_text(
        days + "".join(f"2026-09-01 00:00:00,{model},0.01,0,{n},1000,100,0\n" for model, n in bill)
    )
    users = {"openai/gpt-5-mini": 9, "openai/gpt-5": 2, "openai/gpt-4o": 9}
    rows = [
        {**row, "model": model, "provider": "openrouter", "request_id": f"{model}-{row['user_id']}"}
        for model, n in users.items()
        for row in calls(n, day=1)
    ]
    Path("zoe.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = ("reconcile", "zoe.jsonl", "--with", "secret.csv", "--share")
    code, out, err = llmtel(*asked, "--format", "json")
    assert code == 0, err
    tables = {tuple(table["by"]): table["rows"] for table in json.loads(out)["tables"]}
    why = {row["model"]: row.get("suppressed") for row in tables["model",]}
    assert why["gpt-5"] == "<5"
    assert why["claude-haiku-4-5"] == "<5"
    assert sum(reason is None for reason in why.values()) == 1
    assert "secret" not in out + llmtel(*asked)[1]
    assert "zoe" not in out + llmtel(*asked)[1]
    assert llmtel(*asked, "--allocate", "model")[0] == 2


def test_annotations_point_at_no_person_even_where_a_person_is_the_cause(llmtel, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = calls(20, day=1, each=20)
    now = [
        {**row, "completion_tokens": 900 if row["user_id"] == "zoe-us-3" else 10}
        for row in calls(20, day=2, each=20)
    ]
    for name, rows in (("a.jsonl", before), ("b.jsonl", now)):
        Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = ("check", "b.jsonl", "--compare-to", "a.jsonl", "--fail-if", "cost > +5%")
    assert "zoe-us-3" in llmtel(*asked)[1]
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    assert "zoe" not in llmtel(*asked, "--format", "github")[1]
    assert "zoe" not in (tmp_path / "summary").read_text()
