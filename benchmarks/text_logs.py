"""Calls that were logged with their texts and without counts: prompts of 1 KB of English and Markdown.

The exact answers stand beside the log in `….truth.json`: every text encoded by itself, without a cache.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from llmtel.tokens.encodings import encoding

SIZE = 1000
START = datetime(2026, 9, 1, tzinfo=UTC)
WORDS = re.findall(
    r"\w+",
    "the of and to in is you that it for on are as with they be this have from or by not what all were when "
    "your can said there use each which their if will way about many then them would like him into time has "
    "look more write see number no people than first been call who its now find long down day get come made "
    "request service token latency model prompt answer customer order shipping refund invoice account error",
)
MARKDOWN = (
    "\n## Summary\n\n", "\n- ", "\n1. ", "**important** ", "`retry_count` ", "\n\n", "| name | value |\n",
    "[docs](https://example.org/guide#limits) ", "\n```python\nfor n in range(10):\n    print(n)\n```\n",
)  # fmt: skip


def prompt(chance: random.Random) -> str:
    """About `SIZE` characters: words, now and then a number, a sentence's end or a piece of Markdown."""
    parts, length = [], 0
    while length < SIZE:
        kind = chance.random()
        word = chance.choice(WORDS)
        if kind < 0.05:
            part = chance.choice(MARKDOWN)
        elif kind < 0.08:
            part = f"{chance.randrange(100_000)} "
        elif kind < 0.15:
            part = f"{word}. {chance.choice(WORDS).capitalize()} "
        else:
            part = f"{word} "
        parts.append(part)
        length += len(part)
    return "".join(parts)


def lines(count: int, seed: int) -> Iterator[dict[str, Any]]:
    """The calls, one a second."""
    chance = random.Random(seed)
    for n in range(count):
        yield {
            "timestamp": (START + timedelta(seconds=n)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "model": "gpt-4o-mini",
            "latency_ms": 300 + n % 700,
            "prompt": prompt(chance),
            "completion": chance.choice(WORDS),
        }


def write(path: Path, count: int, *, seed: int = 3) -> dict[str, Any]:
    """Write the log and its answers, which are also returned."""
    path.parent.mkdir(parents=True, exist_ok=True)
    encode = encoding("o200k_base").encode_ordinary
    asked = answered = 0
    with path.open("w") as log:
        for call in lines(count, seed):
            log.write(json.dumps(call) + "\n")
            asked += len(encode(call["prompt"]))
            answered += len(encode(call["completion"]))
    truth = {"calls": count, "input_tokens": asked, "output_tokens": answered}
    path.with_suffix(".truth.json").write_text(json.dumps(truth))
    return truth


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--calls", type=int, default=100_000)
    args = parser.parse_args()
    write(args.path, args.calls)
