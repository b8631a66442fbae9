"""Two sides without limits: each metric in a word."""

import polars as pl

from llmtel.checks.comparison import compared, rules_for
from llmtel.checks.measure import keys_of, measured, tags
from llmtel.checks.oneline import rule

METRICS = ("cost_per_call", "p95_latency", "error_rate", "tokens_per_call", "cost", "p50_ttft")


def words(now, before, by=()):
    rules = rules_for(METRICS, by)
    base = measured(before, rules)
    found = compared(rules, measured(now, rules, keep=keys_of(base, rules)), base)
    return {(one.metric, *one.key): one.word for one in found}


def test_what_moved_is_better_or_worse_as_the_metric_says(service):
    before = service(1)
    after = service(2, cost=0.5, slow=2.0, errors=0.2).with_columns(pl.col("output_text") * 9)
    assert words(after, before) == {
        ("cost_per_call",): "better", ("p95_latency",): "worse", ("error_rate",): "worse",
        ("tokens_per_call",): "moved", ("cost",): "untested", ("p50_ttft",): "insufficient",
    }  # fmt: skip
    back = words(before, after)
    assert (back["cost_per_call",], back["p95_latency",]) == ("worse", "better")


def test_the_same_calls_are_noise(service):
    found = words(service(), service())
    assert set(found.values()) == {"noise", "untested", "insufficient"}


def test_segments_of_one_side_have_their_word(service):
    found = words(service(2, features=("a", "new")), service(1, features=("a", "old")), by=("feature",))
    assert found["cost_per_call", "new"] == "new"
    assert found["cost_per_call", "old"] == "missing"


def test_the_reader_is_told_which_tags_to_keep():
    assert tags([rule("cost{tags.env=prod} > $1"), *rules_for(("cost",), ("tags.team", "model"))]) == (
        "env",
        "team",
    )
