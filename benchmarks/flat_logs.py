"""A flat log of calls, about 335 bytes a line, and its exact answers.

    python benchmarks/flat_logs.py calls.jsonl --calls 1000000 [--bad-line]

Same arguments, same bytes. Calls are in time order over thirty days (`--day`, `--days` for others, `--seed`
for other calls); a few users make most of them, one call in fifty fails. The answers stand in
`calls.truth.json`: totals, calls by model, feature and day, and latency percentiles (linear interpolation) of
the calls that succeeded. `--bad-line` puts a line that is cut short into the middle.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from array import array
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

START = datetime(2026, 9, 1, tzinfo=UTC)
SPAN = timedelta(days=30)
MODELS = ("gpt-4o-mini", "gpt-4o-mini", "gpt-5-mini", "gemini-2.5-flash", "claude-sonnet-4-5-20250929")
FEATURES = ("chat", "chat", "chat", "search", "search", "summarize", "code", "agent")
REGIONS = ("us-east-1", "us-east-1", "eu-west-1", "ap-southeast-1")
FAILURES = (("rate_limit_exceeded", 429, 40.0), ("server_error", 500, 700.0), ("timeout", 504, 60_000.0))
USERS = 1000


class Call(NamedTuple):
    """What the answers need of a call; tokens are input, cached input, output."""

    day: str
    model: str
    feature: str
    tokens: tuple[int, int, int]
    latency_ms: float
    failed: bool


def lines(
    count: int, seed: int, start: datetime = START, span: timedelta = SPAN
) -> Iterator[tuple[str, Call]]:
    """Each call as its line of JSON and as what is counted of it."""
    dice = random.Random(seed)
    chance, spread, bits = dice.random, dice.lognormvariate, dice.getrandbits
    for number in range(count):
        time = start + span * ((number + chance()) / count)
        stamp = f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"
        model, feature = MODELS[int(chance() * 5)], FEATURES[int(chance() * 8)]
        fresh, output = int(spread(7, 0.9)) + 1, int(spread(5.2, 0.7)) + 1
        cached = fresh // 256 * 128 if chance() < 0.3 else 0
        first = round(spread(6.1, 0.35), 3)
        latency = round(first + output * spread(2.3, 0.3), 3)
        outcome, ttft = '"status":"ok","http_status":200', str(first)
        failed = chance() < 0.02
        if failed:
            kind, status, median = FAILURES[int(chance() * 3)]
            cached, output, latency, ttft = 0, 0, round(median * spread(0, 0.1), 3), "null"
            outcome = f'"status":"error","http_status":{status},"error_type":"{kind}"'
        line = (
            f'{{"timestamp":"{stamp}","request_id":"{bits(128):032x}","session_id":"s{number // 6:07d}",'
            f'"user_id":"u{int(USERS * chance() ** 2.5):05d}","feature":"{feature}","model":"{model}",'
            f'"region":"{REGIONS[int(chance() * 4)]}","input_tokens":{fresh},"cached_input_tokens":{cached},'
            f'"output_tokens":{output},"latency_ms":{latency},"ttft_ms":{ttft},{outcome}}}\n'
        )
        yield line, Call(stamp[:10], model, feature, (fresh, cached, output), latency, failed)


def percentile(ordered: array[float], share: float) -> float:
    """The value below which `share` of the sorted numbers lie, by linear interpolation."""
    position = share * (len(ordered) - 1)
    low = math.floor(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


class Answers:
    """The exact answers, counted while the lines are written."""

    def __init__(self) -> None:
        self.calls = self.errors = self.input = self.cached = self.output = 0
        self.by: dict[str, Counter[str]] = {"model": Counter(), "feature": Counter(), "day": Counter()}
        self.latencies = array("d")

    def add(self, call: Call) -> None:
        """Count one call."""
        self.calls += 1
        self.errors += call.failed
        self.input += call.tokens[0]
        self.cached += call.tokens[1]
        self.output += call.tokens[2]
        self.by["model"][call.model] += 1
        self.by["feature"][call.feature] += 1
        self.by["day"][call.day] += 1
        if not call.failed:
            self.latencies.append(call.latency_ms)

    def as_json(self) -> dict[str, Any]:
        """The keys are llmtel's metrics; `by` has the number of calls of each value of a dimension."""
        ordered = array("d", sorted(self.latencies))
        return {
            "calls": self.calls,
            "errors": self.errors,
            "input_tokens": self.input,
            "cache_read_tokens": self.cached,
            "output_tokens": self.output,
            **{f"p{share}_latency": percentile(ordered, share / 100) for share in (50, 95, 99)},
            "by": self.by,
        }


def write(
    path: Path,
    count: int,
    *,
    seed: int = 7,
    start: datetime = START,
    span: timedelta = SPAN,
    bad_line: bool = False,
) -> dict[str, Any]:
    """Write the log and, beside it, its answers, which are also returned."""
    answers = Answers()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="ascii", newline="\n") as out:
        for number, (line, call) in enumerate(lines(count, seed, start, span)):
            if bad_line and number == count // 2:
                out.write(line[: len(line) // 2] + "\n")
            out.write(line)
            answers.add(call)
    truth = answers.as_json()
    path.with_suffix(".truth.json").write_text(json.dumps(truth))
    return truth


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", type=Path)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--bad-line", action="store_true")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--day", type=datetime.fromisoformat, default=START, help="the first, UTC")
    parser.add_argument("--days", type=int, default=SPAN.days)
    args = parser.parse_args()
    start, span = args.day.replace(tzinfo=UTC), timedelta(days=args.days)
    write(args.path, args.calls, seed=args.seed, start=start, span=span, bad_line=args.bad_line)


if __name__ == "__main__":
    main()
