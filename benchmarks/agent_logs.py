"""Transcripts of a coding agent, about 2.2 kB a line, and their exact answers.

    python benchmarks/agent_logs.py folder --lines 500000

Layout `folder/projects/<project>/<session>.jsonl`, as Claude Code writes it. Same arguments, same bytes. Most
lines are parts of answers: an answer is written as one to three lines that share their ids; input and cache
counts repeat, and only the last line has the final count of output tokens. The others are tool results and
notes. The exact answers stand in `folder/truth.json`: the last line of each answer counts.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

START = datetime(2026, 9, 1, tzinfo=UTC)
MODELS = (
    ("claude-sonnet-4-5-20250929",) * 4 + ("claude-opus-4-5-20251101",) * 2 + ("claude-haiku-4-5-20251001",)
)
PROSE = (
    "reads the file path and returns an error when value is missing, updates test config \\n    def parse"
    '(self) -> None: if \\"key\\" in frame: import column group token model request response session naïve 測'
)
WORDS = PROSE.split()
LINES_A_FILE = 800


class Session:
    """One transcript: its ids, its clock and its growing cache."""

    def __init__(self, dice: random.Random, texts: list[str], number: int) -> None:
        self.dice, self.texts = dice, texts
        self.project = f"project{number % 8:02d}"
        self.id = self.uuid()
        self.time = START + timedelta(days=30 * dice.random())
        self.cached = 12_000
        self.base = (
            f'"isSidechain":false,"userType":"external","cwd":"/home/dev/src/{self.project}",'
            f'"sessionId":"{self.id}","version":"2.1.0","gitBranch":"main"'
        )

    def uuid(self) -> str:
        """An id in the shape of a UUID."""
        text = f"{self.dice.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def text(self) -> str:
        """A piece of prose and code, escaped for JSON."""
        return self.texts[int(self.dice.random() * len(self.texts))]

    def stamp(self) -> str:
        """The next instant."""
        self.time += timedelta(milliseconds=int(self.dice.expovariate(1 / 4000)) + 20)
        return f"{self.time:%Y-%m-%dT%H:%M:%S}.{self.time.microsecond // 1000:03d}Z"

    def note(self) -> str:
        """A line without usage."""
        if self.dice.random() < 0.4:
            return f'{{"type":"summary","summary":"{self.text()}","leafUuid":"{self.uuid()}"}}\n'
        return (
            f'{{"parentUuid":"{self.uuid()}",{self.base},"type":"system","subtype":"turn_duration",'
            f'"durationMs":{self.dice.randrange(90_000)},"timestamp":"{self.stamp()}","uuid":"{self.uuid()}"}}\n'
        )

    def tool_result(self) -> str:
        """A line of the user's side: what a tool printed."""
        tool = f"toolu_01{self.dice.getrandbits(88):022x}"
        return (
            f'{{"parentUuid":"{self.uuid()}",{self.base},"type":"user","message":{{"role":"user","content":[{{'
            f'"tool_use_id":"{tool}","type":"tool_result","content":"{self.text()}"}}]}},"uuid":"{self.uuid()}",'
            f'"timestamp":"{self.stamp()}","toolUseResult":{{"stdout":"{self.text()}","stderr":""}}}}\n'
        )

    def answer(self, truth: Truth) -> Iterator[str]:
        """The one to three lines of an answer."""
        dice = self.dice
        model, parts = MODELS[int(dice.random() * 7)], (1, 1, 2, 2, 3)[int(dice.random() * 5)]
        fresh, written, output = (
            dice.randrange(1, 10),
            int(dice.lognormvariate(7.3, 1)),
            int(dice.lognormvariate(5.3, 0.9)) + 2,
        )
        hour = dice.random() < 0.2
        ids = f"msg_01{dice.getrandbits(88):022x}", f"req_011{dice.getrandbits(84):021x}"
        for part in range(parts):
            last, stamp = part == parts - 1, self.stamp()
            reason = '"end_turn"' if last else "null"
            if part == 0:
                truth.add(stamp[:10], model, (fresh, self.cached, written, output))
            yield (
                f'{{"parentUuid":"{self.uuid()}",{self.base},"message":{{"model":"{model}","id":"{ids[0]}",'
                f'"type":"message","role":"assistant","content":[{{"type":"text","text":"{self.text()}"}}],'
                f'"stop_reason":{reason},"stop_sequence":null,"usage":{{'
                f'"input_tokens":{fresh},"cache_creation_input_tokens":{written},'
                f'"cache_read_input_tokens":{self.cached},"cache_creation":{{'
                f'"ephemeral_5m_input_tokens":{0 if hour else written},'
                f'"ephemeral_1h_input_tokens":{written if hour else 0}}},'
                f'"output_tokens":{output if last else output // 8 + 1},"service_tier":"standard"}}}},'
                f'"requestId":"{ids[1]}","type":"assistant","uuid":"{self.uuid()}","timestamp":"{stamp}"}}\n'
            )
        self.cached = min(self.cached + written, 160_000)


class Truth:
    """The exact answers, counted while the lines are written."""

    def __init__(self) -> None:
        self.calls = 0
        self.tokens = [0, 0, 0, 0]
        self.by: dict[str, Counter[str]] = {"model": Counter(), "day": Counter()}

    def add(self, day: str, model: str, tokens: tuple[int, int, int, int]) -> None:
        """Count one answer; tokens are uncached, cache read, cache write, output."""
        self.calls += 1
        self.tokens = [a + b for a, b in zip(self.tokens, tokens, strict=True)]
        self.by["model"][model] += 1
        self.by["day"][day] += 1

    def as_json(self) -> dict[str, Any]:
        """The keys are llmtel's metrics; `by` has the number of calls of each value of a dimension."""
        fresh, read, written, output = self.tokens
        return {
            "calls": self.calls,
            "input_tokens": fresh + read + written,
            "cache_read_tokens": read,
            "cache_write_tokens": written,
            "output_tokens": output,
            "by": self.by,
        }


def texts(dice: random.Random) -> list[str]:
    """Pieces of text, half a kilobyte in the middle, with a long tail, as tools print them."""
    sizes = (min(60_000, int(dice.lognormvariate(6.47, 1.15))) for _ in range(1500))
    return [" ".join(dice.choices(WORDS, k=max(1, size // 6))) for size in sizes]


def write(folder: Path, count: int, *, seed: int = 1) -> dict[str, Any]:
    """Write the transcripts (`count` lines, at least) and their answers, which are also returned."""
    dice, truth, written, number = random.Random(seed), Truth(), 0, 0
    pieces = texts(dice)
    while written < count:
        session = Session(dice, pieces, number)
        path = folder / "projects" / f"-home-dev-src-{session.project}" / f"{session.id}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="\n") as out:
            for line in transcript(session, truth, min(LINES_A_FILE, count - written)):
                out.write(line)
                written += 1
        number += 1
    answers = truth.as_json()
    (folder / "truth.json").write_text(json.dumps(answers))
    return answers


def transcript(session: Session, truth: Truth, count: int) -> Iterator[str]:
    """At least `count` lines: tool results and answers in turn, and now and then a note."""
    written = 0
    while written < count:
        turn = [session.tool_result(), *session.answer(truth)]
        if session.dice.random() < 0.45:
            turn.append(session.note())
        yield from turn
        written += len(turn)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lines", type=int, default=500_000)
    args = parser.parse_args()
    write(args.folder, args.lines)


if __name__ == "__main__":
    main()
