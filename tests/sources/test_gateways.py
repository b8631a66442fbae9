"""Gateways and tracing tools: what a plain reader of their exports takes for money, time, tokens or calls."""

import json
from pathlib import Path

import pytest

from llmtel import pipeline
from llmtel.core.schema import LEAVES
from llmtel.sources.formats import sources


@pytest.fixture
def read(tmp_path):
    def write(*records, name="log.jsonl"):
        path = tmp_path / name
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
        return pipeline.read([str(path)])

    return write


@pytest.fixture
def row(read):
    def of(record):
        (found,) = read(record).calls.to_dicts()
        return found

    return of


def leaves(row):
    return {name: row[name] for name in LEAVES if row[name] is not None}


LITELLM = {
    "id": "chatcmpl-1", "call_type": "acompletion", "status": "success", "model": "gpt-4o",
    "custom_llm_provider": "openai", "startTime": "2026-09-01 10:00:00.000000",
    "endTime": "2026-09-01 10:00:02.000000", "completionStartTime": "2026-09-01 10:00:00.500000",
    "response_time": 9.0, "response_cost": 0.1, "prompt_tokens": 100, "completion_tokens": 20,
    "total_tokens": 120, "stream": True, "metadata": {},
}  # fmt: skip


def test_litellm_times_are_those_of_start_and_end_and_not_the_response_time(row):
    call = row(LITELLM)
    assert (call["latency_ms"], call["ttft_ms"]) == (2000.0, 500.0)
    assert row(LITELLM | {"endTime": None})["latency_ms"] == 9000.0
    assert row(LITELLM | {"startTime": 1788256800.25})["ts"].microsecond == 250_000


@pytest.mark.parametrize("change", [{"stream": False}, {"completionStartTime": "2026-09-01 10:00:02.000000"}])
def test_a_litellm_call_that_did_not_stream_has_no_time_to_its_first_token(row, change):
    assert row(LITELLM | change)["ttft_ms"] is None


@pytest.mark.parametrize("hit", [True, "True"])
def test_what_the_cache_of_litellm_answered_cost_nothing_and_took_no_models_time(row, hit):
    call = row(LITELLM | {"cache_hit": hit})
    assert (call["cost_logged"], call["latency_ms"], call["ttft_ms"]) == (0.0, None, None)
    assert call["input_uncached"] == 100


def test_what_the_cache_of_litellm_answered_is_a_call_beside_the_one_whose_answer_it_kept(read):
    first = LITELLM | {"response": {"id": "chatcmpl-1"}}
    again = first | {"id": "1788256800.5chatcmpl-1", "cache_hit": True}
    calls = read(first, again).calls
    assert sorted(calls["cost_logged"]) == [0.0, 0.1]


@pytest.mark.parametrize("miss", [None, False, "None", "False", ""])
def test_other_words_for_a_cache_hit_are_none(row, miss):
    assert row(LITELLM | {"cache_hit": miss})["cost_logged"] == 0.1


def test_the_text_none_is_nothing_in_litellm_logs(row):
    call = row(
        LITELLM
        | {"end_user": "None", "team_id": "None", "trace_id": "None", "model_group": "None"}
        | {"metadata": {"user_api_key_user_id": "u1", "user_api_key_team_alias": "None"}}
    )
    assert (call["user"], call["feature"], call["session"], call["model_requested"]) == (
        "u1", None, None, None,
    )  # fmt: skip


def test_a_failed_litellm_call_has_unknown_tokens_and_not_zero(row):
    error = {"error_code": "429", "error_class": "RateLimitError"}
    zeros = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0, "status": "failure"}
    for place in ({"error_information": error}, {"metadata": json.dumps({"error_information": error})}):
        call = row(LITELLM | zeros | place)
        assert (call["error"], call["http_status"], leaves(call)) == ("rate_limit", 429, {})


def test_fallbacks_of_one_litellm_trace_are_calls_of_their_own(read):
    calls = read(*(LITELLM | {"id": f"r{i}", "trace_id": "t"} for i in range(3))).calls
    assert calls.height == 3
    assert calls["session"].to_list() == ["t"] * 3


@pytest.mark.parametrize(
    ("usage", "total", "wanted"),
    [
        # inside the prompt, as of calls that were translated
        (
            {"cache_read_input_tokens": 60, "cache_creation_input_tokens": 30}, 120,
            {"input_uncached": 10, "cache_read": 60, "cache_write_5m": 30, "output_text": 20},
        ),
        # beside it, as some versions have it for anthropic_messages
        (
            {"cache_read_input_tokens": 60, "cache_creation_input_tokens": 30}, 210,
            {"input_uncached": 100, "cache_read": 60, "cache_write_5m": 30, "output_text": 20},
        ),
        (
            {"cache_read_input_tokens": 600}, None,
            {"input_uncached": 100, "cache_read": 600, "output_text": 20},
        ),
        (
            {"cache_creation_input_tokens": 50, "prompt_tokens_details": {"cache_creation_token_details":
             {"ephemeral_1h_input_tokens": 40}}}, 120,
            {"input_uncached": 50, "cache_write_5m": 10, "cache_write_1h": 40, "output_text": 20},
        ),
        (
            {"completion_tokens_details": {"reasoning_tokens": 5, "audio_tokens": None}}, 120,
            {"input_uncached": 100, "output_text": 15, "reasoning": 5},
        ),
        ({"prompt_tokens_details": None}, 120, {"input_uncached": 100, "output_text": 20}),
    ],
)  # fmt: skip
def test_cache_details_of_litellm_are_read_by_the_total(row, usage, total, wanted):
    in_response = LITELLM | {"total_tokens": total, "response": {"usage": usage}}
    in_metadata = LITELLM | {
        "total_tokens": total, "response": "{}", "metadata": json.dumps({"usage_object": usage})
    }  # fmt: skip
    assert leaves(row(in_response)) == leaves(row(in_metadata)) == wanted


LANGFUSE = {
    "id": "g", "traceId": "t", "type": "GENERATION", "model": "gpt-4o", "level": "DEFAULT", "userId": "u1",
    "startTime": "2026-09-01T10:00:00.100Z", "endTime": "2026-09-01T10:00:01.500Z", "sessionId": "s1",
    "usageDetails": {"input": 40, "input_cache_read": 60, "output": 20, "total": 120},
    "output": '{"id":"chatcmpl-1","choices":[]}', "promptName": "greet", "traceName": "answer",
}  # fmt: skip


def test_a_call_in_a_gateways_log_and_in_a_trace_is_one_call(tmp_path):
    for name, record in (("gateway", LITELLM), ("trace", LANGFUSE)):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(record) + "\n")
    reading = pipeline.read([str(tmp_path)])
    (call,) = reading.calls.to_dicts()
    assert (reading.account.calls, reading.account.duplicates) == (1, 1)
    assert leaves(call) == {"input_uncached": 40, "cache_read": 60, "output_text": 20}
    assert (call["user"], call["session"], call["prompt"]) == ("u1", "s1", "greet")
    assert (call["cost_logged"], call["provider"], call["ttft_ms"]) == (0.1, "openai", 500.0)
    (note,) = [note for note in reading.notes if note.kind == "several_formats"]
    assert note.count == 1


HELICONE = {
    "request_id": "r1", "request_created_at": "2026-09-01T10:00:00Z", "delay_ms": 1200, "model": "m",
    "response_status": 200, "prompt_tokens": 100, "completion_tokens": 20,
}  # fmt: skip


@pytest.mark.parametrize("status", [-1, -2, -3, -4])
def test_a_negative_status_of_helicone_is_no_http_status(row, status):
    call = row(HELICONE | {"response_status": status})
    assert (call["status"], call["error"], call["http_status"]) == ("error", "cancelled", None)


def test_helicone_marks_a_hit_of_its_cache_by_a_reference_that_is_not_all_zeros(row):
    nothing = "00000000-0000-0000-0000-000000000000"
    miss = HELICONE | {"costUSD": 0.5, "cache_enabled": True, "cache_reference_id": nothing}
    assert (row(miss)["cost_logged"], row(miss)["latency_ms"]) == (0.5, 1200.0)
    hit = miss | {"cache_reference_id": "r0"}
    assert (row(hit)["cost_logged"], row(hit)["latency_ms"]) == (0.0, None)


@pytest.mark.parametrize(
    ("total", "wanted"),
    [(120, {"input_uncached": 40, "cache_read": 60}), (180, {"input_uncached": 100, "cache_read": 60})],
)
def test_the_total_of_helicone_tells_whether_the_cache_is_in_the_prompt(row, total, wanted):
    found = leaves(row(HELICONE | {"prompt_cache_read_tokens": 60, "total_tokens": total}))
    assert found == wanted | {"output_text": 20}


LANGSMITH = {
    "id": "a", "trace_id": "a", "dotted_order": "20260901Za", "run_type": "llm",
    "start_time": "2026-09-01T10:00:00", "end_time": "2026-09-01T10:00:02", "session_id": "project-uuid",
    "extra": {"metadata": {"ls_model_name": "m"}},
}  # fmt: skip


def test_the_session_id_of_a_langsmith_run_is_its_project_and_no_conversation(row):
    assert row(LANGSMITH)["session"] is None
    thread = LANGSMITH | {"extra": {"metadata": {"thread_id": "s1"}}}
    assert row(thread)["session"] == "s1"


def test_chains_of_langsmith_carry_the_sums_of_their_runs_and_are_no_calls(read):
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    chain = LANGSMITH | usage | {"run_type": "chain", "id": "c", "dotted_order": "1"}
    runs = [LANGSMITH | usage | {"id": i, "parent_run_id": "c", "dotted_order": i} for i in "xy"]
    reading = read(runs[0], chain, runs[1])
    assert reading.calls["input_uncached"].to_list() == [10, 10]
    assert (reading.account.calls, reading.account.other) == (2, 1)


def test_a_model_run_inside_a_model_run_counts_once(read):
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    outer, inner = (
        LANGSMITH | usage,
        LANGSMITH | usage | {"id": "b", "parent_run_id": "a", "dotted_order": "2"},
    )
    assert read(outer, inner).calls["call_id"].to_list() == ["b"]


def test_the_patch_of_a_run_is_found_by_its_trace_and_order_without_an_id(read):
    post = {
        key: LANGSMITH[key] for key in ("id", "trace_id", "dotted_order", "run_type", "start_time", "extra")
    }
    patch = {
        "trace_id": "a", "dotted_order": "20260901Za", "end_time": "2026-09-01T10:00:02",
        "outputs": {"model": "m-1", "usage_metadata": {"input_tokens": 9, "output_tokens": 4}},
    }  # fmt: skip
    together = read({"post": [post], "patch": [patch]})
    apart = read({"post": [post], "patch": []}, {"post": [], "patch": [patch]})
    for reading in (together, apart):
        (call,) = reading.calls.to_dicts()
        assert (call["model"], call["latency_ms"], call["input_uncached"]) == ("m-1", 2000.0, 9)
        assert (reading.account.calls, reading.account.duplicates, reading.account.other) == (1, 0, 1)
        assert reading.account.balance() == 0


def test_a_langsmith_run_that_streamed_without_usage_has_unknown_tokens(row):
    zeros = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    assert leaves(row(LANGSMITH | zeros)) == {}
    assert leaves(row(LANGSMITH | {"outputs": {"usage_metadata": None}})) == {}


@pytest.mark.parametrize(
    ("details", "wanted"),
    [
        ({"cache_read": 40, "cache_creation": 30}, {"cache_read": 40, "cache_write_5m": 30}),
        # a newer client says how long each part lives, with the sum beside it or zero
        (
            {"cache_creation": 30, "ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10},
            {"cache_write_5m": 20, "cache_write_1h": 10},
        ),
        (
            {"cache_creation": 0, "ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10},
            {"cache_write_5m": 20, "cache_write_1h": 10},
        ),
    ],
)
def test_details_of_langsmith_are_parts_of_its_input(row, details, wanted):
    usage = {"input_tokens": 100, "output_tokens": 5, "total_tokens": 105, "input_token_details": details}
    found = leaves(row(LANGSMITH | {"outputs": {"usage_metadata": usage}}))
    assert found == wanted | {"input_uncached": 100 - sum(wanted.values()), "output_text": 5}


def test_langsmith_costs_are_texts_and_feedback_is_by_name(row):
    stats = {"user_score": {"n": 1, "avg": 1.0}, "helpfulness": {"n": 2, "avg": 3.5}, "toxicity": {"avg": 1}}
    call = row(LANGSMITH | {"total_cost": "0.0125", "feedback_stats": stats})
    assert (call["cost_logged"], call["thumb"], call["rating"]) == (0.0125, True, 3.5)


PORTKEY = {
    "id": "p1", "created_at": "2026-09-01T10:00:00Z", "ai_org": "openai", "ai_model": "m", "is_success": True,
    "req_units": 90, "res_units": 12, "cost": 2.5, "response_time": 100, "response_status_code": 200,
}  # fmt: skip


def test_portkey_costs_are_cents_and_a_note_says_so(read):
    reading = read(PORTKEY, PORTKEY | {"id": "p2", "cost": 0})
    assert reading.calls["cost_logged"].to_list() == [0.025, 0.0]
    (note,) = [note for note in reading.notes if note.kind == "cents"]
    assert (note.count, "cents" in note.text) == (1, True)


def test_a_cost_in_another_currency_than_dollars_is_unknown(row):
    assert row(PORTKEY | {"cost_currency": "EUR"})["cost_logged"] is None


def test_each_attempt_of_a_portkey_fallback_is_a_call(read):
    failed = PORTKEY | {"id": "p0", "trace_id": "t", "is_success": False, "response_status_code": 503}
    calls = read(failed, PORTKEY | {"trace_id": "t"}).calls
    assert calls["error"].to_list() == ["http_5xx", None]


CLOUDFLARE = {
    "id": "c1", "created_at": "2026-09-01T10:00:00Z", "provider": "openai", "model": "m", "success": True,
    "status_code": 200, "cached": False, "duration": 100, "tokens_in": 9, "tokens_out": 3, "cost": 0.5,
}  # fmt: skip


def test_what_cloudflares_cache_answered_cost_nothing_and_took_no_models_time(row):
    call = row(CLOUDFLARE | {"cached": True})
    assert (call["cost_logged"], call["latency_ms"], call["input_uncached"]) == (0.0, None, 9)


def test_a_request_that_data_loss_prevention_stopped_is_filtered_content(row):
    call = row(CLOUDFLARE | {"success": False, "status_code": 424})
    assert (call["error"], call["http_status"]) == ("content_filter", 424)


def test_a_page_of_cloudflares_api_is_read_request_by_request(read):
    page = {"success": True, "result": [CLOUDFLARE, CLOUDFLARE | {"id": "c2"}]}
    assert read(page).calls["call_id"].to_list() == ["c1", "c2"]


GENERATION = {
    "id": "gen-1", "created_at": "2026-09-01T10:00:00Z", "model": "m", "total_cost": 0.5, "cancelled": False,
    "tokens_prompt": 40, "tokens_completion": 9, "native_tokens_prompt": 50, "native_tokens_completion": 12,
}  # fmt: skip


def test_openrouter_bills_native_tokens_and_not_its_own_count(row):
    assert leaves(row(GENERATION)) == {"input_uncached": 50, "output_text": 12}
    assert leaves(row({"data": GENERATION})) == {"input_uncached": 50, "output_text": 12}


def test_a_short_activity_export_of_openrouter_is_read_by_its_names(tmp_path):
    path = tmp_path / "activity.csv"
    path.write_text("cost_total,generation_id,created_at\n0.5,gen-1,2026-09-01 10:00:00\n")
    (call,) = pipeline.read([str(path)]).calls.to_dicts()
    assert (call["call_id"], call["cost_logged"], leaves(call)) == ("gen-1", 0.5, {})


def test_the_discount_of_openrouters_cache_is_already_in_the_total(shared):
    calls = pipeline.read([str(shared / "fixtures/openrouter/handmade-activity.csv")]).calls
    assert calls["cost_logged"].to_list() == [0.0125, 0.002]


def test_fixtures_of_these_tools_in_one_folder_keep_their_formats_and_calls(shared, tmp_path):
    wanted = {}
    for folder in ("langfuse", "langsmith", "litellm", "openinference", "otlp", "openrouter"):
        for path in sorted((shared / "fixtures" / folder).iterdir()):
            if path.name == "handmade-daily.csv":
                continue
            (tmp_path / path.name).symlink_to(path)
            wanted[path.name] = pipeline.read([str(path)]).calls.height
    reading = pipeline.read([str(tmp_path)])
    found = {Path(one.file).name: one.calls for one in reading.inputs}
    assert found == wanted
    assert {one.format for one in reading.inputs} == {
        "langfuse", "langsmith", "litellm", "openinference", "otlp", "openrouter_activity",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", [name for name, source in sources().items() if source.evidence == "documented"]
)
def test_formats_known_from_documentation_alone_link_to_it(name):
    assert sources()[name].link.startswith("https://")
