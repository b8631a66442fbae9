"""What makes providers' answers easy to misread: each is a test that the naive reading fails."""

import json
from datetime import UTC, datetime

import polars as pl
import pytest

from llmtel import pipeline
from llmtel.core.errors import UnreadableInput


@pytest.fixture
def read(tmp_path):
    """The reading of some records, one a line."""

    def reading(*records, **options):
        path = tmp_path / "log.jsonl"
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
        return pipeline.read([str(path)], **options)

    return reading


def gemini(**usage):
    return {
        "candidates": [{"content": {}, "finishReason": "STOP"}],
        "usageMetadata": usage,
        "responseId": "r",
    }


def test_geminis_thoughts_and_tool_results_are_beside_its_prompt_and_candidates(read):
    usage = {
        "promptTokenCount": 17, "toolUsePromptTokenCount": 119, "candidatesTokenCount": 201,
        "thoughtsTokenCount": 213, "totalTokenCount": 550,
    }  # fmt: skip
    call = read(gemini(**usage)).calls.row(0, named=True)
    assert (call["input_uncached"], call["output_text"], call["reasoning"]) == (136, 201, 213)


def test_geminis_missing_counts_are_zeros_where_it_counts_at_all(read):
    blank = {"candidates": [{"content": {}, "finishReason": "STOP"}], "responseId": "q"}
    counted, uncounted = read(gemini(promptTokenCount=14, totalTokenCount=14), blank).calls.to_dicts()
    assert (counted["output_text"], counted["cache_read"]) == (0, 0)
    assert (uncounted["output_text"], uncounted["cache_read"], uncounted["status"]) == (None, None, "ok")


def test_geminis_cached_audio_is_cached_and_no_audio(read):
    usage = {
        "promptTokenCount": 100, "cachedContentTokenCount": 60, "totalTokenCount": 100,
        "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 50}, {"modality": "VIDEO"}],
        "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 40}],
    }  # fmt: skip
    call = read(gemini(**usage)).calls.row(0, named=True)
    assert (call["input_uncached"], call["cache_read"], call["input_audio"]) == (30, 60, 10)


def test_chunks_of_a_gemini_stream_are_one_call_with_the_last_counts(read):
    chunks = [gemini(promptTokenCount=9, candidatesTokenCount=n, totalTokenCount=9 + n) for n in (3, 8, 20)]
    reading = read(chunks[2], chunks[0], chunks[1])
    assert reading.calls["output_text"].to_list() == [20]
    assert reading.account.duplicates == 2


def test_what_gemini_stores_or_counts_ahead_is_no_call(read):
    stored = {"name": "cachedContents/x", "model": "m", "usageMetadata": {"totalTokenCount": 3512}}
    account = read(gemini(promptTokenCount=1, totalTokenCount=1), stored, {"totalTokens": 12}).account
    assert (account.calls, account.other) == (1, 2)


def test_a_gemini_total_that_does_not_add_up_is_told(read):
    reading = read(gemini(promptTokenCount=10, candidatesTokenCount=5, totalTokenCount=99))
    assert [note.kind for note in reading.notes] == ["usage_mismatch"]
    assert reading.account.reconciled == 0


def test_a_bare_answer_with_a_time_beside_it_is_dated_by_it(read):
    calls = read({**gemini(promptTokenCount=1, totalTokenCount=1), "timestamp": "2026-09-01T10:00:00Z"}).calls
    assert calls["ts"].to_list() == [datetime(2026, 9, 1, 10, tzinfo=UTC)]


def converse(**usage):
    return {"output": {"message": {}}, "stopReason": "end_turn", "usage": usage}


def test_bedrocks_input_excludes_its_cache_and_repeated_counts_are_not_added(read):
    usage = {
        "inputTokens": 22, "outputTokens": 13, "cacheReadInputTokens": 7, "cacheReadInputTokenCount": 7,
        "cacheWriteInputTokens": 2492, "cacheWriteInputTokenCount": 2492, "totalTokens": 2534,
    }  # fmt: skip
    reading = read(converse(**usage))
    call = reading.calls.row(0, named=True)
    assert (call["input_uncached"], call["cache_read"], call["cache_write_5m"]) == (22, 7, 2492)
    assert [note.kind for note in reading.notes] == ["ttl_unknown"]


@pytest.mark.parametrize("stop", ["guardrail_intervened", "content_filtered"])
def test_an_answer_that_bedrock_blocked_is_an_error(read, stop):
    body = {**converse(inputTokens=5, outputTokens=2, totalTokens=7), "stopReason": stop}
    assert read(body).calls["error"].to_list() == ["content_filter"]


def invocation(**parts):
    return {
        "schemaType": "ModelInvocationLog",
        "timestamp": "2026-09-01T10:00:00Z",
        "requestId": "b",
        **parts,
    }


def test_a_guardrail_that_only_looked_is_no_block(read):
    body = [{"type": "message_stop", "amazon-bedrock-guardrailAction": "NONE"}, "[DONE]"]
    calls = read(invocation(output={"outputBodyJson": body, "outputTokenCount": 3})).calls
    assert calls["status"].to_list() == ["ok"]


def test_a_prompt_that_speaks_of_counts_and_guardrails_changes_nothing(read):
    text = '"inputTokenCount":99999,"amazon-bedrock-guardrailAction":"INTERVENED"'
    given = {"inputBodyJson": {"messages": [{"content": text}]}, "inputTokenCount": 6}
    made = {"outputBodyJson": {"content": [{"text": text}], "stop_reason": "end_turn"}, "outputTokenCount": 2}
    call = read(invocation(input=given, output=made)).calls.row(0, named=True)
    assert (call["input_uncached"], call["output_text"], call["status"]) == (6, 2, "ok")


def test_an_invocation_log_of_cloudwatch_is_read_out_of_its_messages(read):
    message = json.dumps(invocation(input={"inputTokenCount": 6}), separators=(",", ":"))
    export = {"logGroup": "g", "logEvents": [{"id": "1", "timestamp": 1, "message": message}]}
    assert read(export).calls["input_uncached"].to_list() == [6]


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_an_invocation_log_is_known_wherever_its_schema_stands(read, separators):
    last = {"output": {"outputTokenCount": 2}, "requestId": "b", "schemaType": "ModelInvocationLog"}
    message = json.dumps(last, separators=separators)
    reading = read({"timestamp": 1_790_000_000_000, "message": message}, {**last, "requestId": "c"})
    assert reading.inputs[0].format == "bedrock"
    assert reading.calls["output_text"].to_list() == [2, 2]


def test_a_count_that_bedrock_repeats_in_its_stream_is_taken_from_one_place(read):
    start = {"message": {"usage": {"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 4}}}
    end = {"delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}}
    times = {"inputTokenCount": 10, "outputTokenCount": 7, "invocationLatency": 900, "firstByteLatency": 200}
    body = [start, end, {"amazon-bedrock-invocationMetrics": times}, "[DONE]"]
    logged = {"outputBodyJson": body, "outputTokenCount": 7}
    calls = read(invocation(input={"inputTokenCount": 10}, output=logged)).calls
    columns = ("input_uncached", "cache_read", "output_text", "latency_ms", "ttft_ms")
    assert calls.select(columns).rows() == [(10, 4, 7, 900, 200)]


def test_azures_negative_duration_is_unreadable_and_its_answer_a_call(shared):
    reading = pipeline.read([str(shared / "fixtures/azure-openai/handmade-request-response.jsonl")])
    assert reading.account.unreadable == {"latency_ms": 1}
    assert reading.calls["ts"].dt.epoch("ms").min() == (638800000000000000 - 621355968000000000) // 10_000


def test_a_correlation_that_azure_repeats_is_no_key(shared):
    path = str(shared / "fixtures/azure-openai/handmade-request-response.jsonl")
    assert pipeline.read([path]).account.duplicates == 0


def test_an_azure_gateways_own_traffic_is_no_call(read):
    entry = {"category": "GatewayLogs", "operationName": "G", "time": "2026-09-01T10:00:00Z"}
    answer = json.dumps({"object": "chat.completion", "model": "m", "usage": {"prompt_tokens": 3}})
    stream = f"data: {answer}\n\ndata: [DONE]\n"
    bodies = [{"backendResponseBody": text} for text in ('{"cart":[]}', answer, stream)]
    reading = read(*({**entry, "properties": body} for body in bodies))
    assert (reading.account.calls, reading.account.other) == (2, 1)
    assert reading.calls["input_uncached"].to_list() == [3, 3]


def test_coheres_billed_units_count_not_what_its_model_saw(shared):
    calls = pipeline.read([str(shared / "fixtures/provider-responses/cohere-chat.jsonl")]).calls
    assert calls["input_uncached"].to_list() == [13, 2406]
    assert calls["cache_read"].null_count() == 2


def test_groqs_wait_is_a_part_of_its_latency(read):
    usage = {
        "prompt_tokens": 4,
        "queue_time": 0.5,
        "prompt_time": 0.1,
        "completion_time": 0.2,
        "total_time": 0.3,
    }
    assert read({"object": "chat.completion", "usage": usage}).calls["latency_ms"].to_list() == [800.0]


def test_what_vllm_states_of_the_first_token_leaves_out_the_queue(shared):
    calls = pipeline.read([str(shared / "fixtures/vllm/docs-per-request-metrics.json")]).calls
    assert calls.select("ttft_ms", "latency_ms").row(0) == (pytest.approx(97.5), pytest.approx(1338.0))


def test_a_cost_on_ones_own_key_is_openrouters_share_and_said_to_be(shared):
    reading = pipeline.read([str(shared / "fixtures/provider-responses/openrouter-chat.jsonl")])
    assert {note.kind: note.count for note in reading.notes}["byok"] == 1


def test_openrouter_is_the_provider_and_not_the_host_behind_it(shared):
    calls = pipeline.read([str(shared / "fixtures/provider-responses/openrouter-chat.jsonl")]).calls
    chats = calls.filter(pl.col("response_id").str.starts_with("gen-"))
    assert set(chats["provider"]) == {"openrouter"}


def test_xais_reasoning_is_beside_its_completion_and_counted_as_reconciled(shared):
    reading = pipeline.read([str(shared / "fixtures/xai/handmade-chat.jsonl")])
    assert reading.calls.select("output_text", "reasoning").rows() == [(40, 260)]
    assert reading.account.reconciled == 1


def test_a_call_logged_twice_is_reconciled_once(read):
    usage = {"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 151,
             "completion_tokens_details": {"reasoning_tokens": 110}}  # fmt: skip
    body = {"id": "x", "object": "chat.completion", "usage": usage}
    account = read(body, body).account
    assert (account.calls, account.duplicates, account.reconciled) == (1, 1, 1)


def test_every_pass_of_an_anthropic_call_is_counted(read):
    passes = [
        {
            "type": "compaction",
            "input_tokens": 100,
            "output_tokens": 82,
            "cache_creation_input_tokens": 55096,
        },
        {"type": "message", "input_tokens": 180, "output_tokens": 8},
    ]
    usage = {"input_tokens": 180, "output_tokens": 8, "iterations": passes}
    call = read({"type": "message", "id": "msg_1", "usage": usage}).calls.row(0, named=True)
    assert (call["input_uncached"], call["cache_write_5m"], call["output_text"]) == (280, 55096, 90)


def test_the_remarks_of_wrapped_bodies_are_made_where_the_bodies_are(read):
    usage = {"input_tokens": 1, "output_tokens": 2, "cache_creation_input_tokens": 30}
    wrapped = {
        "timestamp": "2026-09-01T10:00:00Z",
        "response": {"type": "message", "id": "m", "usage": usage},
    }
    assert [note.kind for note in read(wrapped).notes] == ["ttl_unknown"]


def test_ollamas_stamp_is_the_end_and_its_chunks_are_no_calls(read):
    chunk = {"model": "m", "created_at": "2026-09-01T10:00:04Z", "message": {}, "done": False}
    last = {**chunk, "created_at": "2026-09-01T10:00:05Z", "done": True, "total_duration": 2_000_000_000,
            "eval_count": 5}  # fmt: skip
    reading = read(chunk, chunk, last)
    assert (reading.account.calls, reading.account.other) == (1, 2)
    assert reading.calls["ts"].to_list() == [datetime(2026, 9, 1, 10, 0, 3, tzinfo=UTC)]
    assert reading.calls["output_text"].to_list() == [5]


def stream(*events):
    return "".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events)


def test_usage_of_an_anthropic_stream_grows_and_its_last_holds(tmp_path):
    usage = {"input_tokens": 25, "cache_read_input_tokens": 100, "output_tokens": 1}
    message = {"id": "msg_1", "type": "message", "model": "claude-opus-4-6", "content": [], "usage": usage}
    start = {"type": "message_start", "message": message}
    text = {"type": "content_block_delta", "delta": {"text": 'says "message_delta"'}}
    early = {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 15, "input_tokens": None}}
    late = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 55}}
    other = {"type": "message_start", "message": {**message, "id": "msg_2"}}
    path = tmp_path / "stream.txt"
    path.write_text(stream(start, text, early, late, {"type": "message_stop"}, other, late))
    calls = pipeline.read([str(path)]).calls
    columns = ("response_id", "input_uncached", "cache_read", "output_text", "finish_reason", "status")
    assert calls.select(columns).rows() == [(f"msg_{n}", 25, 100, 55, "end_turn", "ok") for n in (1, 2)]


def test_the_input_of_an_openai_batch_is_refused_in_words(tmp_path):
    path = tmp_path / "batch.jsonl"
    path.write_text('{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"m"}}\n')
    with pytest.raises(UnreadableInput, match="give the batch's output"):
        pipeline.read([str(path)])


@pytest.mark.parametrize(
    ("body", "calls"),
    [
        ({"input_tokens": 5}, 0),
        ({"object": "response.input_tokens", "input_tokens": 3}, 0),
        ({"inputTokens": 3}, 0),
        ({"object": "response", "id": "resp_1", "created_at": 1_790_000_000, "model": "m", "usage": None,
          "status": "queued"}, 0),
        ({"object": "chat.completion", "id": "c", "model": "m", "created": 1_790_000_000, "usage": {}}, 1),
    ],
)  # fmt: skip
def test_counting_replies_and_snapshots_are_no_calls(read, body, calls):
    answer = {"object": "chat.completion", "id": "chatcmpl-0", "created": 1_790_000_000, "model": "m",
              "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}  # fmt: skip
    assert read(answer, body).account.calls == 1 + calls


def test_chunks_of_an_openai_stream_are_one_call_with_the_counts_of_the_last(read):
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_790_000_000, "model": "m"}
    usage = {"prompt_tokens": 10, "completion_tokens": 50, "total_tokens": 60,
             "completion_tokens_details": {"rejected_prediction_tokens": 20}}  # fmt: skip
    said = {**chunk, "choices": [{"delta": {"content": "a"}}], "usage": None}
    reading = read(said, said, {**chunk, "choices": [], "usage": usage})
    assert (reading.account.calls, reading.account.duplicates) == (1, 2)
    assert reading.calls.select("input_uncached", "output_text").rows() == [(10, 50)]


def test_vertex_logs_are_read_in_the_spelling_of_rest_as_well(read):
    answer = {
        "usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 10, "totalTokenCount": 110},
        "candidates": [{"finishReason": "STOP"}],
        "modelVersion": "gemini-2.5-pro",
    }
    line = {"api_method": "generateContent", "full_request": {"model": "m"}, "full_response": answer}
    (row,) = read(line | {"logging_time": "2026-09-01T10:00:00Z"}).calls.to_dicts()
    assert (row["format"], row["status"]) == ("vertex", "ok")
    assert (row["input_uncached"], row["output_text"]) == (100, 10)


def test_a_line_of_openais_costs_names_its_model_in_the_dashboards_table_too(tmp_path):
    path = tmp_path / "costs.csv"
    path.write_text(
        "start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item\n"
        '1788220800,1788307200,2026-09-01T00:00:00+00:00,2026-09-02T00:00:00+00:00,1.5,usd,"gpt-4o, input"\n'
    )
    (row,) = pipeline.read([str(path)]).calls.to_dicts()
    assert (row["model"], row["cost_logged"]) == ("gpt-4o", 1.5)
