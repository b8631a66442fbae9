"""Prices that were given for a run and price nothing of it are named, each with what it may have meant."""

from __future__ import annotations

import pytest

from llmtel.pricing.unused import unused

ROW = "{prices: [{input: 1, output: 1}]}"


@pytest.mark.parametrize(
    ("price", "sentence"),
    [
        ("gpt=1/2", "--price gpt=1/2: no call is of this model; there is gpt-5, gpt-5-mini"),
        (
            "openai/gpt-5-mini=1/2",
            "--price openai/gpt-5-mini=1/2: no call is of this model; there is gpt-5-mini",
        ),
        ("acme-7=1/2", "--price acme-7=1/2: no call is of this model; there is acme-7b"),
        ("xyzzy=1/2", "--price xyzzy=1/2: no call is of this model"),
    ],
)
def test_a_price_for_a_model_that_no_call_has_is_named(layered, frame, price, sentence):
    calls = frame({"model": "gpt-5"}, {"model": "gpt-5-mini"}, {"model": "acme-7b"}, {"model": None})
    assert unused(calls, layered(prices=[f"ACME-7B=1/1,{price}"])) == (sentence,)


@pytest.mark.parametrize(
    "text",
    [
        "aliases: {Chat: openai/gpt-5, other: openai/gpt-4o}",
        f"models: {{openai: {{gpt-5: {ROW}, zz: {ROW}}}}}",
        "providers: {groq: {aliases: [grok-cloud]}}",
    ],
)
def test_a_price_file_is_used_by_one_name_and_one_without_models_says_nothing(layered, frame, text):
    calls = frame({"model": "chat"}, {"provider": "openai", "model": "openai/gpt-5"}, {"model": "gpt-5"})
    assert unused(calls, layered(text)) == ()


def test_a_price_file_for_other_models_is_named(layered, frame, tmp_path):
    found = unused(frame({"model": "gpt-5"}), layered(f"models: {{openai: {{zz: {ROW}, zy: {ROW}}}}}"))
    assert found == (f"{tmp_path / 'prices0.yaml'}: no call is of any of its models",)


def test_the_book_of_every_run_says_nothing(packaged, frame):
    assert unused(frame({"model": "xyzzy"}), packaged) == ()
