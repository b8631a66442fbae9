"""Laws over the catalogs: every metric and dimension is declared whole, under the names that users know."""

from __future__ import annotations

import pytest

from llmtel.core.errors import UnknownName, UsageError
from llmtel.core.schema import FIELDS
from llmtel.query.dimensions import DIMENSIONS, dimension
from llmtel.query.metrics import METRICS

METRIC_IDS = """
    calls requests sessions users input_tokens output_tokens total_tokens
    cache_read_tokens cache_write_tokens reasoning_tokens tokens_per_call input_tokens_per_call
    output_tokens_per_call p95_input_tokens p95_output_tokens cache_hit_rate cost cost_per_call
    cost_per_user cost_per_session cost_per_1k_calls cost_per_success logged_cost computed_cost
    actual_cost cache_savings cache_savings_missed batch_savings unpriced_calls priced_share
    mean_latency p50_latency p90_latency p95_latency p99_latency max_latency
    mean_ttft p50_ttft p90_ttft p95_ttft p99_ttft max_ttft
    output_tokens_per_second errors error_rate rate_limit_rate timeout_rate
    parse_error_rate http_error_rate http_4xx_rate http_5xx_rate refusal_rate truncation_rate
    retry_rate feedback_rate thumbs_up_rate mean_rating regeneration_rate correction_rate
    escalation_rate hallucination_rate
""".split()  # noqa: SIM905

DIMENSION_IDS = """
    model model_requested provider user feature project api_key branch agent
    environment session prompt prompt_version variant case region operation status http_status
    error finish_reason service_tier format file token_source price_id price day week month hour 15m 5m
    minute hour_of_day weekday
""".split()  # noqa: SIM905


def test_the_metrics_and_dimensions_are_those_that_are_promised() -> None:
    assert list(METRICS) == METRIC_IDS
    assert list(DIMENSIONS) == DIMENSION_IDS


def test_no_metric_is_called_like_a_field_or_dimension() -> None:
    assert METRICS.keys().isdisjoint(FIELDS)
    assert METRICS.keys().isdisjoint(DIMENSIONS)


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda m: m.name)
def test_every_metric_reads_fields_and_explains_itself(metric: object) -> None:
    assert metric.needs <= FIELDS.keys()
    assert metric.help
    assert metric.head
    if metric.name.endswith(("_rate", "_share")):
        assert "÷" in metric.help


@pytest.mark.parametrize("dim", DIMENSIONS.values(), ids=lambda d: d.name)
def test_every_dimension_reads_fields_and_explains_itself(dim: object) -> None:
    assert dim.needs <= FIELDS.keys()
    assert dim.help


def test_labels_tell_metrics_apart() -> None:
    assert len({m.head for m in METRICS.values()}) == len(METRICS)


def test_a_wrong_dimension_suggests_the_right_one() -> None:
    with pytest.raises(UnknownName, match="Did you mean model"):
        dimension("modle")


def test_a_tag_is_a_dimension() -> None:
    assert dimension("tags.env").name == "tags.env"
    with pytest.raises(UsageError, match="needs a key"):
        dimension("tags.")
