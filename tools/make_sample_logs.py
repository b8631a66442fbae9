"""Write `sample_logs/`: a month of an invented shop's calls to models, the same bytes every time.

    python tools/make_sample_logs.py            # writes sample_logs/ at the top of the repository
    python tools/make_sample_logs.py --check    # exits 1 when what is there differs

About 5,000 calls from 26 October to 22 November 2026 (UTC), in four formats, that tell a story:

- `gateway.jsonl.gz` (flat JSON lines): support-chat, in conversations that users leave when answers fail or
  are slow. From 9 November half of them run prompt support v4, which costs more and is liked less. `autotag`
  runs acme-7b, a model of the house without a price. Some lines were shipped twice, some are broken.
- `search-rag.jsonl` (OpenAI chat completions inside the application's own line), with two broken lines.
- `report-writer.csv`: few, long calls. On Friday 13 November one user's script runs wild: the cost spike.
- `claude/projects/…` (transcripts of a coding agent): a message repeats while it streams.

Region ap-south is slow every day. On 17 and 18 November, 09:00-12:00, a provider answers 429, or never.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from shop import REGIONS, Dice, Row, call, stamp

SPIKE_DAY = 18  # Friday 13 November
VARIANT_FROM = 14  # Monday 9 November
PROVIDERS = {"gpt": "openai", "gemini": "google", "claude": "anthropic", "acme": "acme"}


def gateway_row(dice: Dice, row: Row, user: str, feature: str) -> Row:
    """A call as the gateway writes it."""
    provider = PROVIDERS[row["model"].partition("-")[0]]
    line: Row = {
        "timestamp": stamp(row["time"]), "request_id": dice.ident("req_"), "user_id": user,
        "feature": feature, "provider": provider, "model": row["model"], "region": row["region"],
        "latency_ms": row["ms"],
    }  # fmt: skip
    if row["kind"] is not None:
        return line | {"status": "error", "http_status": row["status"], "error_type": row["kind"]}
    usage = {"input_tokens": row["input"], "output_tokens": row["output"], "ttft_ms": row["first_ms"]}
    return line | usage | {"status": "ok", "http_status": 200}


def conversation(dice: Dice, day: int) -> Iterator[Row]:
    """The turns of one conversation with support-chat; a bad turn makes the user likelier to leave."""
    time, user, region = dice.time(day), dice.user(), dice.pick(REGIONS)
    version = "v4" if day >= VARIANT_FROM and dice.random() < 0.5 else "v3"
    model = dice.pick({"gpt-5-mini": 7, "gemini-2.5-flash": 3})
    session, retries, longer = dice.ident("conv_"), 0, version == "v4"
    for turn in range(9):
        asked = round(dice.about(5200 if longer else 4300, 0.25) + turn * 700)
        row = call(dice, time, model, (asked, round(dice.about(800 if longer else 520, 0.45))), region)
        line = gateway_row(dice, row, user, "support-chat")
        line |= {
            "session_id": session,
            "prompt_name": "support",
            "prompt_version": version,
            "retries": retries,
        }
        if row["kind"] is None:
            line["cached_tokens"] = 2048 if turn or dice.random() < 0.4 else 0
        stays = 0.6 if row["kind"] else 0.4 if row["ms"] > 9000 else 0.78
        if turn == 8 or dice.random() > stays:
            yield line | farewell(dice, row, liked=0.72 if longer else 0.91)
            return
        yield line
        retries = retries + 1 if row["kind"] else 0
        time += timedelta(milliseconds=row["ms"] + dice.about(2000 if row["kind"] else 35_000))


def farewell(dice: Dice, row: Row, liked: float) -> Row:
    """What is known at the last turn: whether the matter was settled, and, of a few, what they thought."""
    resolved = row["kind"] is None and dice.random() < 0.8
    last: Row = {"resolved": resolved, "escalated": not resolved and dice.random() < 0.4}
    if row["kind"] is None and dice.random() < 0.5:
        last["feedback"] = 1 if dice.random() < liked else -1
    return last


def gateway(dice: Dice) -> bytes:
    """Flat JSON lines: support-chat and autotag, with lines shipped twice and lines cut short."""
    rows = [line for day in dice.days(700) for line in conversation(dice, day)]
    for day in dice.days(64):
        tokens = (round(dice.about(3200, 0.3)), round(dice.about(90, 0.4)))
        row = call(dice, dice.time(day), "acme-7b", tokens, dice.pick(REGIONS))
        rows.append(gateway_row(dice, row, dice.user(), "autotag"))
    lines = [json.dumps(row, separators=(",", ":")) for row in sorted(rows, key=lambda row: row["timestamp"])]
    for _ in range(36):
        at = dice.randrange(len(lines))
        lines.insert(at + dice.randrange(1, 9), lines[at])
    for _ in range(3):
        at = dice.randrange(len(lines))
        lines.insert(at, lines[at][: len(lines[at]) // 2])
    lines.insert(dice.randrange(len(lines)), "gateway: log rotated")
    return gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0)


def search_row(dice: Dice, time: datetime) -> Row:
    """A call as the search service logs it: its own line around the provider's answer."""
    model = dice.pick({"gpt-5-mini": 8, "gpt-5": 1})
    row = call(dice, time, model, (round(dice.about(6200)), round(dice.about(330))), dice.pick(REGIONS))
    line: Row = {
        "time": stamp(time), "user": dice.user(), "feature": "search-rag", "region": row["region"],
        "model": model, "latency_ms": row["ms"],
    }  # fmt: skip
    if row["kind"] is not None:
        error = {"message": "The request could not be served.", "type": row["kind"], "code": row["kind"]}
        return line | {"status_code": row["status"], "response": {"error": error}}
    cached = dice.choice((0, 1024))
    thought = 64 * round(row["output"] * 0.3 / 64)
    usage = {
        "prompt_tokens": row["input"], "completion_tokens": row["output"],
        "total_tokens": row["input"] + row["output"],
        "prompt_tokens_details": {"cached_tokens": cached if cached < row["input"] else 0},
        "completion_tokens_details": {"reasoning_tokens": thought if thought < row["output"] else 0},
    }  # fmt: skip
    answer = {"role": "assistant", "content": "Three passages answer this; see the sources."}
    body = {
        "id": dice.ident("chatcmpl-"), "object": "chat.completion", "created": int(time.timestamp()),
        "model": f"{model}-2025-08-07", "choices": [{"index": 0, "message": answer, "finish_reason": "stop"}],
        "usage": usage,
    }  # fmt: skip
    return line | {"status_code": 200, "response": body}


def search_rag(dice: Dice) -> bytes:
    """OpenAI chat completions wrapped in an application's line."""
    times = sorted(dice.time(day) for day in dice.days(1040))
    lines = [json.dumps(search_row(dice, time), separators=(",", ":")) for time in times]
    for _ in range(2):
        at = dice.randrange(len(lines))
        lines.insert(at, lines[at][:-40])
    return ("\n".join(lines) + "\n").encode()


def report_row(dice: Dice, time: datetime, user: str, size: float) -> Row:
    """A call as the report writer's table has it: latency in seconds, blank cells for what is unknown."""
    model = dice.pick({"claude-sonnet-4-5": 3, "gpt-5": 2})
    tokens = (round(dice.about(15_000 * size, 0.4)), round(dice.about(2100 * size, 0.4)))
    row = call(dice, time, model, tokens, dice.pick(REGIONS))
    line: Row = {
        "timestamp": stamp(time), "request_id": dice.ident("req_"), "user_id": user,
        "feature": "report-writer", "model": model, "region": row["region"], "input_tokens": "",
        "cached_input_tokens": "", "output_tokens": "",
        "duration_s": f"{row['ms'] / 1000:.3f}", "http_status": row["status"],
        "status": "error", "error_type": row["kind"], "rating": "",
    }  # fmt: skip
    if row["kind"] is not None:
        return line
    rating = dice.pick({"5": 5, "4": 4, "3": 1, "2": 1}) if dice.random() < 0.2 else ""
    counts = {"input_tokens": row["input"], "cached_input_tokens": 0, "output_tokens": row["output"]}
    return line | counts | {"status": "ok", "rating": rating}


def report_writer(dice: Dice) -> bytes:
    """CSV of long calls; the spike is one user's loop on one day."""
    calls = [(dice.time(day), dice.user(), 1.0) for day in dice.days(330)]
    calls += [(dice.time(SPIKE_DAY), "u-0417", 1.8) for _ in range(104)]
    rows = [report_row(dice, *one) for one in sorted(calls)]
    out = io.StringIO()
    table = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return out.getvalue().encode()


class Transcript:
    """One session of a coding agent in the layout of Claude Code: context lines, messages that stream."""

    def __init__(self, dice: Dice, project: str, day: int) -> None:
        self.dice, self.time, self.session = dice, dice.time(day), dice.uuid()
        self.path = f"claude/projects/-home-dev-src-{project}/{self.session}.jsonl"
        self.shared = {"cwd": f"/home/dev/src/{project}", "sessionId": self.session, "version": "2.1.0"}
        self.lines: list[str] = []
        self.cached = 14_000

    def write(self, kind: str, rest: Row) -> None:
        """One line of the transcript."""
        line = {"type": kind, "timestamp": stamp(self.time), "uuid": self.dice.uuid(), **self.shared, **rest}
        self.lines.append(json.dumps(line, separators=(",", ":")))

    def ask(self) -> None:
        """What the agent is told: a task, or what a tool printed."""
        self.time += timedelta(milliseconds=self.dice.about(9000, 0.8))
        self.write("user", {"gitBranch": "main", "message": {"role": "user", "content": "[tool output]"}})

    def answer(self) -> None:
        """A message in one to three lines: the same ids, output counted up, the last one whole."""
        fresh, output = round(self.dice.about(1100, 0.7)), round(self.dice.about(310, 0.7))
        ids = {"id": self.dice.ident("msg_01"), "request": self.dice.ident("req_011")}
        parts = self.dice.choices((1, 2, 3), (6, 3, 1))[0]
        for part in range(parts):
            self.time += timedelta(milliseconds=self.dice.about(2200))
            last = part == parts - 1
            usage = {
                "input_tokens": 6, "cache_creation_input_tokens": fresh,
                "cache_creation": {"ephemeral_5m_input_tokens": fresh, "ephemeral_1h_input_tokens": 0},
                "cache_read_input_tokens": self.cached,
                "output_tokens": output if last else max(1, output // 9), "service_tier": "standard",
            }  # fmt: skip
            message = {
                "id": ids["id"], "type": "message", "role": "assistant",
                "model": "claude-sonnet-4-6",
                "content": [{"type": "text", "text": "Looking at the next file."}],
                "stop_reason": "tool_use" if last else None, "usage": usage,
            }  # fmt: skip
            self.write("assistant", {"gitBranch": "main", "requestId": ids["request"], "message": message})
        self.cached = min(self.cached + fresh, 150_000)


def transcripts(dice: Dice) -> dict[str, bytes]:
    """Sixteen sessions of a coding agent on two projects."""
    files: dict[str, bytes] = {}
    for day in dice.days(16):
        transcript = Transcript(dice, dice.pick({"shop-api": 3, "shop-web": 2}), day)
        for _ in range(dice.randrange(28, 66)):
            transcript.ask()
            transcript.answer()
        files[transcript.path] = ("\n".join(transcript.lines) + "\n").encode()
    return files


def sample_logs() -> dict[str, bytes]:
    """All files: path below sample_logs/ → bytes."""
    return {
        "gateway.jsonl.gz": gateway(Dice(1)),
        "search-rag.jsonl": search_rag(Dice(2)),
        "report-writer.csv": report_writer(Dice(3)),
        **transcripts(Dice(4)),
    }


def unpacked(path: str, data: bytes) -> bytes:
    """The bytes that count: versions of zlib pack the same content differently."""
    return gzip.decompress(data) if path.endswith(".gz") else data


def differences(folder: Path) -> list[str]:
    """The paths whose content in `folder` is not what this script makes."""
    made = {path: unpacked(path, data) for path, data in sample_logs().items()}
    there = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return sorted(
        path
        for path in made.keys() | there.keys()
        if path not in made or path not in there or unpacked(path, there[path].read_bytes()) != made[path]
    )


def main() -> int:
    """Write or check; the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = Path(__file__).parents[1] / "sample_logs"
    parser.add_argument("folder", type=Path, nargs="?", default=default)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the folder differs")
    args = parser.parse_args()
    if args.check:
        wrong = differences(args.folder)
        print(
            "\n".join(f"differs: {path}" for path in wrong) or "the sample logs are as the script makes them"
        )
        return 1 if wrong else 0
    for path, data in sample_logs().items():
        target = args.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
