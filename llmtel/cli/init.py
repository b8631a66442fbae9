"""`llmtel init`: the files with which a repository begins to check."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import asdict

from llmtel.cli import options as o
from llmtel.cli.first_rules import tell, write_rules
from llmtel.core.errors import UsageError

RUN = "make evaluate"
SCHEMA = Path(".llmtel/schema.json")
At = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE", help="The file to write", rich_help_panel=o.SAY)
]
GitHub = Annotated[
    bool, typer.Option("--github", help="A workflow for GitHub Actions", rich_help_panel=o.ASK)
]
GitLab = Annotated[bool, typer.Option("--gitlab", help="A job for GitLab CI", rich_help_panel=o.ASK)]
Logs = Annotated[
    list[str],
    typer.Argument(metavar="LOGS...", help="The logs of an evaluation run, for the first baseline"),
]
Run = Annotated[
    str,
    typer.Option(
        "--run", metavar="COMMAND", help="The command that runs the evaluation", rich_help_panel=o.ASK
    ),
]


def ci(logs: Logs, github: GitHub = False, gitlab: GitLab = False, run: Run = RUN) -> None:
    """Write rules, a first baseline and a workflow that checks pull requests.

    A file that is there already is kept as it is.
    """
    from llmtel.cli import baselines
    from llmtel.cli.logs import Logs as Reading
    from llmtel.cli.workflows import GITHUB, GITLAB, filled

    if github == gitlab:
        raise UsageError("llmtel init ci: say --github or --gitlab")
    if "\n" in run:
        raise UsageError("--run: one line")
    said = [write_rules()]
    if baselines.DEFAULT.exists():
        said.append((f"{baselines.DEFAULT}", "kept"))
    else:
        baselines.save(paths=logs, output=baselines.DEFAULT, rules=None, fail_if=None, **asdict(Reading()))
    template, path = (
        (GITHUB, Path(".github/workflows/llmtel.yml")) if github else (GITLAB, Path(".gitlab-ci.yml"))
    )
    words = " ".join(map(shlex.quote, logs))
    # A command with signs of YAML in it is text of YAML only in quotes.
    command = run if run.replace(" ", "").replace("-", "").isalnum() else json.dumps(run, ensure_ascii=False)
    said.append(_written(path, filled(template, words, command)))
    tell(said, "read the workflow, commit these files, and open a pull request")


def schema(output: At = SCHEMA) -> None:
    """Write the JSON Schema of llmtel.yaml, with which editors complete and check the rules."""
    from llmtel.checks.schema import json_schema
    from llmtel.cli.output import put
    from llmtel.config import SECTIONS

    text = json.dumps(json_schema(SECTIONS), indent=1, ensure_ascii=False) + "\n"
    put(text.encode(), output, folders=True, shared=True)
    first = f"make this the first line of llmtel.yaml: # yaml-language-server: $schema={output}"
    tell([(str(output), "written")], first)


def _written(path: Path, text: str) -> tuple[str, str]:
    from llmtel.cli.output import put

    if path.exists():
        return str(path), "kept: it is there"
    put(text.encode(), path, folders=True, shared=True)
    return str(path), "written"
