"""How fast each format is read, beside generic JSON lines: its own sample, written many times with other ids.

    python benchmarks/throughput.py [--mb 16] [FORMAT …]

One process a format (what it imports and compiles is its own affair), which reads twice and tells the faster.
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
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmtel.sources.source import Source

SLOWEST = 0.25
"""No format should be slower than this share of generic JSON lines."""
ID = re.compile(r"(?:^|_)(?:id|uuid)$|(?:Id|ID|Uuid)$")
REFERENCE = "generic"


def renamed(value: object, turn: int, key: str = "") -> object:
    """A record whose ids, by the names of their keys, are those of one turn."""
    if isinstance(value, dict):
        return {name: renamed(inner, turn, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [renamed(inner, turn, key) for inner in value]
    return f"{value}{turn:x}" if isinstance(value, str) and value and ID.search(key) else value


def data_of(source: Source, size: int) -> bytes:
    """At least `size` bytes of the format's sample, in turns that share no id."""
    sample = source.sample.strip("\n")
    out, turns = io.StringIO(newline=""), itertools.count(1)
    if source.layout == "csv":
        rows = list(csv.DictReader(io.StringIO(sample)))
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        while out.tell() < size:
            turn = next(turns)
            writer.writerows({key: renamed(cell, turn, key) for key, cell in row.items()} for row in rows)
        return out.getvalue().encode()
    records = [json.loads(line) for line in sample.split("\n")]
    while out.tell() < size:
        turn = next(turns)
        for record in records:
            out.write(json.dumps(renamed(record, turn), separators=(",", ":")) + "\n")
    return out.getvalue().encode()


def measure(name: str, size: int) -> None:
    """Print, as JSON, the MB and calls per second at which a format is read."""
    from llmtel import pipeline  # noqa: PLC0415 (this is the process that reads)
    from llmtel.sources.formats import sources  # noqa: PLC0415 (as above)

    data = data_of(sources()[name], size)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        path.write_bytes(data)
        seconds = []
        for _ in range(2):
            start = time.perf_counter()
            account = pipeline.read([str(path)], input_format=name).account
            seconds.append(time.perf_counter() - start)
    best = min(seconds)
    print(json.dumps({"mb_s": len(data) / 1e6 / best, "calls_s": account.calls / best}))


def main() -> int:
    """A Markdown table of all formats, the slowest last; 1 when one is too slow."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("formats", nargs="*", metavar="FORMAT")
    parser.add_argument("--mb", type=float, default=16)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    size = int(options.mb * 1e6)
    if options.measure:
        measure(options.measure, size)
        return 0
    from llmtel.sources.formats import sources  # noqa: PLC0415 (the process that reads has its own)

    found: dict[str, dict[str, float]] = {}
    for name in dict.fromkeys((REFERENCE, *(options.formats or sources()))):
        command = [sys.executable, __file__, "--measure", name, "--mb", str(options.mb)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found[name] = json.loads(done.stdout)
    reference = found[REFERENCE]["mb_s"]
    print("| format | MB/s | beside generic | calls/s |\n| --- | ---: | ---: | ---: |")
    for name, speed in sorted(found.items(), key=lambda pair: -pair[1]["mb_s"]):
        share = speed["mb_s"] / reference
        mark = "" if share >= SLOWEST else " TOO SLOW"
        print(f"| {name} | {speed['mb_s']:.0f} | {share:.2f}×{mark} | {speed['calls_s']:,.0f} |")
    return int(any(speed["mb_s"] < SLOWEST * reference for speed in found.values()))


if __name__ == "__main__":
    sys.exit(main())
