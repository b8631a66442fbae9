"""`llmtel check`: rules over logs, against what was before. The gate of a pull request."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from llmtel.cli import options as o
from llmtel.cli.logs import Logs, with_logs
from llmtel.core.errors import Exit

if TYPE_CHECKING:
    from llmtel.checks.check import Report
    from llmtel.cli.sides import Other, Pair
    from llmtel.core.answers import Document


class FailLevel(StrEnum):
    """From which severity on a violated rule ends with exit code 3."""

    ERROR = "error"
    WARN = "warn"


GATE = "Rules"
WITH = "Compare with"
Baseline = Annotated[
    Path | None,
    typer.Option(
        "--baseline",
        metavar="FILE",
        help="A baseline that llmtel baseline save wrote  [default: .llmtel/baseline.json]",
        rich_help_panel=WITH,
    ),
]
Compare = Annotated[
    str | None,
    typer.Option(
        "--compare",
        metavar="WINDOW",
        help="The latest part of the logs with the part before: 'prev 7d', or the last day with that "
        "weekday in the weeks before: 'same-weekdays 4w'",
        rich_help_panel=WITH,
    ),
]
CompareTo = Annotated[
    list[str] | None,
    typer.Option("--compare-to", metavar="PATH", help="Other logs (repeatable)", rich_help_panel=WITH),
]
Rules = Annotated[
    Path | None,
    typer.Option(
        "--rules",
        metavar="FILE",
        help="A file with rules under checks:  [default: those of llmtel.yaml, else good defaults]",
        rich_help_panel=GATE,
    ),
]
FailIf = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-if",
        metavar="RULE",
        help="What fails: 'cost_per_call{feature=chat} > +10%', 'p95_latency > 8s' (repeatable)",
        rich_help_panel=GATE,
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only", metavar="ID", help="Only the check with this id (repeatable)", rich_help_panel=GATE
    ),
]
Explain = Annotated[
    str | None,
    typer.Option(
        "--explain", metavar="ID", help="Only this check, and how its verdict was found", rich_help_panel=GATE
    ),
]
ExitZero = Annotated[
    bool,
    typer.Option("--exit-zero", help="Exit 0 though a rule is violated", rich_help_panel=GATE),
]
FailOn = Annotated[
    FailLevel,
    typer.Option("--fail-on", help="Exit 3 on warnings too", metavar="LEVEL", rich_help_panel=GATE),
]
Init = Annotated[
    bool,
    typer.Option(
        "--init", help="Write the default rules into llmtel.yaml, and nothing more", rich_help_panel=GATE
    ),
]
Tag = Annotated[
    str,
    typer.Option(
        "--tag",
        metavar="NAME",
        help="Name in the marker of the Markdown comment, where a pull request has several",
        rich_help_panel=o.SAY,
    ),
]
Seed = Annotated[
    str, typer.Option("--seed", metavar="N", help="Another draw of the resampling", rich_help_panel=GATE)
]
MonthlyCalls = Annotated[
    float | None,
    typer.Option(
        "--monthly-calls",
        metavar="N",
        help="Calls a month in production, for what a change comes to  [default: what the logs show]",
        rich_help_panel=GATE,
    ),
]
Formats = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        metavar="FORMAT[=FILE]",
        help="How to write the answer, and where: table, json, markdown (a comment), github, junit, gitlab, "
        "openmetrics; repeatable: --format github --format junit=report.xml",
        rich_help_panel=o.SAY,
    ),
]
Outputs = Annotated[
    list[Path] | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="The file of the --format at the same place in line that has none",
        rich_help_panel=o.SAY,
    ),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="Exit 4 when a record was rejected, or nothing was compared, or not conclusively, "
        "or the baseline is stale",
        rich_help_panel=o.READ,
    ),
]


@with_logs
def check(
    logs: Logs,
    paths: o.PathsOrStore = None,
    baseline: Baseline = None,
    compare: Compare = None,
    compare_to: CompareTo = None,
    rules: Rules = None,
    fail_if: FailIf = None,
    only: Only = None,
    explain: Explain = None,
    fail_on: FailOn = FailLevel.ERROR,
    exit_zero: ExitZero = False,
    monthly_calls: MonthlyCalls = None,
    seed: Seed = "",
    strict: Strict = False,
    init: Init = False,
    tag: Tag = "default",
    share: o.Share = False,
    share_k: o.ShareK = None,
    format_: Formats = None,
    output: Outputs = None,
) -> int:
    """Rules over logs: fails when a change is large, matters, and is more than noise.

    Without rules good defaults hold, and are shown. Without a baseline nothing is compared, and nothing
    fails but absolute limits. Exit codes: 0 fine, 2 a wrong option or rule, 3 a rule is violated, 4 under
    --strict, 5 nothing could be read.
    """
    from llmtel.cli.first_rules import rules as write_rules
    from llmtel.cli.outputs import Outputs
    from llmtel.cli.shares import sharing
    from llmtel.cli.sides import Other, pair, rules_of
    from llmtel.reports.sealing import sealed

    if init:
        write_rules()
        return Exit.OK
    outputs = Outputs.of(format_, output)
    settings = logs.settings()
    shared = sharing(share, share_k, settings)
    wanted = rules_of(settings, rules, fail_if or (), [explain] if explain else only or ())
    other = Other.of(baseline, compare, compare_to, wanted.rules)
    question = logs.question(paths, settings, wanted.dimensions())
    found = pair(question, wanted, other, "check")
    report = judged(found, seed=seed, monthly_calls=monthly_calls)
    code = _code(report, found, strict=strict, warnings=fail_on is FailLevel.WARN)
    code = Exit.OK if exit_zero and code is Exit.VIOLATED else code
    if shared is not None:
        if found.held:
            shared.refuse_baseline()
        found = replace(found, context=found.context.shared(shared))
        report = _unlabelled(report)
    elif outputs.is_public:
        found = _nameless(found)
    said = document(report, found, other, code, tag=tag, explain=explain is not None)
    outputs.write(sealed(said, shared))
    return code


def _nameless(found: Pair) -> Pair:
    """Both sides without users, so that no cause of a change is a person: annotations are read by many."""
    from llmtel.core.schema import nameless

    before = None if found.before is None else nameless(found.before)
    return replace(found, calls=nameless(found.calls), before=before)


def _unlabelled(report: Report) -> Report:
    """The verdicts, their sides without the names of paths."""
    base = report.base and replace(report.base, label="before", commit=None)
    return replace(report, current=replace(report.current, label="now"), base=base)


def judged(found: Pair, *, seed: str = "", monthly_calls: float | None = None) -> Report:
    """The verdicts about both sides."""
    from llmtel.checks.check import check as judge
    from llmtel.checks.evidence import Traffic

    told = None if monthly_calls is None else Traffic(monthly_calls, "as told")
    today = datetime.now(UTC).date()
    return judge(found.rules.rules, found.current, found.base, seed=seed, today=today, traffic=told)


def _code(report: Report, found: Pair, *, strict: bool, warnings: bool) -> Exit:
    """The exit code: 3 before 4."""
    from llmtel.cli.telling import exit_code

    code = report.exit_code(strict=strict, fail_on_warn=warnings)
    return code if code is Exit.VIOLATED else max(code, Exit(exit_code(found.context.account, strict=strict)))


def document(
    report: Report,
    found: Pair,
    other: Other,
    code: Exit,
    *,
    tag: str = "default",
    explain: bool = False,
) -> Document:
    """The answer, with the commands that go on from it."""
    from llmtel.cli.sides import DEFAULT_PATH
    from llmtel.reports.causes import Grounds
    from llmtel.reports.checking import Circumstances, checking

    file = other.baseline or DEFAULT_PATH
    command = found.context.command
    at = ("-o", str(file)) if file != DEFAULT_PATH else ()
    said = Circumstances(
        moment=datetime.now(UTC),
        code=code,
        tag=tag,
        explain=explain,
        unwritten=found.rules.unwritten,
        missing=found.missing,
        accept=command.paste("baseline update", flags=(*at, "--accept", "why")) if found.held else None,
        save=command.paste("baseline save", flags=at),
        other=(str(file),) if found.held else other.logs if len(other.logs) == 1 else None,
    )
    if found.context.sharing is not None:  # what to do next is for those who have the logs
        said = replace(said, missing=None, accept=None, save=None, other=None)
    grounds = Grounds(found.before, found.calls, found.context.tz)
    return checking(report, grounds, found.context, said)
