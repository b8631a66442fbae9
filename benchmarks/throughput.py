"""How fast each format is read, beside generic JSON lines: its own sample, written many times with other ids.

    python benchmarks/throughput.py [--mb 16] [--rounds 5] [FORMAT …]

One process a format (what it imports and compiles is its own affair), which reads the format and generic
lines in turn and tells the median of what the two of a round took beside each other, so that whatever else
the machine does slows both; by seconds of the processor is steadier where others use the machine too. Codex
writes a file a session and counts over the whole of it: its data are those of `codex_logs.py`.
"""

from __future__ import annotations

import argparse
import csv
import io
import itertools
import json
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import codex_logs

if TYPE_CHECKING:
    from llmtel.sources.source import Source

SLOWEST = 0.25
"""No format should be slower than this share of generic JSON lines."""
ID = re.compile(r"(?:^|_)(?:id|uuid)$|(?:Id|ID|Uuid)$")
REFERENCE = "generic"
TURN = "@turn@"
"""Stands where each turn puts its number."""


def renamed(value: object, key: str = "") -> object:
    """A record with `TURN` behind its ids, which are known by their keys, also inside JSON in its texts."""
    if isinstance(value, dict):
        return {name: renamed(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [renamed(inner, key) for inner in value]
    if isinstance(value, str) and value.startswith(("{", "[{")):
        return json.dumps(renamed(json.loads(value)))
    return f"{value}{TURN}" if isinstance(value, str) and value and ID.search(key) else value


def data_of(source: Source, size: int) -> bytes:
    """At least `size` bytes of the format's sample, in turns that share no id."""
    sample, head = source.sample.strip("\n"), ""
    if source.layout == "csv":
        rows = csv.DictReader(io.StringIO(sample))
        out = io.StringIO(newline="")
        writer = csv.DictWriter(out, list(rows.fieldnames or ()))
        writer.writeheader()
        head = out.getvalue()
        writer.writerows({key: renamed(cell, key) for key, cell in row.items()} for row in rows)
        turn = out.getvalue().removeprefix(head)
    else:
        records = map(json.loads, sample.split("\n"))
        turn = "".join(f"{json.dumps(renamed(record), separators=(',', ':'))}\n" for record in records)
    turns = range(size // len(turn) + 1)
    return (head + "".join(turn.replace(TURN, f"{number:x}") for number in turns)).encode()


def write(name: str, folder: Path, size: int) -> int:
    """Write data of a format of about `size` bytes; how many they are."""
    folder.mkdir()
    if name == "codex":
        codex_logs.write(folder, size // 1000)
        (folder / "truth.json").unlink()
    else:
        from llmtel.sources.formats import sources  # noqa: PLC0415 (this is the process that reads)

        (folder / "log").write_bytes(data_of(sources()[name], size))
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@dataclass(frozen=True)
class Took:
    """Seconds of the clock, and of all processors, of one reading."""

    clock: float
    cpu: float


def measure(name: str, size: int, rounds: int) -> None:
    """Print, as JSON, the MB and records a second at which a format is read, and its speed beside generic."""
    from llmtel import pipeline  # noqa: PLC0415 (this is the process that reads)

    with tempfile.TemporaryDirectory() as at:
        names = dict.fromkeys((name, REFERENCE))
        sizes = {each: write(each, Path(at) / each, size) / 1e6 for each in names}
        took: dict[str, list[Took]] = {each: [] for each in names}
        records = dict.fromkeys(names, 0)
        for _, each in itertools.product(range(rounds), names):
            clock, cpu = time.perf_counter(), time.process_time()
            records[each] = pipeline.read([str(Path(at) / each)], input_format=each).account.records
            took[each].append(Took(time.perf_counter() - clock, time.process_time() - cpu))
    rounds_of_both = list(zip(took[name], took[REFERENCE], strict=True))
    more = sizes[name] / sizes[REFERENCE]
    best = min(one.clock for one in took[name])
    print(
        json.dumps(
            {
                "mb_s": sizes[name] / best,
                "records_s": records[name] / best,
                "beside": more * median(other.clock / own.clock for own, other in rounds_of_both),
                "cpu": more * median(other.cpu / own.cpu for own, other in rounds_of_both),
            }
        )
    )


def main() -> int:
    """A Markdown table of all formats, the slowest last; 1 when one is too slow."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("formats", nargs="*", metavar="FORMAT")
    parser.add_argument("--mb", type=float, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    size = int(options.mb * 1e6)
    if options.measure:
        measure(options.measure, size, options.rounds)
        return 0
    from llmtel.sources.formats import sources  # noqa: PLC0415 (the process that reads has its own)

    found: dict[str, dict[str, float]] = {}
    for name in options.formats or sources():
        command = [sys.executable, __file__, "--measure", name, "--mb", str(options.mb)]
        command += ["--rounds", str(options.rounds)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found[name] = json.loads(done.stdout)
    print("| format | MB/s | beside generic | by CPU | records/s |\n| --- | ---: | ---: | ---: | ---: |")
    for name, speed in sorted(found.items(), key=lambda pair: -pair[1]["beside"]):
        mark = "" if speed["beside"] >= SLOWEST else " TOO SLOW"
        print(
            f"| {name} | {speed['mb_s']:.0f} | {speed['beside']:.2f}×{mark} | {speed['cpu']:.2f}× "
            f"| {speed['records_s']:,.0f} |"
        )
    return int(any(speed["beside"] < SLOWEST for speed in found.values()))


if __name__ == "__main__":
    sys.exit(main())
