"""What agents and evaluation tools write in two ways is read right in both; a plain reading is not."""

import json

import polars as pl
import pytest

from llmtel import pipeline
from llmtel.sources.formats import sources


@pytest.fixture
def read(tmp_path):
    def reading(*records):
        path = tmp_path / "log.jsonl"
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
        return pipeline.read([str(path)])

    return reading


def message(provider="openai", **tokens):
    cache = {"read": 0, "write": 0}
    return {
        "id": "msg_1", "sessionID": "ses_1", "role": "assistant", "modelID": "m", "providerID": provider,
        "time": {"created": 1_788_256_800_000},
        "tokens": {"input": 10, "output": 50, "reasoning": 20, "cache": cache} | tokens,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("provider", "tokens", "text", "notes"),
    [
        ("openai", {"total": 80}, 50, []),
        ("openai", {"total": 60}, 30, []),
        ("openai", {"total": 90, "cache": {"read": 10, "write": 0}}, 50, []),
        ("google-vertex", {}, 50, []),
        ("xai", {}, 50, []),
        ("openai", {}, 30, ["usage_mismatch"]),
        ("openai", {"output": 5}, 5, []),
        ("openai", {"reasoning": 0}, 50, []),
    ],
    ids=[
        "total counts the reasoning", "total has it inside", "with a cache", "google", "xai", "unknown",
        "more than the output", "none",
    ],
)  # fmt: skip
def test_reasoning_of_opencode_is_counted_once(read, provider, tokens, text, notes):
    reading = read(message(provider, **tokens))
    assert reading.calls["output_text"].to_list() == [text]
    assert [note.kind for note in reading.notes] == notes


def inspect_log(**usage):
    output = {"model": "m", "choices": [{"stop_reason": "stop"}], "usage": usage}
    event = {"event": "model", "model": "anthropic/m", "output": output}
    samples = [{"id": 1, "events": [event, event | {"pending": True}]}]
    return {"eval": {"task": "t"}, "plan": {}, "stats": {}, "samples": samples}


@pytest.mark.parametrize(("total", "uncached"), [(350, 200), (450, 300)])
def test_inspect_counts_the_input_with_its_cache_or_without(read, total, uncached):
    log = inspect_log(input_tokens=300, output_tokens=50, input_tokens_cache_read=100, total_tokens=total)
    reading = read(log)
    assert reading.calls.select("input_uncached", "cache_read", "output_text").rows() == [(uncached, 100, 50)]
    assert reading.account.other == 1


def test_a_log_of_inspect_without_its_samples_has_no_calls(read):
    assert read({"eval": {"task": "t"}, "plan": {}, "stats": {}, "samples": None}).account.calls == 0


@pytest.mark.parametrize("name", ["mlflow", "promptfoo", "inspect_ai"])
def test_text_of_prompts_and_answers_is_not_kept(read, name):
    hidden = json.loads(sources()[name].sample.strip().split("\n")[0])
    said = "a-word-of-a-prompt"
    for result in hidden.get("results", {}).get("results", []):
        result |= {"prompt": {"raw": said, "label": said}, "vars": {"q": said}}
    for span in hidden.get("data", {}).get("spans", []):
        span["attributes"]["mlflow.spanInputs"] = json.dumps({"model": "m", "messages": [{"content": said}]})
    for sample in hidden.get("samples", []):
        sample["input"] = sample["events"][1]["input"] = said
    reading = read(hidden)
    assert reading.account.calls
    assert said not in str(reading.calls.to_dicts())


def test_a_page_of_mlflow_traces_gives_what_its_traces_give(read):
    trace = json.loads(sources()["mlflow"].sample)
    again = json.loads(json.dumps(trace).replace("tr-1", "tr-2").replace("chatcmpl-1", "chatcmpl-2"))
    page = read({"traces": [trace, again], "next_page_token": None})
    ids = ["tr-1/c", "tr-2/c"]
    assert page.calls["call_id"].to_list() == read(trace, again).calls["call_id"].to_list() == ids
    assert page.calls["line"].to_list() == [1, 1]


def test_spans_of_mlflow_that_lead_in_a_circle_are_read(read):
    trace = json.loads(sources()["mlflow"].sample)
    trace["data"]["spans"][0]["parent_span_id"] = "c"
    assert read(trace).account.records == 3


def test_anthropic_in_mlflow_counts_its_cache_beside_the_input(read):
    trace = json.loads(sources()["mlflow"].sample)
    usage = {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120, "cache_read_input_tokens": 64}
    more = {"mlflow.chat.tokenUsage": json.dumps(usage), "mlflow.message.format": '"anthropic"'}
    trace["data"]["spans"][2]["attributes"] |= more
    assert read(trace).calls.select("input_uncached", "cache_read").rows() == [(100, 64)]


def test_lines_of_promptfoo_are_results_of_their_own(read):
    run = json.loads(sources()["promptfoo"].sample)
    lines = read(*run["results"]["results"])
    whole = read(run)
    fields = ["model", "case", "input_uncached", "status", "rating", "resolved"]
    assert lines.calls.select(fields).equals(whole.calls.select(fields))
    assert lines.calls["ts"].null_count() == 3


def test_a_failed_assertion_is_a_bad_answer_and_no_failed_call(read):
    run = json.loads(sources()["promptfoo"].sample)
    calls = read(run).calls.filter(pl.col("resolved").not_())
    assert calls["status"].cast(pl.String).to_list() == ["ok", "error"]
