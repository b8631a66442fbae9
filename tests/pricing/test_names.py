"""One name for one model, whoever writes it."""

import polars as pl
import pytest

from llmtel.pricing import names


@pytest.mark.parametrize(
    ("provider", "written", "plain"),
    [
        ("anthropic", "Claude Opus 4.6", ("anthropic", "claude-opus-4-6")),
        (None, "claude-opus-4-6", ("anthropic", "claude-opus-4-6")),
        (None, "claude-opus-4-6[1m]", ("anthropic", "claude-opus-4-6")),
        (None, "Claude Sonnet 3.7", ("anthropic", "claude-3-7-sonnet")),
        ("aws", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", ("aws", "claude-sonnet-4-5")),
        ("AWS", "claude sonnet 4.5", ("aws", "claude-sonnet-4-5")),
        ("openai", "gpt-4o-mini-2024-07-18", ("openai", "gpt-4o-mini")),
        ("openrouter", "openai/gpt-5-mini", ("openrouter", "gpt-5-mini")),
        ("azure", "gpt-4.1", ("azure", "gpt-4.1")),
        ("Microsoft", "gpt 4o mini", ("azure", "gpt-4o-mini")),
        ("Google Cloud", "gemini 2.5 pro", ("google", "gemini-2.5-pro")),
        ("Amazon Web Services", "claude sonnet 4.5", ("aws", "claude-sonnet-4-5")),
        ("Acme", "gpt 4o mini", (None, "gpt-4o-mini")),
        (None, "Acme-7B", (None, "acme-7b")),
        ("openai", None, ("openai", None)),
        (None, None, (None, None)),
    ],
)
def test_spellings_of_one_model_have_one_name(packaged, frame, provider, written, plain):
    unified = names.unified(frame({"provider": provider, "model": written}), packaged)
    assert unified.select("provider", "model").row(0) == plain


def test_names_that_are_near_are_not_one(packaged, frame):
    written = ["gpt-4o-mini", "o4-mini", "gpt-4o", "gpt-4.1-mini", "claude-opus-4-6", "claude-opus-4-1"]
    unified = names.unified(frame(*({"model": name} for name in written)), packaged)
    assert unified["model"].n_unique() == len(written)


def test_the_order_and_number_of_calls_stay(packaged, frame):
    rows = [{"model": "b", "call_id": "1"}, {"model": None, "call_id": "2"}, {"model": "b", "call_id": "3"}]
    unified = names.unified(frame(*rows).with_columns(pl.col("model").cast(pl.Categorical)), packaged)
    assert unified["call_id"].to_list() == ["1", "2", "3"]
