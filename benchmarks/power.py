"""How often `llmtel check` cries wolf, and how often it sees the wolf: simulations with its own code.

    python benchmarks/power.py                     # 2,000 runs each, some minutes
    python benchmarks/power.py --runs 100          # a taste
    python benchmarks/power.py --log sample_logs   # and splits of a real log, 500 of them

Costs are lognormal (sd of the logarithm 1.2, the shape of LLM cost); where calls are clustered, those of a
conversation share a factor (sd 0.8). The rule is `cost_per_call > +10%`, unless another stands there. A
figure meets its limit unless it misses it by more than chance explains (95 %, binomial). Paired: 50 cases,
the same on both sides, whose costs differ between cases (sd 0.8) and by 8 % from run to run.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import polars as pl

from llmtel.checks.check import check
from llmtel.checks.defaults import default_rules
from llmtel.checks.measure import keys_of, measured
from llmtel.checks.oneline import rule
from llmtel.checks.rules import Rule, RuleSet, Settings
from llmtel.core.schema import polars_schema

SIGMA, SHARED, WITHIN_CASE, BETWEEN_CASES = 1.2, 0.8, 0.08, 0.8
RISE = math.log(1.25)
NORMAL = NormalDist()
Draw = Callable[[np.random.Generator, float], pl.DataFrame]


class Limit(NamedTuple):
    """What a rate must be: at most, at least, or within five points of a figure."""

    kind: str
    figure: float

    def met(self, rate: float, runs: int) -> bool:
        """Whether the rate is not beyond it by more than chance explains."""
        slack = NORMAL.inv_cdf(0.95) * math.sqrt(self.figure * (1 - self.figure) / runs)
        if self.kind == "at most":
            return rate <= self.figure + slack
        if self.kind == "at least":
            return rate >= self.figure - slack
        return abs(rate - self.figure) <= 0.05 + slack


@dataclass(frozen=True)
class Scenario:
    """How to draw a side, the rule, the logarithm of the change (`level`), and what must come out."""

    name: str
    draw: Draw
    rule: Rule
    level: float
    limit: Limit

    def fails(self, run: int) -> bool:
        """Whether one run with a change of `level` fails."""
        chance = np.random.default_rng(run)
        rules = RuleSet((self.rule,))
        base = measured(self.draw(chance, 0.0), rules.rules)
        now = measured(self.draw(chance, self.level), rules.rules)
        return check(rules, now, base).count("fail") > 0


def calls(n: int, **columns: object) -> pl.DataFrame:
    """A frame of calls with some columns; each call is a conversation unless `session` says otherwise."""
    data = {"session": np.arange(n), "status": ["ok"] * n, **columns}
    return pl.DataFrame(data).with_columns(pl.col("session").cast(pl.String)).cast(polars_schema(data))


def independent(n: int) -> Draw:
    """Calls that have nothing to do with each other."""
    return lambda chance, level: calls(n, cost_usd=np.exp(level - 5 + chance.normal(0, SIGMA, n)))


def clustered(sessions: int, each: int, column: str = "cost_usd") -> Draw:
    """Conversations of as many calls each, whose costs (or latencies) are alike."""

    def draw(chance: np.random.Generator, level: float) -> pl.DataFrame:
        who = np.repeat(np.arange(sessions), each)
        own = chance.normal(0, math.sqrt(SIGMA**2 - SHARED**2), sessions * each)
        values = np.exp(level + own + chance.normal(0, SHARED, sessions)[who])
        return calls(sessions * each, session=who, **{column: values})

    return draw


def failing(sessions: int, each: int) -> Draw:
    """Conversations of which some fail often: 2 % of calls, but not 2 % of each conversation's."""

    def draw(chance: np.random.Generator, level: float) -> pl.DataFrame:
        who = np.repeat(np.arange(sessions), each)
        rates = chance.beta(0.2, 9.8, sessions)[who] * math.exp(level)
        broken = chance.random(sessions * each) < rates
        return calls(sessions * each, session=who, status=np.where(broken, "error", "ok").tolist())

    return draw


def cases(n: int) -> Draw:
    """The same evaluation cases, a little dearer or cheaper each run."""
    typical = np.random.default_rng(0).normal(0, BETWEEN_CASES, n)

    def draw(chance: np.random.Generator, level: float) -> pl.DataFrame:
        costs = np.exp(level + typical + chance.normal(0, WITHIN_CASE, n))
        return calls(n, case=[f"case {i}" for i in range(n)], cost_usd=costs)

    return draw


def predicted(sessions: int, each: int) -> float:
    """The power that the design effect predicts for clustered calls: deff = 1 + (m − 1)·ICC."""
    variation = math.expm1(SIGMA**2)
    effect = 1 + (each - 1) * math.expm1(SHARED**2) / variation
    error = math.sqrt(2 * variation * effect / (sessions * each))
    edge = max(math.log(1.1), NORMAL.inv_cdf(0.95) * error)
    return 1 - NORMAL.cdf((edge - RISE) / error)


def scenarios() -> Iterator[Scenario]:
    """All of them, in order."""
    line = "cost_per_call > +10%"
    cost = rule(line)
    few = rule(line, Settings(min_samples=50))
    paired = rule("cost_per_call > +5%")
    power = predicted(100, 10)
    talks = clustered(100, 10)
    yield Scenario("no change, 50 calls a side", independent(50), few, 0.0, Limit("at most", 0.07))
    yield Scenario("no change, 1,000 calls a side", independent(1000), cost, 0.0, Limit("at most", 0.05))
    yield Scenario("+25 %, 1,000 calls a side", independent(1000), cost, RISE, Limit("at least", 0.8))
    yield Scenario("no change, 100 conversations of 10", talks, cost, 0.0, Limit("at most", 0.05))
    yield Scenario("+25 %, 100 conversations of 10", talks, cost, RISE, Limit("near", power))
    yield Scenario("no change, 50 paired cases, > +5%", cases(50), paired, 0.0, Limit("at most", 0.02))
    yield Scenario("+10 %, 50 paired cases, > +5%", cases(50), paired, math.log(1.1), Limit("at least", 0.8))
    slow = rule("p95_latency > +10%")
    times = clustered(100, 10, "latency_ms")
    yield Scenario("no change, p95, 100 conversations of 10", times, slow, 0.0, Limit("at most", 0.05))
    errors = rule("error_rate > +0.1pp")
    broken = failing(200, 10)
    yield Scenario("no change, errors, 200 conversations of 10", broken, errors, 0.0, Limit("at most", 0.05))


def splits(path: str, runs: int) -> float:
    """The share of random splits of one log, conversation by conversation, that fail the default rules."""
    from llmtel import pipeline  # noqa: PLC0415 (only this needs the reader)
    from llmtel.pricing import book, cost  # noqa: PLC0415

    log = cost.priced(pipeline.read([path]).calls, book.load())
    rules = default_rules()
    settings = Settings(min_samples=50)
    rules = replace(rules, rules=tuple(replace(one, settings=settings) for one in rules))
    together = pl.coalesce("trace", "session", "user").cast(pl.String)
    log = log.with_columns(pl.coalesce(together, pl.int_range(pl.len()).cast(pl.String)).alias("@unit"))
    units = log["@unit"].unique().sort()
    failed = 0
    for run in range(runs):
        half = units.sample(fraction=0.5, seed=run)
        inside = pl.col("@unit").is_in(half.implode())
        base = measured(log.filter(inside), rules.rules)
        now = measured(log.filter(~inside), rules.rules, keep=keys_of(base, rules.rules))
        failed += check(rules, now, base).count("fail") > 0
    return failed / runs


def told(name: str, rate: float, limit: Limit, runs: int, seconds: float) -> bool:
    """Print one line; whether the limit is met."""
    met = limit.met(rate, runs)
    verdict = "met" if met else "MISSED"
    print(
        f"{name:<46} {rate:6.1%} fail   {limit.kind} {limit.figure:.1%}   {verdict}   {seconds:.0f} s",
        flush=True,
    )
    return met


def main() -> int:
    """Run what was asked for; 1 if a limit is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--log", help="a log whose random splits must not differ")
    parser.add_argument("--splits", type=int, default=500)
    given = parser.parse_args()
    met = True
    for one in scenarios():
        started = time.monotonic()
        rate = sum(map(one.fails, range(given.runs))) / given.runs
        met &= told(one.name, rate, one.limit, given.runs, time.monotonic() - started)
    if given.log:
        started = time.monotonic()
        rate = splits(given.log, given.splits)
        seconds = time.monotonic() - started
        met &= told(f"random splits of {given.log}", rate, Limit("at most", 0.05), given.splits, seconds)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
