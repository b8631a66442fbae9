"""`llmtel formats test`: what is read of samples, against what was kept beside them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmtel.cli import options as o
from llmtel.core.errors import ConfigError, Exit, UnreadableInput, UsageError

if TYPE_CHECKING:
    from llmtel.reading import Reading
    from llmtel.reports.trial import State, Trial

ENDING = ".expect.json"
Files = Annotated[list[str], typer.Argument(help="Samples of logs", metavar="FILE...")]
Write = Annotated[
    bool,
    typer.Option(
        "--write", help=f"Keep what is read as what is expected, in FILE{ENDING}", rich_help_panel=o.SAY
    ),
]


def test(
    files: Files,
    write: Write = False,
    input_format: o.InputFormat = None,
    format_: o.Format = o.OutputFormat.TABLE,
    output: o.Output = None,
) -> int:
    """Which format claims a sample, what is read of it, and whether that is what is expected.

    The expectation stands beside the sample, in FILE.expect.json. Exit code 3 where something else is read, 5
    where a sample cannot be read. No configuration is used.
    """
    from llmtel.cli.output import write as show
    from llmtel.reports.trial import trials

    names = _samples(files)
    kept = {name: None if write else _expected(Path(name + ENDING)) for name in names}
    found = [_trial(name, kept[name], input_format, write=write) for name in names]
    show(trials(found), format_, output)
    if unread := [one for one in found if one.state == "unread"]:
        some = f"{len(unread)} of {len(found)} samples could not be read"
        what = some if len(unread) < len(found) else "nothing could be read"
        raise UnreadableInput("\n".join((f"{what}:", *(one.why for one in unread))))
    return Exit.VIOLATED if any(one.differences for one in found) else Exit.OK


def _samples(files: Sequence[str]) -> list[str]:
    """The samples among the files that are named. Raises `UsageError` for what cannot be one."""
    names = [name for name in files if not name.endswith(ENDING)]
    for name in names:
        if not Path(name).is_file():
            raise UsageError(f"{name}: no such file; formats test takes single files")
    if not names:
        raise UsageError(f"these are expectations (…{ENDING}); name the samples that they are of")
    return names


def _trial(file: str, expected: dict[str, Any] | None, input_format: str | None, *, write: bool) -> Trial:
    """What is read of a sample, which is kept with `write`, against what is expected of it."""
    from llmtel import pipeline
    from llmtel.cli.output import put
    from llmtel.reports.trial import Trial, differences

    try:
        reading = pipeline.read([file], input_format=input_format)
    except UnreadableInput as unread:
        return Trial(file, None, None, unread.account, "unread", why=str(unread).partition("\n")[2])
    read = _read(reading)
    if write:
        beside = Path(file + ENDING)
        put((json.dumps(read, indent=2, ensure_ascii=False) + "\n").encode(), beside, shared=True)
    other = () if expected is None else tuple(differences(expected, read))
    state: State = "written" if write else "none" if expected is None else "differs" if other else "met"
    return Trial(file, read["format"], _package(reading), reading.account, state, other)


def _read(reading: Reading) -> dict[str, Any]:
    """What an expectation holds: the format, the account, and what is known of each call."""
    from llmtel.core.account import Account
    from llmtel.core.schema import PRICED

    skipped = {"file", "format", *PRICED} - {"price_reason"}
    rows = reading.calls.drop(skipped).rows(named=True)
    known = [{name: value for name, value in row.items() if value is not None} for row in rows]
    return {
        "format": reading.inputs[0].format if reading.inputs else None,
        "records": reading.account.records,
        **{part: getattr(reading.account, part) for part in Account.PARTS},
        "unreadable": dict(sorted(reading.account.unreadable.items())),
        "rows": [
            {name: value.isoformat() if name == "ts" else value for name, value in row.items()}
            for row in known
        ],
    }


def _expected(path: Path) -> dict[str, Any] | None:
    """The expectation at `path`, None where there is none. Raises `ConfigError` for what is none."""
    if not path.is_file():
        return None
    try:
        expected = json.loads(path.read_bytes())
    except ValueError as error:
        raise ConfigError(f"{path}: not JSON: {error}") from error
    if not isinstance(expected, dict) or not isinstance(expected.get("rows"), list):
        raise ConfigError(f"{path}: no expectation; llmtel formats test --write makes one")
    return expected


def _package(reading: Reading) -> str | None:
    """The package that brings the format of the file, None for llmtel's own."""
    plan = reading.inputs[0].plan if reading.inputs else None
    return plan.source.package if plan is not None else None
