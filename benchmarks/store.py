"""How fast the store is, beside reading the logs and beside its peers, in one command.

    python benchmarks/store.py                        # 1 M and 10 M calls; 4 GB of data, made once
    python benchmarks/store.py --scale 0.01 ingest    # a taste, of some of the works

Data are those of `benchmarks/run.py` and kept where it keeps them; answers are compared with the known ones
before a speed is printed; the programs take turns, and times are medians. The works:

- ingest: logs into a new store, beside `analyze` of the same logs; bytes a call
- tail: 10,000 new calls into a store of 1 M and one of 10 M, in a process that has begun
- overview: `analyze` of 10 M stored calls, beside DuckDB over the same files; and of their last day
- warm: `analyze` of stored transcripts of agents, beside ccusage over the transcripts
- forget: one user of 10 M calls
"""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from statistics import median

from measure import Program, in_turn
from run import (
    AGENT_LINES,
    HERE,
    LLMTEL,
    Options,
    Target,
    ccusage_totals,
    check,
    llmtel,
    made,
    main,
    print_table,
)

PART = 1_000_000
PARTS = 10
DAYS = 10
"""Each part of a million calls is of ten days of its own, so that a day has 100,000."""
FIRST = date(2026, 5, 1)
TAIL = 10_000
HEAVY_USER = "u00000"


def day_of(part: int) -> date:
    """The first day of a part."""
    return FIRST + timedelta(days=DAYS * part)


def log(options: Options, part: int) -> Path:
    """A part of the calls as a log."""
    count = int(PART * options.scale)
    path = options.data / f"parts-{count}" / f"{part:02}.jsonl"
    span = ("--seed", str(100 + part), "--day", str(day_of(part)), "--days", str(DAYS))
    made(path, path.with_suffix(".truth.json"), "flat_logs.py", "--calls", str(count), *span)
    return path


def fill(store: Path, *paths: Path) -> Program:
    """The program that takes logs into a store."""
    return Program("llmtel ingest", [*LLMTEL, "ingest", *map(str, paths), "--store", str(store)])


def filled(options: Options, parts: int) -> Path:
    """A store of the first parts, made once."""
    store = options.data / f"store-{parts}x{int(PART * options.scale)}"
    whole = store / "whole"
    paths = [log(options, part) for part in range(parts)]
    if not whole.exists():
        shutil.rmtree(store, ignore_errors=True)
        print(f"filling {store.name} …", file=sys.stderr)
        fill(store / "calls.store", *paths).run()
        whole.touch()
    return store / "calls.store"


def size(store: Path) -> int:
    """Bytes of the data files of a store."""
    return sum(file.stat().st_size for file in (store / "calls").rglob("*.parquet"))


def ingest(options: Options) -> list[Target]:
    """A million calls into a new store, and the same log analysed."""
    path, count = log(options, 0), int(PART * options.scale)
    store = options.data / "new.store"
    analyze, into = Program("llmtel analyze", [*LLMTEL, "analyze", str(path)]), fill(store, path)
    for _ in range(options.rounds):
        shutil.rmtree(store, ignore_errors=True)
        in_turn([into, analyze], 1)
    check("the store", llmtel(store), json.loads(path.with_suffix(".truth.json").read_text()))
    mb = path.stat().st_size / 1e6
    print_table(f"{count:,} calls, {mb:,.0f} MB, into a new store", [into, analyze])
    each = size(store) / count
    print(f"\n{mb / into.wall_s:,.0f} MB/s; {each:.1f} bytes a call of {mb * 1e6 / count:.0f} in the log")
    shutil.rmtree(store)
    return [
        Target("ingest: CPU beside analyze", into.cpu_s / analyze.cpu_s, 1.6),
        Target("ingest: wall beside analyze", into.wall_s / analyze.wall_s, 1.6),
    ]


def tail(options: Options) -> list[Target]:
    """New calls at the end of a store, which should cost the same however large it is."""
    targets, times = [], {}
    for parts in (1, PARTS):
        copy = options.data / "copy.store"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(filled(options, parts), copy)
        batches = [_batch(options, parts, number) for number in range(options.rounds + 1)]
        run = subprocess.run(
            [sys.executable, __file__, "--inside", str(copy), *map(str, batches)],
            check=True, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        times[parts] = median(json.loads(run.stdout)[1:])
        calls = f"{parts * PART * options.scale:,.0f}"
        targets.append(Target(f"tail: s for {TAIL:,} calls after {calls}", times[parts], 0.15))
        shutil.rmtree(copy)
    return [*targets, Target("tail: the larger store beside the smaller", times[PARTS] / times[1], 1.2)]


def _batch(options: Options, parts: int, number: int) -> Path:
    """Calls of the day after those of a store."""
    path = options.data / "tails" / f"{parts}-{number}.jsonl"
    span = ("--seed", str(1000 + number), "--day", str(day_of(parts)), "--days", "1")
    made(path, path.with_suffix(".truth.json"), "flat_logs.py", "--calls", str(TAIL), *span)
    return path


def inside(store: str, batches: list[str]) -> None:
    """Take batches into a store, one after another in this process, and print the seconds of each as JSON.

    The command is called as it is after its line was parsed, as by a process that follows its logs.
    """
    from llmtel.cli.ingest import ingest as command  # noqa: PLC0415 (a process of its own pays for it)

    seconds = []
    for batch in batches:
        start = time.perf_counter()
        with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())):
            code = command([batch], store=store)
        seconds.append(time.perf_counter() - start)
        if code:
            raise SystemExit(code)
    print(json.dumps(seconds))


def overview(options: Options) -> list[Target]:
    """Everything at a glance: of all calls, and of the last day."""
    store = filled(options, PARTS)
    last = str(day_of(PARTS) - timedelta(days=1))
    ours = Program("llmtel analyze", [*LLMTEL, "analyze", str(store)])
    day = Program("llmtel analyze, the last day", [*LLMTEL, "analyze", str(store), "--since", last])
    peer = [sys.executable, str(HERE / "peers.py"), "duckdb_store", str(store)]
    duckdb = Program("DuckDB, five statements", peer)
    in_turn([ours, day, duckdb], options.rounds)
    check("DuckDB", json.loads(duckdb.runs[-1].output), llmtel(store))
    print_table(f"{PARTS * PART * options.scale:,.0f} stored calls", [ours, day, duckdb])
    return [
        Target("overview: wall beside DuckDB", ours.wall_s / duckdb.wall_s, 1.3),
        Target("overview: RSS in MB", ours.rss_mb, 1800),
        Target("overview: s for the last day", day.wall_s, 0.5),
    ]


def warm(options: Options) -> list[Target]:
    """Transcripts of agents that the store knows."""
    count = int(AGENT_LINES * options.scale)
    folder = options.data / f"agent-{count}"
    truth = made(folder, folder / "truth.json", "agent_logs.py", "--lines", str(count))
    store = options.data / f"agent-{count}.store"
    fill(store, folder / "projects").run()
    check("the store", llmtel(store), truth)
    ours = Program("llmtel analyze, of the store", [*LLMTEL, "analyze", str(store)])
    programs = [ours]
    if options.ccusage is None:
        print("ccusage is left out: name its binary with --ccusage", file=sys.stderr)
    else:
        own = {"CLAUDE_CONFIG_DIR": str(folder), "HOME": str(folder)}
        programs.append(Program("ccusage", [options.ccusage, "claude", "daily", "--json", "--offline"], own))
    in_turn(programs, options.rounds)
    print_table(f"transcripts of {truth['calls']:,} calls, stored", programs)
    targets = [Target("warm: s of the whole process", ours.wall_s, 0.6)]
    for ccusage in programs[1:]:
        check(ccusage.name, ccusage_totals(ccusage.runs[-1].output), truth)
        targets.append(Target("warm: wall beside ccusage", ours.wall_s / ccusage.wall_s, 0.25))
    return targets


def forget(options: Options) -> list[Target]:
    """The user of most calls, from a store of all parts."""
    copy = options.data / "copy.store"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(filled(options, PARTS), copy)
    program = Program("llmtel store forget", [*LLMTEL, "store", "forget", str(copy), "--user", HEAVY_USER])
    program.run()
    print_table(f"one user of {PARTS * PART * options.scale:,.0f} stored calls", [program])
    shutil.rmtree(copy)
    return [Target("forget: RSS in MB", program.rss_mb, 1000)]


WORKS: dict[str, Callable[[Options], list[Target]]] = {
    "ingest": ingest,
    "tail": tail,
    "overview": overview,
    "warm": warm,
    "forget": forget,
}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(sys.argv[2], sys.argv[3:])
    else:
        main(WORKS, __doc__)
