"""The invented shop behind `sample_logs/`: its chance, its traffic, and how its calls to models go."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 10, 26, tzinfo=UTC)
DAYS = 28
BURST_DAYS = (22, 23)  # Tuesday 17 and Wednesday 18 November
WEEK = (1.0, 1.05, 1.1, 1.05, 0.95, 0.4, 0.35)
HOURS = (1, 1, 1, 1, 1, 2, 4, 7, 12, 15, 15, 13, 11, 13, 14, 14, 12, 10, 8, 7, 6, 4, 3, 2)
REGIONS = {"us-east": 50.0, "eu-west": 36.0, "ap-south": 14.0}
FAILURES = {  # kind: weight, HTTP status, milliseconds
    "rate_limit": (35.0, 429, 0.0),
    "server_error": (30.0, 500, 900.0),
    "timeout": (20.0, 504, 60_000.0),
    "json_parse_error": (15.0, 200, 1500.0),
}
SPEED = {  # milliseconds to the first token, milliseconds per output token
    "gpt-5-mini": (420.0, 4.5),
    "gpt-5": (900.0, 5.5),
    "gemini-2.5-flash": (300.0, 3.2),
    "claude-sonnet-4-5": (650.0, 6.0),
    "acme-7b": (90.0, 3.5),
}

Row = dict[str, Any]


class Dice(random.Random):
    """Seeded chance, with the two shapes that telemetry has: weighted kinds and long-tailed sizes."""

    def pick(self, weights: Mapping[str, float]) -> str:
        """One of the names, by weight."""
        return self.choices(list(weights), list(weights.values()))[0]

    def about(self, median: float, spread: float = 0.5) -> float:
        """A log-normal number."""
        return median * math.exp(self.gauss(0, spread))

    def ident(self, prefix: str) -> str:
        """A request id."""
        return f"{prefix}{self.getrandbits(64):016x}"

    def uuid(self) -> str:
        """An id in the shape of a UUID."""
        text = f"{self.getrandbits(128):032x}"
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))

    def time(self, day: int) -> datetime:
        """An instant of the day, mostly in office hours."""
        hour = self.choices(range(24), HOURS)[0]
        return START + timedelta(days=day, hours=hour, milliseconds=self.randrange(3_600_000))

    def user(self) -> str:
        """One of 220 users, a few of whom make most of the calls."""
        return f"u-{(int(220 * self.random() ** 1.8) * 7 + 32) % 997:04d}"

    def days(self, total: int) -> Iterator[int]:
        """`total` days in order, busy on weekdays."""
        weights = [WEEK[day % 7] for day in range(DAYS)]
        return iter(sorted(self.choices(range(DAYS), weights, k=total)))


def stamp(time: datetime) -> str:
    """ISO 8601 with milliseconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"


def failure(dice: Dice, time: datetime) -> str | None:
    """How this call fails, if it does: seldom, and often during the two bad mornings."""
    burst = (time - START).days in BURST_DAYS and time.hour in (9, 10, 11)
    if burst and dice.random() < 0.75:
        return dice.pick({"rate_limit": 3, "timeout": 1})
    if dice.random() < 0.015:
        return dice.pick({kind: spec[0] for kind, spec in FAILURES.items()})
    return None


def call(dice: Dice, time: datetime, model: str, tokens: tuple[int, int], region: str) -> Row:
    """What every file knows of a call: time, model, tokens (input, output), latency and outcome."""
    to_first, per_token = SPEED[model]
    slow = 2.6 if region == "ap-south" else 1.0
    per_token *= dice.about(slow, 0.25)
    kind = failure(dice, time)
    first = dice.about(to_first + tokens[0] * 0.02, 0.3) * slow
    row: Row = {
        "time": time, "model": model, "region": region, "kind": kind, "input": tokens[0], "output": tokens[1],
        "status": 200, "first_ms": round(first), "ms": round(first + tokens[1] * per_token),
    }  # fmt: skip
    if kind is not None:
        _, row["status"], median = FAILURES[kind]
        row |= {"output": None, "first_ms": None, "ms": round(dice.about(median, 0.02))}
    return row
