"""Spans of inference: every generation of names says the same, and what they repeat counts once."""

import json

import pytest

from llmtel import pipeline
from llmtel.core.schema import LEAVES

START = 1_788_256_800_000_000_000


def typed(value):
    """A value as OTLP writes it: whole numbers are texts."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"stringValue": value}


def span(attributes, span_id="s", parent="", **fields):
    return {
        "traceId": "t", "spanId": span_id, "parentSpanId": parent, "startTimeUnixNano": str(START),
        "endTimeUnixNano": str(START + 1_500_000_000),
        "attributes": [{"key": key, "value": typed(value)} for key, value in attributes.items()], **fields,
    }  # fmt: skip


def export(*spans, scope="test"):
    return {"resourceSpans": [{"scopeSpans": [{"scope": {"name": scope}, "spans": list(spans)}]}]}


def event(name, attributes, **fields):
    found = [{"key": key, "value": typed(value)} for key, value in attributes.items()]
    record = {"eventName": name, "timeUnixNano": str(START), "attributes": found, **fields}
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}


@pytest.fixture
def read(tmp_path):
    def write(*lines):
        path = tmp_path / "log.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return pipeline.read([str(path)])

    return write


@pytest.fixture
def call(read):
    def of(attributes, scope="test", **fields):
        (row,) = read(export(span(attributes, **fields), scope=scope)).calls.to_dicts()
        return row

    return of


def leaves(row):
    return {name: row[name] for name in LEAVES if row[name] is not None}


GENERATIONS = {
    "newest": {
        "gen_ai.usage.input_tokens": 100, "gen_ai.usage.cache_read.input_tokens": 60,
        "gen_ai.usage.cache_write.input_tokens": 10, "gen_ai.usage.output_tokens": 50,
        "gen_ai.usage.reasoning.output_tokens": 20,
    },
    "1.41": {
        "gen_ai.usage.input_tokens": 100, "gen_ai.usage.cache_read.input_tokens": 60,
        "gen_ai.usage.cache_creation.input_tokens": 10, "gen_ai.usage.output_tokens": 50,
        "gen_ai.usage.reasoning_tokens": 20,
    },
    "OpenLLMetry": {
        "gen_ai.usage.prompt_tokens": 100, "gen_ai.usage.cache_read_input_tokens": 60,
        "gen_ai.usage.cache_creation_input_tokens": 10, "gen_ai.usage.completion_tokens": 50,
        "llm.usage.reasoning_tokens": 20, "llm.usage.total_tokens": 150,
    },
    "oldest OpenLLMetry": {
        "llm.request.type": "chat", "llm.usage.prompt_tokens": 100, "llm.usage.completion_tokens": 50,
        "gen_ai.usage.cache_read_tokens": 60, "gen_ai.usage.cache_write_tokens": 10,
        "llm.usage.reasoning_tokens": 20,
    },
    "Pydantic AI": {
        "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50,
        "gen_ai.usage.details.cache_read_tokens": 60, "gen_ai.usage.cache_write_tokens": 10,
        "gen_ai.usage.details.reasoning_tokens": 20,
    },
    "OpenInference": {
        "openinference.span.kind": "LLM", "llm.token_count.prompt": 100, "llm.token_count.completion": 50,
        "llm.token_count.prompt_details.cache_read": 60, "llm.token_count.prompt_details.cache_write": 10,
        "llm.token_count.completion_details.reasoning": 20, "llm.token_count.total": 150,
    },
}  # fmt: skip


@pytest.mark.parametrize("names", GENERATIONS)
def test_every_generation_of_names_says_the_same(call, names):
    assert leaves(call(GENERATIONS[names])) == {
        "input_uncached": 30, "cache_read": 60, "cache_write_5m": 10, "output_text": 30, "reasoning": 20,
    }  # fmt: skip


@pytest.mark.parametrize("names", ["promptTokens completionTokens", "inputTokens outputTokens"])
def test_names_of_the_vercel_sdk_are_read(call, names):
    p, c = names.split()
    row = call({
        f"ai.usage.{p}": 100, f"ai.usage.{c}": 50, "ai.usage.cachedInputTokens": 60, "ai.model.id": "m",
        "ai.response.msToFirstChunk": 250.0, "ai.response.finishReason": "stop",
    })  # fmt: skip
    assert leaves(row) == {"input_uncached": 40, "cache_read": 60, "output_text": 50}
    assert (row["model"], row["ttft_ms"], row["finish_reason"]) == ("m", 250.0, "stop")


ANTHROPIC = {
    "gen_ai.usage.input_tokens": 100, "gen_ai.usage.cache_read_input_tokens": 60,
    "gen_ai.usage.output_tokens": 5,
}  # fmt: skip
APART = {"input_uncached": 100, "cache_read": 60, "output_text": 5}
INSIDE = {"input_uncached": 40, "cache_read": 60, "output_text": 5}
BEDROCK = "opentelemetry.instrumentation.bedrock"


@pytest.mark.parametrize(
    ("more", "scope", "wanted"),
    [
        ({}, "opentelemetry.instrumentation.anthropic", INSIDE),
        ({}, BEDROCK, APART),
        # a total is stronger than the scope
        ({"gen_ai.usage.total_tokens": 105}, BEDROCK, INSIDE),
        ({"gen_ai.usage.total_tokens": 165}, BEDROCK, APART),
        ({"gen_ai.usage.total_tokens": 165}, "logfire", APART),
        ({"gen_ai.usage.cache_read_input_tokens": 600}, "logfire", APART | {"cache_read": 600}),
    ],
)
def test_whether_the_cache_is_in_the_input_is_told_by_total_size_and_scope_in_this_order(
    call, more, scope, wanted
):
    assert leaves(call(ANTHROPIC | more, scope=scope)) == wanted


def test_audio_is_a_part_of_input_and_output(call):
    row = call({
        "gen_ai.usage.input_tokens": 100, "gen_ai.usage.audio.input_tokens": 30,
        "gen_ai.usage.output_tokens": 50, "gen_ai.usage.audio.output_tokens": 20,
    })  # fmt: skip
    assert leaves(row) == {
        "input_uncached": 70, "input_audio": 30, "output_text": 30, "output_audio": 20,
    }  # fmt: skip


def test_an_agent_repeats_its_model_calls_also_when_it_comes_in_another_line(read):
    usage = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 5}
    agent = span({"gen_ai.operation.name": "invoke_agent", **usage}, "a")
    tool = span({"gen_ai.operation.name": "execute_tool", **usage}, "b", "a")
    chats = [span({"gen_ai.operation.name": "chat", **usage}, name, "b") for name in ("c", "d")]
    calls = read(export(chats[0]), export(agent), export(chats[1], tool)).calls
    assert sorted(calls["call_id"]) == ["t/c", "t/d"]


def test_an_agent_with_usage_and_nothing_below_it_counts_once(read):
    usage = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 5}
    calls = read(export(span({"gen_ai.operation.name": "invoke_agent", **usage}))).calls
    assert calls["input_uncached"].to_list() == [10]


def test_a_tool_with_usage_is_no_call(read):
    usage = {"gen_ai.operation.name": "execute_tool", "gen_ai.usage.input_tokens": 10}
    assert read(export(span(usage))).calls.is_empty()


def test_the_inner_span_of_the_vercel_sdk_counts_and_not_the_outer(read):
    outer = span({"ai.operationId": "ai.generateText", "ai.usage.promptTokens": 30}, "a")
    inner = span({"ai.operationId": "ai.generateText.doGenerate", "ai.usage.promptTokens": 10}, "b", "a")
    assert read(export(outer, inner)).calls["input_uncached"].to_list() == [10]


def test_two_instrumentations_of_one_response_are_one_call(read):
    one = {"gen_ai.usage.input_tokens": 10, "gen_ai.response.id": "resp_1"}
    reading = read(export(span(one, "a"), span(one, "b")))
    assert (reading.calls.height, reading.account.duplicates) == (1, 1)


def test_metrics_repeat_the_calls_and_are_left_out(read):
    metrics = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "gen_ai.client.token.usage"}]}]}]}
    reading = read(export(span({"gen_ai.usage.input_tokens": 10})), metrics)
    assert (reading.account.calls, reading.account.other) == (1, 1)


def test_a_span_that_has_not_ended_has_no_latency(call):
    assert call({"gen_ai.usage.input_tokens": 1}, endTimeUnixNano="0")["latency_ms"] is None


def test_the_time_to_the_first_chunk_is_in_seconds_by_the_standard(call):
    row = call({"gen_ai.usage.input_tokens": 1, "gen_ai.response.time_to_first_chunk": 0.25})
    assert row["ttft_ms"] == 250.0


def test_texts_of_a_call_are_measured_whole_and_never_kept(call):
    row = call({
        "gen_ai.usage.input_tokens": 1, "gen_ai.input.messages": "p" * 9000,
        "gen_ai.completion.0.content": "ab", "gen_ai.completion.1.content": "cde",
    })  # fmt: skip
    assert (row["prompt_chars"], row["output_chars"]) == (9000, 5)
    assert "pppp" not in repr(row)


def test_costs_that_tools_write_onto_spans_are_logged_costs(call):
    usage = {"gen_ai.usage.input_tokens": 1}
    assert call(usage | {"gen_ai.usage.cost": 0.5})["cost_logged"] == 0.5
    details = {"langfuse.observation.cost_details": '{"input": 0.1, "total": 0.4}'}
    assert call(usage | details)["cost_logged"] == 0.4


EVALUATION = "gen_ai.evaluation.result"


def judged(name="Hallucination", value=1.0, **more):
    return {"gen_ai.evaluation.name": name, "gen_ai.evaluation.score.value": value, **more}


def attributes(found):
    return [{"key": key, "value": typed(value)} for key, value in found.items()]


CHAT = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 1, "gen_ai.response.id": "resp_1"}


@pytest.mark.parametrize(
    "lines",
    [
        # an event of the span, a log record that names the span or the response, a span below it
        [export(span(CHAT, events=[{"name": EVALUATION, "attributes": attributes(judged())}]))],
        [event(EVALUATION, judged(), traceId="t", spanId="s"), export(span(CHAT))],
        [export(span(CHAT)), event(EVALUATION, judged(**{"gen_ai.response.id": "resp_1"}))],
        [export(span(judged(), "e", "s", name=EVALUATION), span(CHAT))],
    ],
)
def test_an_evaluation_is_put_on_the_call_it_judges_wherever_it_is_written(read, lines):
    reading = read(*lines)
    assert reading.calls.select("call_id", "hallucination").rows() == [("resp_1", True)]
    assert reading.account.balance() == 0


def test_evaluations_of_other_calls_are_left_to_them(read):
    calls = read(
        event(EVALUATION, judged("rating", 4.0, **{"gen_ai.response.id": "other"})),
        event(EVALUATION, judged("rating", 2.0), traceId="t", spanId="s"),
        event(EVALUATION, judged("rating", 3.0), traceId="t", spanId="s"),
        event(EVALUATION, judged("toxicity", 9.0), traceId="t", spanId="s"),
        export(span(CHAT), span({**CHAT, "gen_ai.response.id": "resp_2"}, "z")),
    ).calls
    assert sorted(calls.select("call_id", "rating").rows()) == [("resp_1", 2.5), ("resp_2", None)]


PHOENIX = {
    "name": "chat", "context": {"trace_id": "t", "span_id": "s"}, "span_kind": "LLM", "parent_id": None,
    "start_time": "2026-09-01T10:00:00Z", "end_time": "2026-09-01T10:00:01.500Z", "status_code": "OK",
    "attributes": {"llm.token_count.prompt": 10, "llm.token_count.completion": 5, "llm.model_name": "m"},
}  # fmt: skip


def test_only_models_and_embeddings_of_phoenix_are_calls(read):
    kinds = ("CHAIN", "AGENT", "TOOL", "RETRIEVER", "EMBEDDING", "LLM")
    spans = [PHOENIX | {"span_kind": kind, "context": {"trace_id": "t", "span_id": kind}} for kind in kinds]
    assert read(*spans).calls["operation"].to_list() == ["embeddings", "chat"]


def test_a_phoenix_data_frame_is_read_as_its_spans_are(read):
    flat = {
        "context.trace_id": "t", "context.span_id": "s",
        **{key: PHOENIX[key] for key in ("span_kind", "parent_id", "start_time", "end_time", "status_code")},
        **{f"attributes.{key}": value for key, value in PHOENIX["attributes"].items()},
    }  # fmt: skip
    by_row = {key: {"7": value} for key, value in flat.items()}
    lists = {key: [value] for key, value in flat.items()}
    rows = [read(line).calls.drop("file", "line").to_dicts() for line in (PHOENIX, flat, by_row, lists)]
    assert rows[0][0]["input_uncached"] == 10
    assert rows[1:] == rows[:1] * 3


def test_a_failed_phoenix_span_may_have_no_counts(read):
    exception = {"name": "exception", "attributes": {"exception.type": "RateLimitError"}}
    failed = PHOENIX | {"status_code": "ERROR", "attributes": {}, "events": [exception]}
    (row,) = read(failed).calls.to_dicts()
    assert (row["status"], row["error"], leaves(row)) == ("error", "rate_limit", {})
