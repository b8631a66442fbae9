"""Calls of a made-up service: conversations whose costs are alike, with errors and latencies."""

import json
import math
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from llmtel.checks.check import check
from llmtel.checks.measure import keys_of, measured
from llmtel.checks.oneline import rule
from llmtel.checks.rules import RuleSet
from llmtel.core.schema import polars_schema

VECTORS = Path(__file__).parents[2].parent / "shared/vectors/stats.json"
START = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def vectors():
    if not VECTORS.is_file():
        pytest.skip("the shared data is not here")
    return json.loads(VECTORS.read_text())


def frame(rows):
    return pl.DataFrame(rows, schema=polars_schema(rows[0]), orient="row")


def make_service(
    seed=1, conversations=150, cost=1.0, slow=1.0, errors=0.02, features=("chat", "rag"), cases=0
):
    """Calls of `conversations`, 1 to 8 each; costs, latencies and errors are those of the arguments."""
    chance = random.Random(seed)  # noqa: S311 (invented data)
    rows = []
    for i in range(conversations):
        dear = chance.gauss(0, 0.5)
        for _ in range(chance.randint(1, 8)):
            failed = chance.random() < errors
            rows.append({
                "ts": START + timedelta(minutes=len(rows)),
                "trace": f"t{seed}-{i}",
                "user": f"u{i % 20}",
                "case": f"case {i % cases}" if cases else None,
                "feature": features[i % len(features)],
                "model": "m",
                "status": "error" if failed else "ok",
                "latency_ms": 900 * slow * math.exp(chance.gauss(0, 0.5)),
                "input_uncached": chance.randint(100, 3000),
                "output_text": chance.randint(10, 900),
                "cost_usd": cost * 0.01 * math.exp(dear + chance.gauss(0, 0.4)),
            })  # fmt: skip
    return frame(rows)


@pytest.fixture(scope="session")
def judged():
    """A function that judges rules over current calls and those of the baseline, if there are any."""

    def judge(current, base, *lines, rules=None, **options):
        ruleset = rules or RuleSet(tuple(rule(line) for line in lines))
        before = None if base is None else measured(base, ruleset.rules)
        now = measured(current, ruleset.rules, keep=keys_of(before, ruleset.rules) if before else None)
        return check(ruleset, now, before, **options)

    return judge


@pytest.fixture(scope="session")
def service():
    """The calls of `make_service`."""
    return make_service
