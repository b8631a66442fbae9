"""The whole loop in a repository: baseline, workflow, a dearer change that fails, and the way back."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from llmtel.cli.workflows import GITHUB, GITLAB, filled

ROOT = Path(__file__).parents[2]
EVALUATE = """\
import json, os
from pathlib import Path

length = int(Path("max_tokens.txt").read_text())
Path("llm-logs").mkdir(exist_ok=True)
with open("llm-logs/run.jsonl", "w") as out:
    for n in range(60):
        out.write(json.dumps({
            "timestamp": f"2026-09-01T10:{n:02d}:00Z", "request_id": f"{length}-{n}", "model": "gpt-4o",
            "prompt_tokens": 1000 + 13 * (n % 17), "completion_tokens": length + 29 * (n % 11),
            "latency_ms": 900 + 50 * (n % 13), "status": "ok", "feature": "chat", "case": f"case {n}",
            "prompt_version": f"v{length}",
        }) + "\\n")
"""
GH = """\
#!/bin/sh
# Stands for GitHub: one comment, in comment.txt.
case "$*" in
  *--paginate*) [ -e comment.txt ] && echo 17 || true ;;
  *"-X PATCH repos/o/r/issues/comments/17"*) cp llmtel-comment.md comment.txt; echo updated >> did.txt ;;
  *"repos/o/r/issues/5/comments"*) cp llmtel-comment.md comment.txt; echo created >> did.txt ;;
  *) echo "gh $*" >&2; exit 1 ;;
esac
"""
COMMENT = Path(__file__).with_name("comment.md")


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with an evaluation, and a PATH with this llmtel, and stand-ins for pip and gh."""
    monkeypatch.chdir(tmp_path)
    for name, text in (
        ("llmtel", f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m llmtel "$@"\n'),
        ("python", f'#!/bin/sh\nexec {sys.executable} "$@"\n'),
        ("pip", "#!/bin/sh\n"),
        ("gh", GH),
    ):
        Path("bin").mkdir(exist_ok=True)
        Path("bin", name).write_text(text)
        Path("bin", name).chmod(0o755)
    Path("evaluate.py").write_text(EVALUATE)
    Path("max_tokens.txt").write_text("400")
    shell("git init -q . && python evaluate.py")
    return tmp_path


def shell(script, **env):
    """Run a script as a runner does: bash, and the first error ends it."""
    path = f"{Path('bin').absolute()}:{os.environ['PATH']}"
    run = subprocess.run(  # noqa: S603 (our own scripts)
        ["bash", "-e", "-o", "pipefail", "-c", script],  # noqa: S607 (the bash of the machine)
        check=False, capture_output=True, text=True, env={**os.environ, "PATH": path, **env},
    )  # fmt: skip
    return run.returncode, run.stdout + run.stderr


def workflow():
    """Run the steps of the GitHub workflow that are scripts; the exit code and what was printed."""
    steps = yaml.safe_load(Path(".github/workflows/llmtel.yml").read_text())["jobs"]["check"]["steps"]
    env = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": "summary.md"}
    failed, printed = 0, ""
    for step in steps:
        always = "always()" in step.get("if", "")
        if "run" not in step or (failed and not always):
            continue
        own = {
            name: value.replace("${{ github.repository }}", "o/r").replace("${{ github.event.number }}", "5")
            for name, value in step.get("env", {}).items()
        }
        code, out = shell(step["run"], **env, **own)
        failed, printed = failed or code, printed + out
    return failed, printed


def undated(text):
    """A comment without what changes by the day: dates and the price book."""
    return re.sub(r"#<!-- -->[0-9a-f]{6}", "#BOOK", re.sub(r"\d{4}-\d\d-\d\d", "DATE", text))


@pytest.mark.usefixtures("repository")
def test_a_dearer_change_fails_with_a_comment_and_the_way_back_is_green(llmtel):
    assert llmtel("init", "ci", "--github", "llm-logs", "--run", "python evaluate.py")[0] == 0
    assert json.loads(Path(".llmtel/baseline.json").read_text())["calls"] == 60
    assert workflow()[0] == 0
    assert not Path("comment.txt").exists()

    Path("max_tokens.txt").write_text("528")
    code, printed = workflow()
    assert code == 3
    assert "::error file=llmtel.yaml,line=2,title=cost_per_call::cost_per_call $0.009" in printed
    comment = Path("comment.txt").read_text()
    assert undated(comment) == COMMENT.read_text()
    assert Path("summary.md").read_text().endswith(comment)

    Path("max_tokens.txt").write_text("400")
    assert workflow()[0] == 0
    assert Path("did.txt").read_text() == "created\nupdated\n"
    assert Path("comment.txt").read_text().startswith("<!-- llmtel:check:default -->\n### ✅ cost per call")


@pytest.mark.usefixtures("repository")
def test_files_that_are_there_are_kept(llmtel):
    Path("llmtel.yaml").write_text("tz: Europe/Berlin\n")
    assert "llmtel.yaml  rules added" in llmtel("init", "ci", "--gitlab", "llm-logs")[1]
    text = Path("llmtel.yaml").read_text()
    assert text.startswith("tz: Europe/Berlin\n\nchecks:\n")
    _, out, _ = llmtel("init", "ci", "--gitlab", "llm-logs")
    assert "llmtel.yaml  kept: it has checks" in out
    assert ".gitlab-ci.yml  kept" in out
    assert Path("llmtel.yaml").read_text() == text
    assert llmtel("check", "llm-logs")[0] == 0
    assert llmtel("init", "ci", "llm-logs")[0] == 2


@pytest.mark.usefixtures("repository")
def test_check_init_writes_the_rules_that_hold_by_default(llmtel):
    before = llmtel("check", "llm-logs", "--format", "json")[1]
    assert llmtel("check", "--init")[0] == 0
    after = llmtel("check", "llm-logs", "--format", "json")[1]
    assert json.loads(before)["results"] == json.loads(after)["results"]
    assert "default rules" not in llmtel("check", "llm-logs")[1]
    assert llmtel("check")[0] == 2


@pytest.mark.usefixtures("repository")
def test_editors_get_a_schema_that_knows_the_whole_configuration(llmtel):
    code, out, _ = llmtel("init", "schema")
    assert code == 0
    assert "# yaml-language-server: $schema=.llmtel/schema.json" in " ".join(out.split())
    properties = json.loads(Path(".llmtel/schema.json").read_text())["properties"]
    assert {"checks", "baseline", "map", "pricing"} <= properties.keys()


@pytest.mark.usefixtures("repository")
def test_the_gitlab_job_runs_and_writes_its_reports(llmtel):
    llmtel("init", "ci", "--gitlab", "llm-logs", "--run", "python evaluate.py")
    job = yaml.safe_load(Path(".gitlab-ci.yml").read_text())["llmtel"]
    Path("max_tokens.txt").write_text("528")
    code, _ = shell("\n".join(job["script"]))
    assert code == 3
    for report in (*job["artifacts"]["reports"].values(), *job["artifacts"]["paths"]):
        assert Path(report).stat().st_size


def test_the_page_about_ci_has_the_workflows_that_are_written():
    page = (ROOT / "docs/ci.md").read_text()
    for template in (GITHUB, GITLAB):
        assert f"```yaml\n{filled(template, 'llm-logs/', 'make evaluate')}```" in page


def test_the_action_has_the_inputs_it_uses_and_pastes_none_into_a_script():
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    text = (ROOT / "action.yml").read_text()
    assert set(re.findall(r"inputs\.(\w+)", text)) == set(action["inputs"])
    scripts = [step["run"] for step in action["runs"]["steps"]]
    assert not any("${{" in script for script in scripts)


@pytest.mark.usefixtures("repository")
def test_the_action_checks_comments_and_ends_with_the_code(llmtel):
    llmtel("init", "ci", "--github", "llm-logs", "--run", "python evaluate.py")
    Path("temp/llmtel/bin").mkdir(parents=True)
    Path("temp/llmtel/bin/llmtel").symlink_to(Path("bin/llmtel").absolute())
    Path("max_tokens.txt").write_text("528")
    shell("python evaluate.py")
    _, check, comment, result = yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"]
    inputs = {
        "LOGS": "llm-logs", "TAG": "nightly", "GITHUB_OUTPUT": "output.txt", "RUNNER_TEMP": "temp",
        "ARGUMENTS": "--fail-if 'cost_per_call > +10%' --monthly-calls 84000",
        "COMMENTS": "repos/o/r/issues/5/comments", "ONE": "repos/o/r/issues/comments",
    }  # fmt: skip
    assert shell(check["run"], **inputs)[0] == 0
    assert Path("output.txt").read_text() == "code=3\n"
    assert shell(comment["run"], **inputs)[0] == 0
    assert Path("comment.txt").read_text().startswith("<!-- llmtel:check:nightly -->\n### ❌ ")
    assert "84,000 calls a month" in Path("comment.txt").read_text()
    assert shell(result["run"], CODE="3")[0] == 3
