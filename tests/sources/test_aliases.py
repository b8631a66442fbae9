"""Facts are found by their usual names, and by what their values look like."""

import pytest

from llmtel.sources.aliases import ALIASES, is_call, normalised, places, shaped


@pytest.mark.parametrize(
    "name",
    ["promptTokens", "prompt-tokens", "prompt.tokens", "prompt tokens", "PROMPT_TOKENS", "PromptTokens"],
)
def test_one_name_has_many_spellings(name):
    assert normalised(name) == "prompt_tokens"


@pytest.mark.parametrize(("name", "same"), [("HTTPStatus", "httpstatus"), ("p95Ms", "p95_ms"), ("é", "é")])
def test_only_a_small_letter_or_a_digit_before_a_capital_parts_words(name, same):
    assert normalised(name) == same


def found(*records):
    return {fact: [place.path for place in standing] for fact, standing in places(records).items()}


def test_facts_are_found_at_the_top_and_inside_containers():
    record = {
        "timestamp": "2026-09-01T10:00:00Z",
        "usage": {"prompt_tokens": 3, "prompt_tokens_details": {"cached_tokens": 1}},
        "metadata": {"user_id": "u"},
        "unknown": {"user_id": "not looked at"},
    }
    assert found(record) == {
        "ts": ["timestamp"],
        "input": ["usage.prompt_tokens"],
        "cache_read": ["usage.prompt_tokens_details.cached_tokens"],
        "user": ["metadata.user_id"],
    }


def test_the_first_of_several_tags_is_a_feature():
    assert found({"metadata": {"tags": ["search", "beta"]}}) == {"feature": ["metadata.tags[0]"]}
    assert found({"tags": []}, {"tags": [{"a": 1}]}) == {}


def test_a_dot_inside_a_key_is_part_of_the_key():
    assert found({"prompt.tokens": 3}) == {"input": [r"prompt\.tokens"]}


def test_the_better_name_comes_first_and_then_the_higher_place():
    record = {"metadata": {"model": "a"}, "engine": "b", "model": "c", "response": {"model": "d"}}
    assert found(record)["model"] == ["response.model", "model", "metadata.model", "engine"]


def test_a_name_with_its_container_is_the_better_name():
    assert found({"request": {"model": "a"}}) == {"model_requested": ["request.model"]}
    assert found({"error": {"type": "boom"}}) == {"error": ["error.type"]}


def test_what_the_value_looks_like_decides_with_the_name():
    assert found({"status": 200}) == {"http_status": ["status"]}
    assert found({"status": "ok"}) == {"status": ["status"]}
    assert found({"response_time": 0.5}) == {"latency": ["response_time"]}
    assert found({"response_time": "2026-09-01T10:00:00Z"}) == {"end": ["response_time"]}
    assert found({"date": "yesterday"}) == {}


def test_a_name_that_means_one_thing_keeps_it_whatever_the_value():
    assert found({"total_tokens": "many", "latency_ms": [1]}) == {
        "total": ["total_tokens"],
        "latency_ms": ["latency_ms"],
    }


def test_unknown_values_do_not_count():
    assert found({"model": None, "user": ""}) == {}
    assert found({"model": None}, {"model": "m"}) == {"model": ["model"]}


@pytest.mark.parametrize(
    ("shape", "good", "bad"),
    [
        ("number", [1, 0.5, "12", " -1.5e3 "], [True, "12 ms", [], {}]),
        ("time", ["2026-09-01", "2026-9-1 10:00", 1788000000, "1788000000"], [5, "noon", True, None]),
        ("bool", [True, 0, 1, "true", "0"], ["maybe", 2, [], {}]),
        ("thumb", [True, -1, "up", "negative"], ["sideways", 5, [], {}]),
        ("http", [200, "404", 599], [99, 600, "4" * 5000, "ok", 200.5]),
        ("word", ["ok", "a" * 99], ["a" * 100, 1]),
        ("text", ["x", 1, 0.5], [[], {}]),
        ("any", ["x", {}], [[1]]),
    ],
)
def test_a_shape_takes_what_looks_like_it_and_nothing_else(shape, good, bad):
    assert [value for value in good if not shaped([value], shape)] == []
    assert [value for value in bad if shaped([value], shape)] == []


def test_half_of_the_values_are_enough_for_a_shape():
    assert shaped([1, "n/a"], "number")
    assert not shaped([1, "n/a", "n/a"], "number")


@pytest.mark.parametrize(
    ("record", "call"),
    [
        ({"timestamp": "2026-09-01T10:00:00Z", "model": "m"}, True),
        ({"time": 1788000000, "usage": {"input_tokens": 3}}, True),
        ({"time": 1788000000, "latency": 3}, True),
        ({"timestamp": "2026-09-01T10:00:00Z", "message": "started"}, False),
        ({"timestamp": None, "model": "m"}, False),
        ({"model": "m", "latency_ms": 3}, False),
        ({}, False),
    ],
)
def test_a_call_has_a_time_and_a_model_tokens_or_a_latency(record, call):
    assert is_call(record) is call


def test_every_name_is_written_as_names_are_compared():
    names = [name for alias in ALIASES for name in alias.names]
    assert [name for name in names if normalised(name) != name] == []
