"""Write what the documentation says of the program: reference pages and blocks of others.

    python tools/make_docs.py            # writes docs/reference/*.md and the blocks of written pages
    python tools/make_docs.py --check    # writes nothing; exits 1 when one of them differs

A block stands between `<!-- NAME: made by tools/make_docs.py -->` and `<!-- end -->`.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

import typer

from llmtel.cli.commands import named
from llmtel.core.errors import Exit
from llmtel.core.schema import FIELDS
from llmtel.reports import catalogs
from llmtel.sources.aliases import ALIASES
from llmtel.sources.formats import sources
from llmtel.sources.source import Source

ROOT = Path(__file__).parents[1]
WIDTH = 112
BLOCK = re.compile(r"(<!-- (\w+): made by tools/make_docs\.py -->\n).*?(<!-- end -->)", re.DOTALL)
SECONDS = re.compile(r" · \d+\.\d s$", re.MULTILINE)
PAGES = {
    "metrics": "Every number that `--metrics` and `--sort` take. Known means not null; a ratio divides by "
    "what is known, and over nothing it is null. Percentiles are exact, with linear interpolation.",
    "dimensions": "Every way to split that `--by` and `--where` take. An unknown value is null in JSON, "
    "empty in CSV and `(unknown)` in tables; days, weeks, months and hours are in `--tz`.",
    "fields": "The columns of a call: one row is one request to a model and what came of it. `--where` "
    "takes them too, and `llmtel ingest` writes them. Each token is counted in exactly one token field.",
}
WRITTEN = (ROOT / "README.md", ROOT / "docs" / "formats.md")
EXITS = {
    Exit.OK: "fine; also for an empty file",
    Exit.CRASH: "a crash, or a fault of the machine (a full disk)",
    Exit.USAGE: "an option, name, path or price file that cannot work",
    Exit.VIOLATED: "a rule is violated: of `llmtel check`, or `llmtel reconcile --max-gap`",
    Exit.STRICT: "under `--strict`: a record was rejected, or a value could not be read",
    Exit.UNREADABLE: "there was input, and nothing of it could be read",
}


def printed(*arguments: str) -> str:
    """What `llmtel` prints for these arguments, at the top of the repository, without colour."""
    environment = {**os.environ, "COLUMNS": str(WIDTH), "NO_COLOR": "1", "TERM": "dumb", "PYTHONUTF8": "1"}
    run = subprocess.run(  # noqa: S603 (our own program)
        [sys.executable, "-m", "llmtel", *arguments],
        cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=True,
    )  # fmt: skip
    return run.stdout


def table(heads: Sequence[str], rows: Iterator[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return (
        "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
        + "\n"
    )


def commands() -> dict[str, Any]:
    """The commands by name, in their order."""
    group: Any = typer.main.get_command(named(None))
    return dict(_flat(group.commands))


def _flat(commands: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Commands by name; those of a group stand in its place, with its name before theirs."""
    for name, command in commands.items():
        if hasattr(command, "commands"):
            yield from _flat(command.commands, f"{before}{name} ")
        else:
            yield before + name, command


def first_line(command: Any) -> str:  # noqa: ANN401 (typer has no public type of its own for a command)
    """The sentence that says what a command does."""
    return str(command.help).strip().splitlines()[0]


def words(parameter: Any) -> str:  # noqa: ANN401 (as above)
    """How a parameter is written on the command line."""
    if parameter.param_type_name == "argument":
        return f"`{parameter.metavar}`"
    value = "" if parameter.is_flag else f" {parameter.metavar}"
    return " or ".join(f"`{option}{value}`" for option in parameter.opts)


def meaning(parameter: Any) -> str:  # noqa: ANN401 (as above)
    """What a parameter does, and what it is when it is not given."""
    default = parameter.default
    given = isinstance(default, str | int) and not isinstance(default, bool)
    return f"{parameter.help}  [default: {default}]" if given else str(parameter.help)


def page_of_commands() -> str:
    """The reference page of the command line."""
    parts = ["# Commands\n\nAs `llmtel COMMAND --help` says it.\n"]
    for name, command in commands().items():
        rows = ((words(parameter), meaning(parameter)) for parameter in command.params)
        examples = dedent(command.epilog.partition("Examples:\n")[2]).strip()
        parts.append(
            f"## llmtel {name}\n\n{command.help.strip()}\n\n{table(('option', 'what it does'), rows)}\n"
            f"```sh\n{examples}\n```\n"
        )
    return "\n".join(parts)


def listed(what: str) -> str:
    """A catalog as a Markdown table: what `llmtel list` shows."""
    document = catalogs.CATALOGS[what]()
    rows = document.tables[0].rows
    heads = tuple(rows[0])
    return table(heads, ((f"`{row['name']}`", *(str(row[head]) for head in heads[1:])) for row in rows))


def reference() -> dict[Path, str]:
    """The pages of docs/reference."""
    folder = ROOT / "docs" / "reference"
    pages = {
        folder / f"{what}.md": f"# {what.title()}\n\n{intro}\n\n{listed(what)}"
        for what, intro in PAGES.items()
    }
    return {**pages, folder / "commands.md": page_of_commands()}


def formats() -> str:
    """Every format: what it is and rests on, where it is defined, how it is known, what it gives."""
    here = "docs/formats.md"
    rows = (
        (f"`{s.name}`", f"[{s.help}]({s.link.removeprefix(here)})", s.evidence) for s in sources().values()
    )
    told = [
        f"- `{s.name}` is known by {marks_of(s)}; gives {', '.join(f'`{name}`' for name in fields_of(s))}"
        for s in sources().values()
    ]
    return table(("format", "what it is", "rests on"), rows) + "\n" + "\n".join(told) + "\n"


def marks_of(source: Source) -> str:
    """How a format is known, in words."""
    return "; or ".join(mark.words() for mark in source.marks) or "a time, and a model, tokens or a latency"


def fields_of(source: Source) -> list[str]:
    """The fields that a format may give, in the order of the schema."""
    sample = [record for record in records_of(source) if isinstance(record, dict)]
    bound = source.bind(sample, source) if source.bind is not None else source
    return [name for name in FIELDS if name in bound.calls]


def records_of(source: Source) -> list[dict[str, str]]:
    """The records of a format's sample."""
    lines = source.sample.strip().split("\n")
    if source.layout == "csv":
        return list(csv.DictReader(lines))
    return [json.loads(line) for line in lines]


def aliases() -> str:
    """The names that a generic log may use, by fact."""
    rows = ((f"`{a.fact}`", " ".join(f"`{name}`" for name in a.names)) for a in ALIASES)
    return table(("fact", "names, best first"), rows)


def capture() -> str:
    """What `llmtel analyze sample_logs/` prints."""
    lines = "\n".join(line.rstrip() for line in printed("analyze", "sample_logs/").strip("\n").splitlines())
    return f"```text\n$ llmtel analyze sample_logs/\n{lines}\n```\n"


def blocks() -> dict[str, str]:
    """The blocks of written pages by name."""
    return {
        "aliases": aliases(),
        "capture": capture(),
        "commands": table(
            ("command", "what it does"),
            ((f"`llmtel {name}`", first_line(c)) for name, c in commands().items()),
        ),
        "sources": formats(),
        "exits": table(("exit code", "when"), ((str(int(code)), EXITS[code]) for code in Exit)),
    }


def with_blocks(text: str, made: dict[str, str]) -> str:
    """`text` with every block as it should be. Raises `KeyError` for a block that nobody makes."""
    return BLOCK.sub(lambda match: match[1] + made[match[2]] + match[3], text)


def same(path: Path, text: str) -> bool:
    """Whether a file says this already, but for the seconds of the capture, which differ from run to run."""
    there = path.read_text("utf-8") if path.exists() else ""
    return SECONDS.sub("", there) == SECONDS.sub("", text)


def main() -> int:
    """Write or check; the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when something differs")
    args = parser.parse_args()
    made = blocks()
    wanted = {**reference(), **{path: with_blocks(path.read_text("utf-8"), made) for path in WRITTEN}}
    stale = [path for path, text in wanted.items() if not same(path, text)]
    for path in stale:
        print(f"{'differs' if args.check else 'written'}: {path.relative_to(ROOT)}")
        if not args.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], "utf-8")
    return 1 if args.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
