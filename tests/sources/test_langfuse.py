"""Langfuse exports: what a plain reader counts twice, takes for milliseconds, or adds to its own parts."""

import csv
import io
import json

import pytest

from llmtel import pipeline
from llmtel.core.schema import INPUT_LEAVES, LEAVES, OUTPUT_LEAVES
from llmtel.sources.langfuse import records

GENERATION = {
    "id": "g", "traceId": "t", "type": "GENERATION", "model": "m", "level": "DEFAULT",
    "startTime": "2026-09-01T10:00:00.000Z", "endTime": "2026-09-01T10:00:01.500Z",
}  # fmt: skip


@pytest.fixture
def read(tmp_path):
    def write(*observations, name="log.jsonl"):
        path = tmp_path / name
        path.write_text("".join(json.dumps(GENERATION | one) + "\n" for one in observations))
        return pipeline.read([str(path)]).calls

    return write


def leaves(calls):
    (row,) = calls.select(LEAVES).to_dicts()
    return {name: value for name, value in row.items() if value is not None}


def summed(calls, names):
    return sum(calls[name].sum() for name in names)


@pytest.mark.parametrize("name", ["agno-2025-06-11", "crewai-2025-07-11", "langgraph-js-2025-10-30"])
def test_a_public_trace_gives_its_published_figures_and_not_the_wrong_ones(shared, name):
    name += ".trace.json"
    expected = json.loads((shared / "traces/langfuse/expected.json").read_text())["files"][name]
    calls = pipeline.read([str(shared / "traces/langfuse" / name)]).calls
    assert set(calls["format"]) == {"langfuse"}
    found = {
        "calls": calls.height,
        "input": summed(calls, INPUT_LEAVES),
        "output": summed(calls, OUTPUT_LEAVES),
        "cost_sum": calls["cost_logged"].sum(),
    }
    reasoning = 64 if name.startswith("langgraph") else 0
    cost = expected.get("cost_sum", expected.get("PUBLISHED_cost_sum"))
    assert found == {
        "calls": expected["calls"],
        "input": expected["input"],
        "output": expected["output"],
        "cost_sum": pytest.approx(cost, rel=1e-9),
    }
    assert calls["reasoning"].sum() == reasoning
    seconds = expected["latency_s_from_timestamps"]
    assert sorted(calls["latency_ms"]) == pytest.approx(sorted(s * 1000 for s in seconds), rel=1e-9)
    assert set(calls["model"]) == set(expected["models"])
    wrong = expected.get("WRONG_generations_counted_with_their_parents", {})
    assert not any(found[key] == value for key, value in wrong.items())


def test_a_score_of_a_whole_trace_is_put_on_its_last_call_alone(shared):
    calls = pipeline.read([str(shared / "traces/langfuse/langgraph-js-2025-10-30.trace.json")]).calls
    assert calls.sort("ts")["hallucination"].to_list() == [None, True]
    assert calls["rating"].null_count() == 2  # toxicity is no rating


def test_a_score_of_an_observation_stays_with_it():
    scores = [
        {"name": "user-feedback", "value": 1, "observationId": "g"},
        {"name": "rating", "value": 4, "observationId": "other"},
    ]
    trace = {"trace": {"id": "t", "scores": scores}, "observations": [GENERATION, GENERATION | {"id": "h"}]}
    assert [record.get("judged") for record in records(trace)] == [{"thumb": True}, None]


def test_a_generation_above_another_is_no_call_even_when_it_comes_later(read):
    child = {"id": "c", "parentObservationId": "s", "usageDetails": {"input": 10, "output": 5}}
    span = {"id": "s", "type": "SPAN", "parentObservationId": "p", "usageDetails": {}}
    parent = {"id": "p", "usageDetails": {"input": 30, "output": 9}}
    assert leaves(read(child, span, parent)) == {"input_uncached": 10, "output_text": 5}


def test_generations_of_two_traces_with_equal_ids_do_not_cover_each_other(read):
    usage = {"usageDetails": {"input": 1, "output": 1}}
    one = {"traceId": "one", "id": "x", **usage}
    other = {"traceId": "other", "id": "y", "parentObservationId": "x", **usage}
    assert read(one, other).height == 2


def test_start_and_end_beat_every_latency_that_is_written_beside_them(read):
    assert read({"latency": 99, "latencyMs": 99, "usageDetails": {}})["latency_ms"].to_list() == [1500.0]


@pytest.mark.parametrize(("key", "value"), [("latency", 1.25), ("latencyMs", 1250), ("latencyMs", "1250")])
def test_a_bare_latency_is_seconds_and_one_with_ms_in_its_name_is_not(read, key, value):
    assert read({"endTime": None, key: value, "usageDetails": {}})["latency_ms"].to_list() == [1250.0]


@pytest.mark.parametrize(("key", "value"), [("timeToFirstToken", 0.25), ("timeToFirstTokenMs", 250)])
def test_the_time_to_the_first_token_is_told_apart_alike(read, key, value):
    assert read({key: value, "usageDetails": {}})["ttft_ms"].to_list() == [250.0]


def test_an_observation_without_an_end_has_no_latency_and_not_zero(read):
    calls = read({"endTime": None, "usageDetails": {}})
    assert calls.select("latency_ms", "status").rows() == [(None, None)]


@pytest.mark.parametrize(
    ("usage", "wanted"),
    [
        # buckets are beside the input, with a total or without one
        (
            {"input": 40, "input_cached_tokens": 60, "output": 5, "total": 105},
            {"input_uncached": 40, "cache_read": 60, "output_text": 5},
        ),
        (
            {"input": 40, "input_cache_read": 60, "output": 5},
            {"input_uncached": 40, "cache_read": 60, "output_text": 5},
        ),
        # the total shows that the producer put them inside
        (
            {"input": 100, "input_cached_tokens": 60, "output": 50, "output_reasoning": 40, "total": 150},
            {"input_uncached": 40, "cache_read": 60, "output_text": 10, "reasoning": 40},
        ),
        # inside the input, and beside the output
        (
            {"input": 100, "cache_read_input_tokens": 60, "output": 10, "output_reasoning_tokens": 40,
             "total": 150},
            {"input_uncached": 40, "cache_read": 60, "output_text": 10, "reasoning": 40},
        ),
        # details from OpenInference are parts, whatever the total
        (
            {"input": 100, "prompt_details.cache_read": 60, "prompt_details.cache_write": 30, "output": 50,
             "completion_details.reasoning": 40},
            {"input_uncached": 10, "cache_read": 60, "cache_write_5m": 30, "output_text": 10,
             "reasoning": 40},
        ),
        (
            {"input": 10, "input_cache_creation_5m": 20, "input_cache_creation_1h": 30, "input_audio": 5,
             "output": 7, "output_audio": 3, "total": 75},
            {"input_uncached": 10, "cache_write_5m": 20, "cache_write_1h": 30, "input_audio": 5,
             "output_text": 7, "output_audio": 3},
        ),
        # a total alone is neither input nor output
        ({"total": 75}, {}),
    ],
)  # fmt: skip
def test_usage_details_are_buckets_unless_their_total_shows_otherwise(read, usage, wanted):
    assert leaves(read({"usageDetails": usage})) == wanted


def test_the_older_usage_counts_tokens_and_never_characters(read):
    old = {"usage": {"input": 10, "output": 5, "total": 15, "unit": "TOKENS"}, "costDetails": {}}
    assert leaves(read(old)) == {"input_uncached": 10, "output_text": 5}
    old["usage"]["unit"] = "CHARACTERS"
    assert leaves(read(old)) == {}


def test_an_export_to_blob_storage_is_read_in_its_own_spelling(tmp_path):
    row = {
        "id": "g", "trace_id": "t", "type": "GENERATION", "start_time": "2026-09-01 10:00:00.000000",
        "end_time": "2026-09-01 10:00:01.500000", "completion_start_time": "2026-09-01 10:00:00.250000",
        "provided_model_name": "m", "usage_details": {"input": 10, "output": 5}, "total_cost": 0.5,
        "user_id": "u", "session_id": "s", "trace_name": "answer", "level": "ERROR",
        "status_message": "Rate limit reached",
    }  # fmt: skip
    lines, table = tmp_path / "blob.jsonl", tmp_path / "blob.csv"
    lines.write_text(json.dumps(row) + "\n")
    text = io.StringIO()
    writer = csv.DictWriter(text, row)
    writer.writeheader()
    writer.writerow(row | {"usage_details": json.dumps(row["usage_details"])})
    table.write_text(text.getvalue())
    (one,), (other,) = (pipeline.read([str(path)]).calls.to_dicts() for path in (lines, table))
    place = ("file", "line", "format")
    assert {key: value for key, value in one.items() if key not in place} == {
        key: value for key, value in other.items() if key not in place
    }
    assert (one["latency_ms"], one["ttft_ms"], one["cost_logged"]) == (1500.0, 250.0, 0.5)
    assert (one["user"], one["session"], one["feature"], one["error"]) == ("u", "s", "answer", "rate_limit")


@pytest.mark.parametrize(
    ("observation", "wanted"),
    [
        ({"modelParameters": '{"id": "resp_1"}'}, "resp_1"),
        ({"output": '{"id":"chatcmpl-1","choices":[]}'}, "chatcmpl-1"),
        ({"output": {"id": "msg_1"}}, "msg_1"),
        ({"output": {"id": "42"}}, None),
        ({"output": 'he said {"id":"chatcmpl-1"}'}, None),
        ({"metadata": '{"attributes": {"gen_ai.response.id": "r4F"}}', "output": {"id": "msg_1"}}, "r4F"),
    ],
)
def test_the_id_of_the_response_is_found_where_the_answer_has_it(observation, wanted):
    (record,) = records(GENERATION | observation)
    assert record["responseId"] == wanted
    assert "output" not in record
