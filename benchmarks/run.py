"""How fast llmtel is, beside its peers, in one command.

    python benchmarks/run.py                      # about 3 GB of data, made once; ten minutes
    python benchmarks/run.py --scale 0.02         # a taste
    python benchmarks/run.py flat startup         # some of the works

Data are made by deterministic generators with known answers and kept in `benchmarks/.data` (`--data` for
elsewhere). Every answer is compared with the known one before a speed is printed. The programs take turns,
five rounds by default; times are medians. The works:

- flat: 1,000,000 flat calls; beside bare Polars and hand-written DuckDB with the columns declared
- agent: 1.1 GB of agent transcripts; beside bare Polars and the native ccusage (npm package `ccusage`,
  20.0.24; its platform's binary, named by `--ccusage`, by LLMTEL_BENCH_CCUSAGE or found on the PATH; else
  left out)
- texts: 100,000 calls with prompts of 1 KB and without counts, whose tokens are counted
- startup: `llmtel --help`
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import Program, in_turn

HERE = Path(__file__).parent
FLAT_CALLS = 1_000_000
AGENT_LINES = 530_000
TEXT_CALLS = 100_000
LLMTEL = (sys.executable, "-m", "llmtel")
METRICS = ("calls", "errors", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
LATENCIES = ("p50_latency", "p95_latency", "p99_latency")


@dataclass(frozen=True)
class Options:
    """Where data are, how large, how often each program runs, and the binary of ccusage (None: not there)."""

    data: Path
    scale: float
    rounds: int
    ccusage: str | None


@dataclass(frozen=True)
class Target:
    """What a measured figure should not exceed."""

    text: str
    figure: float
    limit: float

    def __str__(self) -> str:
        verdict = "met" if self.figure <= self.limit else "MISSED"
        return f"{self.text}: {self.figure:.2f} (at most {self.limit:g}) {verdict}"


def made(target: Path, truth: Path, script: str, *arguments: str) -> dict[str, Any]:
    """The answers of a data set, which a process of its own makes when it is not there.

    (The memory of the parent counts as its children's at the moment they start: this process stays small.)
    """
    if not truth.exists():
        print(f"making {target.name} …", file=sys.stderr)
        subprocess.run([sys.executable, str(HERE / script), str(target), *arguments], check=True)
    answers: dict[str, Any] = json.loads(truth.read_text())
    return answers


def llmtel(path: Path) -> dict[str, Any]:
    """The totals of a log, by llmtel."""
    metrics = ",".join((*METRICS, *LATENCIES))
    run = Program("llmtel", [*LLMTEL, "analyze", str(path), "--format", "json", "--metrics", metrics]).run()
    totals: dict[str, Any] = json.loads(run.output)["tables"][0]["rows"][0]
    return totals


def check(name: str, got: dict[str, Any], truth: dict[str, Any]) -> None:
    """Raise `RuntimeError` unless every figure of the known answers that was computed is right to 1e-9."""
    for key in truth.keys() & got.keys():
        if abs(got[key] - truth[key]) > 1e-9 * abs(truth[key]):
            raise RuntimeError(f"{name}: {key} is {got[key]}, and should be {truth[key]}")


def print_table(title: str, programs: Sequence[Program]) -> None:
    """A Markdown table: each program's cost, and how many times that of the first."""
    first = programs[0]
    print(f"\n{title}\n\n| program | wall s (best) | CPU s | RSS MB | llmtel's wall | llmtel's CPU |")
    print("| --- | --- | --- | --- | --- | --- |")
    for program in programs:
        ratios = f"{first.wall_s / program.wall_s:.2f}× | {first.cpu_s / program.cpu_s:.2f}×"
        print(
            f"| {program.name} | {program.wall_s:.2f} ({program.best_s:.2f}) | {program.cpu_s:.2f} "
            f"| {program.rss_mb:.0f} | {'' if program is first else ratios} |".replace("|  |", "| | |")
        )


def flat(options: Options) -> list[Target]:
    """One file of flat calls."""
    count = int(FLAT_CALLS * options.scale)
    path, bad = (options.data / f"flat-{count}{kind}.jsonl" for kind in ("", "-bad-line"))
    truth = made(path, path.with_suffix(".truth.json"), "flat_logs.py", "--calls", str(count))
    made(bad, bad.with_suffix(".truth.json"), "flat_logs.py", "--calls", str(count), "--bad-line")
    peer = [sys.executable, str(HERE / "peers.py")]
    ours = Program("llmtel analyze", [*LLMTEL, "analyze", str(path)])
    broken = Program("llmtel analyze, one bad line", [*LLMTEL, "analyze", str(bad)])
    floor = Program("Polars, the floor", [*peer, "polars_flat", str(path)])
    duckdb = Program("DuckDB, five statements", [*peer, "duckdb_flat", str(path)])
    sets = Program("DuckDB, grouping sets", [*peer, "duckdb_flat_sets", str(path)])
    check("llmtel", llmtel(path), truth)
    check("llmtel, one bad line", llmtel(bad), truth)
    in_turn([ours, broken, floor, duckdb, sets], options.rounds)
    for program in (floor, duckdb, sets):
        check(program.name, json.loads(program.runs[-1].output), truth)
    print_table(
        f"{count:,} flat calls, {path.stat().st_size / 1e6:,.0f} MB", [ours, broken, floor, duckdb, sets]
    )
    return [
        Target("flat: CPU beside the floor", ours.cpu_s / floor.cpu_s, 1.5),
        Target("flat: wall beside DuckDB", ours.wall_s / duckdb.wall_s, 1.6),
        Target("flat: RSS in MB", ours.rss_mb, 700),
        Target("flat: CPU of one bad line", broken.cpu_s / ours.cpu_s, 1.1),
    ]


def with_a_bad_line(folder: Path, copy: Path) -> Path:
    """The same transcripts by hard links, but for one with a line cut short in its middle."""
    if not copy.exists():
        shutil.copytree(folder / "projects", copy / "projects", copy_function=os.link)
        victim = sorted(copy.rglob("*.jsonl"))[len(list(copy.rglob("*.jsonl"))) // 2]
        lines = victim.read_bytes().splitlines(keepends=True)
        usage = next(line for line in lines[len(lines) // 2 :] if b'"usage"' in line)
        victim.unlink()
        victim.write_bytes(
            b"".join([*lines[: len(lines) // 2], usage[:-40] + b"\n", *lines[len(lines) // 2 :]])
        )
    return copy


def ccusage_totals(output: str) -> dict[str, Any]:
    """What ccusage printed, under llmtel's names."""
    totals = json.loads(output)["totals"]
    cached, written = totals["cacheReadTokens"], totals["cacheCreationTokens"]
    return {
        "input_tokens": totals["inputTokens"] + cached + written,
        "cache_read_tokens": cached,
        "cache_write_tokens": written,
        "output_tokens": totals["outputTokens"],
    }


def agent(options: Options) -> list[Target]:
    """Many transcripts of a coding agent."""
    count = int(AGENT_LINES * options.scale)
    folder = options.data / f"agent-{count}"
    truth = made(folder, folder / "truth.json", "agent_logs.py", "--lines", str(count))
    bad = with_a_bad_line(folder, options.data / f"agent-{count}-bad-line")
    path = str(folder / "projects")
    ours = Program("llmtel analyze", [*LLMTEL, "analyze", path])
    broken = Program("llmtel analyze, one bad line", [*LLMTEL, "analyze", str(bad / "projects")])
    floor = Program("Polars, the floor", [sys.executable, str(HERE / "peers.py"), "polars_agent", path])
    programs, targets = [ours, broken, floor], []
    check("llmtel", llmtel(Path(path)), truth)
    check("llmtel, one bad line", llmtel(bad / "projects"), truth)
    if options.ccusage is None:
        print("ccusage is left out: name its binary with --ccusage or LLMTEL_BENCH_CCUSAGE", file=sys.stderr)
    else:
        own = {"CLAUDE_CONFIG_DIR": str(folder), "HOME": str(folder)}
        command = [options.ccusage, "claude", "daily", "--json", "--offline"]
        programs.append(Program("ccusage", command, own))
    in_turn(programs, options.rounds)
    check(floor.name, json.loads(floor.runs[-1].output), truth)
    for ccusage in programs[3:]:
        check(ccusage.name, ccusage_totals(ccusage.runs[-1].output), truth)
        targets = [
            Target("agent: wall beside ccusage", ours.wall_s / ccusage.wall_s, 0.75),
            Target("agent: CPU beside ccusage", ours.cpu_s / ccusage.cpu_s, 0.75),
        ]
    files = list(folder.rglob("*.jsonl"))
    size = sum(file.stat().st_size for file in files)
    print_table(f"{len(files)} agent transcripts, {size / 1e6:,.0f} MB, {truth['calls']:,} calls", programs)
    return [
        *targets,
        Target("agent: RSS in MB", ours.rss_mb, 600),
        Target("agent: CPU of one bad line", broken.cpu_s / ours.cpu_s, 1.1),
    ]


def texts(options: Options) -> list[Target]:
    """Calls whose tokens are counted from their texts."""
    count = int(TEXT_CALLS * options.scale)
    path = options.data / f"texts-{count}.jsonl"
    truth = made(path, path.with_suffix(".truth.json"), "text_logs.py", "--calls", str(count))
    ours = Program("llmtel analyze", [*LLMTEL, "analyze", str(path)])
    check("llmtel", llmtel(path), truth)
    in_turn([ours], options.rounds)
    print_table(f"{count:,} calls without counts, {path.stat().st_size / 1e6:,.0f} MB", [ours])
    return [
        Target("texts: CPU seconds", ours.cpu_s, 16),
        Target("texts: RSS in MB", ours.rss_mb, 400),
    ]


def startup(options: Options) -> list[Target]:
    """How long `llmtel --help` takes, and whether it leaves Polars alone."""
    ours = Program("llmtel --help", [*LLMTEL, "--help"])
    bare = Program("python, nothing else", [sys.executable, "-c", "pass"])
    in_turn([ours, bare], max(5, options.rounds))
    print_table("Start-up", [ours, bare])
    loaded = "import sys, llmtel.cli.app; print('polars' in sys.modules)"
    seen = Program("imports", [sys.executable, "-c", loaded]).run().output.strip()
    return [
        Target("startup: seconds of --help", ours.wall_s, 0.25),
        Target("startup: imports of Polars", float(seen == "True"), 0),
    ]


WORKS: dict[str, Callable[[Options], list[Target]]] = {
    "flat": flat,
    "agent": agent,
    "texts": texts,
    "startup": startup,
}


def main(works: Mapping[str, Callable[[Options], list[Target]]], about: str | None) -> None:
    """A command line: run some of the works, print a table of each, and the targets."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("works", nargs="*", help=f"some of: {' '.join(works)} (default: all)")
    parser.add_argument("--scale", type=float, default=1.0, help="size of the data beside the full size")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each program")
    parser.add_argument("--data", type=Path, default=HERE / ".data", help="where the data are kept")
    parser.add_argument("--ccusage", default=os.environ.get("LLMTEL_BENCH_CCUSAGE", "ccusage"))
    args = parser.parse_args()
    if unknown := set(args.works) - works.keys():
        parser.error(f"there is no work called {', '.join(sorted(unknown))}; known: {', '.join(works)}")
    options = Options(args.data.absolute(), args.scale, args.rounds, shutil.which(args.ccusage))
    # Pseudonyms of users need a key, which is made where a home has none: this run has a home of its own.
    os.environ["XDG_CONFIG_HOME"] = str(options.data / "home")
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {args.rounds} rounds, medians")
    targets = [target for work in args.works or works for target in works[work](options)]
    print("\nTargets\n")
    for target in targets:
        print(f"- {target}")


if __name__ == "__main__":
    main(WORKS, __doc__)
