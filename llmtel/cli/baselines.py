"""`llmtel baseline`: a side of a comparison in a file: save it, look at it, compare it, take a new one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from llmtel.cli import check as checking
from llmtel.cli import options as o
from llmtel.cli.logs import Logs, with_logs
from llmtel.core.errors import Exit, UsageError

if TYPE_CHECKING:
    from llmtel.checks.side import Side
    from llmtel.cli.sides import Other, Pair

DEFAULT = Path(".llmtel/baseline.json")
At = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE", help="The baseline file", rich_help_panel=o.SAY)
]
Before = Annotated[
    Path,
    typer.Option("--baseline", metavar="FILE", help="The baseline to compare with", rich_help_panel=o.ASK),
]
File = Annotated[Path, typer.Argument(metavar="[FILE]", help="The baseline file")]
Accept = Annotated[
    str | None,
    typer.Option(
        "--accept",
        metavar="REASON",
        help="Take the new numbers though a check fails; the reason is kept in the file",
        rich_help_panel=o.ASK,
    ),
]


@with_logs
def save(
    logs: Logs,
    paths: o.PathsOrStore = None,
    output: At = DEFAULT,
    rules: checking.Rules = None,
    fail_if: checking.FailIf = None,
) -> None:
    """Write what logs say about the rules into a file: the baseline that llmtel check compares with.

    Small (at most 2 MB), to be committed; without texts, users and names of cases.
    """
    from llmtel.cli.sides import Other

    _keep(_pair(paths, logs, rules, fail_if, Other()), output)


@with_logs
def update(
    logs: Logs,
    paths: o.PathsOrStore = None,
    output: At = DEFAULT,
    accept: Accept = None,
    rules: checking.Rules = None,
    fail_if: checking.FailIf = None,
) -> int:
    """Check logs against the baseline, and where nothing fails make them the new one.

    A violated rule stops it (exit 3), unless --accept says why the change is fine.
    """
    from llmtel.cli.output import write
    from llmtel.cli.sides import Other

    if accept is not None and not accept.strip():
        raise UsageError("--accept needs a reason, as in --accept 'answers are longer on purpose'")
    other = Other(baseline=output)
    found = _pair(paths, logs, rules, fail_if, other)
    report = checking.judged(found)
    code = report.exit_code()
    if code is Exit.VIOLATED and accept is None:
        write(checking.document(report, found, other, code), o.OutputFormat.TABLE, None)
        return code
    _keep(found, output, accept if code is Exit.VIOLATED else None)
    return Exit.OK


def show(
    file: File = DEFAULT,
    share: o.Share = False,
    share_k: o.ShareK = None,
    format_: o.Format = o.OutputFormat.TABLE,
    output: o.Output = None,
) -> None:
    """What a baseline holds: its numbers by segment, when and from which calls it was made."""
    from llmtel.checks import baseline
    from llmtel.cli.output import write
    from llmtel.cli.settings import settle
    from llmtel.cli.shares import sharing
    from llmtel.reports.baselines import shown

    shared = sharing(share, share_k, settle())
    write(shown(baseline.load(file), shared), format_, output)


@with_logs
def diff(
    logs: Logs,
    paths: o.PathsOrStore = None,
    before: Before = DEFAULT,
    rules: checking.Rules = None,
    fail_if: checking.FailIf = None,
    share: o.Share = False,
    share_k: o.ShareK = None,
    format_: o.Format = o.OutputFormat.TABLE,
    output: o.Output = None,
) -> None:
    """What would be different in a baseline of these logs, or is in another baseline file. Judges nothing."""
    from llmtel.checks import baseline
    from llmtel.cli.output import write
    from llmtel.cli.shares import sharing
    from llmtel.cli.sides import Other, is_baseline
    from llmtel.reports.baselines import differences

    shared = sharing(share, share_k, logs.settings())
    old = baseline.load(before)
    if paths and len(paths) == 1 and is_baseline(paths[0]):
        new = baseline.load(Path(paths[0]))
    else:
        # As a file would have it: percentiles by histogram, like those of the other side.
        current = _pair(paths, logs, rules, fail_if, Other()).current
        new = baseline.read(baseline.text(current, datetime.now(UTC)).encode(), current.label)
    write(differences(old, new, shared), format_, output)


def _pair(
    paths: list[str] | None, logs: Logs, rules: Path | None, fail_if: list[str] | None, other: Other
) -> Pair:
    """Both sides of a comparison."""
    from llmtel.cli.sides import pair, rules_of

    settings = logs.settings()
    wanted = rules_of(settings, rules, fail_if or (), ())
    return pair(logs.question(paths, settings, wanted.dimensions()), wanted, other, "baseline")


def _keep(found: Pair, path: Path, accepted: str | None = None) -> None:
    """Write the current side to a file, with the price book and the commit, and say so."""
    from llmtel.checks import baseline
    from llmtel.checks.reprice import list_rates
    from llmtel.cli.output import put, write
    from llmtel.cli.sides import commit, stored
    from llmtel.reports.baselines import saved

    prices = found.context.prices
    side: Side = replace(
        found.current,
        prices={"as_of": prices.as_of, "sha256": prices.sha256},
        commit=commit(),
        accepted=accepted,
        where=stored(found.context.command.where),
        rates=list_rates(found.current.cells, found.current.last, found.context.rates),
    )
    content = baseline.text(side, datetime.now(UTC).replace(microsecond=0)).encode()
    put(content, path, folders=True)
    write(saved(side, str(path), len(content), found.context), o.OutputFormat.TABLE, None)
