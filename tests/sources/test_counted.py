"""Calls with text and no counts have their tokens counted; the text goes no further than the counter."""

import json

import polars as pl
import pytest

from llmtel import pipeline
from llmtel.sources.texts import texts_of
from llmtel.tokens.counting import Counter, Tokenizer

EXACT = Tokenizer(exact=True)
LINE = {"timestamp": "2026-09-01T10:00:00Z", "model": "gpt-4o", "latency_ms": 10}


@pytest.fixture
def read(tmp_path):
    def read(*lines, tokenizer=EXACT, every=False):
        path = tmp_path / "log.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        reading = pipeline.read([str(path)], tokenizer=lambda *_: tokenizer, count_all=every)
        return reading.calls.with_columns(pl.col("token_source").cast(pl.String))

    return read


def tokens(text):
    return Counter().counts([text], "o200k_base")[0]


def test_a_prompt_and_its_answer_are_counted_in_the_models_own_encoding(read):
    calls = read(LINE | {"prompt": "Say hello to the world", "completion": "Hello, world!"})
    row = calls.select("input_uncached", "output_text", "token_source", "prompt_chars", "output_chars").row(0)
    assert row == (tokens("Say hello to the world"), tokens("Hello, world!"), "tokenizer", 22, 13)


def test_messages_are_framed(read):
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "name": "ann", "content": "Hi"}]
    [count] = read(LINE | {"messages": messages, "completion": "Hello"})["input_uncached"]
    # three tokens a message, one for the name, three for the reply
    assert count == tokens("Be brief.") + tokens("Hi") + 2 * 3 + 1 + 3


def test_another_familys_tokens_are_estimated_by_its_factor(read):
    calls = read(LINE | {"prompt": "word " * 100, "completion": "x"}, tokenizer=Tokenizer(factor=1.18))
    assert calls["input_uncached"][0] == round(1.18 * tokens("word " * 100))
    assert calls["token_source"][0] == "estimated"


def test_logged_counts_are_never_touched(read):
    counted = LINE | {"prompt_tokens": 7, "completion_tokens": 2, "prompt": "Say hello", "completion": "Hi"}
    calls = read(counted, LINE | {"prompt": "Say hello", "completion": "Hi"})
    assert calls["input_uncached"].to_list() == [7, tokens("Say hello")]
    assert calls["token_source"].to_list() == ["logged", "tokenizer"]


def test_a_failed_call_is_not_counted(read):
    calls = read(LINE | {"prompt": "Say hello", "status": "error", "error": "timeout"})
    assert calls["input_uncached"].to_list() == [None]


def test_what_was_not_logged_is_unknown_not_zero(read):
    calls = read(LINE | {"prompt": "Say hello"})
    assert calls["output_text"].to_list() == [None]


def test_a_body_without_usage_in_an_applications_line_is_counted(read):
    body = {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1788000000, "model": "gpt-4o",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello there"}}],
    }  # fmt: skip
    calls = read(
        {"timestamp": LINE["timestamp"], "request": {"messages": [{"content": "Hi"}]}, "response": body}
    )
    assert calls.select("input_uncached", "output_text").row(0) == (tokens("Hi") + 6, tokens("Hello there"))


def test_other_counts_of_a_line_do_not_stand_for_tokens(read):
    calls = read(LINE | {"retries": 0, "prompt": "Say hello"})
    assert calls["input_uncached"].to_list() == [tokens("Say hello")]


def test_texts_of_a_table_are_counted(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("timestamp,model,latency_ms,prompt,completion\n2026-09-01,gpt-4o,5,Say hello,Hi\n")
    calls = pipeline.read([str(path)], tokenizer=lambda *_: EXACT).calls
    assert calls.select("input_uncached", "output_text").row(0) == (tokens("Say hello"), tokens("Hi"))


def test_files_with_and_without_counts_are_read_together(tmp_path):
    counts = {"provider": "openai", "prompt_tokens": 9, "completion_tokens": 3}
    for name, more in (("counted", {"prompt": "Say hello"}), ("logged", counts)):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(LINE | more) + "\n")
    calls = pipeline.read([str(tmp_path)], tokenizer=lambda *_: EXACT).calls.sort("file")
    assert calls["token_source"].to_list() == ["tokenizer", "logged"]
    assert calls["input_uncached"].to_list() == [tokens("Say hello"), 9]


def test_no_text_stands_in_any_column(read):
    calls = read(LINE | {"prompt": "my secret prompt", "completion": "my secret answer"})
    assert "secret" not in json.dumps(calls.to_dicts(), default=str)


def test_where_every_call_is_compared_logged_counts_stay_as_they_are(read):
    calls = read(LINE | {"prompt_tokens": 7, "completion_tokens": 2, "prompt": "a b c"}, every=True)
    assert calls.select("input_uncached", "token_source", "prompt_chars").row(0) == (7, "logged", None)


@pytest.mark.parametrize(
    ("record", "prompt", "output"),
    [
        ({"input": "q", "output": "a"}, ["q"], ["a"]),
        ({"input": [{"role": "user", "content": [{"type": "input_text", "text": "q"}]}]}, ["q"], []),
        ({"output": [{"content": [{"type": "output_text", "text": "a"}]}, {"type": "reasoning"}]}, [], ["a"]),
        ({"contents": [{"parts": [{"text": "q"}]}]}, ["q"], []),
        ({"candidates": [{"content": {"parts": [{"text": "a"}, {"text": "b"}]}}]}, [], ["a", "b"]),
        ({"system": "s", "messages": [{"content": "q"}]}, ["s", "q"], []),
        ({"role": "assistant", "content": [{"type": "text", "text": "a"}]}, [], ["a"]),
        ({"choices": [{"text": "a"}], "request": {"prompt": ["q", "r"]}}, ["q", "r"], ["a"]),
        ({"response": "a", "prompt": ""}, [], ["a"]),
        ({"prompt": {"id": 5}, "output": 7}, [], []),
    ],
)
def test_texts_are_found_in_the_shapes_that_logs_have(record, prompt, output):
    texts = texts_of(record)
    assert (list(texts.prompt), list(texts.output)) == (prompt, output)
