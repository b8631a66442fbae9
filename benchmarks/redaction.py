"""How fast `llmtel redact` is, in MB of logs a second, for each way of treating texts.

    python benchmarks/redaction.py [--mb 100]

The log is made here: calls with prompts and answers of some 2 kB a line, an e-mail address in every tenth of
them. Every run is a process of its own, and its account is compared with what was put in.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from measure import Program

WORDS = (
    "the",
    "harbour",
    "waits",
    "for",
    "three",
    "late",
    "parcels",
    "that",
    "nobody",
    "knows",
    "of",
    "at",
    "sea",
)
ADDRESS_EVERY = 10
TARGET_MB_S = 50
WAYS = ("drop", "redact", "keep")


def records(size: int) -> Iterator[tuple[bytes, bool]]:
    """Lines of at least `size` bytes together, each with whether an address is in it; the same every time."""
    chance, made, number = random.Random(1), 0, 0
    while made < size:
        number += 1
        has_address = number % ADDRESS_EVERY == 0
        prompt, answer = (" ".join(chance.choices(WORDS, k=n)) for n in (240, 120))
        record = {
            "timestamp": f"2026-09-{1 + number % 28:02d}T10:00:00Z",
            "request_id": f"req_{number:x}",
            "user_id": f"u{chance.randrange(1000)}",
            "model": "gpt-5-mini",
            "latency_ms": chance.randrange(300, 9000),
            "input_tokens": 300,
            "output_tokens": 150,
            "messages": [{"role": "user", "content": prompt + (" ann@example.org" if has_address else "")}],
            "completion": answer,
        }
        line = json.dumps(record, separators=(",", ":")).encode() + b"\n"
        made += len(line)
        yield line, has_address


def expected(way: str, lines: int, addresses: int) -> dict[str, int]:
    """What a run must have replaced."""
    found = {"user": lines, "id": lines}
    if way == "drop":
        found["text"] = 2 * lines
    if way == "redact":
        found["email"] = addresses
    return found


def main() -> int:
    """A Markdown table of the ways; 1 when dropping or redacting texts is too slow."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mb", type=float, default=100)
    options = parser.parse_args()
    speeds = {}
    with tempfile.TemporaryDirectory() as folder:
        log, made = Path(folder) / "log.jsonl", list(records(int(options.mb * 1e6)))
        log.write_bytes(b"".join(line for line, _ in made))
        lines, addresses = len(made), sum(has for _, has in made)
        del made
        print("| --text | MB/s | MB per CPU second | RSS MB |\n| --- | ---: | ---: | ---: |")
        for way in WAYS:
            command = [sys.executable, "-m", "llmtel", "redact", str(log), "--text", way, "--format", "json"]
            run = Program(way, [*command, "-o", str(Path(folder) / way)]).run()
            got = {row["what"]: row["count"] for row in json.loads(run.output)["tables"][0]["rows"]}
            if got != expected(way, lines, addresses):
                raise RuntimeError(
                    f"{way}: replaced {got}, and should have {expected(way, lines, addresses)}"
                )
            size = log.stat().st_size / 1e6
            speeds[way] = size / run.wall_s
            print(f"| {way} | {size / run.wall_s:.0f} | {size / run.cpu_s:.0f} | {run.rss_mb:.0f} |")
    return int(min(speeds["drop"], speeds["redact"]) < TARGET_MB_S)


if __name__ == "__main__":
    sys.exit(main())
