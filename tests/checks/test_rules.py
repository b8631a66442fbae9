"""Rules say what they mean on one line and in YAML, and every mistake is told with its line."""

import re
from datetime import date

import pytest

from llmtel.checks import keys, limits, oneline
from llmtel.checks.defaults import default_rules
from llmtel.checks.rulefile import load, read
from llmtel.checks.rules import Settings
from llmtel.checks.schema import json_schema
from llmtel.core.errors import ConfigError, UsageError
from llmtel.core.units import SHARE
from llmtel.document import Document
from llmtel.query.metrics import METRICS

FILE = """\
version: 1
baseline:
  source: window
  compare: prev 7d
  max_age: 30d
defaults:
  severity: warn
  min_samples: 100
  correction: holm
  cluster_by: session
checks:
  - cost_per_call{feature=chat} > +10%
  - id: p95
    metric: p95_latency
    by: [feature, model]
    where: {tags.env: prod, model: gpt-*}
    max: 8s
    max_increase: 20%
    min_abs: 150ms
    severity: error
    message: Ask in the channel
  - id: errors
    metric: error_rate
    max: 2%
    max_increase: 0.5pp
    test: point
    on_new: fail
  - id: tiers
    metric: cost
    window: month
    min_impact: $600/week
    levels:
      - {severity: warn, max_increase: 10%}
      - {severity: error, max_increase: 30%, max: "$3,000/month"}
  - {metric: unpriced_calls, max: 0, severity: off}
exempt:
  - check: p95
    match: {feature: batch-*}
    until: 2026-12-31
    reason: a migration
"""


def rules(text):
    return read(Document("llmtel.yaml", text.encode()))


def mistakes(text):
    with pytest.raises(ConfigError) as caught:
        rules(text)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("line", "kind", "number", "relative"),
    [
        ("p95_latency > 8s", "max", 8000, False),
        ("cost_per_call{feature=chat} > +10%", "max_increase", 0.1, True),
        ("error_rate > +0.5pp", "max_increase", 0.005, False),
        ("error_rate > +10%rel", "max_increase", 0.1, True),
        ("error_rate > 2%", "max", 0.02, False),
        ("cost > +$50/month", "max_increase", 50, False),
        ("cost >= $3,000/month", "max", 3000, False),
        ("cache_hit_rate < -10pp", "max_decrease", 0.1, False),
        ("unpriced_calls > 0", "max", 0, False),
        ("thumbs_up_rate < 80%", "min", 0.8, False),
        ("p95_latency > +150ms", "max_increase", 150, False),
        ("output_tokens_per_second < 20tok/s", "min", 20, False),
        ("total_tokens > +1.5M", "max_increase", 1.5e6, False),
    ],
)
def test_a_line_is_read_with_the_unit_of_its_metric(line, kind, number, relative):
    found = oneline.parsed(line)
    assert found.limit.kind == kind
    assert found.limit.amount.number == pytest.approx(number)
    assert found.limit.amount.relative is relative
    assert oneline.parsed(f"{found.metric.name} {found.limit}").limit == found.limit


def test_every_metric_can_be_gated():
    for metric in METRICS.values():
        unit = {"US dollars": "$5", "milliseconds": "5s", "share": "5%", "tokens per second": "5tok/s"}
        assert oneline.rule(f"{metric.name} > {unit.get(metric.unit.name, '5')}").metric == metric.name
        change = "5pp" if metric.unit is SHARE else "5%"
        assert oneline.rule(f"{metric.name} > +{change}").levels[0].limits[0].is_change


def test_filters_become_those_of_where():
    found = oneline.rule('cost_per_call{feature = "my, chat", model=~gpt-*, tags.env!=prod} > +10%')
    assert found.split.where == ('feature="my, chat"', "model=gpt-*", "tags.env!=prod")
    same = oneline.rule('cost_per_call{model=~gpt-*,tags.env!=prod,feature="my, chat"} > +10%')
    assert found.split == same.split


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("cost_per_cal > +10%", "Did you mean cost_per_call"),
        ("cost_per_call{featur=chat} > +10%", "Did you mean feature"),
        ("cost_per_call{feature} > +10%", "write NAME=VALUE"),
        ("cost_per_call{model=gpt-*} > +10%", "write model=~gpt-*"),
        ("p95_latency > 8", "needs a unit: p95_latency is in milliseconds, as in 8s"),
        ("cost > 8", "as in $8"),
        ("error_rate > +10%", "Write 10pp for percentage points, or 10%rel"),
        ("p95_latency > +10pp", "is no share"),
        ("p95_latency > 8 parsecs", "it may end in ms, s"),
        ("cost_per_call > 10%", "a change in % has a sign, as in +10%"),
        ("cost_per_call > +$1/month", "is no total"),
        ("cost > +$1/fortnight", "there is no period 'fortnight'"),
        ("cost_per_call < +10%", "write what must not be: > +10% or < -10%"),
        ("cost_per_call over 10", "is no rule; write METRIC{FILTERS} > VALUE"),
        ("cost_per_call > +ten", "is not a number with a unit"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_refused_with_what_would_work(line, said):
    with pytest.raises(UsageError, match=re.escape(said)):
        oneline.rule(line)


def test_a_file_says_all_that_a_rule_may():
    found = rules(FILE)
    line, p95, errors, tiers, unpriced = found
    assert (found.correction, found.cluster_by) == ("holm", "session")
    assert found.baseline.max_age_days == 30
    assert (found.baseline.source, found.baseline.compare) == ("window", "prev 7d")
    assert line.settings.severity == "warn"
    assert (line.file, line.line, p95.line) == ("llmtel.yaml", 12, 13)
    assert p95.split.by == ("feature", "model")
    assert p95.split.where == ("model=gpt-*", "tags.env=prod")
    assert p95.min_abs.number == 150
    assert p95.settings == Settings(severity="error", min_samples=100)
    assert (p95.message, p95.interval, errors.interval) == ("Ask in the channel", True, False)
    assert errors.settings.on_new == "fail"
    assert [level.severity for level in tiers.levels] == ["warn", "error"]
    assert [x.kind for x in tiers.levels[1].limits] == ["max", "max_increase"]
    assert tiers.min_impact.number == pytest.approx(600 * 30 / 7)
    assert (tiers.split.window, unpriced.id, unpriced.settings.severity) == ("month", "unpriced_calls", "off")
    assert found.exemptions[0].until == date(2026, 12, 31)


def test_every_mistake_is_told_at_once_with_its_line():
    found = mistakes("""\
version: 2
check: []
defaults: {min_sample: 3, confidence: 2}
baseline: {source: window}
checks:
  - cost_per_cal > +10%
  - metric: p95_latency
    max_incraese: 10%
    max: 8
    by: featur
  - metric: cost_per_call
  - {metric: error_rate, max: 2%, min_impact: $5}
  - {metric: error_rate, max: 2%, min_abs: 5%rel}
  - {metric: error_rate, max: 1%}
  - {metric: error_rate, max: 2%}
  - {metric: cost, levels: [{severity: loud, max: $5}]}
exempt:
  - {check: error_rate, reason: why}
""")
    said = "\n".join(found)
    for line, words in (
        (1, "reads version 1"), (2, "Did you mean checks?"), (3, "Did you mean min_samples?"),
        (3, "0.5 to below 1"), (4, "needs compare"), (6, "Did you mean cost_per_call"),
        (8, "Did you mean max_increase?"), (9, "needs a unit"), (10, "Did you mean feature"),
        (11, "needs a limit"), (12, "is not money"), (13, "is relative"), (15, "give one of them an id"),
        (16, "must be one of off, warn, error"), (18, "an exemption needs until"),
    ):  # fmt: skip
        assert any(m.startswith(f"llmtel.yaml:{line}:") and words in m for m in found), (line, words, said)
    assert len(found) == 15, said
    lines = [int(m.split(":")[1]) for m in found]
    assert lines == sorted(lines)


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("max: +10%", "max_increase: 10%"),
        ("max: 10%", "max_increase: 10%"),
        ("max: -10%", "max_decrease: 10%"),
        ("min: -10%", "max_decrease: 10%"),
        ("min: +$0.01", "max_increase: $0.01"),
    ],
)
def test_a_change_where_a_limit_stands_is_told_the_key_that_takes_it(limit, said):
    (found,) = mistakes(f"checks:\n  - {{metric: cost_per_call, {limit}}}\n")
    assert found.startswith("llmtel.yaml:2:")
    assert found.endswith(f"is a change, which is {said}")


def test_exemptions_name_a_check_and_its_dimensions():
    base = "checks: [{id: a, metric: cost, max: $5, by: model}]\nexempt:\n"
    assert "Did you mean a?" in mistakes(base + "  - {check: aa, until: 2026-01-01, reason: x}")[0]
    wrong = "  - {check: a, match: {feature: x}, until: 2026-01-01, reason: x}"
    assert "is not split by feature" in mistakes(base + wrong)[0]


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(UsageError, match="No such file"):
        load(tmp_path / "none.yaml")
    (tmp_path / "rules.yaml").write_text(FILE)
    assert len(load(tmp_path / "rules.yaml").rules) == 5


def test_other_keys_may_stand_beside_those_of_rules():
    document = Document("llmtel.yaml", b"tz: UTC\nchecks: []\n")
    assert read(document, ("tz",)).rules == ()
    assert "there is no key 'tz'" in mistakes("tz: UTC\nchecks: []\n")[0]


def test_editors_know_the_keys_that_the_reader_knows():
    schema = json_schema(("tz",))
    assert schema["properties"].keys() == {*keys.TOP, "tz"}
    check = schema["properties"]["checks"]["items"]["anyOf"][1]
    assert check["properties"].keys() == {entry.name for entry in keys.CHECK}
    assert check["properties"]["metric"]["enum"] == list(METRICS)
    assert not check["additionalProperties"]
    assert all("description" in entry for entry in check["properties"].values())
    assert check["properties"]["levels"]["items"]["properties"].keys() == {e.name for e in keys.LEVEL}


def test_money_is_read_by_the_month():
    assert limits.a_month("$50").number == limits.a_month("$50/month").number == 50
    assert limits.a_month("$1/day").number == pytest.approx(30)
    with pytest.raises(UsageError, match="as in"):
        limits.a_month("50")


def test_without_rules_there_are_good_ones():
    found = {rule.metric: rule for rule in default_rules()}
    assert list(found) == ["cost_per_call", "p95_latency", "error_rate", "unpriced_calls"]
    assert found["cost_per_call"].min_abs.number == 0.0001
    assert found["p95_latency"].levels[0].severity == "warn"
    assert all(rule.levels[0].limits[0].is_change for rule in found.values())
