"""Rollouts of Codex CLI, about 1 kB a line, and their exact answers.

    python benchmarks/codex_logs.py folder --lines 100000

Layout `folder/YYYY/MM/DD/rollout-<time>-<id>.jsonl`, one file a session. Same arguments, same bytes. Most
lines are messages, commands and what these printed. An answer is followed by a count of its tokens, with
totals that grow over the session; a third of the counts are written again unchanged, and some say nothing of
tokens. The exact answers stand in `folder/truth.json`.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from agent_logs import START, texts

MODELS = ("gpt-5.3-codex", "gpt-5.3-codex", "gpt-5-mini")
KEYS = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens", "total_tokens")
LINES_A_FILE = 400


class Rollout:
    """One session: its id, its clock, and the totals of its tokens so far."""

    def __init__(self, dice: random.Random, pieces: list[str]) -> None:
        self.dice, self.pieces = dice, pieces
        self.id = f"{dice.getrandbits(128):032x}"
        self.time = START + timedelta(days=30 * dice.random())
        self.path = f"{self.time:%Y/%m/%d}/rollout-{self.time:%Y-%m-%dT%H-%M-%S}-{self.id}.jsonl"
        self.model = dice.choice(MODELS)
        self.totals = dict.fromkeys(KEYS, 0)
        self.context = 9000

    def line(self, kind: str, **payload: Any) -> str:  # noqa: ANN401 (what JSON has)
        """A line at the next instant."""
        self.time += timedelta(milliseconds=int(self.dice.expovariate(1 / 3000)) + 20)
        stamp = f"{self.time:%Y-%m-%dT%H:%M:%S}.{self.time.microsecond // 1000:03d}Z"
        return (
            f"{json.dumps({'timestamp': stamp, 'type': kind, 'payload': payload}, separators=(',', ':'))}\n"
        )

    def opening(self) -> Iterator[str]:
        """What a session begins with."""
        cwd = f"/home/dev/src/project{self.dice.randrange(8):02d}"
        yield self.line("session_meta", id=self.id, cwd=cwd, source="cli", cli_version="0.106.0")
        yield self.line("turn_context", cwd=cwd, model=self.model, approval_policy="never", summary="auto")

    def step(self, truth: dict[str, int]) -> Iterator[str]:
        """An answer that asks for a command, what the command printed, and the tokens of the answer."""
        call = f"call_{self.dice.getrandbits(64):016x}"
        spoken = [{"type": "output_text", "text": self.dice.choice(self.pieces)}]
        yield self.line("response_item", type="message", role="assistant", content=spoken)
        yield self.line("response_item", type="function_call", name="shell", arguments="{}", call_id=call)
        printed = self.dice.choice(self.pieces)
        yield self.line("response_item", type="function_call_output", call_id=call, output=printed)
        last = self.used(truth)
        info = {"total_token_usage": self.totals, "last_token_usage": last, "model_context_window": 272_000}
        for _ in range(2 if self.dice.random() < 1 / 3 else 1):
            yield self.line("event_msg", type="token_count", info=info)
        if self.dice.random() < 1 / 10:
            yield self.line("event_msg", type="token_count", info=None)

    def used(self, truth: dict[str, int]) -> dict[str, int]:
        """The tokens of the next answer, added to the totals and to the truth."""
        new, output = self.dice.randrange(50, 4000), self.dice.randrange(20, 900)
        counts = (self.context + new, self.context, output, output // 3, self.context + new + output)
        last = dict(zip(KEYS, counts, strict=True))
        self.totals = {key: self.totals[key] + last[key] for key in KEYS}
        self.context = min(self.context + new, 200_000)
        for key in KEYS[:4]:
            truth[key] += last[key]
        truth["calls"] += 1
        return last


def write(folder: Path, count: int, *, seed: int = 1) -> dict[str, int]:
    """Write rollouts (`count` lines, at least) and their answers, which are also returned."""
    dice, written = random.Random(seed), 0
    pieces, truth = texts(dice), dict.fromkeys(("calls", *KEYS[:4]), 0)
    while written < count:
        rollout = Rollout(dice, pieces)
        lines = list(rollout.opening())
        while len(lines) < min(LINES_A_FILE, count - written):
            lines += rollout.step(truth)
        path = folder / rollout.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(lines), encoding="utf-8", newline="\n")
        written += len(lines)
    (folder / "truth.json").write_text(json.dumps(truth))
    return truth


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lines", type=int, default=100_000)
    args = parser.parse_args()
    write(args.folder, args.lines)


if __name__ == "__main__":
    main()
